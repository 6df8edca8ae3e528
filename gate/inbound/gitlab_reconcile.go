package inbound

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
)

// Reconcile finds the pipelines that no delivery told of, because it was lost,
// or GitLab had switched the webhook off, or they ran in a fork. Problems of one
// connection hold up no other.
func (g *GitLabWork) Reconcile(ctx context.Context, h *Hooks) error {
	return h.eachConnection(ctx, "gitlab", func(ctx context.Context, conn store.Connection) error { return g.reconcile(ctx, h, conn) })
}

func (g *GitLabWork) reconcile(ctx context.Context, h *Hooks, conn store.Connection) error {
	c, err := g.Client(ctx, conn)
	if err != nil {
		return err
	}
	return h.eachMapped(ctx, conn, func(r store.Repository) error { return g.lost(ctx, c, h, conn, r) })
}

// lost has the pipelines of a project worked that nobody looked at.
func (g *GitLabWork) lost(ctx context.Context, c *gitlab.Client, h *Hooks, conn store.Connection, r store.Repository) error {
	now := g.Now()
	last := r.Created
	if r.Reconciled != nil {
		last = *r.Reconciled
	}
	pipelines, err := c.PipelinesSince(ctx, r.ProviderID, since(last, now))
	if err != nil {
		return err
	}
	forks := map[string]int{} // a fork's pipeline → its merge request
	merges, err := c.OpenMerges(ctx, r.ProviderID)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if !m.IsFork() {
			continue
		}
		if m, err = c.Merge(ctx, r.ProviderID, m.Number); err != nil { // the list does not tell the pipeline
			return err
		}
		if m.Pipeline != nil && m.Pipeline.Finished && m.Pipeline.Project != r.ProviderID {
			forks[pipelineOf(*m.Pipeline)] = m.Number
			pipelines = append(pipelines, *m.Pipeline)
		}
	}
	var names []string
	byName := map[string]gitlab.Pipeline{}
	for _, p := range pipelines {
		if now.Sub(p.Updated) > reconcileGrace {
			names = append(names, pipelineOf(p))
			byName[pipelineOf(p)] = p
		}
	}
	unseen, err := g.Store.UnseenBuilds(ctx, conn.ID, names)
	if err != nil {
		return err
	}
	for _, name := range unseen {
		if err := g.find(ctx, h, conn, r, byName[name], forks[name]); err != nil {
			return err
		}
	}
	return g.Store.SetReconciled(ctx, r.ID, now)
}

// find keeps a delivery that GitLab did not make, and has it worked like one.
func (g *GitLabWork) find(ctx context.Context, h *Hooks, conn store.Connection, r store.Repository, p gitlab.Pipeline, merge int) error {
	e := gitlabEvent{Kind: "pipeline"}
	e.Project.ID, e.Project.Path, e.Attributes.ID, e.Attributes.Status = r.ProviderID, r.FullName, p.ID, p.Status
	event := "pipeline." + p.Status
	if merge != 0 {
		e.Kind, e.Attributes.IID, event = "merge_request", merge, "merge_request.pipeline"
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return h.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		id, err := s.AddDelivery(ctx, store.Delivery{
			ConnectionID: conn.ID, DeliveryID: "reconciled:" + pipelineOf(p), Event: event, Body: body, Received: h.Now(), State: store.DeliveryQueued,
		})
		if err != nil || id == 0 {
			return err
		}
		return h.Enqueue(ctx, tx, conn.Kind, id)
	})
}
