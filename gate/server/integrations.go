package server

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/connection"
	"defectdojo/gate/inbound"
	"defectdojo/gate/jobs"
)

// wireHooks makes what takes the webhooks of foreign systems in.
func (s *Server) wireHooks() {
	s.hooks = &inbound.Hooks{
		Store: s.store, Box: s.box, Kinds: s.hookKinds(), Now: now,
		Enqueue: func(ctx context.Context, tx pgx.Tx, kind string, delivery int64) error {
			return s.jobs.Receive(ctx, tx, kind, delivery)
		},
	}
}

// wireConnections makes what connects foreign systems.
func (s *Server) wireConnections() {
	s.connections = &connection.Connections{Store: s.store, Box: s.box, Hooks: s.hooks, Site: s.site, Now: now, Kinds: []connection.Kind{
		connection.GitHub(s.fromGitHub.Client, s.fromGitHub.Sync),
		connection.GitLab(s.fromGitLab.Client, s.fromGitLab.Sync),
	}}
}

// hookKinds lists the systems that send webhooks.
func (s *Server) hookKinds() []inbound.Kind {
	return []inbound.Kind{
		inbound.GitHub(s.fromGitHub.Work),
		s.jiraHooks(),
		inbound.Slack(s.notifier.Interact),
		inbound.GitLab(s.fromGitLab.Work),
	}
}

// enqueueSend puts something to be sent into the queue of its channel.
func (s *Server) enqueueSend(ctx context.Context, tx pgx.Tx, send jobs.Send) error {
	return s.jobs.Send(ctx, tx, send)
}

// reconcile finds what foreign systems did not tell.
func (s *Server) reconcile(ctx context.Context) error {
	return errors.Join(s.fromGitHub.Reconcile(ctx, s.hooks), s.fromGitLab.Reconcile(ctx, s.hooks))
}

// receivers work the deliveries of each of them.
func (s *Server) receivers() map[string]jobs.Receiver {
	all := map[string]jobs.Receiver{}
	for _, k := range s.hooks.Kinds {
		all[k.Name] = s.hooks.Work
	}
	return all
}
