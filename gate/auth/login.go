package auth

import (
	"context"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// window is how far back failed logins count.
const window = 15 * time.Minute

// errBadLogin is what everybody hears who gives a wrong name, a wrong password, or
// those of somebody shut out: which of them it was is not told.
var errBadLogin = &gate.Error{Kind: gate.Unauthorized, Message: "Unable to log in with provided credentials."}

// Verify checks a password given from an address, and returns whose it is.
// Unknown users take as long as known ones. Limited: too many failures lately;
// they are counted in the database, so for all nodes together.
func (a *Auth) Verify(ctx context.Context, username, password, ip string) (gate.User, error) {
	select { // the place is taken first: guesses sent at once wait for each other's outcome
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return gate.User{}, &gate.Error{Kind: gate.Unavailable, Message: "too many logins at once: try again", After: time.Second}
	}
	username = clip(username, 255)
	now := a.cfg.Now()
	if err := a.limited(ctx, username, ip, now); err != nil {
		return gate.User{}, err
	}
	account, err := a.account(ctx, username)
	if err != nil {
		return gate.User{}, err
	}
	ok, params := check(account.PasswordHash, clip(password, 1024))
	if !ok || account.ID == 0 {
		if err := a.store.AddLoginFailure(ctx, username, ip, now, now.Add(-window)); err != nil {
			return gate.User{}, err
		}
		return gate.User{}, errBadLogin
	}
	if params != a.cfg.Hash {
		if err := a.store.Rehash(ctx, account.ID, account.PasswordHash, a.cfg.Hash.Hash(password)); err != nil {
			return gate.User{}, err
		}
	}
	if err := a.store.ForgiveLogins(ctx, username, ip); err != nil {
		return gate.User{}, err
	}
	account.LastLogin = &now
	return account.User, a.store.LoggedIn(ctx, account.ID, now)
}

// account returns the account of a user who may log in, or one with no ID and
// a password that nobody knows.
func (a *Auth) account(ctx context.Context, username string) (store.Account, error) {
	account, err := a.store.Account(ctx, username)
	if err != nil && gate.KindOf(err) != gate.NotFound {
		return account, err
	}
	if err != nil || !account.IsActive || account.PasswordHash == "" {
		return store.Account{PasswordHash: a.dummy}, nil
	}
	return account, nil
}

// limited refuses the next guess for a time that doubles with each failure,
// from one minute to a quarter of an hour. Nobody is shut out for good.
func (a *Auth) limited(ctx context.Context, username, ip string, now time.Time) error {
	f, err := a.store.LoginFailures(ctx, username, ip, now.Add(-window))
	if err != nil {
		return err
	}
	var wait time.Duration
	if over := f.Account - a.cfg.LoginFailures; over >= 0 {
		wait = f.Last.Add(min(time.Minute<<min(over, 4), window)).Sub(now)
	}
	if f.Address >= a.cfg.AddressLimit {
		wait = max(wait, time.Minute)
	}
	if wait <= 0 {
		return nil
	}
	return &gate.Error{Kind: gate.Limited, Message: "Too many failed logins: try again later.", After: wait}
}

// HashPassword returns the hash of a new password, if it is good enough.
func (a *Auth) HashPassword(username, password string) (string, error) {
	if err := CheckPassword(username, password); err != nil {
		return "", err
	}
	return a.cfg.Hash.Hash(password), nil
}

// SetPassword gives a user a new password and ends their sessions but the one to keep.
func (a *Auth) SetPassword(ctx context.Context, u gate.User, password, keepSession string) error {
	hash, err := a.HashPassword(u.Username, password)
	if err != nil {
		return err
	}
	if err := a.store.SetPassword(ctx, u.ID, hash); err != nil {
		return err
	}
	return a.store.DeleteUserSessions(ctx, u.ID, digest(keepSession))
}
