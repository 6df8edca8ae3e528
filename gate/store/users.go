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
	HasRole     bool // everywhere
	Roles       []string
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
	if f.HasRole {
		w.and("global_role is not null")
	}
	oneOf(&w, "global_role", f.Roles)
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

// UpdateUser writes what a user is now. One who is shut out by it is so at once.
func (s *Store) UpdateUser(ctx context.Context, u gate.User) (gate.User, error) {
	u, err := one[gate.User](ctx, s.db, "user", `
		update users set username = $2, first_name = $3, last_name = $4, email = $5, is_active = $6, is_staff = $7, is_superuser = $8, global_role = $9
		where id = $1 returning `+userColumns, u.ID, u.Username, u.FirstName, u.LastName, u.Email, u.IsActive, u.IsStaff, u.IsSuperuser, u.GlobalRole)
	if err != nil || u.IsActive {
		return u, err
	}
	return u, s.DeleteUserSessions(ctx, u.ID, nil)
}

// DeleteUser removes a user of whom nothing tells. Conflict: something does, so
// that they can only be shut out.
func (s *Store) DeleteUser(ctx context.Context, id int64) error {
	told, err := scalar[bool](ctx, s.db, `
		select exists (select from findings where reporter_id = $1 or mitigated_by_id = $1 or last_reviewed_by_id = $1 or review_requested_by_id = $1
			or assignee_id = $1 or $1 = any(reviewers))`, id) // these have no foreign keys: imports would pay for them
	if err == nil && !told {
		err = exec(ctx, s.db, "user", `delete from users where id = $1`, id)
	}
	if told || gate.KindOf(err) == gate.Conflict {
		return gate.Errorf(gate.Conflict, "Findings, notes or other work tell of this user: make them inactive instead.")
	}
	return err
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
