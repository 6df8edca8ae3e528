package tracker

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/jira"
)

func hex8(sum []byte) string { return hex.EncodeToString(sum)[:min(8, 2*len(sum))] }

// Limits of one sweep.
const (
	twins      = 10  // of one ticket, at most
	sweepBatch = 25  // tickets in one query
	sweepMax   = 500 // tickets in one sweep
)

// SweepAll has every instance's worker look at all its tickets, and for twins:
// what was lost on the way is found again. It is called each hour.
func (t *Tracker) SweepAll(ctx context.Context) error {
	all, err := t.Store.JIRAInstances(ctx, store.JIRAInstanceFilter{})
	if err != nil {
		return err
	}
	for _, inst := range all.Rows {
		if !inst.Enabled {
			continue
		}
		err = errors.Join(err, t.Store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error {
			return t.Send(ctx, tx, jobs.Send{Channel: Channel, Body: wake{Instance: inst.ID, Sweep: true}})
		}))
	}
	return err
}

// sweep notes that tickets that nobody looked at for long have something to do,
// and closes twins of those made lately.
func (t *Tracker) sweep(ctx context.Context, c *jira.Client, inst store.JIRAInstance) error {
	now := t.Now()
	if err := t.Store.WantAll(ctx, inst.ID, now, now.Add(-resync)); err != nil {
		return err
	}
	tickets, err := t.Store.SweepTickets(ctx, inst.ID, now.Add(-twinTime), sweepMax)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(tickets, sweepBatch) {
		if err := t.sweepBatch(ctx, c, inst, batch, now); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tracker) sweepBatch(ctx context.Context, c *jira.Client, inst store.JIRAInstance, batch []store.Ticket, now time.Time) error {
	labels, ids := make([]string, len(batch)), make([]int64, len(batch))
	for i, k := range batch {
		labels[i], ids[i] = label(k.IntentID), k.ID
	}
	found, err := c.Search(ctx, jira.WithLabels(labels...), sweepBatch*2)
	if err != nil {
		return err
	}
	for i, k := range batch {
		same := slices.DeleteFunc(slices.Clone(found), func(f jira.Issue) bool { return f.Done || !slices.Contains(f.Labels, labels[i]) })
		if len(same) < 2 {
			continue
		}
		if err := t.closeTwins(ctx, c, inst, k, same); err != nil {
			return err
		}
	}
	return t.Store.SweptTickets(ctx, ids, now)
}

// closeTwins keeps the oldest of a ticket's issues, and closes the others.
func (t *Tracker) closeTwins(ctx context.Context, c *jira.Client, inst store.JIRAInstance, k store.Ticket, same []jira.Issue) error {
	keep := oldest(same)
	if keep.ID != k.JIRAID {
		if err := t.Store.RelinkTicket(ctx, k.ID, keep.ID, keep.Key.Key, t.Now()); err != nil {
			return err
		}
	}
	for _, twin := range same {
		if twin.ID == keep.ID {
			continue
		}
		if err := t.closeTwin(ctx, c, inst, twin, keep); err != nil {
			return err
		}
		if err := t.Store.AddAuditEvent(ctx, store.AuditEvent{
			At: t.Now(), Actor: User, Action: "close_twin", Object: "ticket", ObjectID: &k.ID,
			Changes: map[string]any{"twin": [2]string{twin.Key.Key, keep.Key.Key}},
		}); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tracker) closeTwin(ctx context.Context, c *jira.Client, inst store.JIRAInstance, twin, keep jira.Issue) error {
	said, err := c.Comments(ctx, twin.ID)
	if err != nil {
		return err
	}
	text := "A duplicate of " + keep.Key.Key + ": JIRA made it twice."
	if !slices.ContainsFunc(said, func(o jira.Comment) bool { return o.Body == text }) {
		if _, err := c.Comment(ctx, twin.ID, text); err != nil {
			return err
		}
	}
	ways, err := c.Transitions(ctx, twin.ID)
	if err != nil {
		return err
	}
	way, ok := choose(ways, inst.CloseStatusKey, true)
	if !ok {
		return &integrations.Error{System: Channel, Op: "close twin", Permanent: true, Err: errors.New("nothing leads to a status that is done")}
	}
	if err := c.Transit(ctx, twin.ID, way.ID, jira.Fields{"resolution": jira.Fields{"name": "Duplicate"}}); integrations.IsPermanent(err) {
		return c.Transit(ctx, twin.ID, way.ID, nil) // its screen has no resolution
	} else if err != nil {
		return err
	}
	return nil
}
