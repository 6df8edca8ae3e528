package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/inbound"
	"defectdojo/gate/postgres"
	"defectdojo/integrations"
	"defectdojo/migrations"
)

// ownPostgres runs a PostgreSQL that a test may stop, and returns its database's address.
func ownPostgres(t *testing.T, dir string) (*postgres.Cluster, string) {
	t.Helper()
	programs, err := gatetest.Programs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := postgres.Start(context.Background(), postgres.Config{Dir: dir, Programs: programs}) // none for tests: those may forget what they have acknowledged
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	address, err := c.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, address
}

// TestWebhooks_database_gone sends deliveries while their database falls over,
// and while it is stopped: each is taken, or answered with 503 and when to come
// again. Those that come again are kept once, and none is lost.
func TestWebhooks_database_gone(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("/dev/shm", "defectdojo-test-") //nolint:usetesting // in memory, and open to PostgreSQL's user
	if err != nil {
		dir, err = os.MkdirTemp("", "defectdojo-test-") //nolint:usetesting // as above
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	db, address := ownPostgres(t, dir)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrations.Up(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	h := serveHooksOn(t, pool, 1, usual)
	kinds := hookSenders()
	var taken, refused atomic.Int32
	try := func(k hookSender, id string, at time.Time) int {
		status, answer := h.post(0, h.urls[k.kind], k.mime, strings.NewReader(k.body), k.sign(hookSecret, []byte(k.body), id, false, at))
		switch status {
		case k.taken:
			taken.Add(1)
		case http.StatusServiceUnavailable:
			refused.Add(1)
		default:
			t.Errorf("%s, %s: %d %s", k.kind, id, status, answer)
		}
		return status
	}

	done := make(chan struct{})
	var wait sync.WaitGroup
	sent := make([]int, len(kinds))
	for n, k := range kinds {
		wait.Go(func() {
			begin := time.Now().Add(-4 * time.Minute) // Slack tells deliveries apart by when they were sent
			for {
				select {
				case <-done:
					return
				default:
				}
				for try(k, fmt.Sprintf("%s%d-%d", k.signature, n, sent[n]), begin.Add(time.Duration(sent[n])*time.Second)) != k.taken {
					time.Sleep(10 * time.Millisecond) // as a sender does that tries again
				}
				if sent[n]++; sent[n] == 200 {
					return
				}
			}
		})
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("in a minute this did not come true: %s", what)
			}
		}
	}
	until("some are taken", func() bool { return taken.Load() > 20 })
	before := refused.Load()
	if err := syscall.Kill(db.PID(), syscall.SIGQUIT); err != nil { // as in a crash: it is started again by itself
		t.Fatal(err)
	}
	until("some are refused", func() bool { return refused.Load() > before })
	again := taken.Load()
	until("more are taken", func() bool { return taken.Load() > again+5 })
	close(done)
	wait.Wait()

	if err := db.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		for range 3 {
			if got := try(k, "stopped", time.Now()); got != http.StatusServiceUnavailable {
				t.Errorf("%s, the database is stopped: %d", k.kind, got)
			}
		}
	}
	ownPostgres(t, dir)
	for _, k := range kinds {
		until(k.kind+" is taken", func() bool { return try(k, "stopped", time.Now()) == k.taken })
	}
	all := 0
	for _, n := range sent {
		all += n
	}
	var kept, twice int
	if err := pool.QueryRow(t.Context(), `
		select (select count(*) from webhook_deliveries where state = 'queued'), (select count(*) - count(distinct args->>'delivery') from river_job where kind = 'receive')`).Scan(&kept, &twice); err != nil {
		t.Fatal(err)
	}
	// Of Slack's, those sent anew have another time, and GitLab's two forms share the name "stopped".
	if kept < all+len(kinds)-1 || twice != 0 {
		t.Errorf("%d taken, %d kept, %d worked twice", all+len(kinds), kept, twice)
	}
	t.Logf("%d deliveries taken, %d answers of 503, %d kept", all, refused.Load(), kept)

	pool.Close()
	for _, k := range kinds {
		if got := try(k, "closed", time.Now()); got != http.StatusServiceUnavailable {
			t.Errorf("%s, the pool is closed: %d", k.kind, got)
		}
	}
}

// TestAbsent tells a database that is not there from what is not its fault.
func TestAbsent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.ErrUnexpectedEOF, true},
		{fmt.Errorf("import: %w", syscall.ECONNRESET), true},
		{syscall.ECONNREFUSED, true},
		{syscall.EPIPE, true},
		{pgconn.ErrConnClosed, true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "23505"}, false},
		{io.EOF, false},
		{errors.New("conn closed"), false},
		{&integrations.Error{System: "github", Err: syscall.ECONNREFUSED}, false},
	} {
		if got := absent(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// TestWebhooks_too_large: who sends too much is told so, and not cut off.
func TestWebhooks_too_large(t *testing.T) {
	t.Parallel()
	h := serveHooks(t, 1, usual)
	for _, k := range hookSenders() {
		for _, size := range []int{inbound.MaxBody + 1, 2 * inbound.MaxBody} {
			large := bytes.Repeat([]byte("x"), size)
			header := k.sign(hookSecret, large, "large", false, time.Now())
			for name, body := range map[string]io.Reader{"told": bytes.NewReader(large), "in chunks": io.MultiReader(bytes.NewReader(large))} {
				if got, answer := h.post(0, h.urls[k.kind], k.mime, body, header); got != http.StatusRequestEntityTooLarge {
					t.Errorf("%s, %d bytes, %s: %d %s", k.kind, size, name, got, answer)
				}
			}
		}
		whole := []byte(strings.Replace(k.body, "{", `{"padding":"`+strings.Repeat("x", inbound.MaxBody-len(k.body)-100)+`",`, 1))
		if k.mime != "application/json" {
			continue
		}
		if got, answer := h.post(0, h.urls[k.kind], k.mime, bytes.NewReader(whole), k.sign(hookSecret, whole, "whole", false, time.Now())); got != k.taken {
			t.Errorf("%s, as much as may be: %d %s", k.kind, got, answer)
		}
	}
}
