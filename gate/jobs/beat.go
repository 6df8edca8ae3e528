package jobs

import (
	"context"
	"log/slog"
	"time"
)

// A node says every beat that it is alive. When it has been silent for silence,
// others take over what it was at.
const (
	beat    = 5 * time.Second
	silence = 30 * time.Second
)

// live says that this node is alive, until ctx ends.
func (j *Jobs) live(ctx context.Context) {
	defer close(j.lived)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		if n, err := j.work.Beat(ctx, j.client.ID(), silence); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "the sign of life was not stored", "error", err)
		} else if n > 0 {
			slog.WarnContext(ctx, "jobs of a node that died are in the queue again", "jobs", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
