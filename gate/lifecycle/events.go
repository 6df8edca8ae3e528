package lifecycle

import (
	"time"

	"defectdojo/gate"
)

// Closing says how a finding is closed.
type Closing struct {
	IsMitigated bool
	Mitigated   *time.Time // when; nil: now
	FalseP      bool
	OutOfScope  bool
	Duplicate   bool
}

// Close closes a finding: it is no longer active, nobody reviews it, and its
// risk is no longer accepted but gone.
func Close(f *gate.Finding, how Closing, by By) {
	before := *f
	f.IsMitigated, f.FalseP, f.OutOfScope, f.Duplicate = how.IsMitigated, how.FalseP, how.OutOfScope, how.Duplicate
	f.Mitigated, f.MitigatedByID = nil, nil
	if f.IsMitigated || f.FalseP || f.OutOfScope {
		f.Mitigated = how.Mitigated
		fillMitigated(f, by)
	}
	f.Active, f.RiskAccepted = false, false
	if f.Duplicate {
		f.Verified = false
	}
	endReview(f)
	reviewed(f, by)
	Settle(&before, f, by)
}

// Reopen makes a closed finding active again.
func Reopen(f *gate.Finding, by By) {
	before := *f
	f.Active, f.IsMitigated, f.FalseP, f.OutOfScope, f.RiskAccepted = true, false, false, false, false
	f.Mitigated, f.MitigatedByID = nil, nil
	f.Duplicate = false
	endReview(f)
	reviewed(f, by)
	Settle(&before, f, by)
}

// Verify notes that somebody has seen that a finding is real.
func Verify(f *gate.Finding, by By) error {
	if f.Duplicate {
		return gate.Errorf(gate.Invalid, "Duplicate findings cannot be verified or active")
	}
	before := *f
	f.Verified, f.FalseP = true, false
	reviewed(f, by)
	Settle(&before, f, by)
	f.LastStatusUpdate = by.Now
	return nil
}

// AcceptRisk says that a finding is known and lived with.
func AcceptRisk(f *gate.Finding, by By) {
	before := *f
	f.RiskAccepted, f.Active = true, false
	reviewed(f, by)
	Settle(&before, f, by)
}

// UnacceptRisk makes a finding active whose risk was accepted.
func UnacceptRisk(f *gate.Finding, by By) {
	before := *f
	f.RiskAccepted = false
	f.Active = !f.IsMitigated && !f.FalseP && !f.OutOfScope && !f.Duplicate
	reviewed(f, by)
	Settle(&before, f, by)
}

// RequestReview asks people to look at a finding.
func RequestReview(f *gate.Finding, reviewers []int64, by By) {
	before := *f
	f.Active, f.Verified, f.IsMitigated, f.UnderReview = true, false, false, true
	f.ReviewRequestedByID, f.Reviewers = &by.UserID, reviewers
	reviewed(f, by)
	Settle(&before, f, by)
}

// ResetDuplicate makes a duplicate a finding of its own.
func ResetDuplicate(f *gate.Finding, by By) {
	before := *f
	f.Duplicate, f.Active = false, true
	reviewed(f, by)
	Settle(&before, f, by)
}

// MarkDuplicate makes a finding a duplicate of an original, or says why it is none.
func MarkDuplicate(f *gate.Finding, original gate.Finding, by By) error {
	switch {
	case f.ID == original.ID:
		return gate.Errorf(gate.Invalid, "A finding is no duplicate of itself.")
	case f.ProductID != original.ProductID:
		return gate.Errorf(gate.Invalid, "A duplicate is in the same product as its original.")
	case original.Duplicate:
		return gate.Errorf(gate.Invalid, "The original is a duplicate itself.")
	}
	before := *f
	f.Duplicate, f.DuplicateFindingID = true, &original.ID
	f.Active, f.Verified = false, false
	reviewed(f, by)
	Settle(&before, f, by)
	return nil
}

func endReview(f *gate.Finding) {
	f.UnderReview, f.ReviewRequestedByID, f.Reviewers = false, nil, nil
}

func reviewed(f *gate.Finding, by By) { f.LastReviewed, f.LastReviewedByID = &by.Now, &by.UserID }
