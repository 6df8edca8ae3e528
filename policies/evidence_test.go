package policies

import (
	"testing"
	"time"

	"defectdojo/gate"
)

func TestEvidence(t *testing.T) {
	t.Parallel()
	good := Run{Tool: "semgrep", Commit: "head", CompletedAt: noon.Add(-time.Hour), Results: 5}
	run := func(change func(*Run)) []Run {
		r := good
		change(&r)
		return []Run{r}
	}
	many := []int{40, 0, 35, 38, 41}
	for name, tc := range map[string]struct {
		require string
		runs    []Run
		want    string // why it is missing
	}{
		"there":               {"any_of: [semgrep, codeql], max_age: 24h", []Run{good}, ""},
		"absent":              {"any_of: [semgrep, codeql]", nil, whyAbsent},
		"other_tool":          {"any_of: [codeql]", []Run{good}, whyAbsent},
		"wrong_commit":        {"any_of: semgrep", run(func(r *Run) { r.Commit = "older" }), whyWrongCommit},
		"no_commit_said":      {"any_of: semgrep", run(func(r *Run) { r.Commit = "" }), whyWrongCommit},
		"failed":              {"any_of: semgrep", run(func(r *Run) { r.Outcome = gate.Failed }), whyFailed},
		"partial":             {"any_of: semgrep", run(func(r *Run) { r.Outcome = gate.Partial }), whyPartial},
		"stale":               {"any_of: semgrep, max_age: 30m", []Run{good}, whyStale},
		"fresh_to_the_second": {"any_of: semgrep, max_age: 61m", []Run{good}, ""},
		"stale_to_the_second": {"any_of: semgrep, max_age: 60m", []Run{good}, whyStale},
		"untrusted":           {"any_of: semgrep, trusted: true", run(func(r *Run) { r.Untrusted = true }), whyUntrusted},
		"untrusted_will_do":   {"any_of: semgrep", run(func(r *Run) { r.Untrusted = true }), ""},
		"other_artifact":      {"any_of: semgrep, artifact: true", []Run{good}, whyArtifact},
		"artifact":            {"any_of: semgrep, artifact: true", run(func(r *Run) { r.ArtifactDigest = "sha256:aa" }), ""},
		"empty_after_many":    {"any_of: semgrep", run(func(r *Run) { r.Results, r.PastResults = 0, many }), whyImplausible},
		"empty_allowed":       {"any_of: semgrep, allow_empty: true", run(func(r *Run) { r.Results, r.PastResults = 0, many }), ""},
		"empty_as_always":     {"any_of: semgrep", run(func(r *Run) { r.Results, r.PastResults = 0, []int{0, 1, 0} }), ""},
		"fewer_after_many":    {"any_of: semgrep", run(func(r *Run) { r.Results, r.PastResults = 1, many }), ""},
		"inventory_shrinks":   {"any_of: semgrep, max_shrink: 50", run(func(r *Run) { r.Components, r.PastComponents = 40, []int{100, 101} }), whyImplausible},
		"inventory_changes":   {"any_of: semgrep, max_shrink: 50", run(func(r *Run) { r.Components, r.PastComponents = 60, []int{100, 101} }), ""},
		"all_of_one_missing":  {"all_of: [semgrep, gitleaks]", []Run{good}, whyAbsent},
		"at_least_two":        {"any_of: [semgrep, gitleaks, codeql], at_least: 2", []Run{good}, whyAbsent},
		"two_of_three":        {"any_of: [semgrep, gitleaks, codeql], at_least: 2", []Run{good, {Tool: "codeql", Commit: "head", CompletedAt: noon, Results: 1}}, ""},
		"nearest_is_told":     {"any_of: semgrep", append(run(func(r *Run) { r.Commit = "older" }), run(func(r *Run) { r.Outcome = gate.Partial })...), whyPartial},
		"retry_is_good":       {"any_of: semgrep", append(run(func(r *Run) { r.Outcome = gate.Failed }), good), ""},
		"base_missing":        {"any_of: semgrep, on: [head, base]", []Run{good}, whyWrongCommit},
		"base_there":          {"any_of: semgrep, on: [head, base]", append(run(func(r *Run) { r.Commit = "base" }), good), ""},
		"name_in_capitals":    {"any_of: Semgrep", []Run{good}, ""},
	} {
		p := mustParse(t, "require: [{id: e, "+tc.require+"}]")
		v := evaluate(t, Inputs{
			Policies: []*Policy{p}, Context: Context{HeadCommit: "head", ArtifactDigests: []string{"sha256:aa"}}, Baseline: base(), Runs: tc.runs,
		})
		got := ""
		if len(v.Missing) > 0 {
			got = v.Missing[0].Why
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q: %+v", name, got, tc.want, v.Missing)
		}
		if want := gate.ExitPassed; tc.want != "" {
			want = gate.ExitInconclusive
			if v.Exit != want || v.Conclusive || v.Green == nil {
				t.Errorf("%s: exit %d, conclusive %t, green %v; want %d", name, v.Exit, v.Conclusive, v.Green, want)
			}
		} else if v.Exit != want {
			t.Errorf("%s: exit %d: %v", name, v.Exit, v.Why)
		}
	}
}

// TestEvidenceWithoutCommits is a build outside of any repository.
func TestEvidenceWithoutCommits(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "require: [{id: e, any_of: trivy, on: [head, base]}]")
	b := base()
	b.Commit = ""
	runs := []Run{{Tool: "trivy", CompletedAt: noon}, {Tool: "trivy", On: OnBase, CompletedAt: noon}}
	if v := evaluate(t, Inputs{Policies: []*Policy{p}, Baseline: b, Runs: runs}); v.Overall != gate.Pass {
		t.Errorf("%v", v.Why)
	}
	if v := evaluate(t, Inputs{Policies: []*Policy{p}, Baseline: b, Runs: runs[:1]}); v.Exit != gate.ExitInconclusive {
		t.Errorf("no run at the base: %v", v.Why)
	}
}

// TestViolatedThoughIncomplete: what is missing cannot help a rule that is
// violated already.
func TestViolatedThoughIncomplete(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "require: [{id: e, any_of: codeql}]\nrules: [{id: none, max: 0}]")
	v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{log4j(1)}})
	if v.Exit != gate.ExitFailed || !v.Conclusive || len(v.Green.Steps) != 2 {
		t.Errorf("exit %d, conclusive %t, %+v", v.Exit, v.Conclusive, v.Green)
	}
}
