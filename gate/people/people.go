// Package people keeps who there is and what roles they have: users, groups, and
// the members of products and product types. Every change is in the history.
// Nobody gives a role above their own, and nobody shuts themselves out.
package people

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// Desk changes who there is.
type Desk struct {
	Store *store.Store
	Auth  *auth.Auth
}

// Actor is who changes something, when, and from where.
type Actor struct {
	Who       gate.Principal
	Now       time.Time
	RequestID string
	IP        string
}

// change does something with its history.
func (d *Desk) change(ctx context.Context, a Actor, action, object string, do func(*store.Store) (id int64, product *int64, changes map[string]any, err error)) error {
	return d.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		id, product, changes, err := do(s)
		if err != nil || len(changes) == 0 {
			return err
		}
		return s.AddAuditEvent(ctx, store.AuditEvent{
			At: a.Now, ActorID: &a.Who.User.ID, Actor: a.Who.Name(), Action: action, Object: object, ObjectID: &id, ProductID: product,
			Changes: changes, RequestID: a.RequestID, IP: a.IP,
		})
	})
}

// Add adds a user. Without a password they cannot log in, and their tokens can be used.
func (d *Desk) Add(ctx context.Context, a Actor, u gate.User, password string) (gate.User, error) {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return u, err
	}
	if err := checkUser(u); err != nil {
		return u, err
	}
	account := store.Account{User: u}
	if password != "" {
		var err error
		if account.PasswordHash, err = d.Auth.HashPassword(u.Username, password); err != nil {
			return u, err
		}
	}
	err := d.change(ctx, a, "add", "user", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		u, err = s.AddUser(ctx, account)
		return u.ID, nil, map[string]any{"username": u.Username, "is_superuser": u.IsSuperuser, "is_staff": u.IsStaff, "global_role": roleOf(u.GlobalRole)}, taken(err)
	})
	return u, err
}

// Edit writes what a user is to be, and gives them a new password if there is
// one. Who is shut out by it, is so at once.
func (d *Desk) Edit(ctx context.Context, a Actor, before, u gate.User, password string) (gate.User, error) {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return u, err
	}
	if err := checkUser(u); err != nil {
		return u, err
	}
	if u.ID == a.Who.User.ID {
		switch {
		case !u.IsActive:
			return u, gate.FieldErrorf("is_active", "Nobody can shut themselves out: another superuser can.")
		case !u.IsSuperuser:
			return u, gate.FieldErrorf("is_superuser", "Nobody can stop being superuser by themselves: another superuser can do that.")
		}
	}
	changes := userChanges(before, u)
	if password != "" {
		if err := d.Auth.SetPassword(ctx, u, password, ""); err != nil {
			return u, err
		}
		changes["password"] = "changed"
	}
	err := d.change(ctx, a, "edit", "user", func(s *store.Store) (int64, *int64, map[string]any, error) {
		var err error
		u, err = s.UpdateUser(ctx, u)
		return u.ID, nil, changes, taken(err)
	})
	return u, err
}

// userChanges tells what is different, before and after.
func userChanges(before, after gate.User) map[string]any {
	changes := map[string]any{}
	for name, v := range map[string][2]any{
		"username": {before.Username, after.Username}, "first_name": {before.FirstName, after.FirstName}, "last_name": {before.LastName, after.LastName},
		"email": {before.Email, after.Email}, "is_active": {before.IsActive, after.IsActive}, "is_staff": {before.IsStaff, after.IsStaff},
		"is_superuser": {before.IsSuperuser, after.IsSuperuser}, "global_role": {roleOf(before.GlobalRole), roleOf(after.GlobalRole)},
	} {
		if v[0] != v[1] {
			changes[name] = []any{v[0], v[1]}
		}
	}
	return changes
}

func checkUser(u gate.User) error {
	switch {
	case strings.TrimSpace(u.Username) == "":
		return gate.FieldErrorf("username", "This field may not be blank.")
	case strings.ContainsAny(u.Username, ": \t\n"):
		return gate.FieldErrorf("username", "A user name has no colons and no spaces.")
	}
	return nil
}

// taken tells that a user name is another user's as a problem of that field.
func taken(err error) error {
	if gate.KindOf(err) == gate.Conflict {
		return gate.FieldErrorf("username", "A user with that username already exists.")
	}
	return err
}

// Remove removes a user of whom nothing tells.
func (d *Desk) Remove(ctx context.Context, a Actor, u gate.User) error {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return err
	}
	if u.ID == a.Who.User.ID {
		return gate.Errorf(gate.Invalid, "Users may not delete themselves")
	}
	return d.change(ctx, a, "delete", "user", func(s *store.Store) (int64, *int64, map[string]any, error) {
		return u.ID, nil, map[string]any{"username": u.Username}, s.DeleteUser(ctx, u.ID)
	})
}

// RevokeTokens ends all tokens of a user.
func (d *Desk) RevokeTokens(ctx context.Context, a Actor, u gate.User) error {
	if err := d.Auth.MayGlobal(a.Who, auth.EditUsers); err != nil {
		return err
	}
	return d.change(ctx, a, "revoke_tokens", "user", func(s *store.Store) (int64, *int64, map[string]any, error) {
		return u.ID, nil, map[string]any{"username": u.Username}, s.RevokeTokens(ctx, u.ID, a.Now)
	})
}

func roleOf(r *gate.Role) string {
	if r == nil {
		return ""
	}
	return string(*r)
}
