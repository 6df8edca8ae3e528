package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
	"defectdojo/policies/attest"
	"defectdojo/policies/bundle"
)

// key signs the bundles of tests that have no server.
var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte("k"), ed25519.SeedSize))

// keyFile writes the public half.
func keyFile(t *testing.T, k ed25519.PrivateKey) string {
	t.Helper()
	pem, err := attest.PublicPEM(k.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nowhere is the address of a server that does not answer.
const nowhere = "http://127.0.0.1:1"

// alone returns a job whose server is nowhere, with a bundle in its cache.
func alone(t *testing.T, change func(*bundle.Bundle)) *job {
	t.Helper()
	b := &bundle.Bundle{
		Server: nowhere, Product: policies.Product{Name: "shop"}, Branch: "main", CreatedAt: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour),
		Policies: []*policies.Policy{policies.Default()}, Baseline: &policies.Baseline{Kind: "previous", Scanners: []string{"generic"}},
	}
	if change != nil {
		change(b)
	}
	envelope, err := bundle.Seal(b, key)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{t, map[string]string{"DD_URL": nowhere, "DD_TOKEN": "t", "DD_CACHE_DIR": t.TempDir(), "DD_TIMEOUT": "20s", "DD_KEY_FILE": keyFile(t, key)}}
	if err := (cache{dir: j.env["DD_CACHE_DIR"]}).write(j.bundle(), envelope); err != nil {
		t.Fatal(err)
	}
	return j
}

// bundle is where a job's bundle is.
func (j *job) bundle() string {
	return cache{dir: j.env["DD_CACHE_DIR"]}.bundleFile(nowhere, "shop", "main", "")
}

// spooled counts what a job has kept.
func (j *job) spooled() int {
	all, err := cache{dir: j.env["DD_CACHE_DIR"]}.spooled(j.env["DD_URL"])
	if err != nil {
		j.t.Error(err)
	}
	return len(all)
}

var build1 = []string{"upload", "--product=shop", "--branch=main", "--commit=c1", "--scan-type=Generic Findings Import"}

// TestOnUnreachable is each way of going on without a server.
func TestOnUnreachable(t *testing.T) {
	t.Parallel()
	edit := func(from, to string) func(*job) {
		return func(j *job) {
			b, err := os.ReadFile(j.bundle())
			if err != nil || !bytes.Contains(b, []byte(from)) {
				j.t.Fatalf("%v: no %q", err, from)
			}
			if err := os.WriteFile(j.bundle(), bytes.Replace(b, []byte(from), []byte(to), 1), 0o600); err != nil {
				j.t.Fatal(err)
			}
		}
	}
	warning := `apiVersion: gate/v1
kind: GatePolicy
metadata: {name: warns}
spec: {rules: [{id: any, level: warn, max: 0}]}
`
	warns := func(b *bundle.Bundle) {
		p, err := policies.Parse("p", policies.FromServer, []byte(warning))
		if err != nil {
			t.Fatal(err)
		}
		b.Policies = []*policies.Policy{p}
	}
	tests := []struct {
		name   string
		change func(*bundle.Bundle)
		then   func(*job)
		args   []string
		from   string
		want   gate.ExitCode
		kept   int
		says   string
	}{
		{"local_fails", nil, nil, []string{"--on-unreachable=local"}, "New:Critical", gate.ExitFailed, 1, "PROVISIONAL"},
		{"local_passes", nil, nil, []string{"--on-unreachable=local"}, "New:Low", gate.ExitPassed, 1, "PROVISIONAL"},
		{"fail", nil, nil, []string{"--on-unreachable=fail"}, "New:Critical", gate.ExitUnreachable, 0, "does not answer"},
		{"fail_is_usual", nil, nil, nil, "New:Critical", gate.ExitUnreachable, 0, "does not answer"},
		{"pass", nil, nil, []string{"--on-unreachable=pass"}, "New:Critical", gate.ExitPassed, 1, "NOT JUDGED"},
		{"other", nil, nil, []string{"--on-unreachable=maybe"}, "New:Critical", gate.ExitUsage, 0, "must be one of"},
		{"no_gate", nil, nil, []string{"--on-unreachable=local", "--no-gate"}, "New:Critical", gate.ExitPassed, 1, "kept in"},
		{"expired", func(b *bundle.Bundle) { b.Expires = time.Now().Add(-time.Minute) }, nil, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "the bundle expired"},
		{"from_the_future", func(b *bundle.Bundle) { b.CreatedAt = time.Now().Add(30 * time.Minute) }, nil, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "the clock is wrong"},
		{"of_another_product", func(b *bundle.Bundle) { b.Product.Name = "billing" }, nil, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "is for product billing"},
		{"tampered", nil, edit(`"payload":"H4sI`, `"payload":"H4sJ`), []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "not to be trusted"},
		{"unsigned", nil, edit(`"sig":"`, `"sig":"AAAA`), []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "no signature by a key that is trusted"},
		{"no_envelope", nil, edit(`{`, `[`), []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "not a DSSE envelope"},
		{"of_another_key", nil, func(j *job) { j.env["DD_KEY_FILE"] = keyFile(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte("x"), 32))) }, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "no signature"},
		{"no_bundle", nil, func(j *job) { os.Remove(j.bundle()) }, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUnreachable, 1, "there is no bundle"},
		{"no_key", nil, func(j *job) { delete(j.env, "DD_KEY_FILE") }, []string{"--on-unreachable=local"}, "New:Low", gate.ExitUsage, 1, "no public key is trusted"},
		{"warns", warns, nil, []string{"--on-unreachable=local"}, "New:Low", gate.ExitPassed, 1, "PROVISIONAL"},
		{"strict_warn", warns, nil, []string{"--on-unreachable=local", "--strict-warn"}, "New:Low", gate.ExitFailed, 1, "PROVISIONAL"},
		{"exit_zero", nil, nil, []string{"--on-unreachable=local", "--exit-zero"}, "New:Critical", gate.ExitPassed, 1, "it would have been 1"},
		{"bad_policy", nil, nil, []string{"--on-unreachable=local", "--policy=testdata/bad.yaml"}, "New:Low", gate.ExitUsage, 1, "bad.yaml:6:"},
		{"own_policy", nil, nil, []string{"--on-unreachable=local", "--policy=testdata/none.yaml"}, "New:Low", gate.ExitFailed, 1, "any: 1 > 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := alone(t, tt.change)
			j.t = t
			if tt.then != nil {
				tt.then(j)
			}
			code, stdout, stderr := j.run(append(append(append([]string{}, build1...), tt.args...), generic(t, tt.from))...)
			if code != tt.want || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, tt.want, tt.says, stdout, stderr)
			}
			if n := j.spooled(); n != tt.kept {
				t.Errorf("%d builds are kept, want %d", n, tt.kept)
			}
		})
	}
}

// TestReconcile has the server judge otherwise than was judged without it.
func TestReconcile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	j := s.job(t)
	args := append(append([]string{}, build1...), "--on-unreachable=local")
	j.must(gate.ExitPassed, append(args, generic(t, "Old:Critical"))...)
	s.proxy.fault.Store(&fault{"", "connect"})
	build2 := append([]string{}, args...)
	build2[3] = "--commit=c2"
	j.must(gate.ExitFailed, append(build2, generic(t, "Old:Critical", "New:Critical"))...)
	s.proxy.fault.Store(nil)
	s.policy(t, "lenient", "apiVersion: gate/v1\nkind: GatePolicy\nmetadata: {name: lenient}\nspec: {rules: [{id: any, max: 9}]}\n")
	build3 := append([]string{}, args...)
	build3[3] = "--commit=c3"
	_, stderr := j.must(gate.ExitPassed, append(build3, generic(t, "Old:Critical"))...) // its own verdict counts
	for _, want := range []string{"THE SERVER JUDGES OTHERWISE", "here:   FAIL (exit code 1)", "server: PASS (exit code 0)"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, stderr)
		}
	}
	if n := j.spooled(); n != 0 {
		t.Errorf("%d builds are still kept", n)
	}
}

// policy puts a policy on the server.
func (s *site) policy(t *testing.T, name, text string) {
	t.Helper()
	err := s.store.Tx(t.Context(), func(st *store.Store, _ pgx.Tx) error {
		id, err := st.AddPolicy(t.Context(), name, nil, true, time.Now())
		if err == nil {
			_, err = st.AddPolicyVersion(t.Context(), store.NewPolicyVersion{PolicyID: id, Source: text, Digest: []byte(name), AuthorID: s.user, Now: time.Now()})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFlushRefused puts aside what the server does not take.
func TestFlushRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	j := s.job(t)
	s.proxy.fault.Store(&fault{"", "connect"})
	j.must(gate.ExitPassed, append(append([]string{}, build1...), "--on-unreachable=pass", generic(t, "Old:Low"))...)
	s.proxy.fault.Store(nil)
	dirs, err := filepath.Glob(filepath.Join(j.env["DD_CACHE_DIR"], "spool", "2*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%q, %v", dirs, err)
	}
	b, err := os.ReadFile(filepath.Join(dirs[0], entryFile))
	if err != nil || bytes.Contains(b, []byte(s.token)) {
		t.Fatalf("%v: the token is kept, too", err)
	}
	var e spooled
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dirs[0], "0"), bytes.Repeat([]byte("{"), int(e.Reports[0].Size)), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := j.must(gate.ExitRejected, "flush")
	if !strings.Contains(stdout, "0 sent, 1 refused") {
		t.Errorf("%s%s", stdout, stderr)
	}
	if stdout, _ := j.must(gate.ExitPassed, "flush"); !strings.Contains(stdout, "0 sent, 0 refused") {
		t.Errorf("it is tried again: %s", stdout)
	}
	if _, err := os.Stat(filepath.Join(j.env["DD_CACHE_DIR"], "spool", rejectedDir, filepath.Base(dirs[0]), entryFile)); err != nil {
		t.Error(err)
	}
}

// TestKeys pins the server's keys, and refuses a bundle of others.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	j := s.job(t)
	j.must(gate.ExitPassed, append(append([]string{}, build1...), generic(t, "Old:Low"))...)
	stdout, _ := j.must(gate.ExitPassed, "bundle", "--product=shop", "--branch=main")
	if !strings.Contains(stdout, "shop main: 1 policies, 0 waivers, 1 findings in the baseline") {
		t.Error(stdout)
	}
	j.env["DD_KEY_FILE"] = filepath.Join(j.env["DD_CACHE_DIR"], "keys.pem")
	j.must(gate.ExitPassed, "bundle", "--product=shop", "--branch=main")
	j.env["DD_KEY_FILE"] = keyFile(t, key)
	if _, stderr := j.must(gate.ExitUsage, "bundle", "--product=shop", "--branch=main"); !strings.Contains(stderr, "no signature by a key that is trusted") {
		t.Error(stderr)
	}
}
