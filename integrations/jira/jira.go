// Package jira speaks with JIRA, Cloud and Data Center, through go-jira: issues,
// their transitions, comments and attachments, what a project wants of a new
// issue, and the webhooks that JIRA sends.
//
// It knows no finding: package tracker says what an issue should be.
package jira

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	jira "github.com/andygrunwald/go-jira"

	"defectdojo/integrations"
)

// What JIRA takes at most, in characters:
// https://support.atlassian.com/jira/kb/maximum-length-of-a-text-field-in-jira/
const (
	MaxSummary = 255
	MaxText    = 32767 // of a description, a comment, an environment
	MaxLabel   = 255
)

// Config is where a JIRA is and who we are there.
type Config struct {
	URL      string
	Username string // blank: Secret is a personal access token
	Secret   string // API token (Cloud), password or personal access token (Data Center)
	Cloud    bool   // Server tells; it decides how issues are searched and people are named
}

// Validate tells what is wrong with it, by field.
func (c Config) Validate() map[string]string {
	wrong := map[string]string{}
	if err := integrations.CheckURL(c.URL); err != nil {
		wrong["url"] = err.Error()
	}
	if c.Secret == "" {
		wrong["password"] = "an API token, a password or a personal access token is needed"
	}
	return wrong
}

// IsCloud tells by its address whether a JIRA is Atlassian's own; one behind a
// domain of its owner's is told by Server.
func IsCloud(url string) bool { return strings.Contains(strings.ToLower(url), ".atlassian.net") }

// Client speaks with one JIRA.
type Client struct {
	api   *jira.Client
	cloud bool
	now   func() time.Time
}

// New returns a client that goes through one of integrations.NewClient's.
func New(c Config, client *http.Client, now func() time.Time) (*Client, error) {
	base, err := url.Parse(strings.TrimSpace(c.URL))
	if err != nil {
		return nil, err
	}
	signed := *client
	signed.Transport = &signing{next: client.Transport, host: base.Host, config: c}
	api, err := jira.NewClient(&signed, strings.TrimRight(strings.TrimSpace(c.URL), "/"))
	if err != nil {
		return nil, err
	}
	return &Client{api, c.Cloud, now}, nil
}

// signing says who we are to one host, and to no other that it may lead to.
type signing struct {
	next   http.RoundTripper
	host   string
	config Config
}

// RoundTrip sends one request.
func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != s.host {
		return s.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	if s.config.Username != "" {
		r.SetBasicAuth(s.config.Username, s.config.Secret)
	} else {
		r.Header.Set("Authorization", "Bearer "+s.config.Secret)
	}
	return s.next.RoundTrip(r)
}

// call is one request: the answer is read into into, if that is not nil.
func (c *Client) call(ctx context.Context, op, method, path string, body, into any) error {
	r, err := c.api.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return err
	}
	resp, err := c.api.Do(r, into)
	return c.check(op, method, resp, err)
}

// check closes an answer and makes what it says an integrations.Error.
func (c *Client) check(op, method string, resp *jira.Response, err error) error {
	var answer *http.Response
	if resp != nil {
		answer = resp.Response
		defer answer.Body.Close()
		if _, told := errors.AsType[*jira.Error](err); err != nil && !told && answer.StatusCode >= http.StatusBadRequest {
			err = jira.NewJiraError(resp, err)
		}
	}
	err = integrations.FromResponse("jira", op, method, answer, err, c.now())
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		e.Err = plain(e.Err)
		if e.Status == http.StatusUnauthorized { // somebody will renew the token: what waits must not be lost
			e.Permanent, e.After = false, unauthorizedPause
		}
	}
	return err
}

// unauthorizedPause is how long to wait when JIRA does not know us.
const unauthorizedPause = 10 * time.Minute

// plain makes one line of what JIRA says, without go-jira's advice.
func plain(err error) error {
	said, ok := errors.AsType[*jira.Error](err)
	if !ok {
		return cut(err)
	}
	lines := append([]string{}, said.ErrorMessages...)
	for field, message := range said.Errors {
		lines = append(lines, field+": "+message)
	}
	if len(lines) == 0 {
		return nil
	}
	return cut(errors.New(strings.Join(sorted(lines), "; ")))
}

// maxMessage bounds what is kept of an answer: some are whole pages.
const maxMessage = 500

func cut(err error) error {
	if err == nil || len(err.Error()) <= maxMessage {
		return err
	}
	return errors.New(strings.ToValidUTF8(err.Error()[:maxMessage], "") + "…")
}

// User is somebody at JIRA: by account id at Cloud, by name elsewhere.
type User struct {
	AccountID   string `json:"accountId"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Email       string `json:"emailAddress"`
}

// ID names the user for good.
func (u User) ID() string {
	if u.AccountID != "" {
		return u.AccountID
	}
	return u.Name
}

// Myself returns who we are.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-myself/
func (c *Client) Myself(ctx context.Context) (u User, err error) {
	return u, c.call(ctx, "who am I", http.MethodGet, "rest/api/2/myself", nil, &u)
}

// Server is what a JIRA says of itself.
type Server struct {
	Deployment string `json:"deploymentType"` // Cloud, Server or DataCenter
	Version    string `json:"version"`
	Title      string `json:"serverTitle"`
}

// Server asks it.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-server-info/
func (c *Client) Server(ctx context.Context) (s Server, err error) {
	return s, c.call(ctx, "server info", http.MethodGet, "rest/api/2/serverInfo", nil, &s)
}

// Project is a project as far as we need it.
type Project struct {
	ID         string `json:"id"`
	Key        string `json:"key"`
	Name       string `json:"name"`
	Style      string `json:"style"` // next-gen: its issues have a parent and no epic link
	IssueTypes []struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Subtask bool   `json:"subtask"`
	} `json:"issueTypes"`
}

// Project returns a project.
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-projects/
func (c *Client) Project(ctx context.Context, key string) (p Project, err error) {
	return p, c.call(ctx, "get project", http.MethodGet, "rest/api/2/project/"+escape(key), nil, &p)
}
