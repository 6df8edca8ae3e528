package tracker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Follow notes which tickets an event may have something to do with, and wakes
// the workers of their instances: it is a jobs.Follower.
func (t *Tracker) Follow(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	s := store.In(tx)
	switch e.Kind {
	case gate.EventImport:
		return t.followImport(ctx, s, tx, e)
	case gate.EventTriage:
		return t.followFindings(ctx, s, tx, e.FindingIDs, e.PushToJira, e.PushToJira)
	case gate.EventEngagement, gate.EventCreated:
		if e.EngagementID == 0 {
			return nil
		}
		return t.followEngagement(ctx, s, tx, e.EngagementID)
	case gate.EventWaiver:
		at, err := s.WantWaived(ctx, e.WaiverID, t.Now())
		return t.wakeAll(ctx, tx, at, err)
	default:
		return nil
	}
}

func (t *Tracker) followImport(ctx context.Context, s *store.Store, tx pgx.Tx, e gate.Event) error {
	p, err := s.JIRAProjectFor(ctx, e.EngagementID)
	if gate.KindOf(err) == gate.NotFound && err != nil {
		return nil
	}
	if err != nil || p.JIRAInstanceID == nil {
		return err
	}
	did, err := s.Imported(ctx, e.ImportID)
	if err != nil {
		return err
	}
	push := did.PushToJIRA || e.PushToJira
	w := store.Wish{FindingIDs: did.FindingIDs, Asked: push, Now: t.Now()}
	if p.Enabled && (push || p.PushAllIssues) {
		w.ProjectID = p.ID
	}
	if p.Enabled && p.EpicMapping {
		if err := s.WantEpic(ctx, e.EngagementID, p.ID, t.Now()); err != nil {
			return err
		}
	}
	at, err := s.WantTickets(ctx, w)
	if len(at) == 0 && p.EpicMapping {
		at = []int64{*p.JIRAInstanceID}
	}
	return t.wakeAll(ctx, tx, at, err)
}

// followFindings notes that findings have changed, and makes tickets of those
// that are to have one.
func (t *Tracker) followFindings(ctx context.Context, s *store.Store, tx pgx.Tx, findings []int64, asked, again bool) error {
	groups, err := s.FindingsByEngagement(ctx, findings)
	if err != nil {
		return err
	}
	for _, g := range groups {
		w := store.Wish{FindingIDs: g.FindingIDs, Asked: asked, Again: again, Now: t.Now()}
		p, err := s.JIRAProjectFor(ctx, g.EngagementID)
		if err != nil && gate.KindOf(err) != gate.NotFound {
			return err
		}
		if p.Enabled && p.JIRAInstanceID != nil && (asked || p.PushAllIssues) {
			w.ProjectID = p.ID
		}
		at, err := s.WantTickets(ctx, w)
		if err := t.wakeAll(ctx, tx, at, err); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tracker) wakeAll(ctx context.Context, tx pgx.Tx, instances []int64, err error) error {
	for _, id := range instances {
		if err == nil {
			err = t.Wake(ctx, tx, id, time.Time{})
		}
	}
	return err
}

// Push has tickets made or updated because somebody asks for it: also those
// that JIRA has no more. Findings that do not qualify get none; Plan says why.
func (t *Tracker) Push(ctx context.Context, findings []int64) error {
	return t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error { return t.followFindings(ctx, s, tx, findings, true, true) })
}

// PushEpic has an engagement's epic made or updated.
func (t *Tracker) PushEpic(ctx context.Context, engagement int64) error {
	return t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error { return t.followEngagement(ctx, s, tx, engagement) })
}

// followEngagement notes that an engagement's epic may have changed, where it
// is to have one.
func (t *Tracker) followEngagement(ctx context.Context, s *store.Store, tx pgx.Tx, engagement int64) error {
	p, err := s.JIRAProjectFor(ctx, engagement)
	if gate.KindOf(err) == gate.NotFound && err != nil || err == nil && (p.JIRAInstanceID == nil || !p.EpicMapping || !p.Enabled) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.WantEpic(ctx, engagement, p.ID, t.Now()); err != nil {
		return err
	}
	return t.Wake(ctx, tx, *p.JIRAInstanceID, time.Time{})
}

// Retry has one ticket looked at.
func (t *Tracker) Retry(ctx context.Context, ticket, instance int64) error {
	return t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if err := s.WantTicket(ctx, ticket, t.Now()); err != nil {
			return err
		}
		return t.Wake(ctx, tx, instance, time.Time{})
	})
}

// Heard notes that JIRA tells of an issue of the instance that a connection is
// for, and returns whether it is ours.
func (t *Tracker) Heard(ctx context.Context, connection int64, issue string) (bool, error) {
	inst, err := t.Store.JIRAInstanceOf(ctx, connection)
	if err != nil {
		return false, err
	}
	ours := false
	err = t.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		n, err := s.WantIssue(ctx, inst.ID, issue, t.Now())
		if ours = n > 0; err != nil || !ours {
			return err
		}
		return t.Wake(ctx, tx, inst.ID, time.Time{})
	})
	return ours, err
}
