package jobs

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"defectdojo/gate"
	"defectdojo/gate/fault"
)

// Follower plans what follows an event: it only reads and writes the database,
// in tx, and puts what is to be sent into the queue there. Whoever must be told
// something over a network is told by a job of its own.
type Follower func(ctx context.Context, tx pgx.Tx, e gate.Event) error

type eventArgs struct {
	Event gate.Event `json:"event"`
}

// Kind names the job in the queue's table.
func (eventArgs) Kind() string { return "event" }

// Tell has an event followed once tx has committed.
func (j *Jobs) Tell(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	_, err := j.client.InsertTx(ctx, tx, eventArgs{e}, nil)
	return err
}

// follow runs all followers of an event in one transaction, which also ends the
// job: what they plan is planned once, whatever dies when.
func follow(pool *pgxpool.Pool, followers []Follower) func(context.Context, *river.Job[eventArgs]) error {
	return func(ctx context.Context, job *river.Job[eventArgs]) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			for _, f := range followers {
				if err := f(ctx, tx, job.Args.Event); err != nil {
					return err
				}
			}
			fault.Point(fault.Following)
			_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
			return err
		})
	}
}
