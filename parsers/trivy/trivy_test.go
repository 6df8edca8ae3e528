package trivy

import (
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/parsers"
)

// TestFixedIn checks that the fixed version reaches who asks for it, although
// DefectDojo's fix_version stays empty.
func TestFixedIn(t *testing.T) {
	t.Parallel()
	const report = `{"SchemaVersion": 2, "ArtifactName": "app:1", "Results": [{"Target": "app:1 (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
		{"VulnerabilityID": "CVE-2024-1", "PkgName": "zlib1g", "InstalledVersion": "1:1.2.13", "FixedVersion": "1:1.2.13.dfsg-1, 1:1.3", "Severity": "HIGH"},
		{"VulnerabilityID": "CVE-2024-2", "PkgName": "apt", "InstalledVersion": "2.6", "Severity": "LOW"}]}]}`
	var got []string
	_, err := parsers.Read(t.Context(), Parsers[0], strings.NewReader(report), parsers.Options{Emit: func(o gate.Observation) {
		got = append(got, o.FixedIn())
		if o.FixVersion != "" {
			t.Errorf("FixVersion %q, want none", o.FixVersion)
		}
	}})
	if want := "1:1.2.13.dfsg-1, 1:1.3|"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("FixedIn: %q, %v, want %q", got, err, want)
	}
}
