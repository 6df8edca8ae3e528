package triage

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
)

// MarkDuplicate makes a finding a duplicate of another, or of the other's own
// original. Those that pointed to it point there, too.
func (t *Triage) MarkDuplicate(ctx context.Context, a Actor, id, original int64) (gate.Finding, error) {
	var marked gate.Finding
	err := t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		o, err := root(ctx, s, a, original)
		if err != nil {
			return err
		}
		f, err := locked(ctx, s, a, id)
		if err != nil {
			return err
		}
		marked, err = t.apply(ctx, s, a, f, event{
			action: "mark_duplicate",
			do:     func(f *gate.Finding) error { return lifecycle.MarkDuplicate(f, o, a.by()) },
			after: func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
				return s.RepointDuplicates(ctx, f.ID, o.ID)
			},
		})
		if err != nil {
			return err
		}
		return t.follow(ctx, tx, a, "mark_duplicate", map[int64][]int64{f.ProductID: {f.ID}})
	})
	return marked, err
}

// root locks and returns a finding, or the original that it is a duplicate of.
func root(ctx context.Context, s *store.Store, a Actor, id int64) (gate.Finding, error) {
	f, err := locked(ctx, s, a, id)
	if err != nil || f.DuplicateFindingID == nil || !f.Duplicate {
		return f, err
	}
	return locked(ctx, s, a, *f.DuplicateFindingID)
}

// ResetDuplicate makes a duplicate a finding of its own. Invalid: it is none.
func (t *Triage) ResetDuplicate(ctx context.Context, a Actor, id int64) (gate.Finding, error) {
	return t.one(ctx, a, id, event{"reset_duplicate", Note{}, func(f *gate.Finding) error {
		if !f.Duplicate {
			return gate.Errorf(gate.Invalid, "The finding is no duplicate.")
		}
		lifecycle.ResetDuplicate(f, a.by())
		return nil
	}, nil})
}

// SetOriginal makes another finding the original of a finding's cluster. It
// takes the state of the one that was it.
func (t *Triage) SetOriginal(ctx context.Context, a Actor, id, original int64) error {
	return t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		old, err := root(ctx, s, a, id)
		if err != nil {
			return err
		}
		before, err := locked(ctx, s, a, original)
		if err != nil {
			return err
		}
		switch {
		case before.ProductID != old.ProductID:
			return gate.Errorf(gate.Invalid, "A duplicate is in the same product as its original.")
		case before.ID == old.ID:
			return nil
		}
		next := before
		if next.Duplicate {
			next.Duplicate, next.DuplicateFindingID = false, nil
			next.Active, next.Verified, next.FalseP, next.OutOfScope = old.Active, old.Verified, old.FalseP, old.OutOfScope
			next.RiskAccepted, next.IsMitigated, next.Mitigated, next.MitigatedByID = old.RiskAccepted, old.IsMitigated, old.Mitigated, old.MitigatedByID
		}
		next.LastReviewed, next.LastReviewedByID, next.LastStatusUpdate, next.Updated = &a.Now, &a.Who.User.ID, a.Now, a.Now
		if next, err = s.SaveFinding(ctx, next); err != nil {
			return err
		}
		if err := s.RepointDuplicates(ctx, old.ID, next.ID); err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, a.audit("set_original", before, next)); err != nil {
			return err
		}
		return t.follow(ctx, tx, a, "set_original", map[int64][]int64{next.ProductID: {next.ID, old.ID}})
	})
}
