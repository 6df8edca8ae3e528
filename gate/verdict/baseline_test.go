package verdict_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

// bom is a bill of materials in CycloneDX: components by name, and those of
// them that have a vulnerability.
func bom(components []string, vulnerable ...string) map[string]any {
	cs, vs := []any{}, []any{}
	for _, c := range components {
		cs = append(cs, map[string]any{"type": "library", "bom-ref": c, "name": c, "version": "1.0", "purl": "pkg:npm/" + c + "@1.0"})
	}
	for n, c := range vulnerable {
		vs = append(vs, map[string]any{
			"id": fmt.Sprintf("CVE-2026-%04d", 1000+n+len(c)*10), "ratings": []any{map[string]any{"severity": "critical"}}, "description": "Of " + c, "affects": []any{map[string]any{"ref": c}},
		})
	}
	return map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": cs, "vulnerabilities": vs}
}

// sarif is a log of one run of a scanner of a version, with a result for each
// rule, on the same line of code.
func sarif(version string, succeeded bool, rules ...string) map[string]any {
	results := []any{}
	for _, r := range rules {
		results = append(results, map[string]any{
			"ruleId": r, "level": "error", "message": map[string]any{"text": "About " + r},
			"locations": []any{map[string]any{"physicalLocation": map[string]any{
				"artifactLocation": map[string]any{"uri": "a.go"}, "region": map[string]any{"startLine": 7, "snippet": map[string]any{"text": "exec(input)"}},
			}}},
		})
	}
	return map[string]any{"version": "2.1.0", "runs": []any{map[string]any{
		"tool":        map[string]any{"driver": map[string]any{"name": "Scanner", "version": version}},
		"invocations": []any{map[string]any{"executionSuccessful": succeeded}},
		"results":     results,
	}}}
}

// TestWhyNew tells what is new, and why, through the whole server: promise 2.
func TestWhyNew(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(p *pipeline) verdict.Judged
		want map[gate.Delta]int
	}{
		{"push_discloses_in_what_was_there", func(p *pipeline) verdict.Judged {
			e := p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a", "bb"}))
			p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c1"})
			p.upload("CycloneDX Scan", "main", "c2", bom([]string{"a", "bb", "ccc"}, "a", "ccc"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c2"})
		}, map[gate.Delta]int{gate.DeltaDisclosed: 1, gate.DeltaIntroduced: 1}},
		{"pull_request_discloses", func(p *pipeline) verdict.Judged {
			p.upload("CycloneDX Scan", "main", "c1", bom([]string{"a"}))
			e := p.upload("CycloneDX Scan", "feature", "f1", bom([]string{"a", "bb"}, "a", "bb"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "feature", TargetBranch: "main", Commit: "f1"})
		}, map[gate.Delta]int{gate.DeltaDisclosed: 1, gate.DeltaIntroduced: 1}},
		{"scanner_updated_on_untouched_file", func(p *pipeline) verdict.Judged {
			e := p.upload("SARIF", "main", "c1", sarif("1.0", true))
			p.upload("SARIF", "main", "c2", sarif("2.0", true, "r1"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c2", Changed: []string{"b.go"}})
		}, map[gate.Delta]int{gate.DeltaRuleDrift: 1}},
		{"scanner_updated_on_touched_file", func(p *pipeline) verdict.Judged {
			e := p.upload("SARIF", "main", "c1", sarif("1.0", true))
			p.upload("SARIF", "main", "c2", sarif("2.0", true, "r1"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c2", Changed: []string{"a.go"}})
		}, map[gate.Delta]int{gate.DeltaIntroduced: 1}},
		{"new_rule_on_the_same_code", func(p *pipeline) verdict.Judged {
			e := p.upload("SARIF", "main", "c1", sarif("1.0", true, "r1"))
			p.upload("SARIF", "main", "c2", sarif("2.0", true, "r1", "r2"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c2"})
		}, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaRuleDrift: 1}},
		{"failed_scan_is_no_baseline", func(p *pipeline) verdict.Judged {
			e := p.upload("SARIF", "main", "c1", sarif("1.0", true, "r1"))
			p.upload("SARIF", "main", "c2", sarif("1.0", false))
			p.upload("SARIF", "main", "c3", sarif("1.0", true, "r1", "r2"))
			j := p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c3"})
			if j.Baseline.Commit != "c1" {
				p.t.Errorf("compared with %s, not with the last complete scan", j.Baseline.Commit)
			}
			return j
		}, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaIntroduced: 1}},
		{"only_a_failed_scan_before", func(p *pipeline) verdict.Judged {
			e := p.upload("SARIF", "main", "c1", sarif("1.0", false))
			p.upload("SARIF", "main", "c2", sarif("1.0", true, "r1"))
			return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: "c2"})
		}, map[gate.Delta]int{gate.DeltaNoBaseline: 1}},
		{"merge_base_before_the_target_went_on", func(p *pipeline) verdict.Judged {
			p.upload("SARIF", "main", "c1", sarif("1.0", true, "r1"))
			p.upload("SARIF", "main", "c2", sarif("1.0", true)) // fixed on main since
			e := p.upload("SARIF", "feature", "f1", sarif("1.0", true, "r1", "r2"))
			j := p.judge(verdict.Request{EngagementID: e, Branch: "feature", TargetBranch: "main", Commit: "f1", MergeBase: "c1"})
			if j.Baseline.Kind != policies.BaselineMergeBase || j.Baseline.Commit != "c1" {
				p.t.Errorf("baseline %+v", j.Baseline)
			}
			return j
		}, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaIntroduced: 1}},
		{"nearest_ancestor_of_an_unscanned_merge_base", func(p *pipeline) verdict.Judged {
			p.upload("SARIF", "main", "c1", sarif("1.0", true, "r1"))
			p.upload("SARIF", "main", "c2", sarif("1.0", true))
			e := p.upload("SARIF", "feature", "f1", sarif("1.0", true, "r1"))
			j := p.judge(verdict.Request{EngagementID: e, Branch: "feature", TargetBranch: "main", Commit: "f1", MergeBase: "m", Ancestors: []string{"m", "l", "c1"}})
			if j.Baseline.Kind != policies.BaselineAncestor || j.Baseline.Commit != "c1" || j.Baseline.Distance != 3 {
				p.t.Errorf("baseline %+v", j.Baseline)
			}
			return j
		}, map[gate.Delta]int{gate.DeltaExisting: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := tt.do(newPipeline(t))
			for d, n := range j.Deltas {
				if n == 0 || d == gate.DeltaFixed {
					delete(j.Deltas, d)
				}
			}
			if diff := cmp.Diff(tt.want, j.Deltas); diff != "" {
				t.Errorf("deltas (-want +got):\n%s\nbaseline %+v", diff, j.Baseline)
			}
		})
	}
}

// TestFork: a scan in a fork's build is no evidence where trusted ones are wanted.
func TestFork(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("evidence", "require: [{id: sast, any_of: [scanner], trusted: true}]\nrules: [{id: r, max: 100}]")
	e := p.upload("SARIF", "feature", "f1", sarif("1.0", true))
	for fork, want := range map[bool]gate.ExitCode{false: gate.ExitPassed, true: gate.ExitInconclusive} {
		if j := p.judge(verdict.Request{EngagementID: e, Branch: "feature", TargetBranch: "main", Commit: "f1", Fork: fork}); j.Exit != want {
			t.Errorf("fork %v: exit %d, want %d: %+v", fork, j.Exit, want, j.Missing)
		}
	}
}

// policy puts a policy on the server.
func (p *pipeline) policy(name, source string) {
	p.t.Helper()
	ctx := context.Background()
	id, err := p.store.AddPolicy(ctx, name, nil, true, p.clock)
	if err == nil {
		_, err = p.store.AddPolicyVersion(ctx, newVersion(id, p.user.ID, source, p.clock))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
