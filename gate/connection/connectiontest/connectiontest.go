// Package connectiontest gives tests connections to code hosts of their own.
package connectiontest

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/connection"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
	"defectdojo/integrations/gitlab"
)

// New connects to GitHubs and GitLabs on this machine. Deliveries are kept, and not worked.
func New(s *store.Store) *connection.Connections {
	box := seal.New(seal.NewKey())
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	hub := func(_ context.Context, c store.Connection) (*github.Client, error) {
		var settings github.Settings
		secrets, err := open(box, c, &settings)
		if err != nil {
			return nil, err
		}
		return github.New(settings.Config(secrets, here), now)
	}
	lab := func(_ context.Context, c store.Connection) (*gitlab.Client, error) {
		var settings gitlab.Settings
		secrets, err := open(box, c, &settings)
		if err != nil {
			return nil, err
		}
		return gitlab.New(settings.Config(secrets, here), now)
	}
	fromHub := &inbound.GitHubWork{Store: s, Client: hub, Now: now}
	fromLab := &inbound.GitLabWork{Store: s, Client: lab, Now: now}
	hooks := &inbound.Hooks{Store: s, Box: box, Now: now, Enqueue: func(context.Context, pgx.Tx, string, int64) error { return nil }}
	return &connection.Connections{
		Store: s, Box: box, Hooks: hooks, Site: "https://gate.example.org", Now: now,
		Kinds: []connection.Kind{connection.GitHub(hub, fromHub.Sync), connection.GitLab(lab, fromLab.Sync)},
	}
}

// open reads a connection's settings and opens its secrets.
func open(box *seal.Box, c store.Connection, settings any) (map[string]string, error) {
	if err := json.Unmarshal(c.Settings, settings); err != nil {
		return nil, err
	}
	return box.OpenObject(store.SecretsOf(c.PublicID), c.Secrets)
}

func now() time.Time { return time.Now() } //nolint:forbidigo // tests have the machine's clock
