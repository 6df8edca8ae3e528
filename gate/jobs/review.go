package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// reviewQueue keeps reviews apart: when a policy changes, every product has one,
// and imports are not to wait for them.
const reviewQueue = "review"

// reviewWorkers is how many reviews a node does at once.
const reviewWorkers = 2

type reviewArgs struct {
	ProductID int64 `json:"product_id"`
}

// Kind names the job in the queue's table.
func (reviewArgs) Kind() string { return "review" }

// Review has the verdicts of products judged again at a time, once tx has committed.
func (j *Jobs) Review(ctx context.Context, tx pgx.Tx, products []int64, at time.Time) error {
	if len(products) == 0 {
		return nil
	}
	all := make([]river.InsertManyParams, len(products))
	for i, p := range products {
		all[i] = river.InsertManyParams{Args: reviewArgs{p}, InsertOpts: &river.InsertOpts{Queue: reviewQueue, ScheduledAt: at, MaxAttempts: 8}}
	}
	_, err := j.client.InsertManyFastTx(ctx, tx, all)
	return err
}

type expireArgs struct{}

// Kind names the job in the queue's table.
func (expireArgs) Kind() string { return "expire" }

// expireEvery is how soon a verdict is judged again whose time has run out.
const expireEvery = time.Minute

func addReviews(workers *river.Workers, work Work) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[reviewArgs]) error {
		return work.Review(ctx, j.Args.ProductID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[expireArgs]) error { return work.Expire(ctx) }))
}

// expiring looks for verdicts whose time has run out.
func expiring() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(expireEvery), func() (river.JobArgs, *river.InsertOpts) {
		return expireArgs{}, &river.InsertOpts{Queue: reviewQueue, MaxAttempts: 1}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}
