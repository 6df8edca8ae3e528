package policies

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"defectdojo/gate"
)

// Evaluate judges inputs. It normalizes them first, which sorts the caller's
// lists in place, and returns an error only for inputs that cannot be: a finding
// without a severity, two of one id, a number that JSON has no word for.
func Evaluate(in Inputs) (gate.Verdict, error) { return EvaluateKept(in, nil) }

// EvaluateKept is Evaluate for who keeps the inputs: each part is written to what
// keep returns for its name, as Parts returns it, while its digest is made. The
// writers are used at the same time, each by one.
func EvaluateKept(in Inputs, keep func(part string) io.Writer) (gate.Verdict, error) {
	in.Normalize()
	if err := in.check(); err != nil {
		return gate.Verdict{}, err
	}
	digests, err := in.digests(keep)
	if err != nil {
		return gate.Verdict{}, err
	}
	e := newEvaluation(&in)
	e.run()
	v := e.report()
	v.Inputs = digests
	v.ID = "v-" + digests.All[len("sha256:"):][:32]
	return v, nil
}

// check refuses what would make a verdict meaningless.
func (in *Inputs) check() error {
	if in.Now.IsZero() {
		return errors.New("evaluate: no time of decision")
	}
	for i := range in.Head {
		f := &in.Head[i]
		if i > 0 && f.ID == in.Head[i-1].ID {
			return fmt.Errorf("evaluate: two findings have id %d", f.ID)
		}
		if f.Severity < gate.Info || f.Severity > gate.Critical {
			return fmt.Errorf("evaluate: finding %d: %s", f.ID, f.Severity)
		}
	}
	return nil
}

// evaluation is one run over some inputs.
type evaluation struct {
	in       *Inputs
	origins  *origins
	deltas   []gate.Delta // of each finding of the head
	policies []*policyRun
	best     []verdictOf // of each finding of the head
	uses     map[string]*gate.WaiverUse
	until    time.Time
	untilWhy string
	notes    []string
}

// verdictOf is the strongest disposition that a finding got so far.
type verdictOf struct {
	code   gate.DispositionCode
	rank   int8 // 1 is the strongest; 0: none yet
	policy *policyRun
	rule   *ruleRun
	detail string
	due    time.Time
}

func newEvaluation(in *Inputs) *evaluation {
	e := &evaluation{in: in, origins: newOrigins(in), uses: map[string]*gate.WaiverUse{}}
	e.deltas = make([]gate.Delta, len(in.Head))
	e.best = make([]verdictOf, len(in.Head))
	for i := range in.Head {
		e.deltas[i] = e.origins.of(&in.Head[i])
	}
	return e
}

// run evaluates every policy whose scope fits.
func (e *evaluation) run() {
	for _, p := range e.in.Policies {
		v := &vars{ctx: &e.in.Context, now: e.in.Now}
		is, why := p.applies(&e.in.Context, v)
		if is == no {
			e.note("policy %s is for other builds", p.Name)
			continue
		}
		pr := e.newPolicyRun(p, v)
		if pr.unsure = is == unknown; pr.unsure {
			e.note("whether policy %s is for this build is not known: %v", p.Name, append(why.fields.names(), why.names...))
		}
		pr.run()
		e.policies = append(e.policies, pr)
	}
	if len(e.policies) == 0 {
		e.note("no policy is for this build")
	}
	for i := range e.best {
		if e.best[i].rank == 0 {
			e.rate(i, gate.DispositionNotSelected, verdictOf{detail: "policy"})
		}
	}
	e.waiverTimes()
}

func (e *evaluation) note(format string, args ...any) {
	e.notes = append(e.notes, fmt.Sprintf(format, args...))
}

// ends notes a time at which the verdict may change by itself.
func (e *evaluation) ends(t time.Time, why string) {
	if t.After(e.in.Now) && (e.until.IsZero() || t.Before(e.until)) {
		e.until, e.untilWhy = t, why
	}
}

// rate keeps the stronger of two dispositions of a finding.
func (e *evaluation) rate(i int, code gate.DispositionCode, d verdictOf) {
	d.code, d.rank = code, rank(code, d.policy)
	if b := &e.best[i]; b.rank == 0 || d.rank < b.rank {
		*b = d
	}
}

// rank orders dispositions. What a policy that only audits counts is less than
// what any other does with a finding, but more than that a finding is left out.
func rank(code gate.DispositionCode, pr *policyRun) int8 {
	n := slices.Index(gate.Dispositions, code) + 1
	if n > matters || pr != nil && pr.mode == gate.ModeAudit {
		n += matters
	}
	return int8(n) //nolint:gosec // at most twelve
}

// matters is how many of gate.Dispositions are of findings that matter.
const matters = 4

// waiverTimes notes when waivers that are for some finding begin and end.
func (e *evaluation) waiverTimes() {
	for i := range e.in.Waivers {
		w := &e.in.Waivers[i]
		u := e.uses[w.ID]
		if u == nil {
			continue
		}
		if u.Covered > 0 {
			e.ends(w.Expires, "waiver "+w.ID+" expires")
			e.ends(w.RevokedAt, "waiver "+w.ID+" is revoked")
		}
		if u.State == gate.WaiverPending && u.Matches > 0 {
			e.ends(w.ValidFrom, "waiver "+w.ID+" becomes valid")
		}
	}
}
