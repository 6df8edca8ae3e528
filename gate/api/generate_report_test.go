package api_test

import (
	"fmt"
	"testing"
)

// TestGenerateReport asks for reports on what there is, large and small.
func TestGenerateReport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	_, _, other := s.product("Other")
	f := s.finding(test, "SQL", "High", "")
	s.finding(other, "XSS", "Low", "")
	s.must(201, "POST", fmt.Sprintf("/api/v2/findings/%d/notes/", f), `{"entry":"seen"}`)
	for path, want := range map[string]struct {
		findings int
		field    string // that says what it is about
		id       int64
	}{
		fmt.Sprintf("/products/%d/", p): {1, "product", p}, fmt.Sprintf("/engagements/%d/", e): {1, "engagement", e},
		fmt.Sprintf("/tests/%d/", test): {1, "test", test}, "/product_types/1/": {2, "product_type", 1}, "/findings/": {2, "", 0},
	} {
		a := s.must(200, "POST", "/api/v2"+path+"generate_report/", `{"include_finding_notes":true,"include_executive_summary":true}`)
		if all, _ := a.get("findings").([]any); len(all) != want.findings || a.get("executive_summary.total_findings") != float64(want.findings) {
			t.Errorf("%s: %d findings, %s", path, len(all), a.body)
		}
		if want.field != "" && a.get(want.field+".id") != float64(want.id) {
			t.Errorf("%s: %s", path, a.body)
		}
		if a.get("finding_notes.0.notes.0.entry") != "seen" || a.get("finding_notes.0.finding_id") != float64(f) || a.get("user.username") != "root" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	a := s.must(200, "POST", "/api/v2/findings/generate_report/?severity=Low", `{}`)
	if a.get("findings.0.title") != "XSS" || a.get("findings.1") != nil || a.get("executive_summary") != nil || a.get("finding_notes.0") != nil {
		t.Errorf("%s", a.body)
	}
}
