package jira_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"defectdojo/integrations"
	"defectdojo/integrations/jira"
	"defectdojo/integrations/jira/jiratest"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func client(t *testing.T, s *jiratest.Server) *jira.Client {
	t.Helper()
	c, err := jira.New(jira.Config{URL: s.URL, Username: s.Username, Secret: s.Secret, Cloud: s.Cloud},
		integrations.NewClient(integrations.Options{Allowed: loopback, Timeout: 10 * time.Second}), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bug(labels ...string) jira.Fields {
	return jira.Fields{"project": jira.Fields{"key": "SEC"}, "issuetype": jira.Fields{"name": "Bug"}, "summary": "SQL injection", "labels": append([]string{}, labels...)}
}

// An issue's life, at Cloud with an API token and at Data Center with a personal
// access token: each request is checked by the server.
func TestIssue(t *testing.T) {
	t.Parallel()
	for name, cloud := range map[string]bool{"cloud": true, "data_center": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jiratest.New(t)
			s.Cloud = cloud
			if !cloud {
				s.Username, s.Account = "", "gate"
			}
			c, ctx := client(t, s), t.Context()
			if u, err := c.Myself(ctx); err != nil || u.ID() != s.Account {
				t.Fatalf("myself: %+v, %v", u, err)
			}
			if v, err := c.Server(ctx); err != nil || (v.Deployment == "Cloud") != cloud {
				t.Fatalf("server: %+v, %v", v, err)
			}
			if p, err := c.Project(ctx, "SEC"); err != nil || p.Key != "SEC" || len(p.IssueTypes) != 2 {
				t.Fatalf("project: %+v, %v", p, err)
			}
			k, err := c.Create(ctx, bug("gate-1"))
			if err != nil || k.ID == "" || k.Key != "SEC-1" {
				t.Fatalf("create: %+v, %v", k, err)
			}
			if found, err := c.Search(ctx, jira.WithLabels("gate-1", "gate-2"), 10); err != nil || len(found) != 1 || found[0].Key != k {
				t.Fatalf("search: %+v, %v", found, err)
			}
			if found, err := c.Search(ctx, jira.WithKeys(k.ID), 10); err != nil || len(found) != 1 {
				t.Fatalf("search by id: %+v, %v", found, err)
			}
			life(ctx, t, c, k)
		})
	}
}

func life(ctx context.Context, t *testing.T, c *jira.Client, k jira.Key) {
	t.Helper()
	commented, err := c.Comment(ctx, k.ID, "seen again")
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"update": c.Update(ctx, k.ID, jira.Fields{"description": "h3. What\nit is", "priority": jira.Fields{"name": "High"}}),
		"labels": c.AddLabels(ctx, k.ID, []string{"pci"}),
		"assign": c.Assign(ctx, k.ID, "ada"),
		"attach": c.Attach(ctx, k.ID, "request.txt", strings.NewReader("GET /")),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	ways, err := c.Transitions(ctx, k.ID)
	if err != nil || len(ways) != 4 || !ways[2].Done || ways[1].Done {
		t.Fatalf("transitions: %+v, %v", ways, err)
	}
	if err := c.Transit(ctx, k.ID, ways[2].ID, jira.Fields{"resolution": jira.Fields{"name": "Fixed"}}); err != nil {
		t.Fatal(err)
	}
	i, err := c.Issue(ctx, k.Key)
	if err != nil {
		t.Fatal(err)
	}
	if !i.Done || i.Resolution != "Fixed" || i.Description != "h3. What\nit is" || len(i.Labels) != 2 || len(i.Attachments) != 1 || i.Priority != "High" {
		t.Errorf("issue: %+v", i)
	}
	all, err := c.Comments(ctx, k.ID)
	if err != nil || len(all) != 1 || all[0].ID != commented || all[0].Body != "seen again" {
		t.Errorf("comments: %+v, %v", all, err)
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	for name, cloud := range map[string]bool{"cloud": true, "data_center": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jiratest.New(t)
			s.Cloud = cloud
			s.AddField("Bug", jiratest.Field{ID: "customfield_10077", Name: "Root cause", Required: true})
			s.AddField("Bug", jiratest.Field{ID: "customfield_10014", Name: "Epic Link", Custom: "com.pyxis.greenhopper.jira:gh-epic-link"})
			c := client(t, s)
			typ, err := c.Type(t.Context(), "SEC", "bug")
			if err != nil || !typ.Has("priority") || typ.Has("nothing") || typ.EpicLink() != "customfield_10014" {
				t.Fatalf("type: %+v, %v", typ, err)
			}
			if got := typ.Missing(bug()); len(got) != 1 || got[0] != "Root cause (customfield_10077)" {
				t.Errorf("missing: %v", got)
			}
			if _, err := c.Type(t.Context(), "SEC", "Story"); !integrations.IsPermanent(err) || !strings.Contains(err.Error(), "it has Bug, Epic") {
				t.Errorf("an unknown type: %v", err)
			}
			if _, err := c.Create(t.Context(), bug()); !integrations.IsPermanent(err) || !strings.Contains(err.Error(), "Root cause is required") {
				t.Errorf("create without a required field: %v", err)
			}
		})
	}
}

// What an error means for creating again: whether it may have been done.
func TestFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[jiratest.Fault]struct {
		unknown, permanent, later bool
		made                      int
	}{
		jiratest.ResetBefore:     {unknown: true},
		jiratest.ErrorAfter:      {unknown: true, made: 1},
		jiratest.ResetAfter:      {unknown: true, made: 1},
		jiratest.HangAfter:       {unknown: true, made: 1},
		jiratest.ResponseCut:     {unknown: true, made: 1},
		jiratest.Unavailable:     {unknown: true},
		jiratest.TooMany:         {later: true},
		jiratest.Unauthorized:    {later: true},
		jiratest.ForbiddenFields: {permanent: true},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s := jiratest.New(t)
			s.Fault = func(jiratest.Call) jiratest.Fault { return fault }
			c, err := jira.New(jira.Config{URL: s.URL, Username: s.Username, Secret: s.Secret, Cloud: true},
				integrations.NewClient(integrations.Options{Allowed: loopback, Timeout: 300 * time.Millisecond}), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Create(t.Context(), bug())
			e := &integrations.Error{}
			if !as(err, &e) || e.Unknown != want.unknown || e.Permanent != want.permanent || (e.After > 0) != want.later {
				t.Errorf("create: %+v", err)
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the token is in: %v", err)
			}
			if got := len(s.Issues()); got != want.made {
				t.Errorf("%d issues were made, want %d", got, want.made)
			}
		})
	}
}

func as(err error, into **integrations.Error) bool {
	e, ok := err.(*integrations.Error) //nolint:errorlint // it must be this, unwrapped
	*into = e
	return ok
}

// The token goes to its own host only, also where a redirect leads elsewhere.
func TestTokenStaysAtHome(t *testing.T) {
	t.Parallel()
	var got string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = "Authorization: " + r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	home := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(home.Close)
	c, err := jira.New(jira.Config{URL: home.URL, Username: "u", Secret: "hunter2"}, integrations.NewClient(integrations.Options{Allowed: loopback}), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Myself(t.Context())
	if got != "Authorization: " {
		t.Errorf("another host was sent %q", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body, sig := []byte("Hello World!"), "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9" // WebSub's example
	const secret = "It's a Secret to Everybody"
	if !jira.Verify(sig, body, secret) || !jira.Verify(sig, body, "new", secret) || jira.Sign(body, secret) != sig {
		t.Error("a good signature does not pass")
	}
	for i := len("sha256="); i < len(sig); i++ {
		bad := []byte(sig)
		bad[i] ^= 1
		if jira.Verify(string(bad), body, secret) {
			t.Errorf("byte %d changed: passes", i)
		}
	}
	for name, ok := range map[string]bool{
		"no header": jira.Verify("", body, secret), "no secret": jira.Verify(sig, body), "blank secret": jira.Verify(jira.Sign(body, ""), body, ""),
		"other body": jira.Verify(sig, []byte("Hello World"), secret), "sha1": jira.Verify("sha1="+sig[7:47], body, secret),
		"longer": jira.Verify(sig+"00", body, secret), "shorter": jira.Verify(sig[:60], body, secret), "other secret": jira.Verify(sig, body, secret+"!"),
	} {
		if ok {
			t.Errorf("%s: passes", name)
		}
	}
}

// Payloads as JIRA sends them.
func TestParseEvent(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]jira.Event{
		"status-changed.json":  {Name: "jira:issue_updated", IssueID: "11442", Self: "https://jira.test-example.ru/rest/api/2/issue/11442", Actor: "5bcede20b3e37a158c364fef"},
		"comment-created.json": {Name: "comment_created", IssueID: "26313", Self: "https://jira.test-example.ru/jira/rest/api/2/issue/26313/comment/31039"},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jira.ParseEvent(b); err != nil || got != want {
			t.Errorf("%s: %+v, %v", file, got, err)
		}
	}
	for text, id := range map[string]string{`{"issue":{"id":7}}`: "7", `{"issue":{"id":null}}`: "", `{}`: ""} {
		if got, err := jira.ParseEvent([]byte(text)); err != nil || got.IssueID != id {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if _, err := jira.ParseEvent([]byte(`{`)); err == nil {
		t.Error("half a body is taken")
	}
}
