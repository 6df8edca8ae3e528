package enrich

import (
	"context"
	"slices"
	"time"

	"defectdojo/gate/store"
)

// How often a source is asked.
const (
	daily = 23 * time.Hour // a little less than a day: the hourly job is then in time
	again = time.Hour      // after a failure
)

// RefreshIfDue refreshes if a day has gone since the last time, or an hour since
// one that failed. It returns whether it did.
func (e *Enricher) RefreshIfDue(ctx context.Context, now time.Time) (bool, error) {
	had, err := e.Store.IntelSources(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range e.sources() {
		if s.off() {
			continue
		}
		i := slices.IndexFunc(had, func(h store.IntelSource) bool { return h.Source == s.name })
		if i < 0 || due(had[i], shown(s.place), now) {
			_, err := e.Refresh(ctx, now)
			return true, err
		}
	}
	return false, nil
}

// due tells whether a source is to be asked: one that moved is at once.
func due(had store.IntelSource, place string, now time.Time) bool {
	wait := daily
	if had.Error != "" {
		wait = again
	}
	return had.Checked == nil || had.URL != place || now.Sub(*had.Checked) >= wait
}
