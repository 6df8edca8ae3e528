package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// csrfHeader is where a request with a session's cookie shows that no other
// site has made the browser send it, and where an answer tells what to show.
const csrfHeader = "X-Csrftoken"

// authenticate finds out who asks: by a token, by a user name and a password,
// or by the cookie of the pages. A header counts before the cookie, which
// browsers send by themselves.
func (r *request) authenticate() error {
	who, err := r.credentials()
	if err != nil {
		return err
	}
	r.who = who
	return r.Auth.MayTry(r.who, r.do)
}

func (r *request) credentials() (gate.Principal, error) {
	header := r.Get(fiber.HeaderAuthorization)
	if text, ok, err := auth.FromHeader(header); ok || err != nil {
		if err != nil {
			return gate.Principal{}, err
		}
		return r.Auth.Token(r.ctx, text)
	}
	if username, password, ok, err := auth.FromBasic(header); ok || err != nil {
		if err != nil {
			return gate.Principal{}, err
		}
		return r.Auth.Password(r.ctx, username, password, r.IP())
	}
	return r.session()
}

// session returns whose session the request's cookie names. What changes
// something needs the session's token, too: a page of another site can make a
// browser send the cookie, and cannot read the token.
func (r *request) session() (gate.Principal, error) {
	cookie := r.Cookies(auth.Cookie(r.api.Secure))
	s, err := r.Auth.Session(r.ctx, cookie)
	if gate.KindOf(err) == gate.Unauthorized {
		return gate.Principal{}, gate.Errorf(gate.Unauthorized, "Authentication credentials were not provided.")
	}
	if err != nil {
		return gate.Principal{}, err
	}
	given := r.Get(csrfHeader)
	switch {
	case slices.Contains([]string{fiber.MethodGet, fiber.MethodHead}, r.Method()):
	case given == "":
		return gate.Principal{}, gate.Errorf(gate.Forbidden, "CSRF Failed: CSRF token missing.")
	case !s.ValidCSRF(given):
		return gate.Principal{}, gate.Errorf(gate.Forbidden, "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect.")
	}
	r.Set(csrfHeader, s.CSRF)
	return s.Principal, nil
}
