package render

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const mixed = `
metadata: {name: org, owner: appsec@example.org}
kind: GatePolicy
spec:
  require:
    - {id: sast, any_of: [semgrep, codeql], max_age: 24h}
    - {id: sca, any_of: [trivy], max_age: 24h}
  rules:
    - {id: new-critical, description: No new critical finding, select: {severity: critical, delta: new}}
    - {id: exploitable, select: {severity: high}, when: f.kev || f.epss >= 0.2, grace: {existing: 30d}}
    - {id: medium-budget, level: warn, select: {severity: medium}, max: 0}
`

// verdict is one with something of everything.
func verdict(t testing.TB) *gate.Verdict {
	t.Helper()
	org, err := policies.Parse("org.yaml", policies.FromServer, []byte(mixed))
	if err != nil {
		t.Fatal(err)
	}
	trial, err := policies.Parse("trial.yaml", policies.FromServer, []byte(`{mode: audit, rules: [{id: nothing-at-all, max: 0}]}`))
	if err != nil {
		t.Fatal(err)
	}
	dep := func(id int64, cve, name, version, fix string, s gate.Severity) policies.Finding {
		return policies.Finding{
			ID: id, Fingerprint: fmt.Sprintf("fp-%d", id), Title: "Flaw in " + name, Severity: s, Status: policies.Open, Scanner: "trivy", Category: policies.Dependency,
			Vulnerabilities: []string{cve}, Component: name, Version: version, PURL: "pkg:npm/" + name + "@" + version, FixVersion: fix, Path: "services/pay/package-lock.json",
			FirstSeen: noon.AddDate(0, 0, -3), KEV: new(true), EPSS: new(0.5),
		}
	}
	head := []policies.Finding{
		dep(1, "CVE-2021-44228", "log4j-core", "2.14.1", "2.17.1", gate.Critical), dep(2, "CVE-2021-45046", "log4j-core", "2.14.1", "2.16.0", gate.Critical),
		dep(3, "CVE-2019-10744", "lodash", "4.17.11", "", gate.High), dep(4, "CVE-2020-8203", "minimist", "0.0.8", "1.2.6", gate.High),
		{
			ID: 5, Fingerprint: "fp-5", Title: "SQL | <script>alert(1)</script> @admin [x](http://evil.example) `rm -rf` #1", Severity: gate.Medium, Status: policies.Open,
			Scanner: "semgrep", Category: policies.Code, Rule: "sqli", Path: `src\db query.go`, Line: 42, FirstSeen: noon,
		},
		dep(6, "CVE-2022-1", "left-pad", "1.0.0", "1.3.0", gate.High),
	}
	head[5].KEV, head[5].EPSS = nil, nil
	v, err := policies.Evaluate(policies.Inputs{
		Policies: []*policies.Policy{org, trial}, Head: head, Now: noon,
		Context: policies.Context{
			Product: policies.Product{Name: "payments-api"}, Event: policies.PullRequest, PullRequest: 318, HeadCommit: "9c1e2f4abc", TargetBranch: "main",
			Repository: "example/payments",
		},
		Baseline: &policies.Baseline{Kind: "merge_base", Commit: "71fd0aa", Scanners: []string{"trivy", "semgrep"}, Findings: head[2:3], Inventory: []string{head[3].PURL}},
		Runs:     []policies.Run{{Tool: "trivy", Commit: "9c1e2f4abc", CompletedAt: noon.Add(-time.Hour), Results: 5}, {Tool: "semgrep", Commit: "9c1e2f4abc", Outcome: gate.Failed, Problems: []string{"out of memory"}, CompletedAt: noon}},
		Waivers: []gate.Waiver{{
			ID: "W-1", Match: gate.WaiverMatch{Vulnerability: "CVE-2020-8203", PURL: "pkg:npm/minimist"}, Reason: "not reached", RequestedBy: "dev", ApprovedBy: []string{"lead"},
			ValidFrom: noon.AddDate(0, 0, -1), Expires: noon.AddDate(0, 0, 20),
		}},
		Intel: policies.Intel{EPSS: policies.Snapshot{ID: "epss-2026-11-21", At: noon.AddDate(0, 0, -1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestFormats(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	for _, f := range Formats {
		var b bytes.Buffer
		if err := f.Do(&b, v); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		golden(t, f.File, b.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", name, d)
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	if f, err := ByName("sarif"); err != nil || f.File != "verdict.sarif" {
		t.Errorf("sarif: %+v, %v", f, err)
	}
	if _, err := ByName("pdf"); gate.KindOf(err) != gate.Invalid {
		t.Errorf("pdf: %v, want an error that the user made", err)
	}
}

// TestMarkdownIsHarmless looks for markup that a report's text got through.
func TestMarkdownIsHarmless(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Markdown(&b, verdict(t)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "@admin", "[x](", " `rm", "http://evil", " #1"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q got through:\n%s", bad, b.String())
		}
	}
}

// TestMarkdownFits renders more findings than a comment holds.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	for i := range 3000 {
		f := v.Findings[i%3]
		f.ID, f.Title = int64(1000+i), strings.Repeat("very long & ", 40)
		v.Findings = append(v.Findings, f)
		v.Why = append(v.Why, strings.Repeat("why & ", 20))
		v.Notes = append(v.Notes, strings.Repeat("note & ", 200))
	}
	var b strings.Builder
	if err := Markdown(&b, v); err != nil {
		t.Fatal(err)
	}
	if b.Len() > MaxMarkdown || !strings.Contains(b.String(), "more") || !strings.Contains(b.String(), v.ID) {
		t.Errorf("%d bytes, want at most %d, with a word on what is left out and the verdict's id", b.Len(), MaxMarkdown)
	}
}

func TestHTMLIsHarmless(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := HTML(&b, verdict(t)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "ZgotmplZ") {
		t.Errorf("not escaped:\n%s", b.String())
	}
}

func TestTextIsHarmless(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	v.Findings[0].Title = "\x1b[2Jgone\n::error::x\u202e ##[add-mask]x \u009b31m"
	v.Why[0] += "\n::set-output name=x::y"
	var b strings.Builder
	if err := Text(&b, v); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\n::", "\u202e", "##[", "\u009b"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q got through:\n%s", bad, b.String())
		}
	}
}

func TestJUnitCounts(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JUnit(&b, verdict(t)); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 5 || got.Failures != 1 || got.Errors != 2 || got.Suites[1].Skipped != 1 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped; want 5, 1, 2, 1:\n%s", got.Tests, got.Failures, got.Errors, got.Suites[1].Skipped, b.String())
	}
}

func TestCodeQualityFingerprintsDiffer(t *testing.T) {
	t.Parallel()
	v := verdict(t)
	v.Findings = append(v.Findings, v.Findings[0], v.Findings[0])
	var b bytes.Buffer
	if err := CodeQuality(&b, v); err != nil {
		t.Fatal(err)
	}
	var entries []codeQuality
	if err := json.Unmarshal(b.Bytes(), &entries); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Fingerprint] || e.Location.Path == "" || e.Location.Lines.Begin < 1 {
			t.Errorf("entry %+v", e)
		}
		seen[e.Fingerprint] = true
	}
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := SARIF(&b, verdict(t)); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	levels := map[string]int{}
	suppressed := 0
	for _, r := range run.Results {
		levels[r.Level]++
		suppressed += len(r.Suppressions)
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("rule %d is not %s", r.RuleIndex, r.RuleID)
		}
	}
	if suppressed != 1 || levels["error"] < 2 {
		t.Errorf("levels %v, %d suppressed", levels, suppressed)
	}
}

func BenchmarkMarkdown(b *testing.B) {
	v := verdict(b)
	for b.Loop() {
		if err := Markdown(io.Discard, v); err != nil {
			b.Fatal(err)
		}
	}
}
