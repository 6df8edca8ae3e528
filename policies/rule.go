package policies

import (
	"slices"
	"strconv"
	"time"

	"defectdojo/gate"
)

// rule is a Rule that is ready to judge.
type rule struct {
	*Rule
	sel    selector
	when   *expression
	grace  Grace
	assume *Assume
}

// newRule lowers a rule's selector and expression to one predicate.
func newRule(p *Policy, r *Rule, when *expression) rule {
	out := rule{Rule: r, sel: newSelector(&r.Select), when: when, grace: r.Grace, assume: merged(&p.Spec.Defaults.Assume, &r.Assume)}
	if out.grace.From == "" {
		out.grace.From = p.Spec.Defaults.Grace.From
	}
	if len(out.grace.By) == 0 {
		out.grace.By = p.Spec.Defaults.Grace.By
	}
	if t := r.Ratchet; t != nil && len(t.Severities) > 0 {
		out.sel.severities &= (&Select{Severity: t.Severities}).severityBits()
	}
	return out
}

// merged returns a rule's assumptions over the policy's, or nil if there are none.
func merged(base, over *Assume) *Assume {
	a := *base
	or(&a.EPSS, over.EPSS)
	or(&a.CVSS, over.CVSS)
	or(&a.KEV, over.KEV)
	or(&a.Ransomware, over.Ransomware)
	or(&a.FixAvailable, over.FixAvailable)
	or(&a.Direct, over.Direct)
	if over.Reachability != "" {
		a.Reachability = over.Reachability
	}
	if over.FixPublished != "" {
		a.FixPublished = over.FixPublished
	}
	if a == (Assume{}) {
		return nil
	}
	return &a
}

func or[T any](to **T, v *T) {
	if v != nil {
		*to = v
	}
}

// judgement is what a rule says of one finding.
type judgement struct {
	code    gate.DispositionCode
	detail  string
	due     time.Time
	waiver  *waiver
	missing fieldSet
	names   []string // of what is not known and has no bit
	assumed fieldSet // fields whose assumed value was looked at
}

// judge takes a candidate through select, when, waivers and grace. Whatever is
// definitely no ends it; what is unknown is carried to the end, because a later
// no makes it not matter.
func (r *rule) judge(v *vars, ws *waivers, note func(*waiver, gate.WaiverState, string)) judgement {
	fa := v.fa
	v.hit = 0
	is, by, missing := r.sel.match(fa)
	if is == no {
		return judgement{code: gate.DispositionNotSelected, detail: by, assumed: r.looked(fa, by)}
	}
	j := judgement{missing: missing}
	if r.when != nil {
		res := r.when.eval(v)
		if res.is == no {
			return judgement{code: gate.DispositionExprFalse, detail: res.because, assumed: v.hit}
		}
		j.missing |= res.fields
		j.names = append(j.names, res.names...)
	}
	w := ws.of(fa, v, note)
	j.assumed = v.hit | r.looked(fa, "")
	if w.is == yes {
		return judgement{code: gate.DispositionWaived, detail: w.by.ID, waiver: w.by, assumed: j.assumed}
	}
	j.missing |= w.missing
	j.names = append(j.names, w.names...)
	g := r.grace.judge(fa, v.now)
	if g.in == yes {
		j.code, j.due, j.missing, j.names = gate.DispositionInGrace, g.due, 0, nil
		return j
	}
	j.missing |= g.missing
	j.code, j.due = gate.DispositionCounted, g.due
	if j.missing != 0 || len(j.names) > 0 {
		j.code = gate.DispositionUnknown
		slices.Sort(j.names)
		j.names = slices.Compact(j.names)
	}
	return j
}

// looked returns the assumed fields that the selector looked at, up to the clause
// that said no.
func (r *rule) looked(fa *facts, until string) fieldSet {
	if fa.assumed == 0 || until == "severity" {
		return 0
	}
	var out fieldSet
	for i := range r.sel.clauses {
		out |= r.sel.clauses[i].field & fa.assumed
		if r.sel.clauses[i].name == until {
			break
		}
	}
	return out
}

// keys say what a rule counts.
func (r *rule) key(f *Finding) string {
	switch r.Per {
	case PerVulnerability:
		if v := f.vulnerability(); v != "" {
			return v
		}
	case PerComponent:
		if f.PURL != "" {
			return f.PURL
		}
		if f.Component != "" {
			return f.Component + "@" + f.Version
		}
	case PerRule:
		if f.Rule != "" {
			return f.Scanner + ":" + f.Rule
		}
	case PerPath:
		if f.Path != "" {
			return f.Path
		}
	}
	if f.Fingerprint != "" {
		return f.Fingerprint
	}
	return strconv.FormatInt(f.ID, 10)
}
