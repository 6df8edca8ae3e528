package store

import (
	"context"
	"time"
)

// SeeBuild notes that a build was looked at.
func (s *Store) SeeBuild(ctx context.Context, connection int64, build string) error {
	_, err := s.db.Exec(ctx, `insert into builds (connection_id, build) values ($1, $2) on conflict do nothing`, connection, build)
	return err
}

// UnseenBuilds returns those of some builds that were not looked at.
func (s *Store) UnseenBuilds(ctx context.Context, connection int64, builds []string) ([]string, error) {
	return scalars[string](ctx, s.db, `
		select b from unnest($2::text[]) b where not exists (select from builds where connection_id = $1 and build = b)`, connection, orEmpty(builds))
}

// UnseenDeliveries returns those of some deliveries that never came.
func (s *Store) UnseenDeliveries(ctx context.Context, connection int64, ids []string) ([]string, error) {
	return scalars[string](ctx, s.db, `
		select d from unnest($2::text[]) d where not exists (select from webhook_deliveries where connection_id = $1 and delivery_id = d)`, connection, orEmpty(ids))
}

// ConnectionReconciled returns up to when a connection's deliveries were looked
// through; zero if they never were.
func (s *Store) ConnectionReconciled(ctx context.Context, connection int64) (time.Time, error) {
	at, err := scalar[*time.Time](ctx, s.db, `select reconciled from connections where id = $1`, connection)
	if err != nil || at == nil {
		return time.Time{}, err
	}
	return *at, nil
}

// SetConnectionReconciled notes up to when they were.
func (s *Store) SetConnectionReconciled(ctx context.Context, connection int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update connections set reconciled = $2 where id = $1`, connection, at)
	return err
}
