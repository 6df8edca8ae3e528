package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPolicyForm: mistakes are shown at their lines and nothing of what was
// typed is lost; what is right is saved as a version.
func TestPolicyForm(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	bad := "metadata: {name: mine}\nspec:\n  rules:\n    - {id: a, select: {severty: high}}\n"
	r := b.post("/policies", url.Values{"source": {bad}, "comment": {"first try"}})
	for _, want := range []string{"Nothing was saved", "severty", `id="L4" class="wrong"`, "first try"} {
		if r.code != http.StatusBadRequest || !strings.Contains(r.body, want) {
			t.Errorf("a mistake: %d, does not hold %q", r.code, want)
		}
	}
	good := strings.Replace(bad, "severty", "severity", 1)
	if r := b.post("/policies", url.Values{"source": {good}, "do": {"check"}}); r.code != 200 || !strings.Contains(r.body, "Nothing is wrong with it") {
		t.Errorf("looking for mistakes: %d", r.code)
	}
	testBacktest(t, s, b, good, bad)
	r = b.post("/policies", url.Values{"source": {good}, "comment": {"first"}})
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || !strings.HasPrefix(at, "/policies/") {
		t.Fatalf("saved: %d, at %q\n%s", r.code, at, r.body)
	}
	better := strings.Replace(good, "high", "critical", 1)
	if r := b.post(at, url.Values{"source": {better}, "version": {"1"}}); r.code != http.StatusSeeOther {
		t.Errorf("a new version: %d", r.code)
	}
	if r := b.post(at, url.Values{"source": {good}, "version": {"1"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "has changed meanwhile") {
		t.Errorf("an edit of an old version: %d", r.code)
	}
	b.post(at, url.Values{"do": {"disable"}})
	if page := b.get(at).body; !strings.Contains(page, "switched off") || !strings.Contains(page, "version 2") {
		t.Error("it is not switched off at version 2")
	}
	if r := b.post(at, url.Values{"do": {"delete"}}); r.code != http.StatusSeeOther || b.get(at).code != http.StatusNotFound {
		t.Errorf("deleted: %d", r.code)
	}
	if r := b.site.login(t, "mika").post("/policies", url.Values{"source": {good}}); r.code != http.StatusForbidden {
		t.Errorf("mika makes a policy for every product: %d", r.code)
	}
}

// TestWaiverForm: asked for, with what is wrong beside its field; approved by
// somebody else.
func TestWaiverForm(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	form := url.Values{"finding": {"1"}, "verdict": {"1"}, "by": {"finding"}, "reason": {"behind a proxy"}, "expires": {"2001-01-01"}}
	if r := b.post("/waivers", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "It must end after now") || !strings.Contains(r.body, "behind a proxy") {
		t.Errorf("an end in the past: %d", r.code)
	}
	form.Set("expires", b.expires())
	form.Del("csrf")
	r := b.post("/waivers", form)
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || !strings.HasPrefix(at, "/waivers/") {
		t.Fatalf("asked: %d, at %q\n%s", r.code, at, r.body)
	}
	if page := b.get(at).body; !strings.Contains(page, "You have asked for it") {
		t.Error("who asked is not told that somebody else must approve")
	}
	if r := b.post(at, url.Values{"do": {"approve"}}); r.code != http.StatusForbidden {
		t.Errorf("who asked approves: %d", r.code)
	}
	if r := b.post(at, url.Values{"do": {"reject"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Say why") {
		t.Errorf("rejected without a reason: %d", r.code)
	}
	if r := b.post("/waivers/1", url.Values{"do": {"approve"}}); r.code != http.StatusSeeOther || !strings.Contains(b.get("/waivers/1").body, "1 of 2") {
		t.Errorf("approved: %d", r.code)
	}
	if r := b.post("/waivers/1", url.Values{"do": {"reject"}, "why": {"too wide"}}); r.code != http.StatusSeeOther || !strings.Contains(b.get("/waivers/1").body, "too wide") {
		t.Errorf("rejected: %d", r.code)
	}
}

// TestBadge: who has the address sees the verdict; anybody else sees nothing.
func TestBadge(t *testing.T) {
	t.Parallel()
	s := shop(t)
	page := s.login(t, "ada").get("/products/2").body
	_, address, _ := strings.Cut(page, "https://gate.example.org/badge/")
	address, _, _ = strings.Cut(address, ")")
	nobody := s.login(t, "")
	r := nobody.get("/badge/" + address)
	if r.code != 200 || r.header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(r.body, ">passed<") || strings.Contains(r.body, "payments") {
		t.Errorf("%s: %d\n%s", address, r.code, r.body)
	}
	for _, wrong := range []string{strings.Replace(address, "2/", "1/", 1), "2/x.svg", strings.TrimSuffix(address, ".svg"), "x/y.svg"} {
		if r := nobody.get("/badge/" + wrong); r.code != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, r.code)
		}
	}
}

// TestReports: a verdict can be had in every form.
func TestReports(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	for format, want := range map[string]string{
		"text": "CVE-2021-44228", "json": `"v-4be1"`, "markdown": "new-critical", "html": "<html", "sarif": "sarif", "junit": "<testsuite", "codequality": "fingerprint", "gitlab-sast": "vulnerabilities", "intoto": "payloadType",
	} {
		if r := b.get("/verdicts/1/report?format=" + format); r.code != 200 || !strings.Contains(r.body, want) || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %.200s", format, r.code, r.body)
		}
	}
	if r := b.get("/verdicts/1/report?format=word"); r.code != http.StatusBadRequest {
		t.Errorf("%d", r.code)
	}
}

// testBacktest starts a backtest, looks at it, and cancels it.
func testBacktest(t *testing.T, s *site, b *browser, good, bad string) {
	t.Helper()
	if r := b.post("/policies", url.Values{"source": {good}, "do": {"backtest"}, "days": {"400"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "1 to 365 days") {
		t.Errorf("too many days: %d", r.code)
	}
	if r := b.post("/policies", url.Values{"source": {bad}, "do": {"backtest"}, "days": {"30"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "severty") {
		t.Errorf("a backtest of a mistake: %d", r.code)
	}
	r := b.post("/policies", url.Values{"source": {good}, "do": {"backtest"}, "days": {"30"}})
	at := r.header.Get("Location")
	if r.code != http.StatusSeeOther || !strings.HasPrefix(at, "/backtests/") {
		t.Fatalf("backtest: %d %q\n%s", r.code, at, r.body)
	}
	if r := b.get(at); r.code != 200 || !strings.Contains(r.body, "Nothing is judged yet") || !strings.Contains(r.body, "<progress") || !strings.Contains(r.body, "Cancel") {
		t.Errorf("queued: %d\n%s", r.code, r.body)
	}
	id, _ := strconv.ParseInt(strings.TrimPrefix(at, "/backtests/"), 10, 64)
	if more, err := s.judge.WorkBacktest(t.Context(), id, time.Minute, time.Now); more || err != nil {
		t.Fatal(more, err)
	}
	if r := b.get(at); r.code != 200 || !strings.Contains(r.body, "are damaged") || strings.Contains(r.body, "<progress") {
		t.Errorf("done: %d\n%s", r.code, r.body)
	}
	if r := b.post(at+"/cancel", url.Values{}); r.code != http.StatusConflict {
		t.Errorf("cancelled when it was over: %d", r.code)
	}
	at = b.post("/policies", url.Values{"source": {good}, "do": {"backtest"}, "days": {"7"}}).header.Get("Location")
	if r := b.post(at+"/cancel", url.Values{}); r.code != http.StatusSeeOther {
		t.Errorf("cancelled: %d", r.code)
	}
	if r := b.get("/backtests"); r.code != 200 || !strings.Contains(r.body, "cancelled") || !strings.Contains(r.body, "done") {
		t.Errorf("the list: %d\n%s", r.code, r.body)
	}
	noor := s.login(t, "noor")
	if r := noor.get(at); r.code != http.StatusNotFound {
		t.Errorf("noor sees a backtest over all products: %d", r.code)
	}
}
