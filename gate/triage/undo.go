package triage

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// UndoTime is how long an action can be undone.
const UndoTime = 15 * time.Minute

// AssignAll is Assign for many.
func (t *Triage) AssignAll(ctx context.Context, a Actor, ids []int64, assignee *int64) ([]gate.Finding, error) {
	return t.each(ctx, a, ids, event{"assign", Note{}, func(f *gate.Finding) error { f.AssigneeID = assignee; return nil }, nil})
}

// Undo takes back what one request of the same actor did to findings, and
// returns those that are again as they were. A finding that has changed since
// is left as it is; notes stay.
func (t *Triage) Undo(ctx context.Context, a Actor, request string) ([]gate.Finding, error) {
	var undone []gate.Finding
	err := t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		events, err := s.AuditEventsOf(ctx, request, a.Who.User.ID, "finding", a.Now.Add(-UndoTime))
		if err != nil {
			return err
		}
		byProduct := map[int64][]int64{}
		for _, e := range events {
			f, ok, err := t.undo(ctx, s, tx, a, e)
			if err != nil {
				return err
			}
			if ok {
				undone = append(undone, f)
				byProduct[f.ProductID] = append(byProduct[f.ProductID], f.ID)
			}
		}
		return t.follow(ctx, tx, a, "undo", byProduct)
	})
	return undone, err
}

// undo takes one event back; ok is false if it cannot be.
func (t *Triage) undo(ctx context.Context, s *store.Store, tx pgx.Tx, a Actor, e store.AuditEvent) (f gate.Finding, ok bool, err error) {
	if e.ObjectID == nil {
		return f, false, nil
	}
	found, err := s.LockFindings(ctx, a.Scope, []int64{*e.ObjectID})
	if err != nil || len(found) == 0 {
		return f, false, err
	}
	before := found[0]
	f = before
	if !restore(&f, e.Changes) {
		return f, false, nil
	}
	f, err = t.apply(ctx, s, tx, a, before, event{
		action: "undo",
		do: func(now *gate.Finding) error {
			updated := now.Updated
			*now = f
			now.Updated, now.LastStatusUpdate = updated, a.Now
			return nil
		},
		after: func(ctx context.Context, s *store.Store, _, f gate.Finding) error {
			if f.Active == before.Active {
				return nil
			}
			from, to := "Mitigated", "Active"
			if !f.Active {
				from, to = to, from
			}
			return s.RestoreLocations(ctx, f, from, to, e.At, a.Who.User.ID, a.Now)
		},
	})
	return f, err == nil, err
}

// restorers put a field's text of the history back into a finding. A change of
// any other field cannot be undone.
var restorers = map[string]func(f *gate.Finding, text string){
	"active":              func(f *gate.Finding, v string) { f.Active = v == "true" },
	"verified":            func(f *gate.Finding, v string) { f.Verified = v == "true" },
	"false_p":             func(f *gate.Finding, v string) { f.FalseP = v == "true" },
	"out_of_scope":        func(f *gate.Finding, v string) { f.OutOfScope = v == "true" },
	"risk_accepted":       func(f *gate.Finding, v string) { f.RiskAccepted = v == "true" },
	"is_mitigated":        func(f *gate.Finding, v string) { f.IsMitigated = v == "true" },
	"under_review":        func(f *gate.Finding, v string) { f.UnderReview = v == "true" },
	"mitigated":           func(f *gate.Finding, v string) { f.Mitigated = timeOf(v) },
	"mitigated_by":        func(f *gate.Finding, v string) { f.MitigatedByID = idOf(v) },
	"review_requested_by": func(f *gate.Finding, v string) { f.ReviewRequestedByID = idOf(v) },
	"reviewers":           func(f *gate.Finding, v string) { f.Reviewers = idsOf(v) },
	"assignee":            func(f *gate.Finding, v string) { f.AssigneeID = idOf(v) },
}

// restore puts back what a change was from, if the finding still is what the
// change made of it, and all of it can be put back.
func restore(f *gate.Finding, changed map[string]any) bool {
	now := *f
	for _, k := range kept {
		pair, is := changed[k.name].([]any)
		if !is {
			continue
		}
		put, known := restorers[k.name]
		if !known || len(pair) != 2 || pair[1] != clip(k.of(now)) {
			return false
		}
		was, isText := pair[0].(string)
		if !isText {
			return false
		}
		put(f, was)
	}
	return len(changed) > 0
}

func timeOf(s string) *time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil
	}
	return &t
}

func idsOf(s string) []int64 {
	ids := []int64{}
	for word := range strings.FieldsSeq(s) {
		if id := idOf(word); id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

func idOf(s string) *int64 {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil
	}
	return &id
}
