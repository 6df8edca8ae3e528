package web

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/jobs"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/integrations"
	"defectdojo/integrations/jira/jiratest"
)

func newTracker(s *store.Store) *tracker.Tracker {
	return &tracker.Tracker{
		Store: s, Box: seal.New(seal.NewKey()), Now: time.Now, SiteURL: func() string { return "https://gate.example.org" },
		HTTP: integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 10 * time.Second}),
		Send: func(context.Context, pgx.Tx, jobs.Send) error { return nil },
	}
}

// TestJIRA sets a JIRA up by its pages: mistakes beside the fields, what was
// typed kept, secrets never shown but the webhook's, once.
func TestJIRA(t *testing.T) {
	t.Parallel()
	j := jiratest.New(t)
	s := shop(t)
	b := s.login(t, "ada")
	form := url.Values{
		"configuration_name": {"second"}, "url": {"ftp://x"}, "username": {j.Username}, "password": {j.Secret}, "default_issue_type": {"Bug"}, "close_status_key": {"x"},
		"info_mapping_severity": {"Trivial"}, "low_mapping_severity": {"Low"}, "medium_mapping_severity": {"Medium"}, "high_mapping_severity": {"High"},
		"critical_mapping_severity": {"Highest"}, "inbound": {"claim"}, "enabled": {"1"},
	}
	r := b.post("/integrations/jira", form)
	if r.code != http.StatusBadRequest || !strings.Contains(r.body, "It must be a number.") || !strings.Contains(r.body, `value="ftp://x"`) {
		t.Fatalf("a bad form: %d\n%s", r.code, r.body)
	}
	form.Set("close_status_key", "31")
	if r = b.post("/integrations/jira", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "it must begin with https://") {
		t.Fatalf("a bad address: %d\n%s", r.code, r.body)
	}
	form.Set("url", j.URL)
	r = b.post("/integrations/jira", form)
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || !regexp.MustCompile(`^/integrations/jira/\d+$`).MatchString(at) {
		t.Fatalf("add: %d %s\n%s", r.code, at, r.body)
	}
	pages := b.get(at).body
	if r = b.post(at+"/test", url.Values{}); r.code != http.StatusOK || !strings.Contains(r.body, "It answers: JIRA Cloud") {
		t.Errorf("test: %d\n%s", r.code, r.body)
	}
	pages += r.body
	form.Set("url", "https://elsewhere.example")
	form.Del("password")
	if r = b.post(at, form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "it was for another address") {
		t.Errorf("the token went elsewhere: %d", r.code)
	}
	r = b.post(at+"/secret", url.Values{})
	secret := regexp.MustCompile(`<code>([0-9a-f]{64})</code>`).FindStringSubmatch(r.body)
	if r.code != http.StatusOK || secret == nil {
		t.Fatalf("secret: %d\n%s", r.code, r.body)
	}
	id := at[strings.LastIndex(at, "/")+1:]
	project := url.Values{"product": {"1"}, "jira_instance": {id}, "project_key": {"pay"}, "minimum_severity": {"High"}, "custom_fields": {"{"}, "enabled": {"1"}, "epic_issue_type_name": {"Epic"}}
	if r = b.post("/integrations/jira/projects", project); r.code != http.StatusBadRequest || !strings.Contains(r.body, "It must be a JSON object") {
		t.Fatalf("a bad project: %d\n%s", r.code, r.body)
	}
	project.Set("custom_fields", "")
	r = b.post("/integrations/jira/projects", project)
	where := r.header.Get("Location")
	if r.code != http.StatusSeeOther {
		t.Fatalf("add project: %d\n%s", r.code, r.body)
	}
	if r = b.post(where+"/test", url.Values{}); r.code != http.StatusOK || !strings.Contains(r.body, "JIRA takes issues") {
		t.Errorf("test of the project: %d\n%s", r.code, r.body)
	}
	r = b.get(where + "/plan?asked=1")
	if r.code != http.StatusOK || !strings.Contains(r.body, "Bug in PAY, priority High") || !strings.Contains(r.body, "Push all of this") {
		t.Errorf("plan: %d\n%s", r.code, r.body)
	}
	pages += r.body + b.get("/integrations/jira").body + b.get(at).body
	if r = b.post(where+"/push", url.Values{}); r.code != http.StatusSeeOther {
		t.Errorf("push: %d\n%s", r.code, r.body)
	}
	var due int
	if err := s.db.QueryRow(t.Context(), `select count(*) from jira_issues where due is not null and asked`).Scan(&due); err != nil || due == 0 {
		t.Errorf("%d tickets are due: %v", due, err)
	}
	if r = b.post(at+"/delete", url.Values{}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "remove them first") {
		t.Errorf("remove what is in use: %d", r.code)
	}
	for _, hidden := range []string{j.Secret, secret[1]} {
		if strings.Contains(pages, hidden) {
			t.Errorf("a page shows %q", hidden)
		}
	}
	if r = s.login(t, "noor").get(where + "/plan"); r.code != http.StatusNotFound {
		t.Errorf("noor sees the plan: %d", r.code)
	}
}
