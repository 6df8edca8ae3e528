package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"defectdojo/policies/attest"
)

// TestReports: a verdict can be had in every form, and its signed statement can
// be checked with the server's keys.
func TestReports(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	v := s.must(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%d,"commit":"%040d"}`, s.engagement, 1))
	path := fmt.Sprintf("/api/v2/verdicts/%d/", int64(v.get("verdict_id").(float64)))
	for format, want := range map[string]string{
		"": "no-critical", "text": "no-critical", "json": `"overall": "fail"`, "markdown": "no-critical", "html": "<html", "sarif": "sarif", "junit": "<testsuite", "codequality": "fingerprint",
		"gitlab-sast": "vulnerabilities",
	} {
		a := s.send(s.dev, "GET", path+"report/?format="+format, "", "Accept", "text/plain")
		if a.status != 200 || !strings.Contains(a.body, want) || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %.200s", format, a.status, a.body)
		}
	}
	if a := s.send(s.dev, "GET", path+"report/?format=word", ""); a.status != 400 || !strings.Contains(a.body, "intoto") {
		t.Errorf("%d %s", a.status, a.body)
	}
	keys, err := attest.ParsePublicKeys([]byte(s.must(200, "GET", "/api/v2/keys/", "").get("pem").(string)))
	if err != nil {
		t.Fatal(err)
	}
	statement, err := attest.Verify([]byte(s.send(s.dev, "GET", path+"report/?format=intoto", "").body), keys)
	if err != nil || statement.Predicate.VerificationResult != "FAILED" || statement.Predicate.Gate.Product != "Shop" {
		t.Errorf("%+v, %v", statement, err)
	}
	x := s.send(s.dev, "GET", fmt.Sprintf("%sexplain/?finding=%d", path, s.finding), "")
	if x.status != 200 || x.get("rules.0.code") != "counted" || x.get("rules.0.rule") != "no-critical" {
		t.Errorf("%d %s", x.status, x.body)
	}
	for query, want := range map[string]int{"": 400, "?finding=999999": 404} {
		if a := s.send(s.dev, "GET", path+"explain/"+query, ""); a.status != want {
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	}
	try := func(spec string) answer {
		a := s.must(202, "POST", "/api/v2/policies/backtest/", strings.Replace(source("org", spec), "{", `{"days":7,`, 1))
		if a.get("state") != "queued" || a.get("total") != 1.0 {
			t.Errorf("asked for: %s", a.body)
		}
		if more, err := s.deps.Judge.WorkBacktest(t.Context(), a.id(), time.Minute, func() time.Time { return now }); more || err != nil {
			t.Fatal(more, err)
		}
		a = s.must(200, "GET", fmt.Sprintf("/api/v2/backtests/%d/", a.id()), "")
		if a.get("state") != "done" || a.get("percent") != 100.0 {
			t.Errorf("done: %s", a.body)
		}
		s.must(409, "POST", fmt.Sprintf("/api/v2/backtests/%d/cancel/", a.id()), "")
		return a
	}
	if a := try(noCritical); a.get("result.verdicts") != 1.0 || len(a.get("result.newly_blocked").([]any))+len(a.get("result.no_longer_blocked").([]any)) != 0 {
		t.Errorf("%s", a.body)
	}
	if a := try("rules: [{id: anything, max: 100}]"); len(a.get("result.no_longer_blocked").([]any)) != 1 || !strings.Contains(a.get("result.sentence").(string), "no longer 1") {
		t.Errorf("%s", a.body)
	}
}
