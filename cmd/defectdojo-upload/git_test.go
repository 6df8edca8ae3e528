package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
)

// repository is a git repository with a history:
//
//	m1 – m2 – m3 – m4   main
//	       \
//	        f1 – f2     feature
type repository struct {
	t   *testing.T
	dir string
	sha map[string]string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t, t.TempDir(), map[string]string{}}
	r.git("init", "-q", "-b", "main")
	r.git("config", "uploadpack.allowAnySHA1InWant", "true")
	r.commit("m1", "kept.go", "old.go", "moved.go")
	r.commit("m2", "kept.go")
	r.git("checkout", "-q", "-b", "feature")
	r.git("mv", "moved.go", "renamed.go")
	r.commit("f1", "with space.go")
	r.commit("f2", "new.go")
	r.git("checkout", "-q", "main")
	r.commit("m3", "kept.go")
	r.commit("m4", "later.go")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	c := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"}, args...)...)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits a change of files, under a name.
func (r *repository) commit(name string, files ...string) {
	r.t.Helper()
	for _, f := range files {
		text := strings.Repeat("the same in each version of "+f+"\n", 20) + name + "\n"
		if err := os.WriteFile(filepath.Join(r.dir, f), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", name)
	r.sha[name] = r.git("rev-parse", "HEAD")
}

// clone clones it as a CI does, so deep; 0 is whole.
func (r *repository) clone(branch string, depth int) *repository {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "clone")
	args := []string{"clone", "-q", "--branch", branch}
	if depth > 0 {
		args = append(args, "--single-branch", fmt.Sprintf("--depth=%d", depth))
	}
	r.git(append(args, "file://"+r.dir, dir)...)
	return &repository{r.t, dir, r.sha}
}

// TestHistory: what a checkout tells, however much of it there is.
func TestHistory(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	pull := build{ci: "GitHub Actions", event: "pull_request", branch: "feature", targetBranch: "main", pullRequest: 7, commit: r.sha["f2"], baseCommit: r.sha["m4"]}
	push := build{ci: "GitLab CI", event: "push", branch: "main", commit: r.sha["m4"]}
	queue := build{event: "merge_group", branch: "q", targetBranch: "main", commit: r.sha["m4"], baseCommit: r.sha["m3"]}
	of := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, r.sha[n])
		}
		return out
	}
	pulled := history{mergeBase: r.sha["m2"], ancestors: of("m1"), changed: []string{"new.go", "renamed.go", "with space.go"}, renames: map[string]string{"renamed.go": "moved.go"}}
	for _, c := range []struct {
		name   string
		dir    *repository
		build  build
		deepen bool
		want   history
		note   string
	}{
		{"pull_request", r.clone("feature", 0), pull, false, pulled, ""},
		{"pull_request_of_a_shallow_clone", r.clone("feature", 1), pull, true, pulled, ""},
		{"pull_request_of_a_shallow_clone_left_so", r.clone("feature", 1), pull, false, history{}, "fetch-depth: 0"},
		{"merge_base_told_by_the_ci", r.clone("feature", 3), with(pull, func(b *build) { b.mergeBase, b.ci = r.sha["m2"], "GitLab CI" }), false, history{mergeBase: r.sha["m2"], changed: pulled.changed, renames: pulled.renames}, "GIT_DEPTH"},
		{"push", r.clone("main", 0), push, false, history{ancestors: of("m3", "m2", "m1")}, ""},
		{"push_of_a_shallow_clone", r.clone("main", 1), push, true, history{ancestors: of("m3", "m2", "m1")}, ""},
		{"push_of_a_shallow_clone_left_so", r.clone("main", 1), push, false, history{}, "GIT_DEPTH"},
		{"queue", r.clone("main", 0), queue, false, history{ancestors: of("m2", "m1"), changed: []string{"later.go"}, renames: map[string]string{}}, ""},
		{"no_checkout", &repository{t: t, dir: t.TempDir()}, pull, true, history{}, ""},
		{"another_repository", newRepository(t), with(pull, func(b *build) { b.commit = strings.Repeat("1", 40) }), true, history{}, "is not in the clone"},
		{"no_option", r.clone("main", 0), with(push, func(b *build) { b.commit = "--output=x" }), true, history{}, "is not in the clone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := checkout{c.dir.dir}.look(t.Context(), c.build, c.deepen)
			notes := strings.Join(got.notes, "\n")
			if got.notes = nil; (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
				t.Errorf("it says %q, want %q", notes, c.note)
			}
			slices.Sort(got.changed)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(history{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestBaselineOfTheCheckout: with nothing but the CI's own variables and its
// checkout, a pull request is compared with the nearest scanned commit before
// it, not with what has come to its target since.
func TestBaselineOfTheCheckout(t *testing.T) {
	t.Parallel()
	s, r := newSite(t), newRepository(t)
	event := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, "event.json", string(b))
	}
	ref := func(sha string) map[string]any {
		return map[string]any{"sha": sha, "repo": map[string]string{"full_name": "acme/shop"}}
	}
	ci := func(run int, more ...string) *job {
		env := []string{"GITHUB_ACTIONS", "true", "GITHUB_REPOSITORY", "acme/shop", "GITHUB_RUN_ID", fmt.Sprint(run), "GITHUB_RUN_ATTEMPT", "1"}
		return s.job(t, append(env, more...)...)
	}
	command := func(c *repository, findings ...string) []string {
		return []string{"upload", "--scan-type=Generic Findings Import", "--format=json", "--checkout=" + c.dir, generic(t, findings...)}
	}
	main := r.clone("main", 0)
	for n, step := range []struct {
		commit   string
		findings []string
		want     gate.ExitCode
	}{{"m1", []string{"Old:Critical", "Moved:Critical"}, gate.ExitPassed}, {"m4", []string{"Old:Critical", "Later:Critical"}, gate.ExitFailed}} { // m2, the merge base, was never scanned
		ci(n+1, "GITHUB_EVENT_NAME", "push", "GITHUB_REF_NAME", "main", "GITHUB_SHA", r.sha[step.commit]).must(step.want, command(main, step.findings...)...)
	}
	pull := ci(3, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_HEAD_REF", "feature", "GITHUB_BASE_REF", "main", "GITHUB_SHA", strings.Repeat("9", 40),
		"GITHUB_EVENT_PATH", event(map[string]any{"number": 7, "pull_request": map[string]any{"head": ref(r.sha["f2"]), "base": ref(r.sha["m4"])}}))
	stdout, stderr := pull.must(gate.ExitFailed, command(r.clone("feature", 1), "Old:Critical", "Moved:Critical", "Later:Critical")...)
	v := verdictOf(t, stdout)
	if v.Baseline == nil || v.Baseline.Commit != r.sha["m1"] || v.Baseline.Distance != 1 {
		t.Errorf("compared with %+v, want m1 %s; it says\n%s", v.Baseline, r.sha["m1"], stderr)
	}
	// What came to main after the merge base is not what this change may bring, too.
	if diff := cmp.Diff(map[gate.Delta]int{gate.DeltaExisting: 2, gate.DeltaIntroduced: 1}, v.Deltas); diff != "" {
		t.Errorf("deltas (-want +got):\n%s", diff)
	}
}
