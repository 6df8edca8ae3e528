// Package gitlab talks to GitLab, gitlab.com or one's own, with a token of a
// project, a group or a person: it proves its webhooks, reads what a pipeline
// left, and writes commit statuses, one note to a merge request, and the answer
// to an external status check.
package gitlab

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/xanzy/go-gitlab"
	"golang.org/x/time/rate"

	"defectdojo/integrations"
)

// Config is how to reach GitLab.
type Config struct {
	URL     string         // https://gitlab.example.com, with its path if it has one; blank is gitlab.com
	Token   string         // of a project, a group or a person; scope api
	Hosts   []string       // that may hold artifacts, beside GitLab's own: its object storage
	Allowed []netip.Prefix // private networks that may be reached
}

// Validate tells what is wrong with a configuration.
func (c Config) Validate() error {
	if c.URL != "" {
		if err := integrations.CheckURL(c.URL); err != nil {
			return errors.New("url: " + err.Error())
		}
	}
	if strings.TrimSpace(c.Token) == "" {
		return errors.New("token: give an access token of the scope api")
	}
	for _, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/:@ ") {
			return errors.New("artifact_hosts: " + h + " is not the name of a host")
		}
	}
	return nil
}

// root returns the address of the instance, without a slash at the end.
func (c Config) root() string {
	text := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(c.URL), "/"), "/api/v4")
	if text == "" {
		return "https://gitlab.com"
	}
	return text
}

// Client speaks with one token.
type Client struct {
	cfg      Config
	base     *url.URL
	api      *gitlab.Client
	raw      *http.Client // follows no redirect
	plain    *http.Client // goes to hosts of artifacts: without credentials
	now      func() time.Time
	self     atomic.Int64 // whose token it is
	requests atomic.Int64
}

// New returns a client.
func New(cfg Config, now func() time.Time) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := url.Parse(cfg.root())
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, base: base, now: now}
	options := integrations.Options{Allowed: cfg.Allowed}
	h := integrations.NewClient(options)
	h.Transport = &counted{h.Transport, &c.requests}
	// When to try again is the queue's to know, and how fast, GitLab says itself.
	c.api, err = gitlab.NewClient(strings.TrimSpace(cfg.Token), gitlab.WithBaseURL(cfg.root()), gitlab.WithHTTPClient(h), gitlab.WithoutRetries(),
		gitlab.WithCustomLimiter(rate.NewLimiter(rate.Inf, 0)))
	if err != nil {
		return nil, err
	}
	c.api.UserAgent = "defectdojo"
	options.Redirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	options.Timeout, options.MaxBytes = downloadTimeout, MaxArtifact
	c.raw = integrations.NewClient(options)
	options.Redirect = func(*http.Request, []*http.Request) error {
		return errors.New("an artifact's address leads to another one")
	}
	c.plain = integrations.NewClient(options)
	return c, nil
}

// Requests counts the requests that were sent so far, for figures.
func (c *Client) Requests() int { return int(c.requests.Load()) }

// counted counts requests.
type counted struct {
	next http.RoundTripper
	n    *atomic.Int64
}

// RoundTrip sends one request.
func (t *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	t.n.Add(1)
	return t.next.RoundTrip(r)
}

// failed makes the error of a call.
func (c *Client) failed(op, method string, resp *gitlab.Response, err error) error {
	if err == nil {
		return nil
	}
	var r *http.Response
	if resp != nil {
		r = resp.Response
	}
	if e, ok := errors.AsType[*gitlab.ErrorResponse](err); ok {
		r = e.Response
		err = errors.New(integrations.Redact(clip(e.Message, 500), c.cfg.Token))
	} else {
		if errors.Is(err, gitlab.ErrNotFound) && r == nil {
			r = &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}}
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the address
		}
	}
	return integrations.FromResponse("gitlab", op, method, r, err, c.now())
}

// isStatus tells whether GitLab answered with a status.
func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*integrations.Error](err)
	return ok && e.Status == status
}

func with(ctx context.Context) gitlab.RequestOptionFunc { return gitlab.WithContext(ctx) }

// each calls page for every page of a list, up to most of them.
func each(most int, page func(gitlab.ListOptions) (*gitlab.Response, error)) (*gitlab.Response, error) {
	o := gitlab.ListOptions{PerPage: 100, Page: 1}
	for range most {
		resp, err := page(o)
		if err != nil || resp.NextPage == 0 {
			return resp, err
		}
		o.Page = resp.NextPage
	}
	return nil, nil
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// User is whose token it is.
type User struct {
	ID       int64
	Username string
}

// Self returns whose token it is: https://docs.gitlab.com/api/users/#retrieve-the-current-user
func (c *Client) Self(ctx context.Context) (User, error) {
	u, resp, err := c.api.Users.CurrentUser(with(ctx))
	if err != nil {
		return User{}, c.failed("ask who we are", http.MethodGet, resp, err)
	}
	c.self.Store(int64(u.ID))
	return User{int64(u.ID), u.Username}, nil
}

func (c *Client) selfID(ctx context.Context) (int64, error) {
	if id := c.self.Load(); id != 0 {
		return id, nil
	}
	u, err := c.Self(ctx)
	return u.ID, err
}

// Version returns which GitLab it is: https://docs.gitlab.com/api/version/
func (c *Client) Version(ctx context.Context) (string, error) {
	v, resp, err := c.api.Version.GetVersion(with(ctx))
	if err != nil {
		return "", c.failed("ask for the version", http.MethodGet, resp, err)
	}
	return v.Version, nil
}

// Project is a project as GitLab calls it now.
type Project struct {
	ID            int64
	Path          string // with its groups: "group/sub/shop"
	DefaultBranch string
	Archived      bool
	URL           string
}

func project(p *gitlab.Project) Project {
	return Project{int64(p.ID), p.PathWithNamespace, p.DefaultBranch, p.Archived, p.WebURL}
}

// Project returns one by its number: https://docs.gitlab.com/api/projects/#get-a-single-project
func (c *Client) Project(ctx context.Context, id int64) (Project, error) {
	p, resp, err := c.api.Projects.GetProject(int(id), nil, with(ctx))
	if err != nil {
		return Project{}, c.failed("get project", http.MethodGet, resp, err)
	}
	return project(p), nil
}

// ProjectByPath returns one by its path.
func (c *Client) ProjectByPath(ctx context.Context, path string) (Project, error) {
	p, resp, err := c.api.Projects.GetProject(path, nil, with(ctx))
	if err != nil {
		return Project{}, c.failed("get project", http.MethodGet, resp, err)
	}
	return project(p), nil
}

// Projects lists those of a group and the groups beneath it:
// https://docs.gitlab.com/api/groups/#list-projects
func (c *Client) Projects(ctx context.Context, group string) ([]Project, error) {
	var out []Project
	resp, err := each(50, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.Groups.ListGroupProjects(group, &gitlab.ListGroupProjectsOptions{
			ListOptions: o, IncludeSubGroups: new(true), Archived: new(false), WithShared: new(false), OrderBy: new("id"), Sort: new("asc"),
		}, with(ctx))
		for _, p := range l {
			out = append(out, project(p))
		}
		return resp, err
	})
	return out, c.failed("list projects", http.MethodGet, resp, err)
}

// File returns a file at a branch or commit; nil if there is none:
// https://docs.gitlab.com/api/repository_files/#get-raw-file-from-repository
func (c *Client) File(ctx context.Context, project int64, path, ref string) ([]byte, error) {
	b, resp, err := c.api.RepositoryFiles.GetRawFile(int(project), path, &gitlab.GetRawFileOptions{Ref: &ref}, with(ctx))
	if err = c.failed("read file", http.MethodGet, resp, err); isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return b, err
}

// Files lists the files in a folder at a branch or commit; none if there is no
// such folder: https://docs.gitlab.com/api/repositories/#list-repository-tree
func (c *Client) Files(ctx context.Context, project int64, folder, ref string) ([]string, error) {
	var out []string
	resp, err := each(10, func(o gitlab.ListOptions) (*gitlab.Response, error) {
		l, resp, err := c.api.Repositories.ListTree(int(project), &gitlab.ListTreeOptions{ListOptions: o, Path: &folder, Ref: &ref}, with(ctx))
		for _, n := range l {
			if n.Type == "blob" {
				out = append(out, n.Path)
			}
		}
		return resp, err
	})
	if err = c.failed("list files", http.MethodGet, resp, err); isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	slices.Sort(out)
	return out, err
}
