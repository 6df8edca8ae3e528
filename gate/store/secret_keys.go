package store

import "context"

// SecretKeys returns the ids of the keys with which secrets of this database are sealed.
func (s *Store) SecretKeys(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `select id from secret_keys order by created`)
}

// AddSecretKey notes that a key seals secrets of this database.
func (s *Store) AddSecretKey(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, `insert into secret_keys (id) values ($1) on conflict do nothing`, id)
	return err
}

// RemoveSecretKeys forgets all keys but one, once nothing is sealed with them.
func (s *Store) RemoveSecretKeys(ctx context.Context, but string) error {
	_, err := s.db.Exec(ctx, `delete from secret_keys where id <> $1`, but)
	return err
}
