package verdict

import (
	"context"
	"time"

	"defectdojo/gate/store"
)

// Rejudge judges again what a verdict was about, as it was asked for, because
// somebody wants to know.
func (j *Judge) Rejudge(ctx context.Context, v store.StoredVerdict, now time.Time) error {
	r, err := j.request(ctx, &v)
	if err != nil {
		return err
	}
	_, err = j.Judge(ctx, r, now)
	return err
}
