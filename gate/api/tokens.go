package api

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

func (a *api) tokenRoutes() []route {
	return []route{{fiber.MethodPost, "/api-token-auth", auth.Public, a.tokenAuth}}
}

// tokenAuth serves POST /api-token-auth: a token for a user name and a
// password. Each is a new one: only hashes of tokens are kept.
func (a *api) tokenAuth(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var username, password string
	f.text("username", &username, 0, required)
	f.text("password", &password, 0, required)
	if err := f.failed(); err != nil {
		return err
	}
	u, err := r.Auth.Verify(r.ctx, username, password, r.IP())
	if gate.KindOf(err) == gate.Unauthorized {
		return problems{"non_field_errors": {err.Error()}}
	}
	if err != nil {
		return err
	}
	text, err := r.Auth.LoginToken(r.ctx, u)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]string{"token": text})
}
