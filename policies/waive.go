package policies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
)

// waivers judges the waivers of a verdict for one policy.
type waivers struct {
	in     *Inputs
	policy *Policy
	all    []waiver
	byKey  map[string][]int // what a waiver is sure to name → waivers
}

// waiver is one of them, with what is the same for all findings.
type waiver struct {
	*gate.Waiver
	state   gate.WaiverState // WaiverActive unless it can cover nothing
	why     string
	voidIf  *expression
	path    glob
	matches int              // candidates that it is for
	covered map[int]bool     // of those, the ones that it took out of a count
	refused gate.WaiverState // why it did not cover one that it is for
	because string
}

// newWaivers judges each waiver as a whole, and counts what it is for among the
// candidates: more than it may cover void it.
func newWaivers(in *Inputs, p *Policy, candidates []*Finding) *waivers {
	ws := &waivers{in: in, policy: p, all: make([]waiver, len(in.Waivers)), byKey: map[string][]int{}}
	for i := range in.Waivers {
		w := &ws.all[i]
		*w = waiver{Waiver: &in.Waivers[i], path: newGlob(in.Waivers[i].Match.Path)}
		w.state, w.why = ws.judge(w)
		for _, k := range keysOf(&w.Match) {
			ws.byKey[k] = append(ws.byKey[k], i)
		}
	}
	if len(ws.all) == 0 {
		return ws
	}
	for _, f := range candidates {
		ws.each(f, func(w *waiver) bool { w.matches++; return true })
	}
	for i := range ws.all {
		ws.all[i].limit()
	}
	return ws
}

// cover counts a finding that a waiver took out of a count.
func (w *waiver) cover(at int) {
	if w.covered == nil {
		w.covered = map[int]bool{}
	}
	w.covered[at] = true
}

// limit voids a waiver that is for more findings than it may be.
func (w *waiver) limit() {
	if w.state == gate.WaiverActive && w.MaxMatches > 0 && w.matches > w.MaxMatches {
		w.state, w.why = gate.WaiverTooWide, fmt.Sprintf("it is for %d findings, more than %d", w.matches, w.MaxMatches)
	}
}

// judge says how a waiver stands for all findings alike.
func (ws *waivers) judge(w *waiver) (gate.WaiverState, string) {
	c, now := &ws.in.Context, ws.in.Now
	if why := checkWaiver(w.Waiver); why != "" {
		return gate.WaiverInvalid, why
	}
	if w.VoidIf != "" {
		e, err := compile(w.VoidIf, "f", "product", "change", "now", "severity")
		if err != nil {
			return gate.WaiverInvalid, "void_if: " + err.message
		}
		w.voidIf = e
	}
	if !w.inScope(c) {
		return gate.WaiverOutOfScope, "it is for another product, component or branch"
	}
	if !slices.Contains(ws.policy.accepts(), w.origin()) {
		return gate.WaiverForeign, fmt.Sprintf("policy %s does not accept waivers from a %s", ws.policy.Name, w.origin())
	}
	switch {
	case !w.RevokedAt.IsZero() && !now.Before(w.RevokedAt):
		return gate.WaiverRevoked, "revoked " + w.RevokedAt.Format(time.DateOnly)
	case !now.Before(w.Expires):
		return gate.WaiverExpired, "expired " + w.Expires.Format(time.DateOnly)
	case now.Before(w.ValidFrom):
		return gate.WaiverPending, "valid from " + w.ValidFrom.Format(time.DateOnly)
	}
	return gate.WaiverActive, ""
}

// checkWaiver says what is wrong with a waiver that can never cover anything.
func checkWaiver(w *gate.Waiver) string {
	m := &w.Match
	switch {
	case w.Expires.IsZero():
		return "it has no expiry"
	case !w.ValidFrom.IsZero() && !w.ValidFrom.Before(w.Expires):
		return "it expires before it is valid"
	case m.Fingerprint == "" && (m.Vulnerability == "" || m.PURL == "") && (m.Rule == "" || m.Path == ""):
		return "it must match a fingerprint, a vulnerability with a purl, or a rule with a path"
	case m.Fingerprint == "" && m.Vulnerability == "" && strings.Trim(m.Path, "*/.") == "":
		return "its path matches everything"
	}
	return ""
}

func (w *waiver) origin() string {
	if w.Origin == "" {
		return string(gate.WaiverFromServer)
	}
	return string(w.Origin)
}

// accepts returns the origins of waivers that a policy accepts. That of a
// repository accepts its own, which loosens nothing but itself.
func (p *Policy) accepts() []string {
	switch {
	case len(p.Spec.Waivers.Accept) > 0:
		return p.Spec.Waivers.Accept
	case p.Origin == FromRepository:
		return []string{string(gate.WaiverFromServer), string(gate.WaiverFromRepository)}
	}
	return []string{string(gate.WaiverFromServer)}
}

// waived is what the waivers say of one finding.
type waived struct {
	is      tri
	by      *waiver
	missing fieldSet
	names   []string
}

// of says whether a waiver covers a finding. note is told of each one that is for
// it and does not cover it, with the reason.
func (ws *waivers) of(fa *facts, v *vars, note func(*waiver, gate.WaiverState, string)) waived {
	out := waived{is: no}
	ws.each(fa.Finding, func(w *waiver) bool {
		state, why, r := ws.stateFor(w, fa, v)
		switch state {
		case gate.WaiverActive:
			out = waived{is: yes, by: w}
			return false
		case gate.WaiverUnsure:
			out.is, out.by = unknown, w
			out.missing |= r.fields
			out.names = append(out.names, r.names...)
		}
		note(w, state, why)
		return true
	})
	return out
}

// stateFor says how a waiver stands for one finding.
func (ws *waivers) stateFor(w *waiver, fa *facts, v *vars) (gate.WaiverState, string, result) {
	if w.state != gate.WaiverActive {
		return w.state, w.why, result{}
	}
	sev := severityWord(fa.Severity)
	terms := &ws.policy.Spec.Waivers
	if need, got := bySeverity(terms.Approvals, sev, 1), w.approvals(); got < need {
		return gate.WaiverUnapproved, fmt.Sprintf("%d of %d approvals", got, need), result{}
	}
	if most := bySeverity(terms.MaxTTL, sev, 0); most > 0 && w.Expires.Sub(w.start()) > time.Duration(most) {
		return gate.WaiverTooLong, fmt.Sprintf("valid for %s, longer than %s", Duration(w.Expires.Sub(w.start())), most), result{}
	}
	if slices.Contains(terms.Evidence, sev) && !ws.supported(w, fa.Finding) {
		return gate.WaiverUnapproved, "no VEX document supports it", result{}
	}
	for _, e := range []*expression{ws.policy.voidIf, w.voidIf} {
		if e == nil {
			continue
		}
		switch r := e.eval(v); r.is {
		case yes:
			return gate.WaiverVoided, e.text, result{}
		case unknown:
			return gate.WaiverUnsure, e.text, r
		}
	}
	return gate.WaiverActive, "", result{}
}

// start returns when a waiver's time began.
func (w *waiver) start() time.Time {
	if !w.ValidFrom.IsZero() {
		return w.ValidFrom
	}
	return w.RequestedAt
}

// approvals counts the people other than the requester who approved.
func (w *waiver) approvals() int {
	seen := map[string]bool{strings.ToLower(w.RequestedBy): true}
	n := 0
	for _, who := range w.ApprovedBy {
		if who = strings.ToLower(who); who != "" && !seen[who] {
			seen[who] = true
			n++
		}
	}
	return n
}

// bySeverity looks up a term by severity, then its default.
func bySeverity[T any](m map[string]T, severity string, otherwise T) T {
	if v, ok := m[severity]; ok {
		return v
	}
	if v, ok := m["default"]; ok {
		return v
	}
	return otherwise
}

// plural writes "1 finding", "2 findings".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
