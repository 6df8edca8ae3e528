package policies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
)

// why tells, one sentence each, what decided: what fails the build, then what
// warns, then what would. A gate that passes says that, too.
func (e *evaluation) why() []string {
	var by [3][]string
	add := func(pr *policyRun, d gate.Decision, sentence string) {
		if d == gate.Pass {
			return
		}
		i := map[gate.Decision]int{gate.Fail: 0, gate.Warn: 1, gate.Pass: 2}[decision{is: d}.in(pr.mode).is]
		by[i] = append(by[i], pr.soft()+sentence)
	}
	for _, pr := range e.policies {
		for _, m := range pr.missing {
			add(pr, pr.p.Spec.Defaults.OnInconclusive, whyMissing(m))
		}
		for _, r := range pr.rules {
			add(pr, r.decision().is, r.why())
		}
	}
	if out := slices.Concat(by[:]...); len(out) > 0 {
		return out
	}
	if len(e.policies) == 0 {
		return []string{"No policy is for this build."}
	}
	n := 0
	for _, pr := range e.policies {
		n += len(pr.rules)
	}
	return []string{fmt.Sprintf("%s of %s hold.", plural(n, "rule"), policyCount(len(e.policies)))}
}

// soft says that a policy does not fail the build, if so.
func (pr *policyRun) soft() string {
	if from := pr.p.Spec.EffectiveFrom; pr.in.Now.Before(from) {
		return "(" + pr.p.Name + " is enforced from " + from.UTC().Format(time.DateOnly) + ") "
	}
	switch pr.mode {
	case gate.ModeAudit:
		return "(" + pr.p.Name + " only audits) "
	case gate.ModeWarn:
		return "(" + pr.p.Name + " only warns) "
	}
	return ""
}

func whyMissing(m gate.MissingScan) string {
	or := " or "
	if m.Need == len(m.Scanners) {
		or = " and "
	}
	return fmt.Sprintf("%s: no good scan by %s: %s (%s).", m.ID, strings.Join(m.Scanners, or), m.Detail, m.Why)
}

// why is the sentence of one rule.
func (r *ruleRun) why() string {
	switch r.outcome {
	case gate.Violated:
		return fmt.Sprintf("%s: %s: %s.", r.rule.ID, r.numbers(), r.examples(r.counted))
	case gate.Inconclusive:
		ats := make([]int, len(r.unknowns))
		fields := map[string]bool{}
		for i, u := range r.unknowns {
			ats[i] = u.at
			for _, f := range u.fields {
				fields[f] = true
			}
		}
		if len(ats) == 0 {
			return fmt.Sprintf("%s: cannot be decided: %s, and there is no baseline to compare with.", r.rule.ID, r.numbers())
		}
		return fmt.Sprintf("%s: cannot be decided: %s; not known: %s of %s.", r.rule.ID, r.numbers(), strings.Join(sortedKeys(fields), ", "), r.examples(ats))
	}
	s := fmt.Sprintf("%s: %s", r.rule.ID, r.numbers())
	if n := len(r.waived); n > 0 {
		s += fmt.Sprintf(", %d waived", n)
	}
	if n := len(r.inGrace); n > 0 {
		s += fmt.Sprintf(", %d in grace", n)
	}
	return s + "."
}

// numbers writes the comparison: "2 > 0", "1 ≤ 25", "0 + up to 3 > 0".
func (r *ruleRun) numbers() string {
	var parts []string
	for i := range r.limits {
		l := &r.limits[i]
		o := l.outcome()
		if r.rule.Ratchet != nil && o != r.outcome {
			continue
		}
		s := strconv.Itoa(l.observed)
		switch o {
		case gate.Violated:
			s += fmt.Sprintf(" > %d", l.max+l.maxUnknown)
		case gate.Inconclusive:
			if l.unknown > 0 {
				s += fmt.Sprintf(" + up to %d", l.unknown)
			}
			s += fmt.Sprintf(" > %d", l.max)
		default:
			s += fmt.Sprintf(" ≤ %d", l.max)
		}
		if r.rule.Ratchet != nil {
			s += " " + l.key + " in the baseline"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// examples names the worst findings, at most three.
func (r *ruleRun) examples(ats []int) string {
	e := r.pr.evaluation
	ats = slices.Clone(ats)
	slices.SortStableFunc(ats, func(a, b int) int {
		return e.compareSeverity(a, b)
	})
	var parts []string
	for _, at := range ats[:min(3, len(ats))] {
		parts = append(parts, describe(&r.pr.in.Head[at])+", "+whyHere(r.pr.delta(at)))
	}
	s := strings.Join(parts, "; ")
	if more := len(ats) - 3; more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

func (e *evaluation) compareSeverity(a, b int) int {
	if d := int(e.in.Head[b].Severity) - int(e.in.Head[a].Severity); d != 0 {
		return d
	}
	return a - b
}

// describe says what a finding is and where: "CVE-2021-44228 in log4j-core 2.14.1
// via services/pay/pom.xml".
func describe(f *Finding) string {
	s := f.vulnerability()
	if s == "" {
		s = cutText(f.Title, 120)
	}
	if f.isComponent() {
		s += " in " + componentName(f)
		if f.Path != "" {
			s += " via " + f.Path
		}
		return s
	}
	if f.Path != "" {
		s += " at " + f.Path
		if f.Line > 0 {
			s += fmt.Sprintf(":%d", f.Line)
		}
	} else if f.Endpoint != "" {
		s += " at " + f.Endpoint
	}
	return s
}

func componentName(f *Finding) string {
	switch {
	case f.Component == "":
		return f.PURL
	case f.Version == "":
		return f.Component
	}
	return f.Component + " " + f.Version
}

// whyHere says a delta in words.
func whyHere(d gate.Delta) string {
	switch d {
	case gate.DeltaIntroduced:
		return "introduced by this change"
	case gate.DeltaReopened:
		return "closed before and here again"
	case gate.DeltaDisclosed:
		return "disclosed since the baseline (the component did not change)"
	case gate.DeltaRuleDrift:
		return "found by a changed scanner (the code did not change)"
	case gate.DeltaExisting:
		return "there before this change"
	}
	return "with no baseline to compare with"
}

func cutText(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

func sortedKeys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// allNotes tells what is not a reason but should be known.
func (e *evaluation) allNotes() []string {
	out := e.notes
	first := false
	for _, pr := range e.policies {
		first = first || pr.firstScan()
		if pr.p.Spec.Defaults.OnInconclusive == gate.Pass {
			out = append(out, "policy "+pr.p.Name+" passes what cannot be decided")
		}
		for _, r := range pr.rules {
			for _, a := range r.assumptions() {
				out = append(out, fmt.Sprintf("%s took %s = %s for %s where it is not known", r.rule.ID, a.Field, a.Value, plural(a.Findings, "finding")))
			}
		}
	}
	if n := e.count(gate.DeltaNoBaseline); n > 0 && first {
		out = append(out, fmt.Sprintf("nothing to compare with: %s taken as existing; this scan becomes the baseline", plural(n, "finding")))
	}
	if b := e.in.Baseline; b != nil && b.Inventory == nil && e.count(gate.DeltaIntroduced) > 0 {
		out = append(out, "the baseline's components are not known: what was disclosed since cannot be told from what was introduced, unless its file is untouched")
	}
	return out
}

func (e *evaluation) count(d gate.Delta) int {
	n := 0
	for _, x := range e.deltas {
		if x == d {
			n++
		}
	}
	return n
}

func policyCount(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return fmt.Sprintf("%d policies", n)
}
