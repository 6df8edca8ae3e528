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
	"defectdojo/integrations/gitlab"
)

// gitlabs are the clients of connections to GitLab, each kept until its
// connection is changed.
type gitlabs struct {
	box *seal.Box
	cfg Config

	mu   sync.Mutex
	kept map[int64]keptGitLab
}

type keptGitLab struct {
	updated time.Time
	client  *gitlab.Client
}

// client returns the client of a connection.
func (g *gitlabs) client(_ context.Context, conn store.Connection) (*gitlab.Client, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if k, ok := g.kept[conn.ID]; ok && k.updated.Equal(conn.Updated) {
		return k.client, nil
	}
	var s gitlab.Settings
	if err := json.Unmarshal(conn.Settings, &s); err != nil {
		return nil, err
	}
	secrets, err := g.box.OpenObject(store.SecretsOf(conn.PublicID), conn.Secrets)
	if err != nil {
		return nil, err
	}
	c, err := gitlab.New(s.Config(secrets, g.cfg.AllowedNet), now)
	if err != nil {
		return nil, err
	}
	if g.kept == nil {
		g.kept = map[int64]keptGitLab{}
	}
	g.kept[conn.ID] = keptGitLab{conn.Updated, c}
	return c, nil
}

// wireGitLab makes what takes in from GitLab and tells it.
func (s *Server) wireGitLab() {
	clients := &gitlabs{box: s.box, cfg: s.cfg}
	s.toGitLab = &outbound.GitLab{Store: s.store, Site: s.site, Now: now, Client: clients.client, Enqueue: s.enqueueSend}
	s.fromGitLab = &inbound.GitLabWork{Store: s.store, Now: now, Client: clients.client, Want: s.toGitLab.Want, Puller: s.puller}
}
