package policies

import (
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
)

// ruleRun is one rule over one policy's candidates.
type ruleRun struct {
	pr       *policyRun
	rule     *rule
	counted  []int // indexes into the head
	unknowns []unknownOf
	waived   []waivedBy
	inGrace  []graceOf
	excluded map[exclusionKey]int
	assumed  map[fieldSet]int
	limits   []limit
	outcome  gate.RuleOutcome
}

type (
	unknownOf struct {
		at     int
		fields []string
	}
	waivedBy struct {
		at int
		id string
	}
	graceOf struct {
		at  int
		due time.Time
	}
	exclusionKey struct {
		code   gate.DispositionCode
		detail string
	}
)

// limit is one threshold of a rule: a rule has one, a ratchet one for each key.
type limit struct {
	key        string
	keys       map[string]*tally
	observed   int
	unknown    int
	max        int
	maxUnknown int  // how much greater max could be
	maxUnbound bool // there is no telling how great max could be
}

// tally is how many findings stand behind one of the distinct things counted.
type tally struct{ counted, unknown int }

func (l *limit) add(key string, counted bool) {
	if l.keys == nil {
		l.keys = map[string]*tally{}
	}
	t := l.keys[key]
	if t == nil {
		t = &tally{}
		l.keys[key] = t
	}
	if counted {
		t.counted++
	} else {
		t.unknown++
	}
}

// sum counts the distinct ones. What may count comes on top of what does.
func (l *limit) sum() {
	l.observed, l.unknown = 0, 0
	for _, t := range l.keys {
		switch {
		case t.counted > 0:
			l.observed++
		case t.unknown > 0:
			l.unknown++
		}
	}
}

// outcome compares: observed > max is the only operator there is.
func (l *limit) outcome() gate.RuleOutcome {
	switch {
	case !l.maxUnbound && l.observed > l.max+l.maxUnknown:
		return gate.Violated
	case l.observed+l.unknown > l.max:
		return gate.Inconclusive
	}
	return gate.Satisfied
}

// day is how long a verdict holds whose rules look at the time by themselves.
const day = 24 * time.Hour

// run judges every candidate and compares the count.
func (r *ruleRun) run() {
	r.excluded, r.assumed = map[exclusionKey]int{}, map[fieldSet]int{}
	pr, v := r.pr, r.pr.vars
	for _, at := range pr.candidates {
		f := &pr.in.Head[at]
		pr.facts.see(f, pr.delta(at), r.rule.assume, pr.stale)
		r.take(at, r.rule.judge(v, pr.ws, refuse))
	}
	if r.rule.Ratchet != nil {
		r.ratchet()
	} else {
		r.threshold()
	}
	if r.rule.when != nil && r.rule.when.clock {
		pr.ends(pr.in.Now.Add(day), "rule "+r.rule.ID+" looks at the time")
	}
	r.outcome = gate.Satisfied
	for i := range r.limits {
		l := &r.limits[i]
		l.sum()
		switch o := l.outcome(); {
		case o == gate.Violated:
			r.outcome = o
		case o == gate.Inconclusive && r.outcome != gate.Violated:
			r.outcome = o
		}
	}
}

// refuse notes why a waiver did not cover a finding that it is for.
func refuse(w *waiver, state gate.WaiverState, why string) {
	if w.refused == "" {
		w.refused, w.because = state, why
	}
}

// take files a judgement.
func (r *ruleRun) take(at int, j judgement) {
	if r.rule.Ratchet != nil && r.pr.deltas[at] == gate.DeltaNoBaseline {
		j = r.unbased(j)
	}
	best := verdictOf{policy: r.pr, rule: r, detail: j.detail, due: j.due}
	for i := range fieldNames {
		if bit := fieldSet(1) << i; j.assumed&bit != 0 {
			r.assumed[bit]++
		}
	}
	switch j.code {
	case gate.DispositionCounted:
		r.counted = append(r.counted, at)
	case gate.DispositionUnknown:
		u := unknownOf{at, append(j.missing.names(), j.names...)}
		r.unknowns = append(r.unknowns, u)
		best.detail = strings.Join(u.fields, ", ")
	case gate.DispositionWaived:
		r.waived = append(r.waived, waivedBy{at, j.waiver.ID})
		j.waiver.cover(at)
	case gate.DispositionInGrace:
		r.inGrace = append(r.inGrace, graceOf{at, j.due})
		r.pr.ends(j.due, "grace of "+r.rule.ID+" ends")
	default:
		r.excluded[exclusionKey{j.code, j.detail}]++
		best.due = time.Time{}
	}
	if j.code == gate.DispositionCounted {
		best.detail = ""
	}
	r.pr.rate(at, j.code, best)
}

// unbased judges for a ratchet what has no baseline: whether it was there is not
// known, unless the first scan is taken as the baseline, which has it on both sides.
func (r *ruleRun) unbased(j judgement) judgement {
	switch {
	case j.code != gate.DispositionCounted && j.code != gate.DispositionUnknown:
	case r.pr.firstScan():
		return judgement{code: gate.DispositionNotSelected, detail: "ratchet", assumed: j.assumed}
	default:
		j.code, j.missing = gate.DispositionUnknown, j.missing|fieldDelta
	}
	return j
}

// threshold makes the one limit of an ordinary rule.
func (r *ruleRun) threshold() {
	l := limit{max: r.rule.Max}
	for _, at := range r.counted {
		l.add(r.rule.key(&r.pr.in.Head[at]), true)
	}
	for _, u := range r.unknowns {
		l.add(r.rule.key(&r.pr.in.Head[u.at]), false)
	}
	r.limits = []limit{l}
}

// level is what violating the rule means; fallback what not knowing means, which
// is never worse.
func (r *ruleRun) fallback() gate.Decision {
	d := r.rule.OnInconclusive
	if d == "" {
		d = r.pr.p.Spec.Defaults.OnInconclusive
	}
	return d.Better(r.rule.Level)
}

func (r *ruleRun) decision() decision {
	switch r.outcome {
	case gate.Violated:
		return decision{r.rule.Level, r.rule.Level, r.rule.Level}
	case gate.Inconclusive:
		return decision{r.fallback(), gate.Pass, r.rule.Level}
	}
	return decision{gate.Pass, gate.Pass, gate.Pass}
}

// total returns what the rule's limits add up to.
func (r *ruleRun) total() (observed, unknown, most int) {
	for i := range r.limits {
		observed += r.limits[i].observed
		unknown += r.limits[i].unknown
		most += r.limits[i].max
	}
	return observed, unknown, most
}

// all lists the findings that count or may count, with how.
func (r *ruleRun) all(do func(at int, counted bool)) {
	for _, at := range r.counted {
		do(at, true)
	}
	for _, u := range r.unknowns {
		do(u.at, false)
	}
}

// assumptions lists what the rule took for unknown values.
func (r *ruleRun) assumptions() []gate.Assumed {
	var out []gate.Assumed
	for i, name := range fieldNames {
		if n := r.assumed[fieldSet(1)<<i]; n > 0 {
			out = append(out, gate.Assumed{Field: name, Value: r.rule.assume.value(name), Findings: n})
		}
	}
	return out
}

func (r *ruleRun) ids(ats []int) []int64 {
	out := make([]int64, len(ats))
	for i, at := range ats {
		out[i] = r.pr.in.Head[at].ID
	}
	slices.Sort(out)
	return out
}
