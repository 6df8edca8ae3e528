package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
)

// TestResult is how one case came out: well, if there are no failures.
type TestResult struct {
	File     string       `json:"file"`
	Line     int          `json:"line"`
	Test     string       `json:"test"`
	Case     string       `json:"case"`
	Failures []string     `json:"failures,omitempty"`
	Verdict  gate.Verdict `json:"-"`
}

// Run judges every case by the policies that the test names; all, if none.
func (t *Test) Run(ps []*Policy) []TestResult {
	var chosen []*Policy
	var out []TestResult
	for _, p := range ps {
		if len(t.Policies) == 0 || slices.Contains(t.Policies, p.Name) {
			chosen = append(chosen, p)
		}
	}
	for _, name := range t.Policies {
		if !slices.ContainsFunc(ps, func(p *Policy) bool { return p.Name == name }) {
			out = append(out, TestResult{File: t.file, Test: t.Name, Failures: []string{"there is no policy " + name}})
		}
	}
	for i := range t.Cases {
		c := &t.Cases[i]
		r := TestResult{File: t.file, Line: c.line, Test: t.Name, Case: c.Name}
		in := c.Given
		in.Policies = slices.Clone(chosen)
		v, err := Evaluate(in)
		if err != nil {
			r.Failures = []string{err.Error()}
		} else {
			r.Verdict, r.Failures = v, c.Expect.compare(&v)
		}
		out = append(out, r)
	}
	return out
}

// compare tells where a verdict is not as expected.
func (e *Expectation) compare(v *gate.Verdict) []string {
	var out []string
	differ := func(what string, got, want any) {
		if got != want {
			out = append(out, fmt.Sprintf("%s is %v, want %v", what, got, want))
		}
	}
	if e.Overall != "" {
		differ("overall", v.Overall, e.Overall)
	}
	if e.WouldBe != "" {
		differ("would_be", v.WouldBe, e.WouldBe)
	}
	if e.Conclusive != nil {
		differ("conclusive", v.Conclusive, *e.Conclusive)
	}
	if e.Exit != nil {
		differ("exit", v.Exit, *e.Exit)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Rules)) {
		differ("rule "+id, outcomeOf(v, id), e.Rules[id])
	}
	for _, id := range slices.Sorted(maps.Keys(e.Dispositions)) {
		d, _ := v.DispositionOf(id)
		differ(fmt.Sprintf("disposition of finding %d", id), d.Code, e.Dispositions[id])
	}
	for _, id := range e.Missing {
		differ("requirement "+id+" missing", slices.ContainsFunc(v.Missing, func(m gate.MissingScan) bool { return m.ID == id }), true)
	}
	if e.Why != "" && !strings.Contains(strings.Join(v.Why, "\n"), e.Why) {
		out = append(out, fmt.Sprintf("no reason says %q: %s", e.Why, strings.Join(v.Why, " ")))
	}
	return out
}

func outcomeOf(v *gate.Verdict, id string) gate.RuleOutcome {
	for _, p := range v.Policies {
		for _, r := range p.Rules {
			if r.ID == id {
				return r.Outcome
			}
		}
	}
	return ""
}
