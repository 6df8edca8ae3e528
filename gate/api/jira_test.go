package api_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/api"
	"defectdojo/gate/jobs"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/integrations"
	"defectdojo/integrations/jira/jiratest"
)

// jiraInstance is one as DefectDojo's clients send it.
const jiraInstance = `{"configuration_name":"ours","url":"https://jira.example","username":"gate","password":"CANARY-password","default_issue_type":"Bug","epic_name_id":10011,
	"open_status_key":11,"close_status_key":31,"info_mapping_severity":"Trivial","low_mapping_severity":"Low","medium_mapping_severity":"Medium",
	"high_mapping_severity":"High","critical_mapping_severity":"Highest","finding_jira_sync":true}`

func newTracker(s *store.Store) *tracker.Tracker {
	return &tracker.Tracker{
		Store: s, Box: seal.New(seal.NewKey()), Now: func() time.Time { return now }, SiteURL: func() string { return "https://gate.example" },
		HTTP: integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 10 * time.Second}),
		Send: func(context.Context, pgx.Tx, jobs.Send) error { return nil },
	}
}

// TestJIRAResources goes the way of a client of DefectDojo's: an instance, a
// project of it, a mapping; secrets go in and never come out.
func TestJIRAResources(t *testing.T) {
	t.Parallel()
	j := jiratest.New(t)
	s := newSite(t, func(d *api.Deps) { d.SiteURL = "https://gate.example" })
	product, engagement, test := s.product("shop")
	finding := s.finding(test, "x", "High", "")

	var said strings.Builder
	must := func(status int, method, path, body string) answer {
		t.Helper()
		a := s.must(status, method, "/api/v2"+path, body)
		said.WriteString(a.body)
		return a
	}
	if a := must(400, "POST", "/jira_instances/", `{}`); a.get("password.0") != "This field is required." || a.get("url.0") == nil || a.get("critical_mapping_severity.0") == nil {
		t.Errorf("nothing said: %s", a.body)
	}
	if a := must(400, "POST", "/jira_instances/", strings.Replace(jiraInstance, "https://", "ftp://", 1)); a.get("url.0") != "it must begin with https:// or http://" {
		t.Errorf("a bad address: %s", a.body)
	}
	inst := must(201, "POST", "/jira_instances/", jiraInstance).id()
	if a := must(200, "GET", fmt.Sprintf("/jira_configurations/%d/", inst), ""); a.get("password") != nil || a.get("url") != "https://jira.example" || a.get("inbound") != "claim" || a.get("epic_name_id") != 10011.0 {
		t.Errorf("instance: %s", a.body)
	}
	if a := must(400, "PATCH", fmt.Sprintf("/jira_instances/%d/", inst), `{"url":"https://evil.example"}`); a.get("password.0") == nil {
		t.Errorf("the password went elsewhere: %s", a.body)
	}
	if a := must(400, "PATCH", fmt.Sprintf("/jira_instances/%d/", inst), `{"open_status_key":null}`); a.get("open_status_key.0") == nil {
		t.Errorf("null: %s", a.body)
	}
	must(200, "PATCH", fmt.Sprintf("/jira_instances/%d/", inst), fmt.Sprintf(`{"url":%q,"username":%q,"password":%q}`, j.URL+"/", j.Username, j.Secret))
	if a := must(200, "POST", fmt.Sprintf("/jira_instances/%d/test/", inst), ""); a.get("deployment") != "Cloud" || a.get("account") == nil {
		t.Errorf("test: %s", a.body)
	}

	if a := must(400, "POST", "/jira_product_configurations/", fmt.Sprintf(`{"jira_instance":%d,"project_key":"SEC"}`, inst)); a.get("non_field_errors.0") != "Either engagement or product has to be set." {
		t.Errorf("of nothing: %s", a.body)
	}
	proj := must(201, "POST", "/jira_product_configurations/", fmt.Sprintf(`{"jira_instance":%d,"product":%d,"project_key":"SEC","push_all_issues":true,"custom_fields":{"customfield_10050":"red"}}`, inst, product)).id()
	a := must(200, "PATCH", fmt.Sprintf("/jira_projects/%d/", proj), `{"minimum_severity":"Medium"}`)
	if a.get("push_all_issues") != true || a.get("custom_fields.customfield_10050") != "red" || a.get("minimum_severity") != "Medium" || a.get("enabled") != true || a.get("epic_issue_type_name") != "Epic" {
		t.Errorf("project: %s", a.body)
	}
	must(201, "POST", "/jira_projects/", fmt.Sprintf(`{"jira_instance":%d,"engagement":%d,"project_key":"ENG"}`, inst, engagement))
	if a := must(200, "GET", fmt.Sprintf("/jira_product_configurations/?product=%d", product), ""); a.get("count") != 1.0 {
		t.Errorf("of the product: %s", a.body)
	}
	must(200, "POST", fmt.Sprintf("/jira_projects/%d/test/", proj), "")
	j.AddField("Bug", jiratest.Field{ID: "customfield_10077", Name: "Root cause", Required: true})
	if a := must(400, "POST", fmt.Sprintf("/jira_projects/%d/test/", proj), ""); !strings.Contains(a.body, "Root cause (customfield_10077)") {
		t.Errorf("a missing field: %s", a.body)
	}
	if a := must(409, "DELETE", fmt.Sprintf("/jira_instances/%d/", inst), ""); !strings.Contains(a.body, "There are JIRA projects") {
		t.Errorf("in use: %s", a.body)
	}

	must(200, "PATCH", fmt.Sprintf("/findings/%d/", finding), `{"push_to_jira":true}`)
	if a := must(200, "GET", fmt.Sprintf("/jira_projects/%d/plan/?asked=true", proj), ""); a.get("live") != true {
		t.Errorf("plan: %s", a.body)
	}
	if a := must(200, "GET", "/jira_finding_mappings/", ""); a.get("count") != 0.0 {
		t.Errorf("what is only wanted shows as linked: %s", a.body)
	}
	m := must(201, "POST", "/jira_finding_mappings/", fmt.Sprintf(`{"jira_id":"10001","jira_key":"SEC-1","finding":%d}`, finding))
	if m.get("url") != j.URL+"/browse/SEC-1" || m.get("finding") != float64(finding) || m.get("state") != "linked" {
		t.Errorf("mapping: %s", m.body)
	}
	if a := must(400, "POST", "/jira_finding_mappings/", fmt.Sprintf(`{"jira_id":"2","jira_key":"SEC-2","finding":%d}`, finding)); a.get("non_field_errors.0") != "It is linked to a JIRA issue already." {
		t.Errorf("linked twice: %s", a.body)
	}
	if a := must(400, "POST", "/jira_finding_mappings/", `{"jira_id":"2","jira_key":"SEC-2"}`); !strings.Contains(a.body, "Either engagement or finding") {
		t.Errorf("mapping of nothing: %s", a.body)
	}
	if a := must(200, "GET", fmt.Sprintf("/findings/%d/", finding), ""); a.get("jira_creation") == nil {
		t.Errorf("finding: %s", a.body)
	}
	must(200, "POST", fmt.Sprintf("/engagements/%d/update_jira_epic/", engagement), "")
	must(204, "DELETE", fmt.Sprintf("/jira_finding_mappings/%d/", m.id()), "")

	renewed := s.must(200, "POST", fmt.Sprintf("/api/v2/jira_instances/%d/webhook_secret/", inst), "") // the one answer that shows it
	secret, _ := renewed.get("webhook_secret").(string)
	if len(secret) < 32 || !strings.HasPrefix(fmt.Sprint(renewed.get("webhook_url")), "https://gate.example/hooks/jira/") {
		t.Errorf("webhook: %s", renewed.body)
	}
	must(200, "GET", "/jira_instances/", "")
	for _, hidden := range []string{"CANARY", secret, j.Secret} {
		if strings.Contains(said.String(), hidden) {
			t.Errorf("an answer tells %q", hidden)
		}
		for _, table := range []string{"connections", "jira_instances", "audit_events", "channel_health"} {
			var n int
			if err := s.pool.QueryRow(t.Context(), `select count(*) from `+table+` x where position($1 in x::text) > 0`, hidden).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s holds %q: %d, %v", table, hidden, n, err)
			}
		}
	}
}
