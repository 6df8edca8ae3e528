package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// start starts the workers on a database of the test's own.
func start(t *testing.T, pool *pgxpool.Pool, work Work) *Jobs {
	t.Helper()
	work.Maintain = func(context.Context) error { return nil }
	db := store.New(pool)
	work.Beat, work.Leave = db.Beat, db.Leave
	j, err := New(pool, work, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Stop(context.WithoutCancel(t.Context())) })
	return j
}

// until waits for a query to return true.
func until(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var ok bool
		if err := pool.QueryRow(t.Context(), sql).Scan(&ok); err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("in a minute this did not come true: %s", sql)
		}
	}
}

func inTx(t *testing.T, pool *pgxpool.Pool, f func(tx pgx.Tx) error) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), pool, f)
}

// What follows an event is planned once, though a follower failed in between
// and had planned something by then; what was rolled back is never followed.
func TestEventsAreFollowedOnce(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	if _, err := pool.Exec(t.Context(), `create table planned (verdict bigint)`); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	j := start(t, pool, Work{Followers: []Follower{
		func(ctx context.Context, tx pgx.Tx, e gate.Event) error {
			_, err := tx.Exec(ctx, `insert into planned values ($1)`, e.VerdictID)
			return err
		},
		func(context.Context, pgx.Tx, gate.Event) error {
			if calls.Add(1) == 1 {
				return errors.New("not now")
			}
			return nil
		},
	}})
	boom := errors.New("boom")
	if err := inTx(t, pool, func(tx pgx.Tx) error {
		return errors.Join(j.Tell(t.Context(), tx, gate.Event{Kind: gate.EventVerdict, VerdictID: 1}), boom)
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if err := inTx(t, pool, func(tx pgx.Tx) error {
		return j.Tell(t.Context(), tx, gate.Event{Kind: gate.EventVerdict, VerdictID: 2})
	}); err != nil {
		t.Fatal(err)
	}
	until(t, pool, `select count(*) = 1 from river_job where kind = 'event' and state = 'completed'`)
	var n, verdict int
	if err := pool.QueryRow(t.Context(), `select count(*), min(verdict) from planned`).Scan(&n, &verdict); err != nil || n != 1 || verdict != 2 {
		t.Errorf("planned %d times, for verdict %d, %v", n, verdict, err)
	}
	if calls.Load() != 2 {
		t.Errorf("the follower that failed once was called %d times", calls.Load())
	}
}

// An error says what becomes of what was to be sent.
func TestSendErrors(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	var tries atomic.Int32
	j := start(t, pool, Work{Senders: map[string]Sender{"slack": func(_ context.Context, body json.RawMessage) error {
		switch string(body) {
		case `"gone"`:
			return &integrations.Error{System: "slack", Op: "send", Status: 404, Permanent: true}
		case `"busy"`:
			return &integrations.Error{System: "slack", Op: "send", Status: 429, After: time.Hour}
		case `"flaky"`:
			if tries.Add(1) == 1 {
				return errors.New("reset")
			}
		}
		return nil
	}}})
	for _, body := range []string{"fine", "gone", "busy", "flaky"} {
		if err := inTx(t, pool, func(tx pgx.Tx) error { return j.Send(t.Context(), tx, Send{Channel: "slack", Body: body}) }); err != nil {
			t.Fatal(err)
		}
	}
	for body, state := range map[string]string{"fine": "completed", "gone": "cancelled", "busy": "scheduled", "flaky": "completed"} {
		until(t, pool, `select state = '`+state+`' from river_job where kind = 'send' and args ->> 'body' = '`+body+`'`)
	}
	until(t, pool, `select attempt = 0 and scheduled_at > now() + interval '55 minutes' from river_job where args ->> 'body' = 'busy'`)
}

// Jobs that were at work on a node which died go to another; those of nodes
// that live stay, and one that was the end of its node too often is given up.
func TestJobsOfADeadNode(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	db := store.New(pool)
	if _, err := db.Beat(t.Context(), "alive", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `
		insert into river_job (state, kind, queue, args, attempt, max_attempts, attempted_at, attempted_by)
		select 'running', 'x', 'nobody', '{}', attempt, 3, now() - at, by from (values
			(1, interval '1 hour', array['other', 'alive']), (1, interval '1 hour', array['dead']), (3, interval '1 hour', array['dead', 'dead', 'dead']), (1, interval '1 second', array['dead'])
		) v (attempt, at, by)`); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Beat(t.Context(), "alive", time.Minute); n != 2 || err != nil {
		t.Errorf("%d jobs rescued, %v", n, err)
	}
	rows, _ := pool.Query(t.Context(), `select state::text from river_job order by id`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if want := []string{"running", "available", "discarded", "running"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the jobs are %v, want %v, %v", got, want, err)
	}
	if err := db.Leave(t.Context(), "alive"); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Beat(t.Context(), "new", time.Minute); n != 1 || err != nil {
		t.Errorf("after the node left: %d jobs rescued, %v", n, err)
	}
}
