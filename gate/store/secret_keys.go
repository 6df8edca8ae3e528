package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// SecretKeys returns the ids of the keys with which secrets of this database are sealed.
func (s *Store) SecretKeys(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `select id from secret_keys order by created`)
}

// AddSecretKey notes that a key seals secrets of this database.
func (s *Store) AddSecretKey(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, `insert into secret_keys (id) values ($1) on conflict do nothing`, id)
	return err
}

// AddFirstSecretKey is AddSecretKey for a key that was just made, unless another
// node's key is there by now: it tells which.
func (s *Store) AddFirstSecretKey(ctx context.Context, id string) (first bool, err error) {
	err = s.Tx(ctx, func(s *Store, _ pgx.Tx) error {
		if _, err := s.db.Exec(ctx, `lock table secret_keys in exclusive mode`); err != nil {
			return err
		}
		tag, err := s.db.Exec(ctx, `insert into secret_keys (id) select $1 where not exists (select from secret_keys)`, id)
		first = tag.RowsAffected() == 1
		return err
	})
	return first, err
}

// RemoveSecretKeys forgets all keys but one, once nothing is sealed with them.
func (s *Store) RemoveSecretKeys(ctx context.Context, but string) error {
	_, err := s.db.Exec(ctx, `delete from secret_keys where id <> $1`, but)
	return err
}
