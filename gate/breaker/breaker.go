// Package breaker leaves foreign systems alone for a while that did not answer
// several times in a row, and keeps for people how each of them is.
package breaker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// Breaker knows how all connections are.
type Breaker struct {
	Store *store.Store
	Now   func() time.Time
}

// Rested returns an error while a connection's system is to be left alone. It
// says when to come again.
func (b Breaker) Rested(ctx context.Context, conn store.Connection) error {
	now := b.Now()
	until, err := b.Store.ChannelOpenUntil(ctx, conn.Kind, conn.ID, now)
	if err != nil || until.IsZero() {
		return err
	}
	return &integrations.Error{System: conn.Kind, Op: "wait", After: until.Sub(now), Err: errors.New("it did not answer the last times")}
}

// Note notes how a connection's system answered, if err says that it was asked.
func (b Breaker) Note(ctx context.Context, conn store.Connection, err error) {
	e, foreign := errors.AsType[*integrations.Error](err)
	var noted error
	switch {
	case err == nil:
		noted = b.Store.ChannelWorked(ctx, conn.Kind, conn.ID, b.Now())
	case foreign && e.Ails():
		noted = b.Store.ChannelFailed(ctx, conn.Kind, conn.ID, e.Error(), b.Now())
	}
	if noted != nil {
		slog.ErrorContext(ctx, "health not noted", "kind", conn.Kind, "error", noted)
	}
}
