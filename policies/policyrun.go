package policies

import (
	"slices"
	"strconv"
	"time"

	"defectdojo/gate"
)

// policyRun is one policy over one evaluation's inputs.
type policyRun struct {
	*evaluation
	p          *Policy
	unsure     bool // whether it applies is not known
	mode       gate.Mode
	vars       *vars
	facts      facts
	stale      fieldSet
	candidates []int // indexes into the head
	ws         *waivers
	missing    []gate.MissingScan
	rules      []*ruleRun
	excluded   []exclusion // by status, the same for every rule
}

type exclusion struct {
	code   gate.DispositionCode
	detail string
	count  int
}

func (e *evaluation) newPolicyRun(p *Policy, v *vars) *policyRun {
	pr := &policyRun{evaluation: e, p: p, vars: v, mode: p.Spec.Mode}
	v.fa = &pr.facts
	if from := p.Spec.EffectiveFrom; e.in.Now.Before(from) {
		e.ends(from, "policy "+p.Name+" takes effect")
		if pr.mode == gate.ModeEnforce {
			pr.mode = gate.ModeWarn
		}
	}
	pr.stale = pr.staleIntel()
	return pr
}

func (pr *policyRun) run() {
	var until time.Time
	pr.missing, until = pr.p.evidence(pr.in)
	pr.ends(until, "a scan that policy "+pr.p.Name+" requires gets too old")
	pr.choose()
	fs := make([]*Finding, len(pr.candidates))
	for i, at := range pr.candidates {
		fs[i] = &pr.in.Head[at]
	}
	pr.ws = newWaivers(pr.in, pr.p, fs)
	for i := range pr.p.rules {
		r := &ruleRun{pr: pr, rule: &pr.p.rules[i]}
		r.run()
		pr.rules = append(pr.rules, r)
	}
	pr.reportWaivers()
}

// choose finds the candidates: what is in a status that the policy looks at and
// that VEX does not rule out.
func (pr *policyRun) choose() {
	vex := newVEX(pr.in)
	for i := range pr.in.Head {
		f := &pr.in.Head[i]
		switch {
		case f.Status == Duplicate || f.DuplicateOf != 0:
			pr.exclude(i, gate.DispositionDuplicate, strconv.FormatInt(f.DuplicateOf, 10))
		case !slices.Contains(pr.p.Spec.Defaults.Statuses, string(f.Status)):
			pr.exclude(i, gate.DispositionStatus, string(f.Status))
		default:
			if s := vex.of(f); s != "" {
				pr.exclude(i, gate.DispositionStatus, "vex_"+string(s))
				continue
			}
			pr.candidates = append(pr.candidates, i)
		}
	}
}

func (pr *policyRun) exclude(i int, code gate.DispositionCode, detail string) {
	pr.rate(i, code, verdictOf{detail: detail})
	if code == gate.DispositionDuplicate {
		detail = ""
	}
	for x := range pr.excluded {
		if e := &pr.excluded[x]; e.code == code && e.detail == detail {
			e.count++
			return
		}
	}
	pr.excluded = append(pr.excluded, exclusion{code, detail, 1})
}

// delta says why a finding is here, as the policy takes it: it may take what the
// first scan of a branch finds as existing, but never what a change brings.
func (pr *policyRun) delta(i int) gate.Delta {
	d := pr.deltas[i]
	if d == gate.DeltaNoBaseline && pr.firstScan() {
		return gate.DeltaExisting
	}
	return d
}

func (pr *policyRun) firstScan() bool {
	return pr.p.Spec.Defaults.OnFirstScan == "existing" && !pr.in.Context.isChange()
}

// staleIntel returns the fields whose source is older than the policy allows, and
// notes when others will be.
func (pr *policyRun) staleIntel() fieldSet {
	var out fieldSet
	m := &pr.p.Spec.Intel.MaxAge
	for _, x := range []struct {
		name   string
		most   Duration
		s      Snapshot
		fields fieldSet
	}{
		{"EPSS", m.EPSS, pr.in.Intel.EPSS, fieldEPSS},
		{"KEV", m.KEV, pr.in.Intel.KEV, fieldKEV},
		{"advisory", m.Advisories, pr.in.Intel.Advisories, fieldFixAvailable},
	} {
		if x.most == 0 {
			continue
		}
		end := x.s.At.Add(time.Duration(x.most))
		if pr.in.Now.Before(end) {
			pr.ends(end, x.name+" data gets too old")
			continue
		}
		pr.note("%s data is older than policy %s allows (%s): taken as unknown", x.name, pr.p.Name, x.most)
		out |= x.fields
	}
	return out
}

// decision is what a policy says: as it is, and the best and worst that it could
// be if all were known.
type decision struct{ is, best, worst gate.Decision }

func (d decision) worse(o decision) decision {
	return decision{d.is.Worse(o.is), d.best.Worse(o.best), d.worst.Worse(o.worst)}
}

func (d decision) in(mode gate.Mode) decision {
	switch mode {
	case gate.ModeAudit:
		return decision{gate.Pass, gate.Pass, gate.Pass}
	case gate.ModeWarn:
		return decision{d.is.Better(gate.Warn), d.best.Better(gate.Warn), d.worst.Better(gate.Warn)}
	}
	return d
}

// decide combines the rules and the evidence, before the mode.
func (pr *policyRun) decide() decision {
	d := decision{gate.Pass, gate.Pass, gate.Pass}
	for _, r := range pr.rules {
		d = d.worse(r.decision())
	}
	fallback := pr.p.Spec.Defaults.OnInconclusive
	if len(pr.missing) > 0 {
		d = d.worse(decision{fallback, gate.Pass, gate.Fail})
	}
	if pr.unsure {
		d.best, d.is = gate.Pass, d.is.Better(fallback)
	}
	return d
}

// reportWaivers adds up what became of each waiver. Over several policies a
// waiver has the best state that it has for one of them.
func (pr *policyRun) reportWaivers() {
	for i := range pr.ws.all {
		w := &pr.ws.all[i]
		u := pr.uses[w.ID]
		if u == nil {
			u = &gate.WaiverUse{ID: w.ID, State: w.state, Reason: w.why, Expires: w.Expires}
			if w.state == gate.WaiverActive {
				u.State = gate.WaiverUnneeded
			}
			pr.uses[w.ID] = u
		}
		u.Matches = max(u.Matches, w.matches)
		switch {
		case len(w.covered) > 0:
			u.State, u.Reason, u.Covered = gate.WaiverActive, "", max(u.Covered, len(w.covered))
		case u.Covered == 0 && w.refused != "":
			u.State, u.Reason = w.refused, w.because
		case u.State == gate.WaiverUnneeded && w.matches == 0:
			u.State = gate.WaiverUnused
		}
	}
}
