package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/people"
	"defectdojo/gate/policy"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/gate/waiver"
)

// wireGate makes the gate: what judges, what it judges by, and what signs.
func (s *Server) wireGate() error {
	s.keys = &signing.Keys{Store: s.store, Box: s.box}
	s.judge = &verdict.Judge{Store: s.store, Tell: s.tell, Approvers: func(ctx context.Context, product int64) ([]gate.User, error) {
		return s.auth.Holders(ctx, auth.ApproveWaiver, product)
	}}
	s.people = &people.Desk{Store: s.store, Auth: s.auth}
	s.judge.Later = func(ctx context.Context, tx pgx.Tx, id int64) error { return s.jobs.Backtest(ctx, tx, id) }
	s.policies = &policy.Desk{Store: s.store, Tell: s.tell}
	s.waivers = &waiver.Desk{Store: s.store, Findings: s.judge.Findings, Policies: s.judge.Policies, Tell: s.tell}
	return s.keys.Prepare(s.life, now())
}

// reviewDelay gathers changes that come together: one review is for all of them.
const reviewDelay = 3 * time.Second

// review has verdicts judged again after what they rest on has changed: those of
// one product, or of all.
func (s *Server) review(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	switch e.Kind {
	case gate.EventTriage, gate.EventWaiver, gate.EventPolicy, gate.EventIntel:
	default:
		return nil
	}
	if e.Action == "note" || e.PushToJira { // no verdict rests on words
		return nil
	}
	products := []int64{e.ProductID}
	if e.ProductID == 0 {
		var err error
		if products, err = store.In(tx).JudgedProducts(ctx); err != nil {
			return err
		}
	}
	return s.queueReviews(ctx, tx, products, string(e.Kind))
}

func (s *Server) queueReviews(ctx context.Context, tx pgx.Tx, products []int64, cause string) error {
	due := now().Add(reviewDelay)
	fresh, err := store.In(tx).QueueReviews(ctx, products, cause, due)
	if err != nil {
		return err
	}
	return s.jobs.Review(ctx, tx, fresh, due)
}

// expireAtOnce bounds how many products one look for verdicts whose time has run
// out has reviewed; the next look takes the others.
const expireAtOnce = 500

func (s *Server) expire(ctx context.Context) error {
	products, err := s.store.ExpiredVerdicts(ctx, now(), expireAtOnce)
	if err != nil || len(products) == 0 {
		return err
	}
	return s.store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error { return s.queueReviews(ctx, tx, products, "expired") })
}

// backtestTurn is how long a backtest works before others have their turn.
const backtestTurn = 2 * time.Minute

// backtest is the job's.
func (s *Server) backtest(ctx context.Context, id int64, last bool) (more bool, err error) {
	more, err = s.judge.WorkBacktest(ctx, id, backtestTurn, now)
	if err != nil && last && ctx.Err() == nil {
		err = errors.Join(err, s.store.EndBacktest(context.WithoutCancel(ctx), id, "failed", "it went wrong too often; the log of the server tells more", now()))
	}
	return more, err
}
