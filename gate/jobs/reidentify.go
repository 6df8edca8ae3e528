package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

type reidentifyArgs struct {
	ScanType string `json:"scan_type"`
}

// Kind names the job in the queue's table.
func (reidentifyArgs) Kind() string { return "reidentify" }

// Reidentify has the findings of a scan type follow its new settings once tx has committed.
func (j *Jobs) Reidentify(ctx context.Context, tx pgx.Tx, scanType string) error {
	_, err := j.client.InsertTx(ctx, tx, reidentifyArgs{scanType}, &river.InsertOpts{Queue: reviewQueue})
	return err
}

type reidentifyWorker struct {
	river.WorkerDefaults[reidentifyArgs]

	reidentify func(ctx context.Context, scanType string) error
}

// Work goes product by product: what is done stays done if it is cut off.
func (w *reidentifyWorker) Work(ctx context.Context, job *river.Job[reidentifyArgs]) error {
	return w.reidentify(ctx, job.Args.ScanType)
}

// Timeout is long: there may be a million findings of the scan type.
func (*reidentifyWorker) Timeout(*river.Job[reidentifyArgs]) time.Duration { return time.Hour }
