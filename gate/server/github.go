package server

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"defectdojo/gate/inbound"
	"defectdojo/gate/outbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
	"defectdojo/parsers/stream"
)

// githubs are the clients of connections to GitHub, each kept until its
// connection is changed: with it are the tokens that it was given.
type githubs struct {
	box *seal.Box
	cfg Config

	mu   sync.Mutex
	kept map[int64]keptGitHub
}

type keptGitHub struct {
	updated time.Time
	client  *github.Client
}

// client returns the client of a connection.
func (g *githubs) client(_ context.Context, conn store.Connection) (*github.Client, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if k, ok := g.kept[conn.ID]; ok && k.updated.Equal(conn.Updated) {
		return k.client, nil
	}
	var s github.Settings
	if err := json.Unmarshal(conn.Settings, &s); err != nil {
		return nil, err
	}
	secrets, err := g.box.OpenObject(store.SecretsOf(conn.PublicID), conn.Secrets)
	if err != nil {
		return nil, err
	}
	c, err := github.New(s.Config(secrets, g.cfg.AllowedNet), now)
	if err != nil {
		return nil, err
	}
	if g.kept == nil {
		g.kept = map[int64]keptGitHub{}
	}
	g.kept[conn.ID] = keptGitHub{conn.Updated, c}
	return c, nil
}

// wireGitHub makes what takes in from GitHub and tells it.
func (s *Server) wireGitHub() {
	clients := &githubs{box: s.box, cfg: s.cfg}
	s.toGitHub = &outbound.GitHub{Store: s.store, Site: s.site, Now: now, Client: clients.client, Enqueue: s.enqueueSend}
	s.fromGitHub = &inbound.GitHubWork{
		Store: s.store, Now: now, Client: clients.client, Want: s.toGitHub.Want, Puller: s.puller,
		Rejudge: func(ctx context.Context, v store.StoredVerdict) error { return s.judge.Rejudge(ctx, v, now()) },
	}
}

// wirePuller makes what takes the reports of builds in.
func (s *Server) wirePuller() {
	s.puller = &inbound.Puller{Store: s.store, Import: s.importer.Import, Judge: s.judge, Limits: stream.Limits{}, Now: now}
}
