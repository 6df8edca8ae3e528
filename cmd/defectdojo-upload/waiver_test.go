package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"defectdojo/gate"
)

// TestWaiverRequest runs the command that a failed verdict names, as it stands there.
func TestWaiverRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	j := s.job(t)
	upload := append(append([]string{}, build1...), "--format=json")
	j.must(gate.ExitPassed, append(upload, generic(t, "Old:Critical"))...)
	second := append([]string{}, upload...)
	second[3] = "--commit=c2"
	stdout, _ := j.must(gate.ExitFailed, append(second, generic(t, "Old:Critical", "New:Critical"))...)
	v := verdictOf(t, stdout)
	if v.Green == nil || len(v.Green.Steps) != 1 {
		t.Fatalf("no way to green: %+v", v.Green)
	}
	command := strings.Fields(v.Green.Steps[0].Command)
	if command[0] != "defectdojo-upload" {
		t.Fatalf("command %q", command)
	}
	// On a terminal it asks for what the line does not hold.
	j.env["STDIN"] = "shop\nnever reached; see SEC-88\n"
	stdout, stderr := j.must(gate.ExitPassed, command[1:]...)
	if !strings.Contains(stdout, "is asked for, until ") || !strings.Contains(stdout, "It needs an approval of others than you") || !strings.Contains(stderr, "Product: Why is that no risk") {
		t.Errorf("%s%s", stdout, stderr)
	}
	j.env["STDIN"] = ""
	if _, stderr := j.must(gate.ExitUsage, command[1:]...); !strings.Contains(stderr, "--product is needed") {
		t.Error(stderr)
	}
	j.must(gate.ExitUsage, "waiver", "request", "--product=shop", "--reason=x")
	if _, stderr := j.must(gate.ExitRejected, append(command[1:], "--product=shop", "--reason=x", "--days=4000")...); !strings.Contains(stderr, "at most") {
		t.Error(stderr)
	}
	if _, stderr := j.must(gate.ExitRejected, append(command[1:], "--product=nothing", "--reason=x")...); !strings.Contains(stderr, "product_name") {
		t.Error(stderr)
	}
}

// TestStatement fetches a verdict's signed statement, and checks it with the
// server's key and with no server.
func TestStatement(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	j := s.job(t)
	path := filepath.Join(t.TempDir(), "verdict.intoto.json")
	j.must(gate.ExitPassed, append(append([]string{}, build1...), "--on-unreachable=local", "--output="+path, generic(t, "Old:Low"))...)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	delete(j.env, "DD_KEY_FILE")
	if stdout, _ := j.must(gate.ExitPassed, "verify", path, "--commit=c1", "--product=shop", "--verifier="+s.url); !strings.Contains(stdout, "shop PASS") {
		t.Error(stdout)
	}
	j.must(gate.ExitRejected, "verify", path, "--commit=c2")
}
