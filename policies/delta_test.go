package policies

import (
	"maps"
	"testing"

	"defectdojo/gate"
)

// deltaOf returns the delta of the one finding of the head.
func deltaOf(in Inputs) gate.Delta {
	in.Normalize()
	return newEvaluation(&in).deltas[0]
}

func TestDelta(t *testing.T) {
	t.Parallel()
	runs := func(version string) []Run {
		return []Run{{Tool: "semgrep", Version: "1.0", Commit: "base"}, {Tool: "semgrep", Version: version, Commit: "head"}, {Tool: "trivy", Version: version, Commit: "head"}, {Tool: "trivy", Version: "1.0", Commit: "base"}}
	}
	sast := with(code(gate.High), func(f *Finding) { f.ContextHash = "h1" })
	for name, tc := range map[string]struct {
		f      Finding
		change func(*Inputs)
		want   gate.Delta
	}{
		"existing":             {sast, func(in *Inputs) { in.Baseline.Findings = []Finding{sast} }, gate.DeltaExisting},
		"reopened":             {sast, func(in *Inputs) { in.Baseline.Closed = []string{sast.Fingerprint} }, gate.DeltaReopened},
		"introduced":           {sast, func(*Inputs) {}, gate.DeltaIntroduced},
		"no_baseline":          {sast, func(in *Inputs) { in.Baseline = nil }, gate.DeltaNoBaseline},
		"new_scanner":          {sast, func(in *Inputs) { in.Baseline.Scanners = []string{"trivy"} }, gate.DeltaNoBaseline},
		"scanner_name_differs": {sast, func(in *Inputs) { in.Baseline.Scanners = []string{"Semgrep"} }, gate.DeltaIntroduced},
		"drift_same_code": {sast, func(in *Inputs) {
			in.Runs = runs("2.0")
			in.Baseline.Contexts = map[string]string{"pay/db.go": "h0 h1"}
		}, gate.DeltaRuleDrift},
		"drift_renamed": {sast, func(in *Inputs) {
			in.Runs = runs("2.0")
			in.Baseline.Contexts = map[string]string{"old/db.go": "h1"}
			in.Baseline.Renames = map[string]string{"pay/db.go": "old/db.go"}
		}, gate.DeltaRuleDrift},
		"drift_untouched_file":   {sast, func(in *Inputs) { in.Runs = runs("2.0"); in.Baseline.Changed = []string{"other.go"} }, gate.DeltaRuleDrift},
		"drift_but_changed_code": {sast, func(in *Inputs) { in.Runs = runs("2.0"); in.Baseline.Contexts = map[string]string{"pay/db.go": "h0"} }, gate.DeltaIntroduced},
		"same_scanner_same_code": {sast, func(in *Inputs) { in.Runs = runs("1.0"); in.Baseline.Contexts = map[string]string{"pay/db.go": "h1"} }, gate.DeltaIntroduced},
		"ruleset_changed": {sast, func(in *Inputs) {
			in.Runs = runs("1.0")
			in.Runs[1].Ruleset = "p/ci@2"
			in.Baseline.Contexts = map[string]string{"pay/db.go": "h1"}
		}, gate.DeltaRuleDrift},
		"same_commit_code": {sast, func(in *Inputs) { in.Baseline.Commit = "head" }, gate.DeltaRuleDrift},
		"disclosed":        {log4j(1), func(in *Inputs) { in.Baseline.Inventory = []string{log4j(1).PURL} }, gate.DeltaDisclosed},
		"other_version_was_there": {log4j(1), func(in *Inputs) {
			in.Baseline.Inventory = []string{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0"}
		}, gate.DeltaIntroduced},
		"same_commit_component":  {log4j(1), func(in *Inputs) { in.Baseline.Commit = "head" }, gate.DeltaDisclosed},
		"untouched_manifest":     {log4j(1), func(in *Inputs) { in.Baseline.Inventory, in.Baseline.Changed = nil, []string{"README.md"} }, gate.DeltaDisclosed},
		"touched_manifest":       {log4j(1), func(in *Inputs) { in.Baseline.Inventory, in.Baseline.Changed = nil, []string{"services/pay/pom.xml"} }, gate.DeltaIntroduced},
		"component_never_drifts": {log4j(1), func(in *Inputs) { in.Runs = runs("2.0"); in.Baseline.Changed = []string{} }, gate.DeltaIntroduced},
	} {
		in := Inputs{Context: Context{HeadCommit: "head"}, Head: []Finding{tc.f}, Baseline: base(), Now: noon}
		tc.change(&in)
		if got := deltaOf(in); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// TestWhyNew is the three stories that a naive difference gets wrong.
func TestWhyNew(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `rules: [{id: introduced, select: {delta: introduced}, max: 0}]`)
	tree := []Finding{code(gate.High), log4j(1)}
	ctx := Context{Event: PullRequest, HeadCommit: "head"}
	drift := base()
	drift.Contexts = map[string]string{"pay/db.go": "h"}
	tree[0].ContextHash = "h"
	drift.Inventory = []string{log4j(1).PURL}
	runs := []Run{{Tool: "semgrep", Version: "1", Commit: "base"}, {Tool: "semgrep", Version: "2", Commit: "head"}}
	v := evaluate(t, Inputs{Policies: []*Policy{p}, Context: ctx, Head: tree, Baseline: drift, Runs: runs})
	if want := map[gate.Delta]int{gate.DeltaRuleDrift: 1, gate.DeltaDisclosed: 1}; v.Overall != gate.Pass || !maps.Equal(v.Deltas, want) {
		t.Errorf("newer advisories and a newer scanner over the same tree: %s, %v; want pass, %v", v.Overall, v.Deltas, want)
	}
	drift.Inventory = nil
	v = evaluate(t, Inputs{Policies: []*Policy{p}, Context: ctx, Head: tree, Baseline: drift, Runs: runs})
	if v.Overall != gate.Fail || v.Deltas[gate.DeltaIntroduced] != 1 {
		t.Errorf("a vulnerable dependency added: %s, %v", v.Overall, v.Deltas)
	}
}

// TestNewIsByIdentity swaps one finding for another: the count stays, and the
// new one counts; an unchanged one does not.
func TestNewIsByIdentity(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `rules: [{id: no-new, select: {delta: new}, max: 0}]`)
	other := with(log4j(2), func(f *Finding) { f.Fingerprint = "other" })
	if v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{log4j(1)}, Baseline: base(other)}); v.Overall != gate.Fail || v.Deltas[gate.DeltaFixed] != 1 {
		t.Errorf("a swap: %s, %v", v.Overall, v.Deltas)
	}
	if v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{log4j(1)}, Baseline: base(log4j(9))}); v.Overall != gate.Pass {
		t.Errorf("nothing changed: %s", v.Overall)
	}
}

// TestFailedScanFixesNothing: what a scanner that did not look does not show is
// not fixed.
func TestFailedScanFixesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		runs []Run
		want int
	}{
		"looked":     {[]Run{{Tool: "trivy", Commit: "head"}}, 1},
		"failed":     {[]Run{{Tool: "trivy", Commit: "head", Outcome: gate.Failed}}, 0},
		"partial":    {[]Run{{Tool: "trivy", Commit: "head", Outcome: gate.Partial}}, 0},
		"other_tool": {[]Run{{Tool: "semgrep", Commit: "head"}}, 0},
		"not_said":   {nil, 1},
	} {
		for _, status := range []Status{Open, Mitigated} { // as it was there, or as it is now
			was := with(log4j(1), func(f *Finding) { f.Status = status })
			v := evaluate(t, Inputs{Context: Context{HeadCommit: "head"}, Baseline: base(was), Runs: tc.runs})
			if got := v.Deltas[gate.DeltaFixed]; got != tc.want {
				t.Errorf("%s, %s: %d fixed, want %d", name, status, got, tc.want)
			}
		}
	}
}
