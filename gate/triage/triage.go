// Package triage is what people do to findings: close, reopen, verify, accept a
// risk, dismiss, edit, and write notes. Each change writes its history in the
// same transaction.
package triage

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/store"
)

// Triage changes findings.
type Triage struct {
	Store *store.Store

	// Changed puts the jobs that follow a change into its transaction: verdicts
	// are judged again, trackers told. Nil: none do.
	Changed func(ctx context.Context, tx pgx.Tx, c Change) error
	// Noted does so for a note that somebody wrote. Nil: none do.
	Noted func(ctx context.Context, tx pgx.Tx, note store.Note) error
	// EngagementChanged does so for an engagement that was closed or opened. Nil:
	// none do.
	EngagementChanged func(ctx context.Context, tx pgx.Tx, c EngagementChange) error
}

// Change is what happened to findings of one product.
type Change struct {
	Action     string // close, reopen, …
	ProductID  int64
	FindingIDs []int64
	Who        gate.Principal
	At         time.Time
}

// Actor is who does something, on which products they may, and when. A finding
// that is elsewhere is not there for them.
type Actor struct {
	Who       gate.Principal
	Scope     gate.Scope
	Now       time.Time
	RequestID string
	IP        string
}

func (a Actor) by() lifecycle.By { return lifecycle.By{UserID: a.Who.User.ID, Now: a.Now} }

// Note is what goes with a change; a blank entry is no note.
type Note struct {
	Entry   string
	TypeID  *int64
	Private bool
}

// event is what is done to a finding, and what goes with it.
type event struct {
	action string
	note   Note
	do     func(f *gate.Finding) error
	after  func(ctx context.Context, s *store.Store, before, f gate.Finding) error
}

// Close closes a finding. Its risk acceptances end and its locations are mitigated.
func (t *Triage) Close(ctx context.Context, a Actor, id int64, how lifecycle.Closing, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, closing(a, how, n))
}

// CloseAll closes those of some findings that the actor may close, and returns them.
func (t *Triage) CloseAll(ctx context.Context, a Actor, ids []int64, how lifecycle.Closing, n Note) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, closing(a, how, n))
}

func closing(a Actor, how lifecycle.Closing, n Note) event {
	action := "close"
	switch {
	case how.FalseP:
		action = "false_positive"
	case how.OutOfScope:
		action = "out_of_scope"
	}
	return event{
		action, n,
		func(f *gate.Finding) error { lifecycle.Close(f, how, a.by()); return nil },
		func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
			if err := s.DropRiskAcceptances(ctx, f.ID); err != nil {
				return err
			}
			return s.MoveLocations(ctx, f, "Active", "Mitigated", a.Who.User.ID, a.Now)
		},
	}
}

// Reopen makes a closed finding active.
func (t *Triage) Reopen(ctx context.Context, a Actor, id int64, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, reopening(a, n))
}

// ReopenAll is Reopen for many.
func (t *Triage) ReopenAll(ctx context.Context, a Actor, ids []int64, n Note) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, reopening(a, n))
}

func reopening(a Actor, n Note) event {
	return event{
		"reopen", n,
		func(f *gate.Finding) error { lifecycle.Reopen(f, a.by()); return nil },
		func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
			if err := s.DropRiskAcceptances(ctx, f.ID); err != nil {
				return err
			}
			return s.MoveLocations(ctx, f, "Mitigated", "Active", a.Who.User.ID, a.Now)
		},
	}
}

// Verify notes that a finding is real.
func (t *Triage) Verify(ctx context.Context, a Actor, id int64, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, verifying(a, n))
}

// VerifyAll is Verify for many.
func (t *Triage) VerifyAll(ctx context.Context, a Actor, ids []int64, n Note) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, verifying(a, n))
}

func verifying(a Actor, n Note) event {
	return event{"verify", n, func(f *gate.Finding) error { return lifecycle.Verify(f, a.by()) }, nil}
}

// AcceptRisk says of a finding that it is known and lived with. The product
// must allow it.
func (t *Triage) AcceptRisk(ctx context.Context, a Actor, id int64, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, accepting(a, n))
}

// AcceptRiskAll is AcceptRisk for many.
func (t *Triage) AcceptRiskAll(ctx context.Context, a Actor, ids []int64, n Note) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, accepting(a, n))
}

func accepting(a Actor, n Note) event {
	return event{"accept_risk", n, func(f *gate.Finding) error { lifecycle.AcceptRisk(f, a.by()); return nil }, nil}
}

// UnacceptRisk makes a finding active whose risk was accepted.
func (t *Triage) UnacceptRisk(ctx context.Context, a Actor, id int64, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, unaccepting(a, n))
}

func unaccepting(a Actor, n Note) event {
	return event{
		"unaccept_risk", n,
		func(f *gate.Finding) error { lifecycle.UnacceptRisk(f, a.by()); return nil },
		func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
			return s.DropRiskAcceptances(ctx, f.ID)
		},
	}
}

// RequestReview asks people to look at a finding.
func (t *Triage) RequestReview(ctx context.Context, a Actor, id int64, reviewers []int64, n Note) (gate.Finding, error) {
	return t.one(ctx, a, id, askingReview(a, reviewers, n))
}

// RequestReviewAll asks people to look at those of some findings that the actor
// may change, and returns them.
func (t *Triage) RequestReviewAll(ctx context.Context, a Actor, ids, reviewers []int64, n Note) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, askingReview(a, reviewers, n))
}

func askingReview(a Actor, reviewers []int64, n Note) event {
	return event{requestReview, n, func(f *gate.Finding) error {
		lifecycle.RequestReview(f, reviewers, a.by())
		return nil
	}, nil}
}

// requestReview is the action of RequestReview.
const requestReview = "request_review"

// Assign says who is to deal with a finding; nil is nobody.
func (t *Triage) Assign(ctx context.Context, a Actor, id int64, assignee *int64) (gate.Finding, error) {
	return t.one(ctx, a, id, event{"assign", Note{}, func(f *gate.Finding) error { f.AssigneeID = assignee; return nil }, nil})
}

// Edit changes a finding from what it was to what somebody wants it to be; what
// follows from that is settled. Conflict: it has changed meanwhile.
func (t *Triage) Edit(ctx context.Context, a Actor, before, want gate.Finding) (gate.Finding, error) {
	return t.one(ctx, a, before.ID, event{
		"edit",
		Note{},
		func(f *gate.Finding) error {
			if !f.Updated.Equal(before.Updated) {
				return gate.Errorf(gate.Conflict, "the finding has changed meanwhile")
			}
			*f = want
			f.LastReviewed, f.LastReviewedByID = &a.Now, &a.Who.User.ID
			lifecycle.Settle(&before, f, a.by())
			return nil
		},
		func(ctx context.Context, s *store.Store, before, f gate.Finding) error {
			if before.RiskAccepted && !f.RiskAccepted {
				return s.DropRiskAcceptances(ctx, f.ID)
			}
			return nil
		},
	})
}

// Pushing is the action of PushAll.
const Pushing = "push_to_jira"

// PushAll asks for tickets of those of some findings that the actor may change,
// and returns them. The findings themselves stay as they are; a note goes with each.
func (t *Triage) PushAll(ctx context.Context, a Actor, ids []int64, n Note) ([]gate.Finding, error) {
	var found []gate.Finding
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) (err error) {
		if found, err = s.LockFindings(ctx, a.Scope, ids); err != nil {
			return err
		}
		byProduct := map[int64][]int64{}
		for _, f := range found {
			if err := s.AddAuditEvent(ctx, a.audit(Pushing, f, f)); err != nil {
				return err
			}
			if n.Entry != "" {
				if _, err := t.addNote(ctx, s, tx, a, f.ID, n); err != nil {
					return err
				}
			}
			byProduct[f.ProductID] = append(byProduct[f.ProductID], f.ID)
		}
		return t.follow(ctx, tx, a, Pushing, byProduct)
	})
	return found, err
}

// Add adds a finding that somebody found by hand.
func (t *Triage) Add(ctx context.Context, a Actor, f gate.Finding) (gate.Finding, error) {
	f.Updated = a.Now
	lifecycle.Settle(nil, &f, a.by())
	var added gate.Finding
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) (err error) {
		if added, err = s.AddFinding(ctx, f); err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, a.audit("add", gate.Finding{}, added)); err != nil {
			return err
		}
		return t.follow(ctx, tx, a, "add", map[int64][]int64{added.ProductID: {added.ID}})
	})
	return added, err
}

// AddNote adds a note to a finding, which counts as having looked at it.
func (t *Triage) AddNote(ctx context.Context, a Actor, id int64, n Note) (store.Note, error) {
	var added store.Note
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		f, err := locked(ctx, s, a, id)
		if err != nil {
			return err
		}
		f.LastReviewed, f.LastReviewedByID, f.Updated = &a.Now, &a.Who.User.ID, a.Now
		if _, err := s.SaveFinding(ctx, f); err != nil {
			return err
		}
		if added, err = t.addNote(ctx, s, tx, a, id, n); err != nil {
			return err
		}
		return t.follow(ctx, tx, a, "note", map[int64][]int64{f.ProductID: {id}})
	})
	return added, err
}

// maxTries bounds how often something is tried that lost to another transaction.
const maxTries = 5

// tx calls f in a transaction, again if that lost to another one.
func (t *Triage) tx(ctx context.Context, f func(*store.Store, pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := t.Store.Tx(ctx, f)
		if !store.LostToAnother(err) || try == maxTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try)*5*time.Millisecond + rand.N(20*time.Millisecond)): //nolint:gosec // jitter is no secret
		}
	}
}

// one does an event to one finding.
func (t *Triage) one(ctx context.Context, a Actor, id int64, e event) (gate.Finding, error) {
	done, err := t.each(ctx, a, []int64{id}, e)
	if err != nil {
		return gate.Finding{}, err
	}
	if len(done) == 0 {
		return gate.Finding{}, gate.Errorf(gate.NotFound, "no such finding")
	}
	return done[0], nil
}

// each does an event to those of some findings that the actor may touch, all or
// none, and returns them. Others are not told of.
func (t *Triage) each(ctx context.Context, a Actor, ids []int64, e event) ([]gate.Finding, error) {
	var done []gate.Finding
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		found, err := s.LockFindings(ctx, a.Scope, ids)
		if err != nil {
			return err
		}
		done, err = t.eachOf(ctx, s, tx, a, found, e)
		return err
	})
	return done, err
}

// eachOf does an event to findings that are locked, and returns them.
func (t *Triage) eachOf(ctx context.Context, s *store.Store, tx pgx.Tx, a Actor, found []gate.Finding, e event) ([]gate.Finding, error) {
	var done []gate.Finding
	byProduct, asked := map[int64][]int64{}, map[int64][]int64{}
	for _, before := range found {
		f, err := t.apply(ctx, s, tx, a, before, e)
		if err != nil {
			return nil, err
		}
		done = append(done, f)
		byProduct[f.ProductID] = append(byProduct[f.ProductID], f.ID)
		if e.action != requestReview && asksReview(before, f) {
			asked[f.ProductID] = append(asked[f.ProductID], f.ID)
		}
	}
	return done, errors.Join(t.follow(ctx, tx, a, e.action, byProduct), t.follow(ctx, tx, a, requestReview, asked))
}

// asksReview tells whether a change made somebody a reviewer: clients of the API
// ask for a review by editing the finding.
func asksReview(before, after gate.Finding) bool {
	return after.UnderReview && slices.ContainsFunc(after.Reviewers, func(id int64) bool { return !slices.Contains(before.Reviewers, id) })
}

// apply does an event to a finding, with its note and its history.
func (t *Triage) apply(ctx context.Context, s *store.Store, tx pgx.Tx, a Actor, before gate.Finding, e event) (gate.Finding, error) {
	f := before
	if err := e.do(&f); err != nil {
		return f, err
	}
	f.Updated = a.Now
	f, err := s.SaveFinding(ctx, f)
	if err != nil {
		return f, err
	}
	if e.after != nil {
		if err := e.after(ctx, s, before, f); err != nil {
			return f, err
		}
	}
	if e.note.Entry != "" {
		if _, err := t.addNote(ctx, s, tx, a, f.ID, e.note); err != nil {
			return f, err
		}
	}
	return f, s.AddAuditEvent(ctx, a.audit(e.action, before, f))
}

// follow hands on what happened, product by product.
func (t *Triage) follow(ctx context.Context, tx pgx.Tx, a Actor, action string, byProduct map[int64][]int64) error {
	if t.Changed == nil {
		return nil
	}
	for product, findings := range byProduct {
		if err := t.Changed(ctx, tx, Change{action, product, findings, a.Who, a.Now}); err != nil {
			return err
		}
	}
	return nil
}

func locked(ctx context.Context, s *store.Store, a Actor, id int64) (gate.Finding, error) {
	found, err := s.LockFindings(ctx, a.Scope, []int64{id})
	if err == nil && len(found) == 0 {
		err = gate.Errorf(gate.NotFound, "no such finding")
	}
	if err != nil {
		return gate.Finding{}, err
	}
	return found[0], nil
}

func (t *Triage) addNote(ctx context.Context, s *store.Store, tx pgx.Tx, a Actor, finding int64, n Note) (store.Note, error) {
	added, err := s.AddNote(ctx, store.Note{
		FindingID: &finding, Entry: n.Entry, Date: a.Now, AuthorID: a.Who.User.ID, Private: n.Private, NoteTypeID: n.TypeID,
	})
	if err != nil || t.Noted == nil {
		return added, err
	}
	return added, t.Noted(ctx, tx, added)
}
