package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// Receiver works one delivery of a webhook, by its id in the database. It may be
// called again after it succeeded. last tells that it will not be called again
// if it fails now. Errors mean what they mean of a Sender.
type Receiver func(ctx context.Context, delivery int64, last bool) error

type receiveArgs struct {
	From     string `json:"from"`
	Delivery int64  `json:"delivery"`
}

// Kind names the job in the queue's table.
func (receiveArgs) Kind() string { return "receive" }

// Receive has a delivery of a system worked once tx has committed.
func (j *Jobs) Receive(ctx context.Context, tx pgx.Tx, from string, delivery int64) error {
	_, err := j.client.InsertTx(ctx, tx, receiveArgs{from, delivery}, &river.InsertOpts{Queue: receiveQueue(from), MaxAttempts: sendAttempts})
	return err
}

func receiveQueue(from string) string { return "receive_" + from }

type receiveWorker struct {
	river.WorkerDefaults[receiveArgs]

	receivers map[string]Receiver
}

// Work works one delivery, and tells the queue what its error means.
func (w *receiveWorker) Work(ctx context.Context, job *river.Job[receiveArgs]) error {
	receive := w.receivers[job.Args.From]
	if receive == nil {
		return river.JobSnooze(longestPause) // an older node got a newer one's job
	}
	return told(receive(ctx, job.Args.Delivery, job.Attempt >= job.MaxAttempts))
}

// NextRetry doubles the pause, up to the longest.
func (*receiveWorker) NextRetry(job *river.Job[receiveArgs]) time.Time {
	return nextTry(*job.AttemptedAt, len(job.Errors))
}
