package store

import (
	"context"
	"time"
)

// Alert is something that somebody is told in the pages. One without a user is
// for the administrators.
type Alert struct {
	ID          int64      `db:"id"`
	UserID      *int64     `db:"user_id"`
	Event       string     `db:"event"`
	Title       string     `db:"title"`
	Description string     `db:"description"`
	URL         string     `db:"url"`
	Source      string     `db:"source"`
	Icon        string     `db:"icon"`
	Created     time.Time  `db:"created"`
	Read        *time.Time `db:"read"`
}

const alertColumns = `id, user_id, event, title, description, url, source, icon, created, read`

// mine are the alerts that a user ($1) sees; $2: they are an administrator.
const mine = `(user_id = $1 or user_id is null and $2)`

// AddAlert stores one.
func (s *Store) AddAlert(ctx context.Context, a Alert) error {
	_, err := s.db.Exec(ctx, `
		insert into alerts (user_id, event, title, description, url, source, icon, created) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.UserID, a.Event, a.Title, a.Description, a.URL, a.Source, a.Icon, a.Created)
	return err
}

// Alerts returns those of a user that come before an id (0: the newest), with
// the administrators' if they are one.
func (s *Store) Alerts(ctx context.Context, user int64, admin bool, before int64, limit int) ([]Alert, error) {
	return many[Alert](ctx, s.db, `
		select `+alertColumns+` from alerts where `+mine+` and ($3 = 0 or id < $3) order by id desc limit $4`, user, admin, before, limit)
}

// UnreadAlerts counts those of a user that they have not read.
func (s *Store) UnreadAlerts(ctx context.Context, user int64, admin bool) (int, error) {
	return scalar[int](ctx, s.db, `select count(*)::int from alerts where `+mine+` and read is null`, user, admin)
}

// ReadAlerts marks those of a user as read: one, or with 0 all.
func (s *Store) ReadAlerts(ctx context.Context, user int64, admin bool, id int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `update alerts set read = $4 where `+mine+` and ($3 = 0 or id = $3) and read is null`, user, admin, id, now)
	return err
}

// ClearAlerts removes those of a user: one, or with 0 all.
func (s *Store) ClearAlerts(ctx context.Context, user int64, admin bool, id int64) error {
	_, err := s.db.Exec(ctx, `delete from alerts where `+mine+` and ($3 = 0 or id = $3)`, user, admin, id)
	return err
}

// TrimAlerts leaves each user the newest ones.
func (s *Store) TrimAlerts(ctx context.Context, keep int) error {
	_, err := s.db.Exec(ctx, `
		delete from alerts a using (
			select id, row_number() over (partition by user_id order by id desc) as n from alerts
		) r where r.id = a.id and r.n > $1`, keep)
	return err
}
