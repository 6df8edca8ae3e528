package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies/attest"
	"defectdojo/policies/bundle"
)

// write writes a file of a test and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const tested = `apiVersion: gate/v1
kind: GatePolicy
metadata: {name: criticals}
spec:
  rules:
    - {id: none, select: {severity: critical, delta: [introduced]}, max: 0}
---
kind: PolicyTest
metadata: {name: what it does}
spec:
  cases:
    - name: a new critical fails
      given: {findings: [{severity: critical, delta: introduced}]}
      expect: {overall: fail, rules: {none: violated}}
    - name: an old one passes
      given: {findings: [{severity: critical, delta: existing}]}
      expect: {overall: pass}
`

// TestPolicyCommands checks, tests and explains policies.
func TestPolicyCommands(t *testing.T) {
	t.Parallel()
	j := &job{t, map[string]string{}}
	good := write(t, "good.yaml", tested)
	if _, stderr := j.must(gate.ExitPassed, "policy", "lint", good); !strings.Contains(stderr, "nothing is wrong") {
		t.Error(stderr)
	}
	if stdout, _ := j.must(gate.ExitUsage, "policy", "lint", "testdata/bad.yaml", good); !strings.Contains(stdout, "testdata/bad.yaml:6:") || !strings.Contains(stdout, "sevrity") {
		t.Error(stdout)
	}
	odd := write(t, "odd.yaml", strings.NewReplacer("rules:", "require: [{id: sast, any_of: [semgerp], on: [head]}]\n  rules:").Replace(strings.Split(tested, "---")[0]))
	stdout, _ := j.must(gate.ExitUsage, "policy", "lint", "--format=json", odd)
	var problems []struct {
		Line, Column int
		Message      string
	}
	if err := json.Unmarshal([]byte(stdout), &problems); err != nil || len(problems) != 1 || problems[0].Line != 5 || problems[0].Column == 0 || !strings.Contains(problems[0].Message, "semgerp") {
		t.Errorf("%v: %s", err, stdout)
	}
	j.must(gate.ExitUsage, "policy", "lint", "nothing.yaml")

	if stdout, stderr := j.must(gate.ExitPassed, "policy", "test", "-v", good); !strings.Contains(stdout, "ok    what it does / an old one passes") || !strings.Contains(stderr, "2 cases, 0 failed") {
		t.Errorf("%s%s", stdout, stderr)
	}
	wrong := write(t, "wrong.yaml", strings.Replace(tested, "expect: {overall: pass}", "expect: {overall: warn}", 1))
	if stdout, _ := j.must(gate.ExitUsage, "policy", "test", wrong); !strings.Contains(stdout, "FAIL  what it does / an old one passes ("+wrong+":15)") || !strings.Contains(stdout, "overall is pass, want warn") {
		t.Error(stdout)
	}
	preset := write(t, "preset.yaml", "kind: PolicyTest\nmetadata: {name: of a preset}\nspec:\n  policies: [default]\n  cases:\n    - {name: n, given: {findings: [{severity: critical, delta: introduced}]}, expect: {overall: fail}}\n")
	j.must(gate.ExitPassed, "policy", "test", preset)
	if _, stderr := j.must(gate.ExitUsage, "policy", "test", "testdata/none.yaml"); !strings.Contains(stderr, "there is no test") {
		t.Error(stderr)
	}
	j.must(gate.ExitUsage, "policy", "test", "testdata/bad.yaml")
	for _, args := range [][]string{{"policy", "--help"}, {"policy", "lint", "--help"}, {"verify", "--help"}, {"waiver", "request", "--help"}, {"bundle", "--help"}, {"flush", "--help"}, {"policy", "explain", "--help"}} {
		if code, stdout, _ := (&job{t, nil}).run(args...); code != gate.ExitPassed || !strings.Contains(stdout, "Usage: defectdojo-upload "+args[0]) {
			t.Errorf("%q: %d\n%s", args, code, stdout)
		}
	}
}

// TestOutputs writes a verdict in every form, here and on the runner's page.
func TestOutputs(t *testing.T) {
	t.Parallel()
	j := alone(t, nil)
	dir := t.TempDir()
	j.env["GITHUB_STEP_SUMMARY"], j.env["GITHUB_OUTPUT"] = filepath.Join(dir, "summary"), filepath.Join(dir, "output")
	args := append([]string{}, build1...)
	want := map[string]string{
		"deep/v.json": `"overall": "fail"`, "v.sarif": `"version": "2.1.0"`, "gate.xml": "<testsuite", "v.md": "New", "v.html": "<html", "v.txt": "FAILED", "gl-code-quality-report.json": `"check_name"`,
	}
	for name := range want {
		args = append(args, "--output="+filepath.Join(dir, name))
	}
	j.must(gate.ExitFailed, append(args, "--on-unreachable=local", generic(t, "New:Critical"))...)
	want["summary"], want["output"] = "New", "verdict=fail"
	for name, text := range want {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Contains(b, []byte(text)) {
			t.Errorf("%s: %v: no %q\n%.300s", name, err, text, b)
		}
	}
	verdict := filepath.Join(dir, "deep/v.json")
	if stdout, _ := j.must(gate.ExitPassed, "policy", "explain", "New", "--verdict="+verdict); !strings.Contains(stdout, "counted by default/new-critical") || !strings.Contains(stdout, "introduced") {
		t.Error(stdout)
	}
	j.must(gate.ExitUsage, "policy", "explain", "Nothing like it", "--verdict="+verdict)
	j.must(gate.ExitUsage, "policy", "explain", "New")
	j.must(gate.ExitUsage, "policy", "explain", "New", "--verdict="+write(t, "x.json", "{}"))
	stdout, _ := j.must(gate.ExitPassed, "policy", "explain", "New", "--product=shop", "--branch=main", "--key="+j.env["DD_KEY_FILE"], "--scan-type=Generic Findings Import", generic(t, "New:Critical", "Other:Low"))
	if !strings.Contains(stdout, "default/new-critical: counted") || strings.Contains(stdout, "Other") {
		t.Error(stdout)
	}
	j.must(gate.ExitUsage, append(append([]string{}, build1...), "--output=verdict.pdf", generic(t, "New:Low"))...)
}

// TestVerify checks signed statements by each of their ends.
func TestVerify(t *testing.T) {
	t.Parallel()
	pinned := keyFile(t, key)
	statement := func(v gate.Verdict) string {
		t.Helper()
		v.ID, v.DecidedAt, v.Subject = "v-1", time.Now().UTC(), gate.Subject{Product: "shop", Repository: "org/shop", Commit: "c1"}
		envelope, err := attest.Sign(&v, "https://gate.example", key)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, "v.intoto.json", string(envelope))
	}
	passed := statement(gate.Verdict{Overall: gate.Pass, Conclusive: true})
	failed := statement(gate.Verdict{Overall: gate.Fail, Conclusive: true, Why: []string{"new-critical: 1 > 0"}})
	unsure := statement(gate.Verdict{Overall: gate.Fail})
	over := statement(gate.Verdict{Overall: gate.Pass, Conclusive: true, ValidUntil: time.Now().Add(-time.Minute)})
	b, err := os.ReadFile(passed)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := bundle.Seal(&bundle.Bundle{CreatedAt: time.Now(), Expires: time.Now().Add(time.Hour)}, key)
	if err != nil {
		t.Fatal(err)
	}
	forged := write(t, "forged.json", strings.Replace(string(b), `"payload":"ey`, `"payload":"eY`, 1))
	for _, tt := range []struct {
		name string
		args []string
		want gate.ExitCode
		says string
	}{
		{"passed", []string{passed}, gate.ExitPassed, "about gitCommit:c1"},
		{"of_the_commit", []string{passed, "--commit=c1", "--product=shop", "--verifier=https://gate.example"}, gate.ExitPassed, "PASS"},
		{"of_another_commit", []string{passed, "--commit=c2"}, gate.ExitRejected, "not about commit c2"},
		{"of_another_product", []string{passed, "--product=billing"}, gate.ExitRejected, "about product shop"},
		{"of_another_server", []string{passed, "--verifier=https://evil.example"}, gate.ExitRejected, "verified by"},
		{"failed", []string{failed}, gate.ExitFailed, "new-critical: 1 > 0"},
		{"failed_accepted", []string{failed, "--any-end"}, gate.ExitPassed, "FAIL"},
		{"unsure", []string{unsure}, gate.ExitInconclusive, "the gate failed"},
		{"over", []string{over}, gate.ExitInconclusive, "valid until"},
		{"over_accepted", []string{over, "--any-time"}, gate.ExitPassed, "PASS"},
		{"forged", []string{forged}, gate.ExitRejected, "forged.json"},
		{"no_statement", []string{write(t, "x.json", "{}")}, gate.ExitRejected, "x.json"},
		{"a_bundle", []string{write(t, "b.json", string(envelope))}, gate.ExitRejected, "the envelope holds"},
		{"no_key", []string{passed, "--key=/nowhere.pem"}, gate.ExitUsage, "nowhere.pem"},
		{"no_file", []string{"nothing.json"}, gate.ExitUsage, "nothing.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := &job{t, map[string]string{"DD_KEY_FILE": pinned}}
			if len(tt.args) > 1 && strings.HasPrefix(tt.args[1], "--key") {
				delete(j.env, "DD_KEY_FILE")
			}
			code, stdout, stderr := j.run(append([]string{"verify"}, tt.args...)...)
			if code != tt.want || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.want, tt.says, stdout, stderr)
			}
		})
	}
}
