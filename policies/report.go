package policies

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
)

// maxViews is how many findings a verdict tells of in full. It has the ids of all.
const maxViews = 1000

// report makes the verdict of an evaluation that has run.
func (e *evaluation) report() gate.Verdict {
	c := &e.in.Context
	v := gate.Verdict{
		Overall: gate.Pass, WouldBe: gate.Pass, Mode: gate.ModeAudit, Provisional: e.in.Provisional,
		DecidedAt: e.in.Now, ValidUntil: e.until, ValidUntilWhy: e.untilWhy,
		Subject: gate.Subject{
			Product: c.Product.Name, Component: c.Component, Repository: c.Repository, Commit: c.HeadCommit, Branch: c.Branch,
			TargetBranch: c.TargetBranch, PullRequest: c.PullRequest, Event: string(c.event()), ArtifactDigests: c.ArtifactDigests,
		},
		Why: []string{}, Policies: []gate.PolicyVerdict{}, Missing: []gate.MissingScan{}, Deltas: map[gate.Delta]int{},
		Findings: []gate.FindingView{}, Notes: []string{}, Baseline: e.baseline(),
	}
	all := decision{gate.Pass, gate.Pass, gate.Pass}
	for _, pr := range e.policies {
		pv, d := pr.report()
		v.Policies = append(v.Policies, pv)
		v.Missing = append(v.Missing, pr.missing...)
		v.WouldBe = v.WouldBe.Worse(pv.WouldBe)
		v.Mode = stricter(v.Mode, pr.mode)
		all = all.worse(d)
	}
	if len(e.policies) == 0 {
		v.Mode = gate.ModeEnforce
	}
	v.Overall, v.Conclusive = all.is, all.best == all.worst
	v.Exit = gate.ExitFor(v.Overall, v.Conclusive)
	e.countDeltas(v.Deltas)
	v.Dispositions = e.dispositions()
	v.Findings, v.FindingsOmitted = e.views()
	v.Waivers = e.waiverUses()
	v.Intel = e.intel()
	v.Why = e.why()
	v.Green = e.green(v.Overall)
	v.Notes = append(v.Notes, e.allNotes()...)
	return v
}

// report makes one policy's part.
func (pr *policyRun) report() (gate.PolicyVerdict, decision) {
	d := pr.decide()
	m := d.in(pr.mode)
	pv := gate.PolicyVerdict{
		Name: pr.p.Name, Origin: string(pr.p.Origin), Digest: pr.p.Digest, Mode: pr.p.Spec.Mode,
		Overall: m.is, WouldBe: d.is, Conclusive: m.best == m.worst, Rules: []gate.RuleVerdict{},
	}
	if from := pr.p.Spec.EffectiveFrom; pr.in.Now.Before(from) {
		pv.EffectiveFrom = utc(from)
	}
	for _, r := range pr.rules {
		pv.Rules = append(pv.Rules, r.report())
	}
	return pv, m
}

func stricter(a, b gate.Mode) gate.Mode {
	if slices.Index(modes, string(a)) < slices.Index(modes, string(b)) {
		return a
	}
	return b
}

// report makes one rule's part.
func (r *ruleRun) report() gate.RuleVerdict {
	observed, unsure, most := r.total()
	v := gate.RuleVerdict{
		ID: r.rule.ID, Description: r.rule.Description, Level: r.rule.Level, Outcome: r.outcome, Decision: r.decision().is,
		Observed: observed, Unknown: unsure, Max: most, Per: r.rule.Per, Why: r.why(), Findings: r.ids(r.counted),
		Assumed: r.assumptions(),
	}
	for key, us := range groups(r.unknowns, func(u unknownOf) string { return strings.Join(u.fields, "\x00") }) {
		v.Unknowns = append(v.Unknowns, gate.UnknownMatch{Fields: strings.Split(key, "\x00"), Findings: idsOf(r, us, func(u unknownOf) int { return u.at })})
	}
	for id, ws := range groups(r.waived, func(w waivedBy) string { return w.id }) {
		v.Waived = append(v.Waived, gate.WaivedMatch{Waiver: id, Findings: idsOf(r, ws, func(w waivedBy) int { return w.at })})
	}
	for _, gs := range groups(r.inGrace, func(g graceOf) string { return g.due.Format(time.RFC3339Nano) }) {
		v.InGrace = append(v.InGrace, gate.GraceMatch{Due: gs[0].due, Findings: idsOf(r, gs, func(g graceOf) int { return g.at })})
	}
	slices.SortFunc(v.InGrace, func(a, b gate.GraceMatch) int { return a.Due.Compare(b.Due) })
	v.Excluded = r.exclusions()
	if r.rule.Ratchet != nil {
		for _, l := range r.limits {
			v.Ratchet = append(v.Ratchet, gate.RatchetCount{Key: l.key, Head: l.observed, HeadUnknown: l.unknown, Base: l.max, BaseUnknown: l.maxUnknown})
		}
	}
	return v
}

// exclusions sums up what the rule left out, most first.
func (r *ruleRun) exclusions() []gate.Excluded {
	out := make([]gate.Excluded, 0, len(r.excluded)+len(r.pr.excluded))
	for k, n := range r.excluded {
		out = append(out, gate.Excluded{Code: k.code, Detail: k.detail, Count: n})
	}
	for _, x := range r.pr.excluded {
		out = append(out, gate.Excluded{Code: x.code, Detail: x.detail, Count: x.count})
	}
	slices.SortFunc(out, func(a, b gate.Excluded) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Detail, b.Detail))
	})
	return out
}

// groups yields items by key, in the order of the keys.
func groups[T any](items []T, key func(T) string) func(func(string, []T) bool) {
	m := map[string][]T{}
	for _, it := range items {
		m[key(it)] = append(m[key(it)], it)
	}
	return func(yield func(string, []T) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func idsOf[T any](r *ruleRun, items []T, at func(T) int) []int64 {
	ats := make([]int, len(items))
	for i, it := range items {
		ats[i] = at(it)
	}
	return r.ids(ats)
}

func (e *evaluation) baseline() *gate.BaselineUsed {
	b := e.in.Baseline
	if b == nil {
		return &gate.BaselineUsed{Kind: "none"}
	}
	return &gate.BaselineUsed{Kind: b.Kind, Commit: b.Commit, Branch: b.Branch, Distance: b.Distance, Scanners: b.Scanners}
}

func (e *evaluation) countDeltas(m map[gate.Delta]int) {
	for i, d := range e.deltas {
		if f := &e.in.Head[i]; f.Status.open() && f.DuplicateOf == 0 {
			m[d]++
		}
	}
	if n := e.origins.fixed(); n > 0 {
		m[gate.DeltaFixed] = n
	}
}

// dispositions groups all findings by what was done with them.
func (e *evaluation) dispositions() []gate.Disposition {
	type key struct {
		code         gate.DispositionCode
		policy, rule string
		detail       string
		due          time.Time
	}
	m := map[key][]int64{}
	for i := range e.best {
		b := &e.best[i]
		k := key{code: b.code, detail: b.detail}
		if b.rule != nil {
			k.policy, k.rule = b.policy.p.Name, b.rule.rule.ID
		}
		if b.code == gate.DispositionInGrace {
			k.due = b.due
		}
		m[k] = append(m[k], e.in.Head[i].ID)
	}
	out := make([]gate.Disposition, 0, len(m))
	for k, ids := range m {
		out = append(out, gate.Disposition{Code: k.code, Detail: k.detail, Policy: k.policy, Rule: k.rule, Due: k.due, Findings: ids})
	}
	slices.SortFunc(out, func(a, b gate.Disposition) int {
		return cmp.Or(cmp.Compare(slices.Index(gate.Dispositions, a.Code), slices.Index(gate.Dispositions, b.Code)),
			cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Detail, b.Detail), a.Due.Compare(b.Due))
	})
	return out
}

// views tells of the findings that count, may count, are in grace or waived.
func (e *evaluation) views() (views []gate.FindingView, omitted int) {
	var ats []int
	for i := range e.best {
		if e.best[i].rank <= 2*matters {
			ats = append(ats, i)
		}
	}
	slices.SortStableFunc(ats, func(a, b int) int { return e.compare(a, b) })
	if len(ats) > maxViews {
		ats, omitted = ats[:maxViews], len(ats)-maxViews
	}
	views = make([]gate.FindingView, len(ats))
	for i, at := range ats {
		views[i] = e.view(at)
	}
	return views, omitted
}

// compare ranks findings: what blocks, worst first, then newest.
func (e *evaluation) compare(a, b int) int {
	fa, fb := &e.in.Head[a], &e.in.Head[b]
	return cmp.Or(cmp.Compare(e.best[a].rank, e.best[b].rank), cmp.Compare(fb.Severity, fa.Severity),
		cmp.Compare(slices.Index(gate.Deltas, e.deltas[a]), slices.Index(gate.Deltas, e.deltas[b])), cmp.Compare(fa.ID, fb.ID))
}

func (e *evaluation) view(at int) gate.FindingView {
	f, b := &e.in.Head[at], &e.best[at]
	v := gate.FindingView{
		ID: f.ID, Fingerprint: f.Fingerprint, Title: f.Title, Severity: f.Severity, Category: string(f.Category), Scanner: f.Scanner,
		Rule: f.Rule, Vulnerabilities: f.Vulnerabilities, PURL: f.PURL, Component: f.Component, Version: f.Version, FixVersion: f.FixVersion,
		Path: f.Path, Line: f.Line, FirstSeen: f.FirstSeen, Delta: e.deltas[at], DeltaWhy: e.origins.why(f), Code: b.code, Detail: b.detail, Due: b.due,
	}
	if b.rule != nil {
		v.Policy, v.GateRule, v.Delta = b.policy.p.Name, b.rule.rule.ID, b.policy.delta(at)
	}
	if v.Code == gate.DispositionWaived {
		v.Waiver = b.detail
	}
	return v
}

func (e *evaluation) waiverUses() []gate.WaiverUse {
	var out []gate.WaiverUse
	for _, id := range slices.Sorted(maps.Keys(e.uses)) {
		out = append(out, *e.uses[id])
	}
	return out
}

func (e *evaluation) intel() []gate.IntelUse {
	var stale fieldSet
	for _, pr := range e.policies {
		stale |= pr.stale
	}
	var out []gate.IntelUse
	for _, x := range []struct {
		name  string
		s     Snapshot
		field fieldSet
	}{{"epss", e.in.Intel.EPSS, fieldEPSS}, {"kev", e.in.Intel.KEV, fieldKEV}, {"advisories", e.in.Intel.Advisories, fieldFixAvailable}} {
		if x.s != (Snapshot{}) {
			out = append(out, gate.IntelUse{Name: x.name, ID: x.s.ID, Date: gate.DateOf(x.s.At), Stale: stale&x.field != 0})
		}
	}
	return out
}
