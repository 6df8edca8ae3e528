package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/jobs"
	"defectdojo/gate/notification"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/integrationtest"
)

func newNotifier(s *store.Store) *notification.Notifier {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return &notification.Notifier{
		Store: s, Box: seal.New(seal.NewKey()), Client: integrations.NewClient(integrations.Options{Allowed: local}), SiteURL: "https://gate.example.org", Version: "test",
		Now: func() time.Time { return now }, Enqueue: func(context.Context, pgx.Tx, jobs.Send) error { return nil },
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.must(201, "POST", "/api/v2/notifications/", `{"scan_added":["slack","mail"],"sla_breach":[],"filter":"n.severity >= severity.high","min_severity":"Medium"}`)
	for path, want := range map[string]string{
		"scan_added.0": "slack", "scan_added.1": "mail", "product_added.0": "alert", "min_severity": "Medium", "filter": "n.severity >= severity.high",
	} {
		if got := a.get(path); got != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	if got := object(a); fmt.Sprint(got["sla_breach"], got["scan_added_empty"], got["user"], got["product"], got["template"]) != "[] [] <nil> <nil> false" {
		t.Errorf("%s", a.body)
	}
	id := a.id()
	a = s.must(200, "PATCH", fmt.Sprintf("/api/v2/notifications/%d/", id), `{"other":["webhooks"]}`)
	if a.get("other.0") != "webhooks" || a.get("scan_added.0") != "slack" {
		t.Errorf("a change of one event: %s", a.body)
	}
	s.must(400, "POST", "/api/v2/notifications/", `{}`) // there is one for the system
	user := s.person("mika")
	_, _, _ = s.product("shop")
	own := s.must(201, "POST", "/api/v2/notifications/", fmt.Sprintf(`{"user":%d,"other":["mail"]}`, user.ID)).id()
	s.must(201, "POST", "/api/v2/notifications/", fmt.Sprintf(`{"user":%d,"product":1}`, user.ID))
	if l := s.get(fmt.Sprintf("/notifications/?user=%d", user.ID)); l.get("count") != 2.0 {
		t.Errorf("of a user: %s", l.body)
	}
	for body, field := range map[string]string{
		`{"scan_added":["pigeon"]}`: "scan_added", `{"scan_added":"mail"}`: "scan_added", `{"filter":"n.nothing == 1"}`: "filter", `{"filter":"n.new"}`: "filter",
		`{"template":true,"product":1}`: "template", `{"product":1}`: "user", `{"user":4711}`: "user", `{"min_severity":"Bad"}`: "min_severity",
	} {
		if a := s.must(400, "POST", "/api/v2/notifications/", body); object(a)[field] == nil {
			t.Errorf("%s: %s", body, a.body)
		}
	}
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/notifications/%d/", own), "")

	s.must(201, "POST", "/api/v2/notifications/", `{"template":true,"scan_added":["mail"]}`)
	noor := s.person("noor") // who is new, and is told what the template says
	if l := s.get(fmt.Sprintf("/notifications/?user=%d", noor.ID)); l.get("results.0.scan_added.0") != "mail" || l.get("results.0.template") != false {
		t.Errorf("of a new user: %s", l.body)
	}
}

// TestNotificationWebhooks: secrets go in and never come out.
func TestNotificationWebhooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	f := integrationtest.New(t, nil, "")
	f.Handle("POST /hook/{secret}", func(http.ResponseWriter, *http.Request) {})
	var said strings.Builder
	do := func(status int, method, path, body string) answer {
		a := s.must(status, method, "/api/v2"+path, body)
		said.WriteString(a.body)
		return a
	}
	body := fmt.Sprintf(`{"name":"all","url":"%s/hook/hunter2address","header_name":"X-Key","header_value":"hunter2header","secret":"hunter2secret"}`, f.URL)
	id := do(201, "POST", "/notification_webhooks/", body).id()
	path := fmt.Sprintf("/notification_webhooks/%d/", id)
	got := do(200, "GET", path, "")
	if got.get("url") != f.URL+"/…" || got.get("status") != "active" || object(got)["header_value"] != nil || got.get("queued") != 0.0 {
		t.Errorf("%s", got.body)
	}
	if a := do(200, "POST", path+"test/", ""); a.get("ok") != true || a.get("message") != "The webhook answered 200." {
		t.Errorf("test: %s", a.body)
	}
	r := f.Requests()[0]
	if r.Header.Get("X-DefectDojo-Event") != "ping" || r.Header.Get("X-Key") != "hunter2header" || r.Header.Get("X-DefectDojo-Signature") == "" || r.Path != "/hook/hunter2address" {
		t.Errorf("%v", r)
	}
	do(200, "PUT", path, got.body) // what was told, sent back, changes nothing
	f.Fail("", "hook", 1, integrationtest.Fault{Status: 500, Body: "hunter2header hunter2secret"})
	if a := do(200, "POST", path+"test/", ""); a.get("ok") != false || !strings.Contains(a.get("message").(string), "500 Internal Server Error") {
		t.Errorf("a test that fails: %s", a.body)
	}
	if a := do(400, "PATCH", path, `{"url":"https://evil.example/collect"}`); a.get("header_value.0") == nil {
		t.Errorf("the secrets would have gone to another server: %s", a.body)
	}
	do(200, "PATCH", path, `{"url":"https://other.example/collect","header_value":"","secret":"hunter2other"}`)
	do(400, "POST", "/notification_webhooks/", `{"name":"bad","url":"ftp://x","header_name":"Host"}`)
	do(200, "GET", path+"deliveries/", "")
	do(200, "GET", "/notification_webhooks/", "")

	channel := do(201, "POST", "/notification_channels/", `{"kind":"slack","name":"Slack","settings":{"address":"#security","min_severity":"High"},"secrets":{"token":"xoxb-hunter2token","signing_secret":"hunter2signing"}}`)
	path = fmt.Sprintf("/notification_channels/%d/", channel.id())
	if a := do(200, "GET", path, ""); a.get("secrets_set.0") != "signing_secret" || a.get("settings.min_severity") != "High" || a.get("healthy") != true {
		t.Errorf("%s", a.body)
	}
	if a := do(400, "PATCH", path, `{"settings":{"address":"#security","api_url":"https://evil.example/api"}}`); !strings.Contains(a.body, "another server") {
		t.Errorf("%s", a.body)
	}
	do(400, "POST", "/notification_channels/", `{"kind":"slack","name":"x","settings":{"pigeon":1}}`)
	do(400, "POST", "/notification_channels/", `{"kind":"slack","name":"x","secrets":{"token":"xoxp-hunter2"}}`)
	do(400, "POST", "/notification_channels/", `{"kind":"mail","name":"x","settings":{"host":"h","security":"none","username":"u"}}`)
	do(200, "PATCH", path, `{"settings":{"api_url":"`+f.URL+`/nothing"},"secrets":{"token":"xoxb-hunter2token"}}`)
	if a := do(200, "POST", path+"test/", ""); a.get("ok") != false {
		t.Errorf("%s", a.body)
	}
	if a := do(200, "GET", path, ""); a.get("healthy") != false || a.get("last_error") == "" {
		t.Errorf("%s", a.body)
	}
	var dump string
	if err := s.pool.QueryRow(t.Context(), `select json_build_array((select json_agg(c) from connections c), (select json_agg(h) from notification_webhooks h), (select json_agg(h) from channel_health h), (select json_agg(e) from audit_events e))::text`).Scan(&dump); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"an answer": said.String(), "the database": dump} {
		if i := strings.Index(text, "hunter2"); i >= 0 {
			t.Errorf("%s holds a secret: %.200s", where, text[max(0, i-100):])
		}
	}
	if !json.Valid([]byte(dump)) || !strings.Contains(dump, "#security") {
		t.Errorf("the dump is none: %.200s", dump)
	}
}
