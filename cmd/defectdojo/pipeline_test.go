package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// finding is one of a report of Trivy.
type finding struct {
	ID, Package, Version, Fixed, Severity string
}

var (
	oldFinding = finding{"CVE-2020-8203", "lodash", "4.17.15", "4.17.19", "CRITICAL"}
	newFinding = finding{"CVE-2021-44228", "log4j-core", "2.14.1", "2.17.1", "CRITICAL"}
	another    = finding{"CVE-2022-22965", "spring-beans", "5.3.17", "5.3.18", "CRITICAL"}
)

// report writes a report of Trivy with the findings.
func report(t *testing.T, findings ...finding) string {
	t.Helper()
	list := []map[string]string{}
	for _, f := range findings {
		list = append(list, map[string]string{
			"VulnerabilityID": f.ID, "PkgName": f.Package, "InstalledVersion": f.Version, "FixedVersion": f.Fixed, "Severity": f.Severity, "Title": "Weakness of " + f.Package,
		})
	}
	b, err := json.Marshal(map[string]any{
		"SchemaVersion": 2, "ArtifactName": "shop", "ArtifactType": "filesystem",
		"Results": []map[string]any{{"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": list}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trivy.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var tokenIn = regexp.MustCompile(`DD_TOKEN=(\S+)`)

// pipeline is the host of a CI job that uploads to a server.
func (f *foreground) pipeline(h host, env ...string) host {
	h.env = append([]string{"PATH=" + os.Getenv("PATH"), "DD_URL=" + f.site, "DD_TOKEN=" + tokenIn.FindStringSubmatch(f.welcome)[1]}, env...)
	return h
}

// TestPipeline is a pipeline's life: a baseline, a new critical finding, its
// fix, and a server that is gone.
func TestPipeline(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	srv := h.start()
	ci := srv.pipeline(h)
	bad := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(bad, []byte(`{"SchemaVersion": 2, "Results": [{"Target": "x", "Vulnerab`), 0o600); err != nil {
		t.Fatal(err)
	}
	strict := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(strict, []byte("apiVersion: gate/v1\nkind: GatePolicy\nmetadata: {name: needs-semgrep}\nspec:\n  require:\n    - {id: sast, any_of: [semgrep], on: [head]}\n  rules:\n    - {id: none, select: {severity: critical, delta: [introduced]}, max: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, s := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"baseline", []string{report(t, oldFinding)}, 0, []string{"PASSED", "baseline"}},
		{"new_critical", []string{report(t, oldFinding, newFinding)}, 1, []string{"FAILED", "new-critical: 1 > 0", "CVE-2021-44228 in log4j-core 2.14.1", "introduced", "Shortest way to green"}},
		{"as_json", []string{"--format", "json", report(t, oldFinding, newFinding)}, 1, []string{`"exit_code": 1`, `"overall": "fail"`}},
		{"fixed", []string{report(t, oldFinding)}, 0, []string{"PASSED"}},
		{"cut_short", []string{"--scan-type", "Trivy Scan", bad}, 4, []string{"cut short", "report.json"}},
		{"no_such_file", []string{"nothing.json"}, 2, []string{"nothing.json", "did the scan run"}},
		{"wrong_flag", []string{"--nonsense"}, 2, []string{"nonsense"}},
		{"evidence_missing", []string{"--policy", strict, report(t, oldFinding)}, 3, []string{"COULD NOT DECIDE", "semgrep"}},
		{"only_uploaded", []string{"--no-gate", report(t, oldFinding, newFinding)}, 0, nil},
		{"exit_zero", []string{"--exit-zero", report(t, oldFinding, newFinding, another)}, 0, []string{"it would have been 1"}},
	} {
		commit := fmt.Sprintf("%040d", n)
		if s.name == "as_json" {
			commit = fmt.Sprintf("%040d", n-1) // the same build again
		}
		code, stdout, stderr := ci.run("defectdojo-upload", append([]string{"--product", "shop", "--branch", "main", "--commit", commit}, s.args...)...)
		if code != s.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", s.name, code, s.code, stdout, stderr)
		}
		for _, text := range s.says {
			if !strings.Contains(stdout+stderr, text) {
				t.Errorf("%s: it does not say %q:\n%s%s", s.name, text, stdout, stderr)
			}
		}
	}

	wrong := ci
	wrong.env = append([]string{"DD_TOKEN=gate_wrong"}, "PATH="+os.Getenv("PATH"), "DD_URL="+srv.site)
	if code, _, stderr := wrong.run("defectdojo-upload", "--product", "shop", report(t)); code != 4 || !strings.Contains(stderr, "DD_TOKEN") {
		t.Errorf("wrong token: exit code %d, want 4\n%s", code, stderr)
	}

	if code, stdout, stderr := h.run("defectdojo-stop"); code != 0 {
		t.Fatalf("stop: %d %s%s", code, stdout, stderr)
	}
	began := time.Now()
	code, _, stderr := ci.run("defectdojo-upload", "--product", "shop", "--timeout", "4s", report(t, oldFinding))
	if code != 5 || !strings.Contains(stderr, "does not answer") || time.Since(began) > 20*time.Second {
		t.Errorf("server gone: exit code %d after %s, want 5\n%s", code, time.Since(began), stderr)
	}
	if code, stdout, stderr := h.run("defectdojo", "fsck"); code != 0 || !strings.Contains(stdout, " 0 flaws") {
		t.Errorf("fsck: %d\n%s%s", code, stdout, stderr)
	}
}
