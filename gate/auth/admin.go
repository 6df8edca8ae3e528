package auth

import (
	"context"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Admin is what EnsureAdmin did.
type Admin struct {
	Created  bool
	Username string
	Password string // only when it was made up here: to be shown once, and never logged
}

// EnsureAdmin makes the first superuser if there is none. With a blank
// password it makes one up. Nodes that start at once make one superuser.
func EnsureAdmin(ctx context.Context, s *store.Store, username, password string) (Admin, error) {
	if there, err := s.HasSuperuser(ctx); err != nil || there {
		return Admin{Username: username}, err
	}
	made := Admin{Created: true, Username: username}
	if password == "" {
		password = randomText(22)
		made.Password = password
	} else if err := CheckPassword(username, password); err != nil {
		return Admin{}, err
	}
	_, err := s.AddUser(ctx, store.Account{
		User:         gate.User{Username: username, IsActive: true, IsStaff: true, IsSuperuser: true},
		PasswordHash: DefaultParams.Hash(password),
	})
	if gate.KindOf(err) == gate.Conflict { // another node was quicker, or somebody has the name
		if there, err := s.HasSuperuser(ctx); err != nil || there {
			return Admin{Username: username}, err
		}
		return Admin{}, gate.Errorf(gate.Conflict, "there is a user %q who is no superuser, and there is no superuser: choose another name", username)
	}
	return made, err
}
