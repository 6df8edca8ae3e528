package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// refreshTimeout bounds a refresh of intelligence: exports are large.
const refreshTimeout = 2 * time.Hour

type refreshArgs struct{}

// Kind names the job in the queue's table.
func (refreshArgs) Kind() string { return "refresh_intelligence" }

// InsertOpts keeps a second one from waiting behind the first. What fails is
// tried again by the next one.
func (refreshArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

// refreshWorker refreshes what the outside world knows.
type refreshWorker struct {
	river.WorkerDefaults[refreshArgs]

	refresh func(context.Context) error
}

// Timeout is longer than that of other jobs.
func (*refreshWorker) Timeout(*river.Job[refreshArgs]) time.Duration { return refreshTimeout }

// Work works one job.
func (w *refreshWorker) Work(ctx context.Context, _ *river.Job[refreshArgs]) error {
	if w.refresh == nil {
		return nil
	}
	return w.refresh(ctx)
}

// refreshHourly asks each hour whether a refresh is due, and at the start.
func refreshHourly() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) { return refreshArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})
}
