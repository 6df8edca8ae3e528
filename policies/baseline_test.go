package policies

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

func TestChooseBaseline(t *testing.T) {
	t.Parallel()
	at := func(commit string, distance int, tools ...string) Scanned {
		s := Scanned{Commit: commit, Branch: "main", Distance: distance, At: noon.Add(-time.Duration(distance) * time.Hour)}
		for _, tool := range tools {
			r := Run{Tool: strings.TrimRight(tool, "!?~"), Commit: commit}
			switch {
			case strings.HasSuffix(tool, "!"):
				r.Outcome = gate.Failed
			case strings.HasSuffix(tool, "?"):
				r.Outcome = gate.Partial
			case strings.HasSuffix(tool, "~"):
				r.Untrusted = true
			}
			s.Runs = append(s.Runs, r)
		}
		return s
	}
	elsewhere := at("other", 0, "trivy")
	elsewhere.Branch = "dev"
	change := Context{Event: PullRequest, Branch: "feature", TargetBranch: "main", HeadCommit: "head", MergeBase: "mb"}
	group := Context{Event: MergeGroup, Branch: "queue", TargetBranch: "main", HeadCommit: "head", BaseCommit: "gb", MergeBase: "mb"}
	push := Context{Event: Push, Branch: "main", HeadCommit: "head"}
	for name, tc := range map[string]struct {
		c       Context
		scanned []Scanned
		want    string // kind@commit+distance tool=commit …
	}{
		"merge_base":           {change, []Scanned{at("old", 3, "trivy"), at("mb", 0, "trivy")}, "merge_base@mb+0 trivy=mb"},
		"nearest_ancestor":     {change, []Scanned{at("older", 9, "trivy"), at("old", 3, "trivy")}, "ancestor@old+3 trivy=old"},
		"failed_is_none":       {change, []Scanned{at("mb", 0, "trivy!"), at("old", 3, "trivy")}, "ancestor@old+3 trivy=old"},
		"partial_is_none":      {change, []Scanned{at("mb", 0, "trivy?"), at("old", 3, "trivy")}, "ancestor@old+3 trivy=old"},
		"untrusted_is_none":    {change, []Scanned{at("mb", 0, "trivy~"), at("old", 3, "trivy")}, "ancestor@old+3 trivy=old"},
		"not_an_ancestor":      {change, []Scanned{at("newer", -2, "trivy")}, ""},
		"another_branch":       {change, []Scanned{elsewhere}, ""},
		"each_tool_its_own":    {change, []Scanned{at("mb", 0, "trivy"), at("old", 4, "semgrep", "trivy")}, "merge_base@mb+0 semgrep=old trivy=mb"},
		"name_differs":         {change, []Scanned{at("mb", 0, "Trivy")}, "merge_base@mb+0 trivy=mb"},
		"none":                 {change, nil, ""},
		"merge_group":          {group, []Scanned{at("mb", 2, "trivy"), at("gb", 0, "trivy")}, "group_base@gb+0 trivy=gb"},
		"merge_group_ancestor": {group, []Scanned{at("mb", 2, "trivy")}, "ancestor@mb+2 trivy=mb"},
		"push":                 {push, []Scanned{at("head", 0, "trivy"), at("last", 1, "trivy"), at("old", 5, "trivy")}, "previous@last+1 trivy=last"},
		"push_without_commits": {Context{Branch: "main"}, []Scanned{at("", 0, "trivy")}, "previous@+0 trivy="},
		"first_push":           {push, []Scanned{at("head", 0, "trivy")}, ""},
	} {
		choice := ChooseBaseline(&tc.c, []string{"trivy", "semgrep"}, tc.scanned)
		if got := choiceText(choice); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func choiceText(c *Choice) string {
	if c == nil {
		return ""
	}
	parts := []string{c.Kind + "@" + c.Commit + "+" + string(rune('0'+c.Distance))}
	for _, tool := range slices.Sorted(maps.Keys(c.Tools)) {
		parts = append(parts, tool+"="+c.Tools[tool].Commit)
	}
	return strings.Join(parts, " ")
}

// TestBaselineOfSeveralCommits: each tool is compared with its own last run.
func TestBaselineOfSeveralCommits(t *testing.T) {
	t.Parallel()
	c := Context{Event: PullRequest, TargetBranch: "main", HeadCommit: "head", MergeBase: "mb"}
	choice := ChooseBaseline(&c, []string{"trivy", "semgrep"}, []Scanned{
		{Commit: "mb", Branch: "main", Runs: []Run{{Tool: "trivy"}}}, {Commit: "old", Branch: "main", Distance: 4, Runs: []Run{{Tool: "semgrep"}}},
	})
	b := choice.Baseline()
	if b.Commits["semgrep"] != "old" || len(b.Scanners) != 2 {
		t.Fatalf("%+v", b)
	}
	p := mustParse(t, "require: [{id: e, all_of: [trivy, semgrep], on: [base]}]")
	runs := []Run{{Tool: "trivy", Commit: "mb", CompletedAt: noon}, {Tool: "semgrep", Commit: "old", CompletedAt: noon}}
	if v := evaluate(t, Inputs{Policies: []*Policy{p}, Context: c, Baseline: b, Runs: runs}); v.Overall != gate.Pass {
		t.Errorf("%v", v.Why)
	}
	if (*Choice)(nil).Baseline() != nil {
		t.Error("a baseline of nothing")
	}
}
