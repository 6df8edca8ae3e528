// Package github talks to GitHub and GitHub Enterprise Server, as a GitHub App
// or with a token: it proves their webhooks, reads what a workflow run left, and
// writes check runs, commit statuses and comments.
package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"defectdojo/integrations"
)

// Config is how to reach GitHub.
type Config struct {
	URL   string   // https://github.com or its API's address, or that of an Enterprise Server; blank is github.com
	AppID int64    // of a GitHub App; 0: the token is used
	Hosts []string // that may hold artifacts, beside GitHub's own

	PrivateKey string // of the App, in PEM
	Token      string // personal or fine-grained, instead of an App: cannot write check runs

	Allowed []netip.Prefix // private networks that may be reached
}

// Validate tells what is wrong with a configuration.
func (c Config) Validate() error {
	if c.URL != "" {
		if err := integrations.CheckURL(c.URL); err != nil {
			return errors.New("url: " + err.Error())
		}
	}
	switch {
	case c.AppID < 0:
		return errors.New("app_id: it is not an id")
	case c.AppID == 0 && c.Token == "":
		return errors.New("token: give a token, or an App's id with its private key")
	case c.AppID != 0:
		if _, err := parseKey(c.PrivateKey); err != nil {
			return errors.New("private_key: " + err.Error())
		}
	}
	return nil
}

// api returns the address of the API, with a slash at the end.
func (c Config) api() (*url.URL, error) {
	text := strings.TrimSuffix(c.URL, "/")
	if text == "" || text == "https://github.com" || text == "https://www.github.com" {
		text = "https://api.github.com"
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Hostname() != "api.github.com" && !strings.HasSuffix(u.Path, "/api/v3") { // Enterprise Server
		u.Path += "/api/v3"
	}
	u.Path += "/"
	return u, nil
}

// Client speaks for one App or token.
type Client struct {
	cfg    Config
	base   *url.URL
	http   *http.Client // follows redirects
	raw    *http.Client // does not
	plain  *http.Client // goes to hosts of artifacts: without credentials
	key    *rsa.PrivateKey
	now    func() time.Time
	secret []string // for redaction

	mu            sync.Mutex
	installations map[string]int64 // by owner
	tokens        map[int64]token  // by installation
	requests      int              // sent so far, for figures
}

// New returns a client.
func New(cfg Config, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := cfg.api()
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, base: base, now: now, installations: map[string]int64{}, tokens: map[int64]token{}, secret: []string{cfg.Token, cfg.PrivateKey},
		http: integrations.NewClient(integrations.Options{Allowed: cfg.Allowed}),
		raw: integrations.NewClient(integrations.Options{
			Allowed: cfg.Allowed, Redirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		plain: integrations.NewClient(integrations.Options{
			Allowed: cfg.Allowed, Timeout: downloadTimeout, MaxBytes: MaxArtifact,
			Redirect: func(*http.Request, []*http.Request) error {
				return errors.New("an artifact's address leads to another one")
			},
		}),
	}
	if cfg.AppID != 0 {
		if c.key, err = parseKey(cfg.PrivateKey); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// IsApp tells whether the client is a GitHub App: only those may write check runs.
func (c *Client) IsApp() bool { return c.key != nil }

// Requests counts the requests that were sent so far.
func (c *Client) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Repo is a repository by its name, "owner/name".
type Repo string

// Split returns owner and name.
func (r Repo) Split() (owner, name string) {
	owner, name, _ = strings.Cut(string(r), "/")
	return owner, name
}

// as returns the library's client with credentials: a token of the App's
// installation at owner, or of the App itself where owner is blank.
func (c *Client) as(ctx context.Context, owner string) (*github.Client, error) {
	bearer, err := c.bearer(ctx, owner)
	if err != nil {
		return nil, err
	}
	return c.with(c.http, owner, bearer), nil
}

func (c *Client) with(h *http.Client, owner, bearer string) *github.Client {
	gh := github.NewClient(&http.Client{Timeout: h.Timeout, CheckRedirect: h.CheckRedirect, Transport: &authorized{c, h.Transport, owner, bearer}})
	gh.BaseURL, gh.UserAgent = c.base, "defectdojo"
	return gh
}

// authorized adds the credentials to requests to the API, and to no others: not
// where a redirect leads.
type authorized struct {
	c      *Client
	next   http.RoundTripper
	owner  string // whose installation the credentials are of; blank: of none
	bearer string
}

// RoundTrip sends one request, and once more with a new token if that of the
// installation is good no more: it was suspended or installed again meanwhile.
func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if r.URL.Host != a.c.base.Host || r.URL.Scheme != a.c.base.Scheme {
		return a.send(r)
	}
	r = r.Clone(ctx)
	r.Header.Set("Authorization", "Bearer "+a.bearer)
	resp, err := a.send(r)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || a.c.key == nil || a.owner == "" || r.Body != nil && r.GetBody == nil {
		return resp, err
	}
	a.c.drop(a.bearer)
	bearer, err := a.c.bearer(ctx, a.owner)
	if err != nil { // what GitHub said tells more than why there is no other token
		return resp, nil //nolint:nilerr // see above
	}
	_ = resp.Body.Close()
	a.bearer = bearer
	if r = r.Clone(ctx); r.GetBody != nil {
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	return a.send(r)
}

func (a *authorized) send(r *http.Request) (*http.Response, error) {
	a.c.mu.Lock()
	a.c.requests++
	a.c.mu.Unlock()
	return a.next.RoundTrip(r)
}

// failed makes the error of a call.
func (c *Client) failed(op, method string, resp *github.Response, err error) error {
	if err == nil {
		return nil
	}
	var r *http.Response
	if resp != nil {
		r = resp.Response
	}
	return c.error(op, method, r, err)
}

// minimalPause is what GitHub asks for when it does not say how long:
// https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
const minimalPause = time.Minute

func (c *Client) error(op, method string, resp *http.Response, err error) error {
	limit, isLimit := errors.AsType[*github.RateLimitError](err)
	abuse, isAbuse := errors.AsType[*github.AbuseRateLimitError](err)
	switch {
	case isLimit:
		wait := max(limit.Rate.Reset.Sub(c.now()), time.Second)
		return &integrations.Error{System: "github", Op: op, Status: http.StatusForbidden, After: min(wait, time.Hour), Err: errors.New("the rate limit is used up")}
	case isAbuse:
		wait := minimalPause
		if abuse.RetryAfter != nil {
			wait = *abuse.RetryAfter
		}
		return &integrations.Error{System: "github", Op: op, Status: http.StatusForbidden, After: min(wait, time.Hour), Err: errors.New("GitHub's secondary rate limit")}
	}
	if e, ok := errors.AsType[*github.ErrorResponse](err); ok {
		text := []string{e.Message}
		for _, detail := range e.Errors {
			text = append(text, detail.Error())
		}
		err = errors.New(integrations.Redact(strings.Join(text, "; "), c.secret...))
		if resp == nil {
			resp = e.Response
		}
	} else if _, ok := errors.AsType[*url.Error](err); !ok && err != nil && resp == nil {
		err = errors.New(integrations.Redact(err.Error(), c.secret...))
	}
	if resp != nil && resp.StatusCode < 400 && resp.StatusCode >= 300 { // a redirect that is not followed
		return &integrations.Error{System: "github", Op: op, Status: resp.StatusCode, Permanent: true, Err: err}
	}
	if e := integrations.FromResponse("github", op, method, resp, err, c.now()); e != nil {
		return e
	}
	return err
}

// each calls page for every page of a list, up to most of them.
func each(most int, page func(github.ListOptions) (*github.Response, error)) (*github.Response, error) {
	o := github.ListOptions{PerPage: 100}
	for range most {
		resp, err := page(o)
		if err != nil || resp.NextPage == 0 {
			return resp, err
		}
		o.Page = resp.NextPage
	}
	return nil, nil
}
