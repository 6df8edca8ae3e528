package integrations

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[ff02::1]",
	} {
		if err := permitted(ip+":443", nil); !errors.Is(err, ErrForbiddenAddress) {
			t.Errorf("%s: %v", ip, err)
		}
	}
	for _, ip := range []string{"140.82.121.3", "[2606:4700::1]"} {
		if err := permitted(ip+":443", nil); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
	if err := permitted("127.0.0.1:80", loopback); err != nil {
		t.Errorf("allowed: %v", err)
	}

	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	for _, address := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
		resp, err := NewClient(Options{}).Do(r)
		if err == nil {
			resp.Body.Close()
			t.Fatalf("GET %s reached it", address)
		}
		if err = FromResponse("webhook", "send", http.MethodPost, nil, err, time.Now()); !errors.Is(err, ErrForbiddenAddress) || !IsPermanent(err) {
			t.Errorf("GET %s: %v", address, err)
		}
	}
}

func TestRedirectsLoseSecrets(t *testing.T) {
	t.Parallel()
	var got http.Header
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	t.Cleanup(first.Close)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, first.URL, nil)
	r.Header.Set("Authorization", "Bearer abc")
	r.Header.Set("PRIVATE-TOKEN", "abc")
	r.Header.Set("Accept", "application/zip")
	resp, err := NewClient(Options{Allowed: loopback}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got.Get("Authorization") != "" || got.Get("PRIVATE-TOKEN") != "" || got.Get("Accept") != "application/zip" {
		t.Errorf("another host was sent %v", got)
	}
}

func TestLongAnswersEnd(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 100)) }))
	t.Cleanup(s.Close)
	for limit, want := range map[int64]bool{99: false, 100: true} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		resp, err := NewClient(Options{MaxBytes: limit, Allowed: loopback}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if (err == nil) != want || int64(len(b)) != min(limit, 100) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(b), err)
		}
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	answer := func(header ...any) []any { return header } // a status, names and values
	for name, c := range map[string]struct {
		method    string
		resp      []any
		err       error
		permanent bool
		unknown   bool
		after     time.Duration
	}{
		"no answer to a write": {"POST", nil, io.ErrUnexpectedEOF, false, true, 0},
		"no answer to a read":  {"GET", nil, io.ErrUnexpectedEOF, false, false, 0},
		"500 to a write":       {"POST", answer(500), nil, false, true, 0},
		"503 later":            {"GET", answer(503, "Retry-After", "7"), nil, false, false, 7 * time.Second},
		"401":                  {"GET", answer(401), nil, true, false, 0},
		"404":                  {"POST", answer(404), nil, true, false, 0},
		"422":                  {"POST", answer(422), nil, true, false, 0},
		"403":                  {"POST", answer(403), nil, true, false, 0},
		"403 rate limit":       {"POST", answer(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1700000090"), nil, false, false, 90 * time.Second},
		"429 with a date":      {"POST", answer(429, "Retry-After", now.Add(time.Minute).UTC().Format(http.TimeFormat)), nil, false, false, time.Minute},
		"429 for a day":        {"POST", answer(429, "Retry-After", "86400"), nil, false, false, time.Hour},
		"200 cut short":        {"POST", answer(200), io.ErrUnexpectedEOF, false, true, 0},
	} {
		var resp *http.Response
		if len(c.resp) > 0 {
			resp = &http.Response{StatusCode: c.resp[0].(int), Header: http.Header{}, Body: http.NoBody}
		}
		for i := 1; i < len(c.resp); i += 2 {
			resp.Header.Set(c.resp[i].(string), c.resp[i+1].(string))
		}
		err := FromResponse("jira", "create", c.method, resp, c.err, now)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Permanent != c.permanent || e.Unknown != c.unknown || e.After != c.after {
			t.Errorf("%s: %+v", name, err)
		}
	}
	if err := FromResponse("jira", "create", "POST", &http.Response{StatusCode: 201, Header: http.Header{}, Body: http.NoBody}, nil, now); err != nil {
		t.Errorf("201 is %v", err)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Authorization: Bearer abcdefghijkl", "token ghp_0123456789abcdefghij", "https://ada:hunter2@example.com/x", "glpat-abcdefgh12345678",
		"https://hooks.slack.com/services/T0/B0/hunter2", "https://example.com/hook?token=hunter2&x=1", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.hunter2",
		"-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "the password is hunter2", "xoxb-1234-hunter2hunter2",
		"https://acme.webhook.office.com/webhookb2/hunter2@x/IncomingWebhook/hunter2",
	} {
		got := Redact(text, "hunter2")
		for _, secret := range []string{"hunter2", "abcdefghijkl", "0123456789abcdefghij", "abcdefgh12345678"} {
			if strings.Contains(got, secret) {
				t.Errorf("%q becomes %q", text, got)
			}
		}
	}
	if got := Redact("connection refused by jira.example.com:443"); got != "connection refused by jira.example.com:443" {
		t.Errorf("a plain text becomes %q", got)
	}
	err := (&Error{System: "slack", Op: "send", Status: 404, Err: errors.New(`Post "https://hooks.slack.com/services/T0/B0/hunter2": no`)}).Error()
	if want := `slack: send: 404 Not Found: Post "https://hooks.slack.com/…": no`; err != want {
		t.Errorf("error: %s", err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"https://jira.example.com/x": true, "http://10.0.0.1:8080": true, "ftp://x": false, "jira.example.com": false, "https://": false, "https://a:b@c": false, "::": false} {
		if err := CheckURL(text); (err == nil) != want {
			t.Errorf("CheckURL(%q): %v", text, err)
		}
	}
}
