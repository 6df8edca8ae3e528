package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// RemoveExpired removes what has ended: sessions, and failed logins that no
// limit counts any more, and deliveries of webhooks that nobody sends again: GitHub
// can for three days.
func (s *Store) RemoveExpired(ctx context.Context, now time.Time) error {
	for _, sql := range []string{
		`delete from sessions where expires < @now::timestamptz`,
		`delete from identity_uses where expires < @now::timestamptz - interval '1 hour'`,
		`delete from tokens where bounds is not null and expires < @now::timestamptz - interval '1 hour'`, // of CI jobs: their rule's history is the audit's
		`delete from login_failures where at < @now::timestamptz - interval '1 day'`,
		`delete from webhook_deliveries where received < @now::timestamptz - interval '8 days'`,
		`delete from builds where seen < @now::timestamptz - interval '8 days'`,
	} {
		if _, err := s.db.Exec(ctx, sql, pgx.NamedArgs{"now": now}); err != nil {
			return err
		}
	}
	return nil
}
