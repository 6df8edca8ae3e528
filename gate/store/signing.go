package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// SigningKey is a key that signs verdicts and bundles; its private half is sealed.
type SigningKey struct {
	ID        int64
	KeyID     string // SHA-256 of the public key, in hex
	PublicKey []byte
	Sealed    []byte
	Created   time.Time
	Retired   *time.Time
}

const signingKeyColumns = `id, key_id, public_key, sealed, created, retired`

// SigningKeys returns all keys, the newest first.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	return many[SigningKey](ctx, s.db, `select `+signingKeyColumns+` from signing_keys order by id desc`)
}

// SigningKey returns the key that signs; NotFound if there is none.
func (s *Store) SigningKey(ctx context.Context) (SigningKey, error) {
	return one[SigningKey](ctx, s.db, "signing key", `select `+signingKeyColumns+` from signing_keys where retired is null order by id desc limit 1`)
}

// AddSigningKey adds a key, which signs from now on; those before it retire.
// Nodes that do so at once wait for each other.
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey) (SigningKey, error) {
	if _, err := s.db.Exec(ctx, `update signing_keys set retired = $1 where retired is null`, k.Created); err != nil {
		return k, err
	}
	return one[SigningKey](ctx, s.db, "signing key", `
		insert into signing_keys (key_id, public_key, sealed, created) values ($1, $2, $3, $4) returning `+signingKeyColumns,
		k.KeyID, k.PublicKey, k.Sealed, k.Created)
}

// LockSecrets makes those wait who make the same secret at the same time, up to
// the transaction's end.
func (s *Store) LockSecrets(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('gate secrets', 0))`)
	return err
}

// GateSecret returns a sealed secret by its name; NotFound if there is none.
func (s *Store) GateSecret(ctx context.Context, name string) ([]byte, error) {
	type row struct{ Sealed []byte }
	r, err := one[row](ctx, s.db, "secret", `select sealed from gate_secrets where name = $1`, name)
	return r.Sealed, err
}

// AddGateSecret adds a sealed secret.
func (s *Store) AddGateSecret(ctx context.Context, name string, sealed []byte, now time.Time) error {
	_, err := s.db.Exec(ctx, `insert into gate_secrets (name, sealed, created) values (@name, @sealed, @now)`,
		pgx.NamedArgs{"name": name, "sealed": sealed, "now": now})
	return conflict(err)
}
