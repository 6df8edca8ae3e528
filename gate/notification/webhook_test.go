package notification_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/notification"
	"defectdojo/gate/store"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/webhook"
)

// hook stores a webhook.
func (h *house) hook(name, url string, owner *int64) int64 {
	h.t.Helper()
	header := "X-Key"
	w, err := h.Store.AddNotificationWebhook(h.t.Context(), store.NotificationWebhook{Name: name, URL: url, HeaderName: &header, OwnerID: owner, Status: "active"})
	if err != nil {
		h.t.Fatal(err)
	}
	if w.Secrets, err = h.box.SealObject(store.WebhookSecretsOf(w.ID), map[string]string{notification.SecretHeaderValue: "hunter2header", notification.SecretWebhookSecret: "hunter2secret"}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Store.SaveNotificationWebhook(h.t.Context(), w); err != nil {
		h.t.Fatal(err)
	}
	return w.ID
}

// TestWebhookBody: DefectDojo's keys, and a signature over them.
func TestWebhookBody(t *testing.T) {
	t.Parallel()
	h, f := newHouse(t), integrationtest.New(t, nil, "")
	f.Handle("POST /hook", func(http.ResponseWriter, *http.Request) {})
	mika := int64(2)
	h.hook("system", f.URL+"/hook", nil)
	h.hook("mika's", f.URL+"/hook", &mika)
	h.prefer(0, notification.ScanAdded, "webhooks")
	h.prefer(2, notification.ScanAdded, "webhooks")
	h.imports(1, 3)
	h.drain()
	got := f.Requests()
	if len(got) != 2 {
		t.Fatalf("%d requests", len(got))
	}
	var users int
	for _, r := range got {
		if r.Header.Get("X-DefectDojo-Event") != "scan_added" || r.Header.Get("X-Key") != "hunter2header" ||
			r.Header.Get("X-DefectDojo-Signature") != webhook.Sign("hunter2secret", r.Header.Get("X-DefectDojo-Timestamp"), r.Body) {
			t.Errorf("%v", r.Header)
		}
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if body["user"] != nil {
			users++
			delete(body, "user")
		}
		delete(body, "user")
		delete(body["test"].(map[string]any), "title")
		delete(body, "title")
		ref := func(kind, page string, id int) map[string]any {
			return map[string]any{"id": float64(id), "url_ui": "https://gate.example.org" + page, "url_api": fmt.Sprintf("https://gate.example.org/api/v2/%s/%d/", kind, id)}
		}
		name := func(m map[string]any, n string) map[string]any { m["name"] = n; return m }
		want := map[string]any{
			"description": "1 new, 0 reactivated, 0 closed, 0 untouched by Trivy Scan", "url_ui": "https://gate.example.org/findings?test=1", "url_api": "https://gate.example.org/api/v2/tests/1/", "finding_count": 1.0,
			"product_type": name(ref("product_types", "/products?type=1", 1), get[string](h, `select name from product_types where id = 1`)), "product": name(ref("products", "/products/1", 1), "shop"),
			"engagement": name(ref("engagements", "/findings?engagement=1", 1), "main"), "test": ref("tests", "/findings?test=1", 1),
			"findings": map[string]any{"new": []any{map[string]any{
				"id": 3.0, "title": "Finding <3> & more", "severity": "Critical", "url_ui": "https://gate.example.org/findings/3", "url_api": "https://gate.example.org/api/v2/findings/3/",
			}}, "reactivated": []any{}, "mitigated": []any{}, "untouched": []any{}},
		}
		if diff := cmp.Diff(want, body); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if users != 1 {
		t.Errorf("%d bodies name a user", users)
	}
}

// TestHealth is the health machine with a clock.
func TestHealth(t *testing.T) {
	t.Parallel()
	type step struct {
		after   time.Duration
		outcome notification.Outcome // -1: time alone
		want    string
	}
	const rest = notification.Outcome(-1)
	for name, steps := range map[string][]step{
		"works":                {{0, notification.Worked, "active"}, {time.Hour, rest, "active"}},
		"fails_and_recovers":   {{0, notification.Temporary, "inactive_tmp"}, {time.Minute, notification.Worked, "active_tmp"}, {23 * time.Hour, rest, "active_tmp"}, {2 * time.Hour, rest, "active"}},
		"stuck":                {{0, notification.Temporary, "inactive_tmp"}, {5 * time.Minute, rest, "inactive_tmp"}, {time.Second, rest, "active_tmp"}},
		"a_day_of_failures":    {{0, notification.Temporary, "inactive_tmp"}, {24 * time.Hour, notification.Temporary, "inactive_tmp"}, {time.Second, notification.Temporary, "inactive_permanent"}},
		"refused":              {{0, notification.Permanent, "inactive_permanent"}, {48 * time.Hour, rest, "inactive_permanent"}, {0, notification.Worked, "inactive_permanent"}},
		"two_bad_days_apart":   {{0, notification.Temporary, "inactive_tmp"}, {time.Minute, notification.Worked, "active_tmp"}, {25 * time.Hour, rest, "active"}, {0, notification.Temporary, "inactive_tmp"}, {time.Hour, notification.Temporary, "inactive_tmp"}},
		"bad_again_within_day": {{0, notification.Temporary, "inactive_tmp"}, {time.Minute, notification.Worked, "active_tmp"}, {23 * time.Hour, notification.Temporary, "inactive_tmp"}, {61 * time.Minute, notification.Temporary, "inactive_permanent"}},
	} {
		hook, now := store.NotificationWebhook{Status: "active"}, begin
		for i, s := range steps {
			now = now.Add(s.after)
			if s.outcome == rest {
				hook = notification.Rest(hook, now)
			} else {
				hook = notification.Judge(hook, s.outcome, "why", now)
			}
			if hook.Status != s.want {
				t.Errorf("%s, step %d: %s, want %s", name, i, hook.Status, s.want)
			}
		}
	}
	hook := notification.Judge(store.NotificationWebhook{Status: "active"}, notification.Temporary, "503", begin)
	if d := notification.Pause(hook, begin.Add(20*time.Second)); d != 40*time.Second || *hook.Note != "503" || !hook.FirstError.Equal(begin) {
		t.Errorf("pause %v of %+v", d, hook)
	}
}

// TestGivenUp: a webhook that refuses is given up, what waits for it is over, and
// can be sent again by hand once it is well.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	h, f := newHouse(t), integrationtest.New(t, nil, "")
	f.Handle("POST /hook", func(http.ResponseWriter, *http.Request) {})
	id := h.hook("all", f.URL+"/hook", nil)
	h.prefer(0, notification.ScanAdded, "webhooks")
	f.Fail("", "hook", 1, integrationtest.Fault{Status: 410, Body: "gone"})
	h.imports(1, 1)
	h.imports(1, 2)
	h.drain()
	w, err := h.Store.NotificationWebhook(t.Context(), id)
	if err != nil || w.Status != "inactive_permanent" || w.Note == nil {
		t.Fatalf("%+v, %v", w, err)
	}
	h.imports(1, 3) // nothing is planned for it
	h.drain()
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'failed'`); n != 2 || f.Count("POST", "hook") != 1 {
		t.Errorf("%d failed, %d requests", n, f.Count("POST", "hook"))
	}
	h.exec(`update notification_webhooks set status = 'active', first_error = null`)
	log, err := h.Store.DeliveryLog(t.Context(), "webhooks", id, store.Page{Limit: 10})
	if err != nil || log.Count != 2 {
		t.Fatal(log.Count, err)
	}
	for _, d := range log.Rows {
		if err := h.Again(t.Context(), "webhooks", id, d.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.drain()
	if n := get[int](h, `select count(*) from notice_deliveries where state = 'sent'`); n != 2 {
		t.Errorf("%d were sent again", n)
	}
}
