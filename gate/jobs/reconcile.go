package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// reconcileQueue keeps the reconciler apart: it asks foreign systems much.
const reconcileQueue = "reconcile"

// reconcileEvery is how soon is found what a lost webhook did not tell.
const reconcileEvery = 10 * time.Minute

type reconcileArgs struct{}

// Kind names the job in the queue's table.
func (reconcileArgs) Kind() string { return "reconcile" }

func addReconcile(workers *river.Workers, work Work) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[reconcileArgs]) error { return work.Reconcile(ctx) }))
}

// reconciling looks for what foreign systems did not tell.
func reconciling() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(reconcileEvery), func() (river.JobArgs, *river.InsertOpts) {
		return reconcileArgs{}, &river.InsertOpts{Queue: reconcileQueue, MaxAttempts: 1}
	}, nil)
}
