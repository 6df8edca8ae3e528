package api_test

import (
	"fmt"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// shop is a product with a critical finding that its policy does not let through,
// and people.
type shop struct {
	*site
	product, engagement, finding int64
	dev, lead, boss, twin        string // tokens
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{site: newSite(t, withImporter)}
	var test int64
	s.product, s.engagement, test = s.site.product("Shop")
	s.finding = s.site.finding(test, "RCE", "Critical", `,"vulnerability_ids":[{"vulnerability_id":"CVE-2026-1"}],"component_name":"a","component_version":"1","file_path":"a.go"`)
	if _, err := s.pool.Exec(t.Context(), `update findings set purl = 'pkg:npm/a@1' where id = $1`, s.finding); err != nil {
		t.Fatal(err)
	}
	s.must(201, "POST", "/api/v2/policies/", source("org", noCritical+"\nwaivers: {max_ttl: {critical: 14d}, approvals: {critical: 2}}"))
	member := func(name, email string, r gate.Role) string {
		u := s.user(gate.User{Username: name, Email: email})
		if _, err := s.store.AddMember(t.Context(), store.Member{UserID: &u.ID, ProductID: &s.product, Role: r}); err != nil {
			t.Fatal(err)
		}
		return s.token(u, auth.NewToken{})
	}
	s.dev, s.lead, s.boss, s.twin = member("dev", "dev@example.org", gate.Reader), member("lead", "lead@example.org", gate.Maintainer), member("boss", "", gate.Owner), member("dev2", "Dev@example.org", gate.Owner)
	return s
}

func (s *shop) judged() string {
	s.t.Helper()
	return s.must(201, "POST", "/api/v2/verdicts/", fmt.Sprintf(`{"engagement":%d}`, s.engagement)).get("verdict.overall").(string)
}

// ask asks for a waiver, and returns its path.
func (s *shop) ask(token, more string) string {
	s.t.Helper()
	a := s.send(token, "POST", "/api/v2/waivers/", fmt.Sprintf(`{"finding":%d,"reason":"not reachable","days":10%s}`, s.finding, more))
	if a.status != 201 {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	return fmt.Sprintf("/api/v2/waivers/%d/", a.id())
}

// TestWaiver is the life of one: asked for, approved by two others, used, revoked.
func TestWaiver(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if s.judged() != "fail" {
		t.Fatal("passes without a waiver")
	}
	w := s.ask(s.dev, "")
	for _, tt := range []struct {
		who, token string
		status     int
		state      string
		verdict    string
	}{
		{"who asked, and may not approve at all", s.dev, 403, "", "fail"},
		{"who asked, under another account", s.twin, 403, "", "fail"},
		{"the first", s.lead, 200, "requested", "fail"},
		{"the first once more", s.lead, 409, "", "fail"},
		{"the second", s.boss, 200, "approved", "pass"},
		{"one too many", s.root, 409, "", "pass"},
	} {
		a := s.send(tt.token, "POST", w+"approve/", `{}`)
		if a.status != tt.status || tt.state != "" && a.get("state") != tt.state {
			t.Errorf("%s: %d %s, want %d", tt.who, a.status, a.body, tt.status)
		}
		if got := s.judged(); got != tt.verdict {
			t.Errorf("%s: the verdict is %s, want %s", tt.who, got, tt.verdict)
		}
	}
	shown := s.must(200, "GET", w, "")
	if shown.get("usage.covered") != 1.0 || shown.get("status") != "expiring" || shown.get("approved_by.1") != "boss" || shown.get("name") != "W-2026-0001" || shown.get("needed") != 2.0 {
		t.Errorf("%s", shown.body)
	}
	if a := s.send(s.lead, "POST", w+"revoke/", `{}`); a.status != 400 {
		t.Errorf("revoked without a reason: %d", a.status)
	}
	if a := s.send(s.lead, "POST", w+"revoke/", `{"reason":"an exploit is out"}`); a.status != 200 || a.get("state") != "revoked" || s.judged() != "fail" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.send(s.lead, "POST", w+"reject/", `{"reason":"x"}`); a.status != 409 {
		t.Errorf("rejected after it was revoked: %d %s", a.status, a.body)
	}
	events, err := s.store.AuditEvents(t.Context(), "waiver", 1, 10)
	if err != nil || len(events) != 4 {
		t.Errorf("%d entries in the history, %v", len(events), err)
	}
}

// TestWaiverRequests: what a waiver must be.
func TestWaiverRequests(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for name, tt := range map[string]struct{ body, field string }{
		"no_end":         {`{"finding":%d,"reason":"r"}`, "expires"},
		"over":           {`{"finding":%d,"reason":"r","expires":"2026-11-21"}`, "expires"},
		"too_long":       {`{"finding":%d,"reason":"r","days":15}`, "expires"},
		"no_reason":      {`{"finding":%d,"days":5}`, "reason"},
		"bare_wildcard":  {`{"product":%d,"reason":"r","days":5,"match":{"rule":"x","path":"**"}}`, "match"},
		"nothing":        {`{"product":%d,"reason":"r","days":5}`, "match"},
		"bad_expression": {`{"finding":%d,"reason":"r","days":5,"void_if":"f.epsss > 1.0"}`, "void_if"},
		"bad_word":       {`{"finding":%d,"reason":"r","days":5,"justification":"because"}`, "justification"},
		"match_by":       {`{"finding":%d,"reason":"r","days":5,"match_by":"everything"}`, "match_by"},
	} {
		a := s.send(s.dev, "POST", "/api/v2/waivers/", fmt.Sprintf(tt.body, map[bool]int64{true: s.product, false: s.finding}[strings.Contains(tt.body, "product")]))
		if a.status != 400 || a.get(tt.field+".0") == nil {
			t.Errorf("%s: %d %s, want a problem of %s", name, a.status, a.body, tt.field)
		}
	}
	p := s.send(s.dev, "POST", "/api/v2/waivers/preview/", fmt.Sprintf(`{"finding":%d,"match_by":"vulnerability"}`, s.finding))
	if p.get("matches") != 1.0 || p.get("approvals") != 2.0 || p.get("max_days") != 14.0 || p.get("match.purl") != "pkg:npm/a@1" {
		t.Errorf("%s", p.body)
	}
	if a := s.send(s.dev, "POST", s.ask(s.dev, "")+"reject/", `{"reason":"x"}`); a.status != 403 {
		t.Errorf("a reader rejects: %d", a.status)
	}
}

// TestVEX: documents come in, support waivers, or hold by themselves; waivers go
// out as documents.
func TestVEX(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	in := fmt.Sprintf("/api/v2/vex_documents/?product=%d&filename=vendor.json", s.product)
	if a := s.send(s.dev, "POST", in+"&trusted=true", openVEX("x")); a.status != 403 {
		t.Errorf("a reader has a document trusted: %d %s", a.status, a.body)
	}
	a := s.send(s.dev, "POST", in, openVEX("x"))
	if a.status != 201 || a.get("trusted") != false || a.get("format") != "openvex" || a.get("statements.0.vulnerability") != "CVE-2026-1" || s.judged() != "fail" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if again := s.send(s.lead, "POST", in+"&trusted=true", openVEX("x")); again.status != 201 || again.id() != a.id() || s.judged() != "pass" {
		t.Errorf("what a trusted document says is not affected counts: %d %s", again.status, again.body)
	}
	if d := s.send(s.lead, "DELETE", fmt.Sprintf("/api/v2/vex_documents/%d/", a.id()), ""); d.status != 204 || s.judged() != "fail" {
		t.Errorf("%d %s", d.status, d.body)
	}
	for _, bad := range []string{"", "{}", `{"bomFormat":"CycloneDX","specVersion":"1.5"}`} {
		if a := s.send(s.dev, "POST", in, bad); a.status != 400 {
			t.Errorf("%q: %d %s", bad, a.status, a.body)
		}
	}
	w := s.ask(s.dev, `,"match_by":"vulnerability","justification":"component_not_present"`)
	out := fmt.Sprintf("/api/v2/products/%d/vex/", s.product)
	if a := s.send(s.dev, "GET", out, ""); a.status != 200 || strings.Contains(a.body, "CVE-2026-1") {
		t.Errorf("what nobody approved is exported: %d %s", a.status, a.body)
	}
	s.send(s.lead, "POST", w+"approve/", "{}")
	s.send(s.boss, "POST", w+"approve/", "{}")
	for format, want := range map[string]string{"openvex": `"status": "not_affected"`, "cyclonedx": `"bomFormat": "CycloneDX"`} {
		if a := s.send(s.dev, "GET", out+"?format="+format, ""); a.status != 200 || !strings.Contains(a.body, want) || !strings.Contains(a.body, "CVE-2026-1") {
			t.Errorf("%s: %d %s", format, a.status, a.body)
		}
	}
	if a := s.send(s.dev, "GET", out+"?format=word", ""); a.status != 400 {
		t.Errorf("%d", a.status)
	}
}
