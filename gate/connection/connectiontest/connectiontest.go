// Package connectiontest gives tests connections to a GitHub of their own.
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
)

// GitHub connects to GitHubs on this machine. Deliveries are kept, and not worked.
func GitHub(s *store.Store) *connection.Connections {
	box := seal.New(seal.NewKey())
	client := func(_ context.Context, c store.Connection) (*github.Client, error) {
		var settings github.Settings
		if err := json.Unmarshal(c.Settings, &settings); err != nil {
			return nil, err
		}
		secrets, err := box.OpenObject(store.SecretsOf(c.PublicID), c.Secrets)
		if err != nil {
			return nil, err
		}
		return github.New(settings.Config(secrets, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), now)
	}
	work := &inbound.GitHubWork{Store: s, Client: client, Now: now}
	hooks := &inbound.Hooks{Store: s, Box: box, Now: now, Enqueue: func(context.Context, pgx.Tx, string, int64) error { return nil }}
	return &connection.Connections{Store: s, Box: box, Hooks: hooks, Site: "https://gate.example.org", Now: now, Kinds: []connection.Kind{connection.GitHub(client, work.Sync)}}
}

func now() time.Time { return time.Now() } //nolint:forbidigo // tests have the machine's clock
