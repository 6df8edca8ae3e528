package inbound

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/store"
	"defectdojo/integrations/github"
)

// How far the reconciler looks back: as far as code hosts keep what they sent
// (GitHub three days), and an hour more than it did the last time, because a run
// is listed by when it was made.
const (
	reconcileMost  = 72 * time.Hour
	reconcileAgain = time.Hour
	reconcileGrace = 2 * time.Minute // what is newer may be on its way
)

// Reconcile finds what no delivery told of, because it was lost or we were not
// there: it has GitHub send again what failed, and looks at runs that nobody
// looked at. Problems of one connection hold up no other.
func (g *GitHubWork) Reconcile(ctx context.Context, h *Hooks) error {
	return h.eachConnection(ctx, "github", func(ctx context.Context, conn store.Connection) error { return g.reconcile(ctx, h, conn) })
}

func (g *GitHubWork) reconcile(ctx context.Context, h *Hooks, conn store.Connection) error {
	c, err := g.Client(ctx, conn)
	if err != nil {
		return err
	}
	if c.IsApp() {
		if err := g.redeliver(ctx, c, conn); err != nil {
			return err
		}
	}
	return h.eachMapped(ctx, conn, func(r store.Repository) error { return g.lostRuns(ctx, c, h, conn, r) })
}

// redeliver has GitHub send again the deliveries that failed and never came.
func (g *GitHubWork) redeliver(ctx context.Context, c *github.Client, conn store.Connection) error {
	last, err := g.Store.ConnectionReconciled(ctx, conn.ID)
	if err != nil {
		return err
	}
	now := g.Now()
	list, err := c.Deliveries(ctx, since(last, now))
	if err != nil {
		return err
	}
	failed, order := map[string]int64{}, []string{}
	for _, d := range list { // the newest first: one that was delivered since is none
		if _, known := failed[d.GUID]; !known {
			order = append(order, d.GUID)
			failed[d.GUID] = d.ID
		}
		if d.Status >= 200 && d.Status < 300 {
			failed[d.GUID] = 0
		}
	}
	unseen, err := g.Store.UnseenDeliveries(ctx, conn.ID, order)
	if err != nil {
		return err
	}
	for _, guid := range unseen {
		if failed[guid] != 0 {
			if err := c.Redeliver(ctx, failed[guid]); err != nil {
				return err
			}
		}
	}
	return g.Store.SetConnectionReconciled(ctx, conn.ID, now)
}

func since(last, now time.Time) time.Time {
	if last.IsZero() {
		return now.Add(-reconcileAgain)
	}
	if oldest := now.Add(-reconcileMost); last.Before(oldest) {
		return oldest
	}
	return last.Add(-reconcileAgain)
}

// lostRuns has the runs of a repository worked that nobody looked at.
func (g *GitHubWork) lostRuns(ctx context.Context, c *github.Client, h *Hooks, conn store.Connection, r store.Repository) error {
	now := g.Now()
	last := r.Created
	if r.Reconciled != nil {
		last = *r.Reconciled
	}
	runs, err := c.Runs(ctx, github.Repo(r.FullName), since(last, now), "")
	if err != nil {
		return err
	}
	var builds []string
	byBuild := map[string]github.Run{}
	for _, run := range runs {
		if run.Repository.ID == r.ProviderID && now.Sub(run.Updated) > reconcileGrace {
			builds = append(builds, buildOf(run.ID, run.Attempt))
			byBuild[buildOf(run.ID, run.Attempt)] = run
		}
	}
	unseen, err := g.Store.UnseenBuilds(ctx, conn.ID, builds)
	if err != nil {
		return err
	}
	for _, b := range unseen {
		if err := g.find(ctx, h, conn, r, byBuild[b]); err != nil {
			return err
		}
	}
	return g.Store.SetReconciled(ctx, r.ID, now)
}

func buildOf(run int64, attempt int) string { return fmt.Sprintf("%d.%d", run, attempt) }

// find keeps a delivery that GitHub did not make, and has it worked like one.
func (g *GitHubWork) find(ctx context.Context, h *Hooks, conn store.Connection, r store.Repository, run github.Run) error {
	var e githubEvent
	e.Action, e.WorkflowRun.ID, e.Repository.ID, e.Repository.FullName = "completed", run.ID, r.ProviderID, r.FullName
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return h.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		id, err := s.AddDelivery(ctx, store.Delivery{
			ConnectionID: conn.ID, DeliveryID: "reconciled:" + strconv.FormatInt(run.ID, 10) + "." + strconv.Itoa(run.Attempt), Event: "workflow_run.completed",
			Body: body, Received: h.Now(), State: store.DeliveryQueued,
		})
		if err != nil || id == 0 {
			return err
		}
		return h.Enqueue(ctx, tx, conn.Kind, id)
	})
}
