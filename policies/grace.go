package policies

import (
	"cmp"
	"time"

	"defectdojo/gate"
)

// What grace is counted from.
const (
	fromFirstSeen    = "first_seen"
	fromFixPublished = "fix_published"
	fromActionable   = "actionable"
)

// judgement of grace: whether a matched finding is let be, and until when.
type graceResult struct {
	in      tri
	due     time.Time // zero with in: until a fix is published
	missing fieldSet
}

// judge says whether a finding is in grace at now. What an introduced finding
// gets must be named: time to fix is not time to add.
func (g *Grace) judge(fa *facts, now time.Time) graceResult {
	if len(g.By) == 0 {
		return graceResult{in: no}
	}
	if fa.delta != "" {
		d, ok := g.duration(fa.delta, fa.Severity)
		if !ok {
			return graceResult{in: no}
		}
		return g.until(fa, d, now)
	}
	return g.whatever(fa, now)
}

// whatever judges a finding without a baseline: as known only if it is the same
// for every delta that it may have.
func (g *Grace) whatever(fa *facts, now time.Time) graceResult {
	if d, ok := g.By[string(gate.DeltaNoBaseline)]; ok {
		return g.until(fa, d, now)
	}
	var all *graceResult
	for _, delta := range fa.possibleDeltas() {
		r := graceResult{in: no}
		if d, ok := g.duration(delta, fa.Severity); ok {
			r = g.until(fa, d, now)
		}
		switch {
		case all == nil:
			all = &r
		case r.in != all.in:
			return graceResult{in: unknown, missing: fieldDelta}
		default:
			all.due = earliest(all.due, r.due)
			all.missing |= r.missing
		}
	}
	return *all
}

// duration returns the grace of a delta and a severity.
func (g *Grace) duration(delta gate.Delta, s gate.Severity) (Duration, bool) {
	if d, ok := g.By[string(delta)]; ok {
		return d, true
	}
	if delta == gate.DeltaIntroduced {
		return 0, false
	}
	if d, ok := g.By[severityWord(s)]; ok {
		return d, true
	}
	d, ok := g.By["default"]
	return d, ok
}

// until counts the duration from where the grace says.
func (g *Grace) until(fa *facts, d Duration, now time.Time) graceResult {
	due := fa.FirstSeen.Add(time.Duration(d))
	if g.From == "" || g.From == fromFirstSeen || !fa.isComponent() {
		return at(due, now)
	}
	if fa.fixAvailable != nil && !*fa.fixAvailable {
		return graceResult{in: yes} // nothing can be done yet
	}
	if fa.fixAvailable != nil && fa.fixPublished != nil {
		from := *fa.fixPublished
		if g.From == fromActionable && from.Before(fa.FirstSeen) {
			from = fa.FirstSeen
		}
		return at(from.Add(time.Duration(d)), now)
	}
	if g.From == fromActionable && now.Before(due) {
		return graceResult{in: yes, due: due} // whenever the fix came, this is the earliest
	}
	return graceResult{in: unknown, missing: cmp.Or(missingFix(fa), fieldFixPublished)}
}

func missingFix(fa *facts) fieldSet {
	if fa.fixAvailable == nil {
		return fieldFixAvailable
	}
	return 0
}

func at(due, now time.Time) graceResult {
	if now.Before(due) {
		return graceResult{in: yes, due: due}
	}
	return graceResult{in: no, due: due}
}
