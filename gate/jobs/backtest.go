package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// backtestQueue has backtests come one after the other on a node: nobody waits
// for one as for a verdict.
const backtestQueue = "backtest"

// backtestTries is how often a backtest is taken up anew after a failure.
const backtestTries = 5

type backtestArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job in the queue's table.
func (backtestArgs) Kind() string { return "backtest" }

// Backtest has a backtest worked once tx has committed.
func (j *Jobs) Backtest(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := j.client.InsertTx(ctx, tx, backtestArgs{id}, &river.InsertOpts{Queue: backtestQueue, MaxAttempts: backtestTries})
	return err
}

func addBacktests(workers *river.Workers, work Work) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[backtestArgs]) error {
		more, err := work.Backtest(ctx, j.Args.ID, j.Attempt >= j.MaxAttempts)
		if err == nil && more { // others have their turn
			return river.JobSnooze(time.Millisecond)
		}
		return err
	}))
}
