package policies

import (
	"defectdojo/gate"
)

// maxTrials is how many actions are tried by judging anew.
const maxTrials = 500

// trial judges anew without some findings. It takes the place of room where a
// waiver is for more findings than it may be: with fewer left it would hold again.
type trial struct {
	g    *wayOut
	gone map[int]bool
	keep []int // findings that matter
}

// tooWide tells whether a waiver would hold if it were for fewer findings.
func (g *wayOut) tooWide() bool {
	for _, r := range g.rules {
		for i := range r.pr.ws.all {
			if r.pr.ws.all[i].state == gate.WaiverTooWide {
				return true
			}
		}
	}
	return false
}

// newTrial has all findings gone that an action ends.
func newTrial(g *wayOut) *trial {
	t := &trial{g: g, gone: map[int]bool{}}
	for _, a := range g.actions {
		for _, at := range a.ats {
			t.gone[at] = true
		}
	}
	for at := range g.e.in.Head {
		if t.gone[at] || t.matters(at) {
			t.keep = append(t.keep, at)
		}
	}
	return t
}

// matters tells whether a finding that no action ends is counted by a rule or
// a waiver.
func (t *trial) matters(at int) bool {
	for _, r := range t.g.rules {
		found := false
		r.pr.ws.each(&t.g.e.in.Head[at], func(w *waiver) bool {
			found = w.state == gate.WaiverTooWide
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// takeBack puts findings back if the gate still would not fail by its rules.
func (t *trial) takeBack(ats []int) bool {
	for _, at := range ats {
		delete(t.gone, at)
	}
	if !t.fails() {
		return true
	}
	for _, at := range ats {
		t.gone[at] = true
	}
	return false
}

// fails judges what is left.
func (t *trial) fails() bool {
	in := *t.g.e.in
	in.Head = nil
	for _, at := range t.keep {
		if !t.gone[at] {
			in.Head = append(in.Head, t.g.e.in.Head[at])
		}
	}
	e := newEvaluation(&in)
	e.run()
	for _, pr := range e.policies {
		for _, r := range pr.rules {
			if pr.blocking() && r.decision().is == gate.Fail {
				return true
			}
		}
	}
	return false
}
