package jobs

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"defectdojo/integrations"
)

// Sender sends one thing over a channel. It may be called again with the same
// body after it succeeded. An integrations.Error says whether to try again, and
// when; any other error is tried again.
type Sender func(ctx context.Context, body json.RawMessage) error

// Send is something to be sent.
type Send struct {
	Channel string    // whose Sender: github, jira, …; each has a queue of its own
	Body    any       // what its Sender understands
	At      time.Time // not before; zero is at once
}

// sendAttempts outlasts a day of outage: after the first few, an attempt comes
// each longestPause.
const (
	sendAttempts = 200
	longestPause = 10 * time.Minute
	sendTimeout  = 5 * time.Minute
)

type sendArgs struct {
	Channel string          `json:"channel"`
	Body    json.RawMessage `json:"body"`
}

// Kind names the job in the queue's table.
func (sendArgs) Kind() string { return "send" }

// Send puts something to be sent into the queue of its channel, in tx.
func (j *Jobs) Send(ctx context.Context, tx pgx.Tx, s Send) error {
	body, err := json.Marshal(s.Body)
	if err != nil {
		return err
	}
	_, err = j.client.InsertTx(ctx, tx, sendArgs{s.Channel, body}, &river.InsertOpts{Queue: queue(s.Channel), MaxAttempts: sendAttempts, ScheduledAt: s.At})
	return err
}

func queue(channel string) string { return "send_" + channel }

type sendWorker struct {
	river.WorkerDefaults[sendArgs]

	senders map[string]Sender
}

// Work sends one thing, and tells the queue what its error means.
func (w *sendWorker) Work(ctx context.Context, job *river.Job[sendArgs]) error {
	send := w.senders[job.Args.Channel]
	if send == nil {
		return river.JobSnooze(longestPause) // an older node got a newer one's job
	}
	return told(send(ctx, job.Args.Body))
}

// told tells the queue what the error of a foreign system means.
func told(err error) error {
	switch after := integrations.RetryAfter(err); {
	case err == nil:
		return nil
	case integrations.IsPermanent(err):
		return river.JobCancel(err)
	case after > 0:
		return river.JobSnooze(after + rand.N(after/10+time.Second)) //nolint:gosec // no secret
	}
	return err
}

// NextRetry doubles the pause, up to the longest.
func (*sendWorker) NextRetry(job *river.Job[sendArgs]) time.Time {
	return nextTry(*job.AttemptedAt, len(job.Errors))
}

// nextTry doubles the pause with each failure, up to the longest.
func nextTry(at time.Time, failures int) time.Time {
	pause := longestPause
	if failures < 8 {
		pause = min(2*time.Second<<failures, longestPause)
	}
	return at.Add(pause + rand.N(pause/4)) //nolint:gosec // no secret
}

// Timeout bounds one attempt.
func (*sendWorker) Timeout(*river.Job[sendArgs]) time.Duration { return sendTimeout }
