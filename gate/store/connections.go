package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"defectdojo/gate"
)

// Connection is a connection to a code host or channel. Its secrets are sealed
// for the place that SecretsOf names.
type Connection struct {
	ID       int64           `db:"id"`
	PublicID string          `db:"public_id"`
	Kind     string          `db:"kind"`
	Name     string          `db:"name"`
	Enabled  bool            `db:"enabled"`
	Settings json.RawMessage `db:"settings"`
	Secrets  []byte          `db:"secrets"`
	Created  time.Time       `db:"created"`
	Updated  time.Time       `db:"updated"`
}

// SecretsOf names the place of a connection's secrets to package seal.
func SecretsOf(publicID string) string { return "connections:" + publicID }

const connectionColumns = `id, public_id, kind, name, enabled, settings, secrets, created, updated`

// Connections returns those of some kinds, or all.
func (s *Store) Connections(ctx context.Context, kinds ...string) ([]Connection, error) {
	if kinds == nil {
		kinds = []string{}
	}
	return many[Connection](ctx, s.db, `select `+connectionColumns+` from connections where cardinality($1::text[]) = 0 or kind = any($1) order by name`, kinds)
}

// Connection returns one.
func (s *Store) Connection(ctx context.Context, id int64) (Connection, error) {
	return one[Connection](ctx, s.db, "connection", `select `+connectionColumns+` from connections where id = $1`, id)
}

// ConnectionOf returns one that is of some kinds.
func (s *Store) ConnectionOf(ctx context.Context, id int64, kinds ...string) (Connection, error) {
	return one[Connection](ctx, s.db, "connection", `select `+connectionColumns+` from connections where id = $1 and kind = any($2)`, id, kinds)
}

// ConnectionByPublicID returns the one that an address names.
func (s *Store) ConnectionByPublicID(ctx context.Context, kind, publicID string) (Connection, error) {
	return one[Connection](ctx, s.db, "connection", `select `+connectionColumns+` from connections where kind = $1 and public_id = $2`, kind, publicID)
}

// AddConnection stores a new one and returns its id.
func (s *Store) AddConnection(ctx context.Context, c Connection) (int64, error) {
	return scalar[int64](ctx, s.db, `insert into connections (public_id, kind, name, enabled, settings, secrets) values ($1, $2, $3, $4, $5, $6) returning id`,
		c.PublicID, c.Kind, c.Name, c.Enabled, c.Settings, c.Secrets)
}

// SaveConnection changes its name, whether it is enabled, its settings and its secrets.
func (s *Store) SaveConnection(ctx context.Context, c Connection) error {
	tag, err := s.db.Exec(ctx, `update connections set name = $2, enabled = $3, settings = $4, secrets = $5, updated = now() where id = $1`,
		c.ID, c.Name, c.Enabled, c.Settings, c.Secrets)
	if err == nil && tag.RowsAffected() == 0 {
		return gate.Errorf(gate.NotFound, "no such connection")
	}
	return conflict(err)
}

// DeleteConnection removes one, with its deliveries.
func (s *Store) DeleteConnection(ctx context.Context, id int64) error {
	tag, err := s.db.Exec(ctx, `delete from connections where id = $1`, id)
	if err != nil {
		return fmt.Errorf("delete connection %d: %w", id, conflict(err))
	}
	if tag.RowsAffected() == 0 {
		return gate.Errorf(gate.NotFound, "no such connection")
	}
	return nil
}
