package inbound

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/breaker"
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
	if err := h.health().Rested(ctx, conn); err != nil {
		return err
	}
	outcome, err := kind.Work(ctx, Delivery{d, conn})
	h.health().Note(ctx, conn, err)
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

func (h *Hooks) health() breaker.Breaker { return breaker.Breaker{Store: h.Store, Now: h.Now} }

// eachConnection calls do for each connection of a kind that is in use and
// answers. Problems of one hold up no other.
func (h *Hooks) eachConnection(ctx context.Context, kind string, do func(context.Context, store.Connection) error) error {
	list, err := h.Store.Connections(ctx, kind)
	if err != nil {
		return err
	}
	var errs []error
	for _, conn := range list {
		if !conn.Enabled || h.health().Rested(ctx, conn) != nil {
			continue
		}
		err := do(ctx, conn)
		h.health().Note(ctx, conn, err)
		if err != nil {
			errs = append(errs, fmt.Errorf("connection %d: %w", conn.ID, err))
		}
	}
	return errors.Join(errs...)
}

// eachMapped calls do once for each repository of a connection that has a product
// and may be seen. What is wrong with one alone holds up no other.
func (h *Hooks) eachMapped(ctx context.Context, conn store.Connection, do func(store.Repository) error) error {
	parts, err := h.Store.Repositories(ctx, conn.ID)
	if err != nil {
		return err
	}
	done := map[int64]bool{}
	var errs []error
	for _, r := range parts {
		if r.ProductID == nil || r.Lost != nil || done[r.ProviderID] {
			continue
		}
		done[r.ProviderID] = true
		err := do(r)
		if e, ok := errors.AsType[*integrations.Error](err); ok && e.Permanent && !e.Ails() {
			errs = append(errs, fmt.Errorf("%s: %w", r.FullName, err))
		} else if err != nil {
			return err
		}
	}
	return errors.Join(errs...)
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
