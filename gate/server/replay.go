package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"defectdojo/gate"
)

// ReplayRequest says which verdicts are judged again.
type ReplayRequest struct {
	IDs   []int64       // these; or
	Since time.Duration // all that are no older
}

// Replay judges verdicts again from what was kept of their inputs, beside a
// running node or without one, and tells where one does not come out the same,
// byte for byte. It returns how many do not.
func Replay(ctx context.Context, cfg Config, r ReplayRequest, out io.Writer) (differ int, err error) {
	err = beside(ctx, cfg, out, func(s *Server) error {
		began, n := now(), 0
		one := func(id int64) error {
			n++
			where, err := s.judge.Again(ctx, id)
			if err != nil {
				return fmt.Errorf("verdict %d: %w", id, err)
			}
			if len(where) > 0 {
				differ++
			}
			for _, w := range where {
				fmt.Fprintf(out, "verdict %d: %s\n", id, w)
			}
			return nil
		}
		if err := s.each(ctx, r, one); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s judged again in %s: %d came out differently\n", verdictsOf(n), now().Sub(began).Round(time.Millisecond), differ)
		return nil
	})
	return differ, err
}

// each calls f for each verdict that is asked for, the oldest first.
func (s *Server) each(ctx context.Context, r ReplayRequest, f func(int64) error) error {
	if len(r.IDs) > 0 {
		for _, id := range r.IDs {
			if err := f(id); err != nil {
				return err
			}
		}
		return nil
	}
	var since time.Time
	if r.Since > 0 {
		since = now().Add(-r.Since)
	}
	for after := int64(0); ; {
		ids, err := s.store.VerdictIDs(ctx, since, after, 500)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			after = id
			if err := f(id); err != nil && gate.KindOf(err) != gate.NotFound { // removed meanwhile
				return err
			}
		}
	}
}

func verdictsOf(n int) string {
	if n == 1 {
		return "1 verdict"
	}
	return fmt.Sprintf("%d verdicts", n)
}
