// Package lifecycle says what may happen to a finding and what each event does
// to it. It is pure: the clock and the person come as parameters.
//
// The flags of a finding are independent columns, so that every combination
// could be stored. Settle is what makes sense of them; each event goes through it.
package lifecycle

import (
	"time"

	"defectdojo/gate"
)

// By is who does something to a finding, and when.
type By struct {
	UserID int64
	Now    time.Time
}

// Settle makes the flags of a finding agree with each other after it changed
// from before, which is nil for a new one. It tells whether its status changed.
//
// Active wins: who makes a finding active reopens it. A false positive and one
// out of scope are closed. A risk that is accepted is not.
func Settle(before *gate.Finding, f *gate.Finding, by By) bool {
	if before != nil && sameStatus(before, f) {
		return false
	}
	changed := func(differ func(a, b *gate.Finding) bool) bool { return before == nil || differ(before, f) }
	if changed(func(a, b *gate.Finding) bool { return a.IsMitigated != b.IsMitigated }) && !f.IsMitigated {
		f.Mitigated, f.MitigatedByID = nil, nil
	}
	if f.IsMitigated {
		fillMitigated(f, by)
	}
	if changed(func(a, b *gate.Finding) bool { return a.Active != b.Active }) && f.Active {
		f.FalseP, f.OutOfScope, f.IsMitigated = false, false, false
		f.Mitigated, f.MitigatedByID = nil, nil
	}
	dismissed := changed(func(a, b *gate.Finding) bool { return a.FalseP != b.FalseP || a.OutOfScope != b.OutOfScope })
	if dismissed && (f.FalseP || f.OutOfScope) {
		f.IsMitigated, f.Active, f.Verified = true, false, false
		fillMitigated(f, by)
	}
	if !f.Duplicate {
		f.DuplicateFindingID = nil
	}
	f.LastStatusUpdate = by.Now
	return true
}

func fillMitigated(f *gate.Finding, by By) {
	if f.Mitigated == nil {
		f.Mitigated = &by.Now
	}
	if f.MitigatedByID == nil && by.UserID != 0 {
		f.MitigatedByID = &by.UserID
	}
}

// sameStatus compares what a change of status is told by. Duplicate and
// under_review are not among it.
func sameStatus(a, b *gate.Finding) bool {
	return a.Active == b.Active && a.Verified == b.Verified && a.FalseP == b.FalseP && a.OutOfScope == b.OutOfScope &&
		a.RiskAccepted == b.RiskAccepted && a.IsMitigated == b.IsMitigated &&
		equal(a.Mitigated, b.Mitigated, time.Time.Equal) &&
		equal(a.MitigatedByID, b.MitigatedByID, func(x, y int64) bool { return x == y })
}

func equal[T any](a, b *T, same func(T, T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(*a, *b)
}

// Check refuses flags that somebody asks for and that contradict each other.
// before is the finding as it was, nil for a new one; simple tells whether the
// product lets people accept a risk by a flag.
func Check(before, f *gate.Finding, simple bool) error {
	switch {
	case (f.Active || f.Verified) && f.Duplicate:
		return gate.Errorf(gate.Invalid, "Duplicate findings cannot be verified or active")
	case f.FalseP && f.Verified:
		return gate.Errorf(gate.Invalid, "False positive findings cannot be verified.")
	case f.RiskAccepted && (before == nil || !before.RiskAccepted) && !simple:
		return gate.Errorf(gate.Invalid, "Simple risk acceptance is disabled for this product, use the UI to accept this finding.")
	case f.Active && f.RiskAccepted:
		return gate.Errorf(gate.Invalid, "Active findings cannot be risk accepted.")
	}
	return nil
}
