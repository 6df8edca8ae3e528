package ingest

import (
	"strings"
	"testing"
)

// A report of another scan type than was said is refused, and told what it is.
func TestWrongFormatIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	trivy := `{"SchemaVersion": 2, "ArtifactName": "shop", "ArtifactType": "filesystem", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": []}]}`
	for _, c := range []struct{ scanType, report, want string }{
		{"Gosec Scanner", trivy, `it looks like a report of "Trivy Scan"`},
		{"Burp Scan", trivy, `it looks like a report of "Trivy Scan"`},
		{"Trivy Scan", `{"SchemaVersion": 2, "ArtifactName": "shop", "ArtifactType": "filesystem", "Results": [`, ""},
		{"Gosec Scanner", `{"nothing": "known"}`, ""},
	} {
		_, err := b.try(b.request(c.report, func(r *Request) { r.ScanType = c.scanType }))
		if err == nil {
			t.Errorf("%s: it was read", c.scanType)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || c.want == "" && strings.Contains(err.Error(), "looks like") {
			t.Errorf("%s: %v, want %q", c.scanType, err, c.want)
		}
	}
	if got := b.findings(); len(got) != 0 {
		t.Errorf("something was stored: %v", got)
	}
}
