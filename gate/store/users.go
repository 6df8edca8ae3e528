package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

const userColumns = `id, username, first_name, last_name, email, is_active, is_staff, is_superuser, global_role,
	date_joined, last_login, password_last_reset, token_last_reset, force_password_reset`

// Account is a user with what proves a password. It never leaves the program.
type Account struct {
	gate.User
	PasswordHash string // argon2id as a PHC string, or blank
}

// UserFilter narrows a list of users.
type UserFilter struct {
	IDs         []int64
	Username    string // contains, as the other texts
	FirstName   string
	LastName    string
	Email       string
	IsActive    *bool
	IsSuperuser *bool
	Page
}

var userOrders = orders{
	"username": "username", "last_name": "last_name", "first_name": "first_name", "email": "email",
	"is_active": "is_active", "is_superuser": "is_superuser", "date_joined": "date_joined", "last_login": "last_login",
}

// User returns a user.
func (s *Store) User(ctx context.Context, id int64) (gate.User, error) {
	return one[gate.User](ctx, s.db, "user", `select `+userColumns+` from users where id = $1`, id)
}

// Users returns the users of f.
func (s *Store) Users(ctx context.Context, f UserFilter) (List[gate.User], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	contains(&w, "username", f.Username)
	contains(&w, "first_name", f.FirstName)
	contains(&w, "last_name", f.LastName)
	contains(&w, "email", f.Email)
	optional(&w, "is_active", f.IsActive)
	optional(&w, "is_superuser", f.IsSuperuser)
	order, err := userOrders.by(f.Order, "id", "id")
	if err != nil {
		return List[gate.User]{}, err
	}
	return list[gate.User](ctx, s.db, userColumns, "users", &w, order, f.Page)
}

// Account returns the account of a user name.
func (s *Store) Account(ctx context.Context, username string) (Account, error) {
	return one[Account](ctx, s.db, "user", `select `+userColumns+`, password_hash from users where username = $1`, username)
}

// AddUser adds a user and returns it with its ID. What new users are told by
// default, they are told.
func (s *Store) AddUser(ctx context.Context, a Account) (gate.User, error) {
	return one[gate.User](ctx, s.db, "user", `
		with added as (
			insert into users (username, password_hash, first_name, last_name, email, is_active, is_staff, is_superuser, global_role, password_last_reset)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
			returning `+userColumns+`
		), told as (
			insert into notification_preferences (user_id, events, filter, min_severity)
			select a.id, n.events, n.filter, n.min_severity from added a, notification_preferences n where n.template
		)
		select `+userColumns+` from added`,
		a.Username, a.PasswordHash, a.FirstName, a.LastName, a.Email, a.IsActive, a.IsStaff, a.IsSuperuser, a.GlobalRole)
}

// SetPassword sets a user's password hash.
func (s *Store) SetPassword(ctx context.Context, user int64, hash string) error {
	return exec(ctx, s.db, "user", `
		update users set password_hash = $2, password_last_reset = now(), force_password_reset = false where id = $1`, user, hash)
}

// Rehash replaces a user's password hash by a stronger one of the same password.
func (s *Store) Rehash(ctx context.Context, user int64, before, after string) error {
	_, err := s.db.Exec(ctx, `update users set password_hash = $3 where id = $1 and password_hash = $2`, user, before, after)
	return err
}

// SetUserActive lets a user in or shuts them out, at once: their sessions end.
func (s *Store) SetUserActive(ctx context.Context, user int64, active bool) error {
	if err := exec(ctx, s.db, "user", `update users set is_active = $2 where id = $1`, user, active); err != nil || active {
		return err
	}
	return s.DeleteUserSessions(ctx, user, nil)
}

// LoggedIn notes when a user logged in.
func (s *Store) LoggedIn(ctx context.Context, user int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update users set last_login = $2 where id = $1`, user, at)
	return err
}

// HasSuperuser tells whether there is somebody who may do everything.
func (s *Store) HasSuperuser(ctx context.Context) (bool, error) {
	return scalar[bool](ctx, s.db, `select exists (select from users where is_superuser and is_active)`)
}
