package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/breaker"
	"defectdojo/gate/fault"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
)

// Host is what telling is alike for all code hosts.
type Host struct {
	Store *store.Store
	Site  string // where people see verdicts
	Now   func() time.Time

	Enqueue func(context.Context, pgx.Tx, jobs.Send) error
}

// follow plans what follows a verdict: plan notes where in one repository it is told.
func (h *Host) follow(ctx context.Context, tx pgx.Tx, e gate.Event, channel string, plan func(context.Context, pgx.Tx, store.Repository, *store.StoredVerdict) error) error {
	if e.Kind != gate.EventVerdict {
		return nil
	}
	s := store.In(tx)
	parts, err := s.RepositoriesOf(ctx, channel, e.ProductID)
	if err != nil || len(parts) == 0 {
		return err
	}
	v, err := s.Verdict(ctx, gate.Scope{All: true}, e.VerdictID)
	if gate.KindOf(err) == gate.NotFound {
		return nil // it is gone with its product
	}
	if err != nil || !commitPattern.MatchString(v.Document.Subject.Commit) {
		return err
	}
	for _, r := range places(parts, v.Document.Subject) {
		if err := plan(ctx, tx, r, &v); err != nil {
			return err
		}
	}
	return nil
}

// want says what should be at a place, before there is a verdict.
func (h *Host) want(ctx context.Context, p store.Publication, channel string) error {
	return h.Store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error { return want(ctx, tx, p, channel, h.Enqueue) })
}

// send writes what is wanted at a place by now, unless its system is to be left alone.
func (h *Host) send(ctx context.Context, body json.RawMessage, write func(context.Context, store.Connection, store.Repository, int64) error) error {
	var s send
	if err := json.Unmarshal(body, &s); err != nil {
		return err
	}
	r, err := h.Store.Repository(ctx, s.RepositoryID)
	if gate.KindOf(err) == gate.NotFound {
		return nil // nobody wants it any more
	}
	if err != nil {
		return err
	}
	conn, err := h.Store.Connection(ctx, r.ConnectionID)
	if err != nil || !conn.Enabled || r.ProductID == nil || r.Lost != nil {
		return err
	}
	health := breaker.Breaker{Store: h.Store, Now: h.Now}
	if err := health.Rested(ctx, conn); err != nil {
		return err
	}
	err = write(ctx, conn, r, s.Publication)
	health.Note(ctx, conn, err)
	return err
}

// lease takes the lease of a place, has it written, and notes what was. write
// is given what to write at, in which it notes what it wrote, and tells whether
// it may have written something though it failed.
func (h *Host) lease(ctx context.Context, id int64, channel string, write func(context.Context, *store.Publication) (touched bool, err error)) error {
	now := h.Now()
	at, ok, err := h.Store.ClaimPublication(ctx, id, now, now.Add(leaseTime))
	if err != nil {
		return err
	}
	if !ok {
		return errTaken(channel)
	}
	fault.Point(fault.Leased)
	limited, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	touched, err := write(limited, &at)
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		return errors.Join(err, h.Store.ReleasePublication(ctx, at, untouched(err) && !touched))
	}
	fault.Point(fault.Told)
	if err := h.Store.WrotePublication(ctx, at, h.Now()); err != nil {
		return err
	}
	fault.Point(fault.Noted)
	return nil
}
