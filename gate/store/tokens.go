package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

const tokenColumns = `id, public_id, user_id, name, scope, product_ids, bounds, created, expires, last_used, revoked` //nolint:gosec // names of columns

// AddToken adds a token, of which only the hash of its secret is kept.
func (s *Store) AddToken(ctx context.Context, t gate.Token, secretHash []byte) (gate.Token, error) {
	return one[gate.Token](ctx, s.db, "token", `
		insert into tokens (public_id, secret_hash, user_id, name, scope, product_ids, created, expires, bounds)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		returning `+tokenColumns,
		t.PublicID, secretHash, t.UserID, t.Name, t.Scope, t.ProductIDs, t.Created, t.Expires, t.Bounds)
}

// Token returns the token of a hashed secret with its user, if both are still good at now.
func (s *Store) Token(ctx context.Context, secretHash []byte, now time.Time) (gate.Token, gate.User, error) {
	t, err := one[gate.Token](ctx, s.db, "token", `
		select `+tokenColumns+` from tokens
		where secret_hash = $1 and revoked is null and (expires is null or expires > $2)`, secretHash, now)
	if err != nil {
		return t, gate.User{}, err
	}
	u, err := one[gate.User](ctx, s.db, "user", `select `+userColumns+` from users where id = $1 and is_active`, t.UserID)
	return t, u, err
}

// Tokens returns a user's tokens, the newest first.
func (s *Store) Tokens(ctx context.Context, user int64) ([]gate.Token, error) {
	return many[gate.Token](ctx, s.db, `select `+tokenColumns+` from tokens where user_id = $1 order by id desc`, user)
}

// TouchToken notes that a token was used.
func (s *Store) TouchToken(ctx context.Context, id int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update tokens set last_used = $2 where id = $1`, id, at)
	return err
}

// RevokeToken ends a user's token at once.
func (s *Store) RevokeToken(ctx context.Context, user, id int64, at time.Time) error {
	return exec(ctx, s.db, "token", `
		update tokens set revoked = coalesce(revoked, $3) where id = $2 and user_id = $1`, user, id, at)
}

// RevokeTokens ends all tokens of a user at once.
func (s *Store) RevokeTokens(ctx context.Context, user int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update tokens set revoked = $2 where user_id = $1 and revoked is null`, user, at)
	return err
}

// DeleteOldTokens removes a user's tokens of a name that ended before a time.
func (s *Store) DeleteOldTokens(ctx context.Context, user int64, name string, before time.Time) error {
	_, err := s.db.Exec(ctx, `
		delete from tokens where user_id = $1 and name = $2 and least(expires, revoked) < $3`, user, name, before)
	return err
}
