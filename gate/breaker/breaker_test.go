package breaker

import (
	"errors"
	"testing"
	"time"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// TestBreaker: the fifth failure in a row has a system left alone, for longer
// each time, and an answer ends that. What is no answer of the system counts for nothing.
func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b := Breaker{Store: store.New(gatetest.DB(t)), Now: func() time.Time { return now }}
	conn, other := store.Connection{ID: 1, Kind: "github"}, store.Connection{ID: 2, Kind: "github"}
	down := &integrations.Error{System: "github", Op: "write", Status: 502}
	rest := func(c store.Connection) time.Duration {
		t.Helper()
		err := b.Rested(t.Context(), c)
		if err == nil {
			return 0
		}
		return integrations.RetryAfter(err)
	}
	b.Note(t.Context(), conn, errors.New("a fault of ours"))
	for n := range 4 {
		b.Note(t.Context(), conn, down)
		if d := rest(conn); d != 0 {
			t.Errorf("after %d failures it rests for %s", n+1, d)
		}
	}
	for n, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		b.Note(t.Context(), conn, down)
		if d := rest(conn); d != want {
			t.Errorf("after %d failures it rests for %s, want %s", n+5, d, want)
		}
	}
	if d := rest(other); d != 0 {
		t.Errorf("another connection rests for %s", d)
	}
	now = now.Add(15*time.Minute + time.Second)
	if d := rest(conn); d != 0 {
		t.Errorf("when its time is over it rests for %s", d)
	}
	b.Note(t.Context(), conn, nil)
	b.Note(t.Context(), conn, down)
	if d := rest(conn); d != 0 {
		t.Errorf("after an answer and a failure it rests for %s", d)
	}
}
