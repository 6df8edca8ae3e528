package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
)

// user reads what may be said of a user, and a new password.
func (f *form) user(u *gate.User, password *string) {
	f.text("username", &u.Username, 150, required)
	f.text("first_name", &u.FirstName, 150, nullable|blank)
	f.text("last_name", &u.LastName, 150, nullable|blank)
	f.text("email", &u.Email, 254, nullable|blank)
	f.flag("is_active", &u.IsActive, 0)
	f.flag("is_staff", &u.IsStaff, 0)
	f.flag("is_superuser", &u.IsSuperuser, 0)
	if v, ok := f.raw("password", blank|nullable); ok { // as it is: blanks of a password count
		*password, _ = unquote(v)
	}
}

// addUser serves POST /users.
func (a *api) addUser(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	u, password := gate.User{IsActive: true}, ""
	f.user(&u, &password)
	if err := f.failed(); err != nil {
		return err
	}
	if u, err = r.People.Add(r.ctx, r.peopleActor(), u, password); err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, userOf(u))
}

// editUser serves PUT and PATCH /users/:id.
func (a *api) editUser(r *request) error {
	before, err := a.users().one(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	u, password := before, ""
	f.user(&u, &password)
	if err := f.failed(); err != nil {
		return err
	}
	if u, err = r.People.Edit(r.ctx, r.peopleActor(), before, u, password); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, userOf(u))
}

// removeUser serves DELETE /users/:id.
func (a *api) removeUser(r *request) error {
	u, err := a.users().one(r)
	if err != nil {
		return err
	}
	if err := r.People.Remove(r.ctx, r.peopleActor(), u); err != nil {
		return err
	}
	return r.nothing()
}

// resetToken serves POST /users/:id/reset_api_token: it ends the user's tokens.
// A new one they make themselves.
func (a *api) resetToken(r *request) error {
	u, err := a.users().one(r)
	if err != nil {
		return err
	}
	if err := r.People.RevokeTokens(r.ctx, r.peopleActor(), u); err != nil {
		return err
	}
	return r.nothing()
}
