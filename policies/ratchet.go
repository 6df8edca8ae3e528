package policies

import (
	"slices"

	"defectdojo/gate"
)

// ratchet makes a limit for each severity, or one for all: as many as the same
// rule finds in the baseline. Waivers hold on both sides, else one at the base
// would make room for something new.
func (r *ruleRun) ratchet() {
	by := map[string]*limit{}
	for _, key := range r.ratchetKeys() {
		by[key] = &limit{key: key, maxUnbound: r.pr.unbased()}
	}
	r.all(func(at int, counted bool) {
		f := &r.pr.in.Head[at]
		by[r.ratchetKey(f)].add(r.rule.key(f), counted)
	})
	base := map[string]*limit{}
	for key := range by {
		base[key] = &limit{}
	}
	r.judgeBase(base)
	for _, key := range r.ratchetKeys() {
		l, b := by[key], base[key]
		b.sum()
		l.max, l.maxUnknown = b.observed, b.unknown
		r.limits = append(r.limits, *l)
	}
}

// unbased tells whether nothing is known of what a scanner of the head would have
// found in the baseline. What the first scan finds is on both sides.
func (pr *policyRun) unbased() bool {
	if pr.firstScan() {
		return false
	}
	if pr.in.Baseline == nil {
		return true
	}
	for i := range pr.in.Runs {
		if r := &pr.in.Runs[i]; r.at(pr.in, OnHead) && !pr.origins.covered[ToolKey(r.Tool)] {
			return true
		}
	}
	return slices.ContainsFunc(pr.candidates, func(at int) bool { return pr.deltas[at] == gate.DeltaNoBaseline })
}

// judgeBase counts the baseline's findings by the rule.
func (r *ruleRun) judgeBase(base map[string]*limit) {
	b, pr := r.pr.in.Baseline, r.pr
	if b == nil {
		return
	}
	for i := range b.Findings {
		f := &b.Findings[i]
		if !pr.p.looksAt(f.Status.before()) {
			continue
		}
		pr.facts.see(f, gate.DeltaExisting, r.rule.assume, pr.stale)
		switch r.rule.judge(pr.vars, pr.ws, func(*waiver, gate.WaiverState, string) {}).code {
		case gate.DispositionCounted:
			base[r.ratchetKey(f)].add(r.rule.key(f), true)
		case gate.DispositionUnknown:
			base[r.ratchetKey(f)].add(r.rule.key(f), false)
		}
	}
}

func (p *Policy) looksAt(s Status) bool {
	return slices.Contains(p.Spec.Defaults.Statuses, string(s))
}

// ratchetKeys lists the keys, worst first.
func (r *ruleRun) ratchetKeys() []string {
	if r.rule.Ratchet.By == "total" {
		return []string{"total"}
	}
	var keys []string
	for _, s := range gate.Severities {
		if r.rule.sel.severities&(1<<s) != 0 {
			keys = append(keys, severityWord(s))
		}
	}
	return keys
}

func (r *ruleRun) ratchetKey(f *Finding) string {
	if r.rule.Ratchet.By == "total" {
		return "total"
	}
	return severityWord(f.Severity)
}
