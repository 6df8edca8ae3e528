package api_test

import (
	"strings"
	"testing"

	"defectdojo/parsers/all"
)

// TestScanTypes finds every parser in the list, with what a newcomer needs.
func TestScanTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.get("/scan_types/?limit=1000")
	if got := a.get("count"); got != float64(len(all.Parsers)) {
		t.Fatalf("%d %.300s: count %v, want %d", a.status, a.body, got, len(all.Parsers))
	}
	rows := a.get("results").([]any)
	if len(rows) != len(all.Parsers) {
		t.Errorf("%d rows, want %d", len(rows), len(all.Parsers))
	}
	for _, r := range rows {
		row := r.(map[string]any)
		for _, field := range []string{"name", "tool", "upload", "command", "url", "deduplication_algorithm"} {
			if v, _ := row[field].(string); strings.TrimSpace(v) == "" {
				t.Errorf("%v: no %s", row["name"], field)
			}
		}
	}
	if got := s.get("/scan_types/?name=Trivy+Scan").get("count"); got != float64(1) {
		t.Errorf("by name: %v", got)
	}
}
