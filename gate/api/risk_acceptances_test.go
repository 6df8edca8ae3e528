package api_test

import (
	"fmt"
	"testing"
	"time"

	"defectdojo/gate/triage"
)

// TestRiskAcceptance accepts findings, sees them so, takes it back, and lets one end.
func TestRiskAcceptance(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	_, _, other := s.product("Other")
	a, b := s.finding(test, "SQL", "High", ""), s.finding(test, "XSS", "High", "")
	elsewhere := s.finding(other, "SQL", "High", "")
	add := func(status int, more string) answer {
		t.Helper()
		return s.must(status, "POST", "/api/v2/risk_acceptance/", fmt.Sprintf(`{"name":"until May","decision_details":"behind a firewall","accepted_by":"the board"%s}`, more))
	}
	add(400, "")
	add(400, `,"accepted_findings":[]`)
	add(400, fmt.Sprintf(`,"accepted_findings":[%d,%d]`, a, elsewhere))
	add(400, `,"accepted_findings":[999]`)
	add(400, fmt.Sprintf(`,"accepted_findings":[%d],"decision":"X"`, a))
	r := add(201, fmt.Sprintf(`,"accepted_findings":[%d,%d,%d],"expiration_date":"2026-12-01T00:00:00Z"`, b, a, a))
	if r.get("accepted_findings.1") != float64(b) || r.get("decision") != "Accept (The risk is acknowledged, yet remains)" || r.get("owner") != 1.0 || r.get("reactivate_expired") != true {
		t.Errorf("%s", r.body)
	}
	if got := s.short(a); got != "R" {
		t.Errorf("accepted: %s", got)
	}
	if f := s.get(fmt.Sprintf("/findings/%d/", a)); f.get("accepted_risks.0.id") != float64(r.id()) || f.get("accepted_risks.0.name") != "until May" || f.get("accepted_risks.1") != nil {
		t.Errorf("%s", f.body)
	}
	if f := s.get(fmt.Sprintf("/engagements/%d/", e)); f.get("risk_acceptance.0") != float64(r.id()) {
		t.Errorf("%s", f.body)
	}
	path := fmt.Sprintf("/api/v2/risk_acceptance/%d/", r.id())
	if c := s.must(200, "PATCH", path, `{"accepted_by":"the CISO"}`); c.get("accepted_by") != "the CISO" || c.get("name") != "until May" {
		t.Errorf("%s", c.body)
	}
	s.must(400, "PATCH", path, fmt.Sprintf(`{"accepted_findings":[%d]}`, a))
	if l := s.get(fmt.Sprintf("/risk_acceptance/?accepted_findings=%d&prefetch=accepted_findings", a)); l.get("count") != 1.0 || l.get(fmt.Sprintf("prefetch.accepted_findings.%d.title", a)) != "SQL" {
		t.Errorf("%s", l.body)
	}
	s.must(204, "DELETE", path, "")
	if got := s.short(a) + s.short(b); got != "AA" {
		t.Errorf("taken back: %s", got)
	}

	// One that ends, one that ends and leaves its finding alone, and one that does not.
	add(201, fmt.Sprintf(`,"accepted_findings":[%d],"expiration_date":"2026-12-01T00:00:00Z","restart_sla_expired":true`, a))
	add(201, fmt.Sprintf(`,"accepted_findings":[%d],"expiration_date":"2026-12-01T00:00:00Z","reactivate_expired":false`, b))
	add(201, fmt.Sprintf(`,"accepted_findings":[%d],"expiration_date":"2027-12-01T00:00:00Z"`, elsewhere))
	work := &triage.Triage{Store: s.store}
	for _, days := range []int{1, 30, 30} {
		if err := work.ExpireRisks(t.Context(), now.Add(time.Duration(days)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := map[int]string{1: "RRR", 30: "ARR"}[days]
		if got := s.short(a) + s.short(b) + s.short(elsewhere); got != want {
			t.Errorf("after %d days: %s, want %s", days, got, want)
		}
	}
	if f := s.get(fmt.Sprintf("/findings/%d/", a)); f.get("sla_start_date") != "2026-12-22" || f.get("notes.0.entry") != `The risk acceptance "until May" has ended.` || f.get("notes.1") != nil {
		t.Errorf("%s", f.body)
	}
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/products/%d/", p), `{"enable_full_risk_acceptance":false}`)
	add(400, fmt.Sprintf(`,"accepted_findings":[%d]`, a))
}

// TestAcceptRisks accepts vulnerabilities wherever they are: in a test, in an
// engagement, everywhere.
func TestAcceptRisks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, e, test := s.product("Shop")
	_, _, other := s.product("Other")
	const cve = `,"vulnerability_ids":[{"vulnerability_id":"CVE-2026-1"}]`
	a, b, c := s.finding(test, "a", "High", cve), s.finding(test, "b", "High", ""), s.finding(other, "c", "High", cve)
	body := `[{"vulnerability_id":"CVE-2026-1","justification":"not reachable","accepted_by":"ada"}]`
	states := func() string { return s.short(a) + s.short(b) + s.short(c) }
	made := s.must(201, "POST", fmt.Sprintf("/api/v2/engagements/%d/accept_risks/", e), body)
	if got := states(); got != "RAA" || made.get("0.name") != "CVE-2026-1" || made.get("0.decision_details") != "not reachable" || made.get("1") != nil {
		t.Errorf("%s, %s", got, made.body)
	}
	if again := s.must(201, "POST", fmt.Sprintf("/api/v2/tests/%d/accept_risks/", test), body); again.body != "[]" {
		t.Errorf("nothing is left to accept: %s", again.body)
	}
	s.must(201, "POST", "/api/v2/findings/accept_risks/", body)
	if got := states(); got != "RAR" {
		t.Errorf("everywhere: %s", got)
	}
	s.must(400, "POST", "/api/v2/findings/accept_risks/", `[{"vulnerability_id":"CVE-2026-1"}]`)
	s.must(400, "POST", "/api/v2/findings/accept_risks/", `{}`)
}
