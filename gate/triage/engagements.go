package triage

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// EngagementChange is what happened to an engagement.
type EngagementChange struct {
	Action     string // closed, reopened, auto_closed
	Engagement gate.Engagement
	Who        gate.Principal // nobody, if it closed by itself
	At         time.Time
}

// SetEngagement opens or closes an engagement. One that is so already stays as it is.
func (t *Triage) SetEngagement(ctx context.Context, a Actor, e gate.Engagement, active bool) error {
	c := EngagementChange{Action: map[bool]string{true: "reopened", false: "closed"}[active], Engagement: e, Who: a.Who, At: a.Now}
	event := store.AuditEvent{
		At: a.Now, ActorID: &a.Who.User.ID, Actor: a.Who.Name(), Action: map[bool]string{true: "reopen", false: "close"}[active], RequestID: a.RequestID, IP: a.IP,
	}
	return t.tx(ctx, func(s *store.Store, tx pgx.Tx) error { return t.setEngagement(ctx, s, tx, c, event, active) })
}

func (t *Triage) setEngagement(ctx context.Context, s *store.Store, tx pgx.Tx, c EngagementChange, event store.AuditEvent, active bool) error {
	e := c.Engagement
	status := map[bool]string{true: "In Progress", false: "Completed"}[active]
	if err := s.SetEngagementStatus(ctx, e.ID, active, status); err != nil || active == e.Active && status == e.Status {
		return err
	}
	event.Object, event.ObjectID, event.ProductID = "engagement", &e.ID, &e.ProductID
	event.Changes = map[string]any{"active": [2]bool{e.Active, active}, "status": [2]string{e.Status, status}}
	if err := s.AddAuditEvent(ctx, event); err != nil || t.EngagementChanged == nil || active == e.Active {
		return err
	}
	return t.EngagementChanged(ctx, tx, c)
}

// EndEngagements closes the engagements that are at work some days after their
// end, if the system's settings say so: DefectDojo's engagement_auto_close. It
// returns how many.
func (t *Triage) EndEngagements(ctx context.Context, now time.Time) (int, error) {
	ended := 0
	err := t.tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		ended = 0 // of an earlier try
		set, err := s.NotifySettings(ctx)
		if err != nil || !set.AutoClose {
			return err
		}
		over, err := s.LockOverdueEngagements(ctx, now, set.AutoCloseDays)
		if err != nil {
			return err
		}
		for _, e := range over {
			c := EngagementChange{Action: "auto_closed", Engagement: e, At: now}
			if err := t.setEngagement(ctx, s, tx, c, store.AuditEvent{At: now, Actor: "DefectDojo", Action: "auto_close"}, false); err != nil {
				return err
			}
			ended++
		}
		return nil
	})
	return ended, err
}
