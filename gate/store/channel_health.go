package store

import (
	"context"
	"time"
)

// ChannelHealth is how a channel to a foreign system is.
type ChannelHealth struct {
	Channel     string     `db:"channel"`
	Target      int64      `db:"target"`
	Failures    int        `db:"failures"` // in a row
	OpenUntil   *time.Time `db:"open_until"`
	LastOK      *time.Time `db:"last_ok"`
	LastErrorAt *time.Time `db:"last_error_at"`
	LastError   string     `db:"last_error"`
}

// Channels returns how all channels are.
func (s *Store) Channels(ctx context.Context) ([]ChannelHealth, error) {
	return many[ChannelHealth](ctx, s.db, `select channel, target, failures, open_until, last_ok, last_error_at, last_error from channel_health order by channel, target`)
}

// ChannelOpenUntil returns until when nothing may be sent to a target; zero if
// something may.
func (s *Store) ChannelOpenUntil(ctx context.Context, channel string, target int64, now time.Time) (time.Time, error) {
	until, err := scalars[time.Time](ctx, s.db, `select open_until from channel_health where channel = $1 and target = $2 and open_until > $3`, channel, target, now)
	if err != nil || len(until) == 0 {
		return time.Time{}, err
	}
	return until[0], nil
}

// ChannelWorked notes that a target answered.
func (s *Store) ChannelWorked(ctx context.Context, channel string, target int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		insert into channel_health as h (channel, target, last_ok) values ($1, $2, $3)
		on conflict (channel, target) do update set failures = 0, open_until = null, last_ok = $3
		where h.failures > 0 or h.last_ok is null or h.last_ok < $3::timestamptz - interval '1 minute'`, channel, target, now)
	return err
}

// ChannelFailed notes that a target did not answer as it should. From the fifth
// failure in a row on, it is left alone: a minute first, then up to fifteen.
func (s *Store) ChannelFailed(ctx context.Context, channel string, target int64, reason string, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		insert into channel_health as h (channel, target, failures, last_error_at, last_error) values ($1, $2, 1, $3, $4)
		on conflict (channel, target) do update set failures = h.failures + 1, last_error_at = $3, last_error = $4,
			open_until = case when h.failures >= 4 then $3::timestamptz + least(interval '15 minutes', interval '1 minute' * power(2, least(h.failures - 4, 4))) end`,
		channel, target, now, reason)
	return err
}
