package webhook_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"defectdojo/integrations"
	"defectdojo/integrations/integrationtest"
	"defectdojo/integrations/webhook"
)

var web = integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})

func TestSend(t *testing.T) {
	t.Parallel()
	f := integrationtest.New(t, nil, "")
	f.Handle("POST /hook/{secret}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	now := time.Unix(1_700_000_000, 0)
	c := webhook.Config{URL: f.URL + "/hook/hunter2hunter2", HeaderName: "X-Key", HeaderValue: "hunter2key", Secret: "hunter2secret"}
	d := webhook.Delivery{ID: "abc", Event: "scan_added", Body: []byte(`{"title":"ü"}`), Instance: "https://gate.example.org", Version: "2.1"}
	if status, err := webhook.Send(t.Context(), web, c, d, now); err != nil || status != 202 {
		t.Fatal(status, err)
	}
	r := f.Requests()[0]
	for name, want := range map[string]string{
		"User-Agent": "DefectDojo-2.1", "X-DefectDojo-Event": "scan_added", "X-DefectDojo-Instance": "https://gate.example.org", "Accept": "application/json",
		"Content-Type": "application/json", "X-Key": "hunter2key", "X-DefectDojo-Delivery": "abc", "X-DefectDojo-Timestamp": "1700000000",
		"X-DefectDojo-Signature": webhook.Sign("hunter2secret", "1700000000", []byte(`{"title":"ü"}`)),
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if string(r.Body) != `{"title":"ü"}` {
		t.Errorf("%s", r.Body)
	}
	for name, fault := range map[string]integrationtest.Fault{
		"refused": {Status: 400, Body: "no: hunter2key hunter2secret"}, "down": {Status: 503}, "limited": {Status: 429, Header: http.Header{"Retry-After": {"9"}}},
		"reset": {Reset: true}, "redirect": {Redirect: "http://169.254.169.254/"},
	} {
		f.Fail("", "hook", 1, fault)
		_, err := webhook.Send(t.Context(), web, c, d, now)
		if want := name == "refused" || name == "redirect"; err == nil || integrations.IsPermanent(err) != want {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
			t.Errorf("%s shows a secret: %v", name, err)
		}
		if name == "limited" && integrations.RetryAfter(err) != 9*time.Second {
			t.Errorf("429: %v", err)
		}
		f.Heal()
	}
	if _, err := webhook.Send(t.Context(), integrations.NewClient(integrations.Options{}), c, d, now); !integrations.IsPermanent(err) {
		t.Errorf("a private address: %v", err)
	}
	f.Close()
	if _, err := webhook.Send(t.Context(), web, c, d, now); err == nil || integrations.IsPermanent(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if w := (webhook.Config{URL: "https://example.org/x", HeaderName: "X-Key", HeaderValue: "v"}).Validate(); len(w) != 0 {
		t.Error(w)
	}
	for field, bad := range map[string]webhook.Config{
		"url": {URL: "ftp://x"}, "header_name": {URL: "https://x.org", HeaderName: "content-length"}, "header_value": {URL: "https://x.org", HeaderName: "X-A", HeaderValue: "a\r\nX-B: c"},
	} {
		if w := bad.Validate(); w[field] == "" || len(w) != 1 {
			t.Errorf("%s: %v", field, w)
		}
	}
}
