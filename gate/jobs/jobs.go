// Package jobs runs what happens in the background, with River: jobs are rows
// of our own database, put there by the transaction that causes them, and worked
// by whichever node is free. It knows no use case: it is given functions.
package jobs

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Work is what the jobs do.
type Work struct {
	Judge    func(ctx context.Context, engagement, report int64) error // judge an engagement, if nobody has since that import
	Maintain func(ctx context.Context) error                           // remove what has expired
	Review   func(ctx context.Context, product int64) error            // judge a product's standing verdicts again
	Expire   func(ctx context.Context) error                           // have those reviewed whose time has run out
	Refresh  func(ctx context.Context) error                           // bring in new intelligence, if that is due

	Tick func(ctx context.Context) error // what is done each minute; nil: nothing

	Followers []Follower        // of events, in this order
	Senders   map[string]Sender // by channel

	Receivers map[string]Receiver             // of webhooks, by the system that sends them
	Reconcile func(ctx context.Context) error // find what foreign systems did not tell

	Reidentify func(ctx context.Context, scanType string) error // give findings the identities of new settings

	Backtest func(ctx context.Context, id int64, last bool) (more bool, err error) // go on with a backtest; last: there is no other try

	Beat  func(ctx context.Context, node string, silence time.Duration) (rescued int64, err error) // see store.Beat
	Leave func(ctx context.Context, node string) error                                             // see store.Leave
}

// jobTimeout bounds one job; stuck ones are rescued a minute later.
const jobTimeout = 10 * time.Minute

// judgeDelay gives whoever uploaded a report the time to ask for the verdict first.
const judgeDelay = 30 * time.Second

// Jobs puts jobs into the queue and, once started, works them.
type Jobs struct {
	client *river.Client[pgx.Tx]
	work   Work

	die   context.CancelFunc // ends the signs of life
	lived chan struct{}
}

// New returns jobs on a pool. Those of a node that only serves are never started.
func New(pool *pgxpool.Pool, work Work, log *slog.Logger) (*Jobs, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, j *river.Job[judgeArgs]) error {
		return work.Judge(ctx, j.Args.EngagementID, j.Args.ImportID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[maintainArgs]) error { return work.Maintain(ctx) }))
	river.AddWorker(workers, &refreshWorker{refresh: work.Refresh})
	river.AddWorker(workers, river.WorkFunc(follow(pool, work.Followers)))
	river.AddWorker(workers, &sendWorker{senders: work.Senders})
	addReviews(workers, work)
	addBacktests(workers, work)
	river.AddWorker(workers, &tickWorker{tick: work.Tick})
	river.AddWorker(workers, &receiveWorker{receivers: work.Receivers})
	addReconcile(workers, work)
	river.AddWorker(workers, &reidentifyWorker{reidentify: work.Reidentify})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues:               queues(work),
		Workers:              workers,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: jobTimeout + time.Minute,
		SoftStopTimeout:      20 * time.Second,
		Logger:               log,
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) { return maintainArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
			expiring(),
			refreshHourly(),
			reconciling(),
			ticking(),
		},
	})
	return &Jobs{client: client, work: work}, err
}

// queues are one for our own work, and one for each channel: a system that does
// not answer holds up nobody else.
func queues(work Work) map[string]river.QueueConfig {
	all := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4 * runtime.NumCPU(), FetchCooldown: 5 * time.Millisecond}}
	all[reviewQueue] = river.QueueConfig{MaxWorkers: reviewWorkers}
	all[backtestQueue] = river.QueueConfig{MaxWorkers: 1}
	all[reconcileQueue] = river.QueueConfig{MaxWorkers: 1}
	for channel := range work.Senders {
		all[queue(channel)] = river.QueueConfig{MaxWorkers: 4}
	}
	for system := range work.Receivers {
		all[receiveQueue(system)] = river.QueueConfig{MaxWorkers: 4}
	}
	return all
}

// Start works jobs until Stop.
func (j *Jobs) Start(ctx context.Context) error {
	life, die := context.WithCancel(ctx)
	j.die, j.lived = die, make(chan struct{})
	go j.live(life)
	return j.client.Start(ctx)
}

// Stop waits for the jobs at work, up to ctx's end; those that are not finished
// then go back into the queue.
func (j *Jobs) Stop(ctx context.Context) error {
	err := j.client.Stop(ctx)
	if j.die != nil {
		j.die()
		<-j.lived
		if left := j.work.Leave(ctx, j.client.ID()); err == nil {
			err = left
		}
	}
	return err
}

type judgeArgs struct {
	EngagementID int64 `json:"engagement_id"`
	ImportID     int64 `json:"import_id"`
}

// Kind names the job in the queue's table.
func (judgeArgs) Kind() string { return "judge" }

// Judge has an engagement judged a while after tx commits, unless somebody has
// had it judged by then. There is a job for each import: were they made one, an
// import could commit just as the one job ends, and never be judged.
func (j *Jobs) Judge(ctx context.Context, tx pgx.Tx, engagement, report int64, now time.Time) error {
	_, err := j.client.InsertTx(ctx, tx, judgeArgs{engagement, report}, &river.InsertOpts{ScheduledAt: now.Add(judgeDelay)})
	return err
}

type maintainArgs struct{}

// Kind names the job in the queue's table.
func (maintainArgs) Kind() string { return "maintain" }
