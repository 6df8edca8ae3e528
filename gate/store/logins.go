package store

import (
	"context"
	"time"
)

// Failures is how often logins failed lately: of one account from one address,
// and of all accounts from that address.
type Failures struct {
	Account int
	Last    *time.Time // of the account's
	Address int
}

// LoginFailures counts the failed logins since a time.
func (s *Store) LoginFailures(ctx context.Context, username, ip string, since time.Time) (Failures, error) {
	return one[Failures](ctx, s.db, "login", `
		select count(*) filter (where username = $1) as account,
			max(at) filter (where username = $1) as last,
			count(*) as address
		from login_failures where ip = $2 and at > $3`, username, ip, since)
}

// AddLoginFailure notes a failed login and forgets those before a time.
func (s *Store) AddLoginFailure(ctx context.Context, username, ip string, at, forget time.Time) error {
	_, err := s.db.Exec(ctx, `
		with forgotten as (delete from login_failures where at < $4)
		insert into login_failures (username, ip, at) values ($1, $2, $3)`, username, ip, at, forget)
	return err
}

// ForgiveLogins forgets the failed logins of an account from an address, after a good one.
func (s *Store) ForgiveLogins(ctx context.Context, username, ip string) error {
	_, err := s.db.Exec(ctx, `delete from login_failures where username = $1 and ip = $2`, username, ip)
	return err
}
