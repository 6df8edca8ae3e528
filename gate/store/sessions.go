package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// Session is a person's login in one browser.
type Session struct {
	IDHash    []byte // SHA-256 of the cookie's value
	UserID    int64
	CSRF      string // what a form of this session must carry
	Created   time.Time
	LastUsed  time.Time
	Expires   time.Time // whatever happens
	UserAgent string
	IP        string
}

const sessionColumns = `id_hash, user_id, csrf, created, last_used, expires, user_agent, ip`

// AddSession adds a session.
func (s *Store) AddSession(ctx context.Context, v Session) error {
	_, err := s.db.Exec(ctx, `insert into sessions (`+sessionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.IDHash, v.UserID, v.CSRF, v.Created, v.LastUsed, v.Expires, v.UserAgent, v.IP)
	return err
}

// Session returns the session of a hashed ID with its user, if both are still
// good at now and the session was used since idle.
func (s *Store) Session(ctx context.Context, idHash []byte, now, idle time.Time) (Session, gate.User, error) {
	v, err := one[Session](ctx, s.db, "session", `
		select `+sessionColumns+` from sessions where id_hash = $1 and expires > $2 and last_used > $3`, idHash, now, idle)
	if err != nil {
		return v, gate.User{}, err
	}
	u, err := one[gate.User](ctx, s.db, "user", `select `+userColumns+` from users where id = $1 and is_active`, v.UserID)
	return v, u, err
}

// Sessions returns a user's sessions, the newest first.
func (s *Store) Sessions(ctx context.Context, user int64, now time.Time) ([]Session, error) {
	return many[Session](ctx, s.db, `
		select `+sessionColumns+` from sessions where user_id = $1 and expires > $2 order by created desc`, user, now)
}

// TouchSession notes that a session was used.
func (s *Store) TouchSession(ctx context.Context, idHash []byte, at time.Time) error {
	_, err := s.db.Exec(ctx, `update sessions set last_used = $2 where id_hash = $1 and last_used < $2`, idHash, at)
	return err
}

// DeleteSession ends a session.
func (s *Store) DeleteSession(ctx context.Context, idHash []byte) error {
	_, err := s.db.Exec(ctx, `delete from sessions where id_hash = $1`, idHash)
	return err
}

// DeleteUserSessions ends all sessions of a user but the one to keep, if it is not nil.
func (s *Store) DeleteUserSessions(ctx context.Context, user int64, keep []byte) error {
	_, err := s.db.Exec(ctx, `delete from sessions where user_id = $1 and ($2::bytea is null or id_hash <> $2)`, user, keep)
	return err
}

// DeleteOldSessions removes the sessions that are over at now, or unused since idle.
func (s *Store) DeleteOldSessions(ctx context.Context, now, idle time.Time) error {
	_, err := s.db.Exec(ctx, `delete from sessions where expires <= $1 or last_used <= $2`, now, idle)
	return err
}
