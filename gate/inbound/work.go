package inbound

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// Work works a kept delivery, and notes what became of it. It is a job's: an
// error has it called again, unless it is permanent.
func (h *Hooks) Work(ctx context.Context, id int64, last bool) error {
	d, err := h.Store.Delivery(ctx, id)
	if gate.KindOf(err) == gate.NotFound {
		return nil // it has expired, or its connection is gone
	}
	if err != nil {
		return err
	}
	conn, err := h.Store.Connection(ctx, d.ConnectionID)
	if err != nil {
		return err
	}
	kind, ok := h.kind(conn.Kind)
	if !ok || kind.Work == nil || !conn.Enabled {
		return h.finish(ctx, id, store.DeliveryIgnored, "the connection is switched off")
	}
	if err := h.rested(ctx, conn); err != nil {
		return err
	}
	outcome, err := kind.Work(ctx, Delivery{d, conn})
	h.noteHealth(ctx, conn, err)
	if ignored, ok := errors.AsType[*Ignored](err); ok {
		return h.finish(ctx, id, store.DeliveryIgnored, ignored.Why)
	}
	if unreadable, ok := errors.AsType[*Unreadable](err); ok {
		return h.finish(ctx, id, store.DeliveryFailed, unreadable.Why)
	}
	if err == nil {
		return h.finish(ctx, id, store.DeliveryDone, outcome)
	}
	state := store.DeliveryQueued
	var finished *time.Time
	if last || integrations.IsPermanent(err) {
		now := h.Now()
		state, finished = store.DeliveryFailed, &now
	}
	if e := h.Store.SetDelivery(ctx, id, state, tell(err), finished); e != nil {
		return e
	}
	return err
}

func (h *Hooks) finish(ctx context.Context, id int64, state, outcome string) error {
	now := h.Now()
	return h.Store.SetDelivery(ctx, id, state, outcome, &now)
}

// rested returns an error while a system is to be left alone.
func (h *Hooks) rested(ctx context.Context, conn store.Connection) error {
	now := h.Now()
	until, err := h.Store.ChannelOpenUntil(ctx, conn.Kind, conn.ID, now)
	if err != nil || until.IsZero() {
		return err
	}
	return &integrations.Error{System: conn.Kind, Op: "wait", After: until.Sub(now), Err: errors.New("it did not answer the last times")}
}

// noteHealth notes how a system answered, if it was asked.
func (h *Hooks) noteHealth(ctx context.Context, conn store.Connection, err error) {
	e, foreign := errors.AsType[*integrations.Error](err)
	var noted error
	switch {
	case err == nil:
		noted = h.Store.ChannelWorked(ctx, conn.Kind, conn.ID, h.Now())
	case foreign && e.Ails():
		noted = h.Store.ChannelFailed(ctx, conn.Kind, conn.ID, e.Error(), h.Now())
	}
	if noted != nil {
		slog.ErrorContext(ctx, "health not noted", "kind", conn.Kind, "error", noted)
	}
}

// tell is what people are told of an error: a foreign system's answer, or one
// that is meant for them. It holds no secret.
func tell(err error) string {
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*gate.Error](err); ok {
		return integrations.Redact(e.Message)
	}
	return "internal error: it is in the log"
}

// Again has a kept delivery worked once more.
func (h *Hooks) Again(ctx context.Context, id int64) error {
	d, err := h.Store.Delivery(ctx, id)
	if err != nil {
		return err
	}
	conn, err := h.Store.Connection(ctx, d.ConnectionID)
	if err != nil {
		return err
	}
	return h.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if err := s.QueueDelivery(ctx, id); err != nil {
			return err
		}
		return h.Enqueue(ctx, tx, conn.Kind, id)
	})
}
