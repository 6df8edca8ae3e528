package tracker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// saveFailure saves a ticket with what went wrong. news: nobody was told of it yet.
func (s *session) saveFailure(ctx context.Context, news bool) error {
	return s.Store.Tx(ctx, func(st *store.Store, tx pgx.Tx) error {
		if err := st.SaveTicket(ctx, s.k); err != nil || !news {
			return err
		}
		return s.tell(ctx, tx, gate.TicketRefused, 0)
	})
}

// tell has it told what a ticket has come to.
func (s *session) tell(ctx context.Context, tx pgx.Tx, what string, note int64) error {
	if s.Tell == nil {
		return nil
	}
	e := gate.Event{Kind: gate.EventTicket, At: s.Now(), Action: what, TicketID: s.k.ID, NoteID: note, ConnectionID: s.connectionID()}
	if len(s.subject.Findings) > 0 {
		f := s.subject.Findings[0]
		e.ProductID, e.EngagementID, e.TestID = f.ProductID, f.EngagementID, f.TestID
	} else {
		e.ProductID, e.EngagementID = s.subject.Engagement.ProductID, s.subject.Engagement.ID
	}
	return s.Tell(ctx, tx, e)
}

func (s *session) connectionID() int64 {
	if s.inst.ConnectionID == nil {
		return 0
	}
	return *s.inst.ConnectionID
}

// tellOutage has it told that the instance does not answer, if that is why it is
// left alone now. Who follows the event tells of an outage once.
func (s *session) tellOutage(ctx context.Context, now time.Time) error {
	until, err := s.Store.ChannelOpenUntil(ctx, Channel, s.inst.ID, now)
	if err != nil || until.IsZero() || s.Tell == nil {
		return err
	}
	return s.Store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error {
		return s.Tell(ctx, tx, gate.Event{Kind: gate.EventTicket, At: now, Action: gate.TicketOutage, ConnectionID: s.connectionID()})
	})
}
