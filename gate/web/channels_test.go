package web

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
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
	"defectdojo/integrations/slack/slacktest"
)

func newNotifier(s *store.Store) *notification.Notifier {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return &notification.Notifier{
		Store: s, Box: seal.New(seal.Key{1}), Client: integrations.NewClient(integrations.Options{Allowed: local}), SiteURL: "https://gate.example.org", Version: "test",
		Now: time.Now, Enqueue: func(context.Context, pgx.Tx, jobs.Send) error { return nil },
	}
}

// TestAlerts: the bell counts, one is read, all are removed; others' stay.
func TestAlerts(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	if page := b.get("/").body; !strings.Contains(page, `aria-label="Alerts, 2 unread"`) {
		t.Error("the bell does not count")
	}
	b.post("/alerts/read", url.Values{"id": {"2"}})
	if page := b.get("/alerts").body; !strings.Contains(page, "1 unread") {
		t.Error("one was read, and is not")
	}
	if page := s.login(t, "mika").get("/alerts").body; !strings.Contains(page, "No alert yet") {
		t.Error("mika sees the alerts of others")
	}
	s.login(t, "mika").post("/alerts/clear", nil)
	if page := b.get("/alerts").body; !strings.Contains(page, "The gate says fail") {
		t.Error("mika removed ada's alerts")
	}
	b.post("/alerts/clear", nil)
	if page := b.get("/alerts").body; !strings.Contains(page, "No alert yet") {
		t.Error("they are not removed")
	}
}

// TestPreferences: what is ticked is kept, and a filter that is wrong is told
// beside what was typed.
func TestPreferences(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "mika")
	form := url.Values{"scan_added.mail": {"1"}, "scan_added.slack": {"1"}, "min_severity": {"High"}, "filter": {"n.new > 3"}}
	if r := b.post("/notifications?for=me", form); r.code != http.StatusSeeOther {
		t.Fatalf("%d %s", r.code, r.body)
	}
	page := b.get("/notifications").body
	for _, want := range []string{`name="scan_added.mail" value="1" aria-label="Report imported by mail" checked`, `value="n.new &gt; 3"`, "<option selected>High"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	if strings.Contains(page, `name="scan_added.alert" value="1" aria-label="Report imported by alert" checked`) {
		t.Error("what is not ticked is")
	}
	form.Set("filter", "n.new >")
	if r := b.post("/notifications?for=me", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, `value="n.new &gt;"`) || !strings.Contains(r.body, "line 1") {
		t.Errorf("a wrong filter: %d", r.code)
	}
	if r := b.post("/notifications?product=4", form); r.code != http.StatusNotFound {
		t.Errorf("a product that mika may not see: %d", r.code)
	}
	for _, address := range []string{"/notifications?for=system", "/notifications?for=template", "/integrations/channels", "/integrations/channels/41", "/integrations/webhooks/1"} {
		if r := b.get(address); r.code != http.StatusForbidden {
			t.Errorf("GET %s by mika: %d", address, r.code)
		}
	}
	ada := s.login(t, "ada")
	days := url.Values{"sla": {"all"}, "risk_days": {"5"}, "waiver_days": {"6"}, "engagement_days": {"7"}, "log_days": {"8"}, "auto_close": {"1"}, "close_days": {"soon"}, "disclaimer": {"For employees <only>"}}
	if r := ada.post("/notifications/calendar", days); r.code != http.StatusBadRequest || !strings.Contains(r.body, "it must be a number of days") || !strings.Contains(r.body, "For employees &lt;only&gt;") {
		t.Errorf("a wrong number: %d, and what was typed is kept", r.code)
	}
	days.Set("close_days", "4")
	if r := ada.post("/notifications/calendar", days); r.code != http.StatusSeeOther {
		t.Errorf("%d %s", r.code, r.body)
	}
	if set, err := store.New(s.db).NotifySettings(t.Context()); err != nil || !set.Active || !set.AutoClose || set.AutoCloseDays != 4 || set.Disclaimer == "" || set.RiskDays != 5 || set.WebhookRetention != 8 {
		t.Errorf("%+v, %v", set, err)
	}
	var written int
	if err := s.db.QueryRow(t.Context(), `select count(distinct object) from audit_events where object in ('system_settings', 'notification')`).Scan(&written); err != nil || written != 2 {
		t.Errorf("the history has changes of %d of 2 things, %v", written, err)
	}
}

// TestChannels: a channel is made, tested and removed by hand, and shows no secret.
func TestChannels(t *testing.T) {
	t.Parallel()
	s, w := shop(t), slacktest.New(t)
	b := s.login(t, "ada")
	form := url.Values{"kind": {"slack"}, "name": {"chat"}, "address": {"#security"}, "api_url": {w.APIURL()}, "how": {"bot"}, "token": {"xoxp-wrong"}, "min_severity": {"Low"}, "enabled": {"1"}}
	if r := b.post("/integrations/channels", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "a bot token begins with xoxb-") || !strings.Contains(r.body, `value="#security"`) {
		t.Fatalf("%d", r.code)
	}
	form.Set("token", slacktest.Token)
	form.Set("signing_secret", "hunter2signing")
	r := b.post("/integrations/channels", form)
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || at == "" {
		t.Fatalf("%d %s", r.code, r.body)
	}
	page := b.get(at)
	checkPage(t, at, page)
	test := b.post(at+"/test", nil)
	if !strings.Contains(test.body, "Slack took the message: #security in Gate, as gate.") || len(w.Messages()) != 1 {
		t.Errorf("test: %.2000s", test.body)
	}
	w.Fail("", "chat", 1, integrationtest.Fault{Status: 200, Body: `{"ok":false,"error":"channel_not_found"}`})
	failed := b.post(at+"/test", nil)
	if !strings.Contains(failed.body, "The test did not arrive: slack: chat.postMessage: 200 OK: channel_not_found") {
		t.Errorf("a test that fails: %.3000s", failed.body)
	}
	b.post(at+"/products", url.Values{"product": {"1"}, "address": {"#api"}, "min_severity": {"High"}, "digest_minutes": {"30"}})
	if placed := b.get(at).body; !strings.Contains(placed, "#api") {
		t.Error("the product has no place of its own")
	}
	for _, body := range []string{page.body, test.body, failed.body, b.get("/integrations/channels").body} {
		if strings.Contains(body, "hunter2") {
			t.Error("a page shows a secret")
		}
	}
	if r := b.post(at+"/delete", nil); r.code != http.StatusSeeOther || b.get(at).code != http.StatusNotFound {
		t.Errorf("removed: %d", r.code)
	}
}

// TestHooks: likewise for a webhook, with its log.
func TestHooks(t *testing.T) {
	t.Parallel()
	s, f := shop(t), integrationtest.New(t, nil, "")
	f.Handle("POST /in/{secret}", func(http.ResponseWriter, *http.Request) {})
	b := s.login(t, "ada")
	if r := b.post("/integrations/webhooks", url.Values{"name": {"x"}, "url": {"ftp://x"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "it must begin with https:// or http://") || !strings.Contains(r.body, "ftp://x") {
		t.Errorf("%d", r.code)
	}
	r := b.post("/integrations/webhooks", url.Values{"name": {"mine"}, "url": {f.URL + "/in/hunter2"}, "secret": {"hunter2secret"}})
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther {
		t.Fatalf("%d %s", r.code, r.body)
	}
	test := b.post(at+"/test", nil).body
	if !strings.Contains(test, "The webhook answered 200.") || strings.Contains(test+b.get(at).body, "hunter2") {
		t.Errorf("%.2000s", test)
	}
	if r := b.post("/integrations/webhooks/1/revive", nil); r.code != http.StatusSeeOther || !strings.Contains(b.get("/integrations/webhooks/1").body, "works") {
		t.Errorf("revived: %d", r.code)
	}
	if r := b.post("/integrations/webhooks/1/resend", url.Values{"delivery": {"1"}}); r.code != http.StatusSeeOther {
		t.Errorf("sent again: %d %s", r.code, r.body)
	}
	if r := b.post("/integrations/webhooks/1/resend", url.Values{"delivery": {"4711"}}); r.code != http.StatusNotFound {
		t.Errorf("a delivery that is not there: %d", r.code)
	}
	if r := b.post(at+"/delete", nil); r.code != http.StatusSeeOther || b.get(at).code != http.StatusNotFound {
		t.Errorf("removed: %d", r.code)
	}
}
