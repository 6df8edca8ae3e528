package verdict

import (
	"context"
	"errors"
	"fmt"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// A review judges again no more than the newest verdicts of so many lines of
// work, and none that are older: branches that nobody builds any more.
const (
	reviewLines = 100
	reviewAge   = 90 * 24 * time.Hour
)

// Review judges the standing verdicts of a product again, as they were asked
// for, because something changed that they rest on. A verdict that says the same
// is left as it is; nobody is told of one that does not flip.
func (j *Judge) Review(ctx context.Context, product int64, now time.Time) error {
	causes, err := j.Store.TakeReview(ctx, product)
	if err != nil || len(causes) == 0 {
		return err // somebody else has done it
	}
	open, err := j.Store.OpenVerdicts(ctx, product, now.Add(-reviewAge), reviewLines)
	if err != nil {
		return err
	}
	var errs []error
	for i := range open {
		if err := j.again(ctx, &open[i], causes[0], now); err != nil {
			errs = append(errs, fmt.Errorf("verdict %d: %w", open[i].ID, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, j.putBack(ctx, product, causes[0], now))
	}
	return j.Store.VerdictsLeft(ctx, product, now)
}

// putBack has the review tried again by the next try of its job.
func (j *Judge) putBack(ctx context.Context, product int64, cause string, now time.Time) error {
	_, err := j.Store.QueueReviews(context.WithoutCancel(ctx), []int64{product}, cause, now)
	return err
}

// again judges one verdict again.
func (j *Judge) again(ctx context.Context, v *store.StoredVerdict, cause string, now time.Time) error {
	r, err := j.request(ctx, v)
	if err != nil {
		return err
	}
	newest, err := j.newestCommit(ctx, &r)
	if err != nil || newest != r.Commit && r.Commit != "" {
		return err // a newer report has come: its own verdict follows
	}
	_, err = j.judge(ctx, r, cause, now, v)
	if gate.KindOf(err) == gate.NotFound {
		return nil // the engagement is gone
	}
	return err
}
