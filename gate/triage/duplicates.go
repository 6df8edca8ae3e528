package triage

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
)

// pair is two findings of one product with what is around them, all locked.
type pair struct {
	f, other gate.Finding
	byID     map[int64]gate.Finding // with their clusters
}

// root returns a finding, or the original that it is a duplicate of.
func (p pair) root(f gate.Finding) gate.Finding {
	if f.Duplicate && f.DuplicateFindingID != nil {
		if o, ok := p.byID[*f.DuplicateFindingID]; ok {
			return o
		}
	}
	return f
}

// pair locks two findings and their clusters. No import into the product runs
// meanwhile, and nobody else changes its clusters.
func lockPair(ctx context.Context, s *store.Store, a Actor, id, other int64) (pair, error) {
	f, err := s.Finding(ctx, a.Scope, id)
	if err != nil {
		return pair{}, err
	}
	if err := s.LockProduct(ctx, f.ProductID); err != nil {
		return pair{}, err
	}
	rows, err := s.LockClusters(ctx, a.Scope, []int64{id, other})
	if err != nil {
		return pair{}, err
	}
	p := pair{byID: map[int64]gate.Finding{}}
	for _, r := range rows {
		p.byID[r.ID] = r
	}
	var there, alsoThere bool
	p.f, there = p.byID[id]
	p.other, alsoThere = p.byID[other]
	if !there || !alsoThere {
		return p, gate.Errorf(gate.NotFound, "no such finding")
	}
	return p, nil
}

// MarkDuplicate makes a finding a duplicate of another, or of the other's own
// original. Those that pointed to it point there, too.
func (t *Triage) MarkDuplicate(ctx context.Context, a Actor, id, original int64) (gate.Finding, error) {
	var marked gate.Finding
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		p, err := lockPair(ctx, s, a, id, original)
		if err != nil {
			return err
		}
		o := p.root(p.other)
		marked, err = t.apply(ctx, s, tx, a, p.f, event{
			action: "mark_duplicate",
			do:     func(f *gate.Finding) error { return lifecycle.MarkDuplicate(f, o, a.by()) },
			after: func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
				return s.RepointDuplicates(ctx, f.ID, o.ID)
			},
		})
		if err != nil {
			return err
		}
		return t.follow(ctx, tx, a, "mark_duplicate", map[int64][]int64{marked.ProductID: {marked.ID}})
	})
	return marked, err
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
	return t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		p, err := lockPair(ctx, s, a, id, original)
		if err != nil {
			return err
		}
		old, before := p.root(p.f), p.other
		switch {
		case before.ProductID != old.ProductID:
			return gate.Errorf(gate.Invalid, "A duplicate is in the same product as its original.")
		case before.ID == old.ID:
			return nil
		}
		next := heir(before, old, a)
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

// heir returns a finding as the original in another's place.
func heir(f, old gate.Finding, a Actor) gate.Finding {
	if f.Duplicate {
		f.Duplicate, f.DuplicateFindingID = false, nil
		f.Active, f.Verified, f.FalseP, f.OutOfScope = old.Active, old.Verified, old.FalseP, old.OutOfScope
		f.RiskAccepted, f.IsMitigated, f.Mitigated, f.MitigatedByID = old.RiskAccepted, old.IsMitigated, old.Mitigated, old.MitigatedByID
	}
	f.LastReviewed, f.LastReviewedByID, f.LastStatusUpdate, f.Updated = &a.Now, &a.Who.User.ID, a.Now, a.Now
	return f
}
