package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// SigningKey is a key that signs verdicts and bundles; its private half is sealed.
type SigningKey struct {
	ID        int64
	KeyID     string // SHA-256 of the public key, in hex
	PublicKey []byte
	Sealed    []byte
	Created   time.Time
	Retired   *time.Time
	Withdrawn *time.Time // trusted no more, not even in what it signed
}

const signingKeyColumns = `id, key_id, public_key, sealed, created, retired, withdrawn`

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

// WithdrawKey has a key trusted no more. It signs no more either: the caller has
// made another one.
func (s *Store) WithdrawKey(ctx context.Context, id int64, now time.Time) error {
	return exec(ctx, s.db, "signing key", `update signing_keys set withdrawn = $2 where id = $1 and withdrawn is null and retired is not null`, id, now)
}

// Signature is something that a key has signed.
type Signature struct {
	KeyID     string
	Kind      string // verdict or bundle
	ObjectID  int64  // of a verdict; of a bundle, its product
	ProductID int64
	Product   string
	Digest    []byte // of the newest envelope
	Times     int
	First     time.Time
	Last      time.Time
}

// AddSignature notes that a key has signed something.
func (s *Store) AddSignature(ctx context.Context, g Signature) error {
	_, err := s.db.Exec(ctx, `
		insert into signatures (key_id, kind, object_id, product_id, digest, first, last) values (@key, @kind, @object, @product, @digest, @at, @at)
		on conflict (key_id, kind, object_id) do update set digest = @digest, times = signatures.times + 1, last = @at`, pgx.NamedArgs{
		"key": g.KeyID, "kind": g.Kind, "object": g.ObjectID, "product": g.ProductID, "digest": g.Digest, "at": g.Last,
	})
	return err
}

const signatureColumns = `s.key_id, s.kind, s.object_id, s.product_id, p.name as product, s.digest, s.times, s.first, s.last`

// Signatures returns what a key has signed of products in scope, the newest first.
func (s *Store) Signatures(ctx context.Context, scope gate.Scope, key string, p Page) (List[Signature], error) {
	var w where
	w.and("s.key_id = ?", key)
	w.scope("s.product_id", scope)
	return list[Signature](ctx, s.db, signatureColumns, `signatures s join products p on p.id = s.product_id`, &w, " order by s.last desc, s.id desc", p)
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
