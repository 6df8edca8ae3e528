package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

type tickArgs struct{}

// Kind names the job in the queue's table.
func (tickArgs) Kind() string { return "tick" }

type tickWorker struct {
	river.WorkerDefaults[tickArgs]

	tick func(ctx context.Context) error
}

// Work does what is done each minute.
func (w *tickWorker) Work(ctx context.Context, _ *river.Job[tickArgs]) error {
	if w.tick == nil {
		return nil
	}
	return w.tick(ctx)
}

// ticking has something done each minute, by one of the nodes. One that failed
// is not tried again: the next comes soon.
func ticking() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(time.Minute), func() (river.JobArgs, *river.InsertOpts) {
		return tickArgs{}, &river.InsertOpts{MaxAttempts: 1}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}
