package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/integrations"
)

// start starts the workers on a database of the test's own.
func start(t *testing.T, pool *pgxpool.Pool, work Work) *Jobs {
	t.Helper()
	work.Maintain = func(context.Context) error { return nil }
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
