package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// loginPage is what login.html shows.
type loginPage struct {
	layout
	Username string
	Next     string // where to go after it
	Problem  string
}

// loginForm serves GET /login.
func (w *web) loginForm(v *visit) error {
	if _, err := w.Auth.Session(v.UserContext(), v.Cookies(auth.Cookie(w.Secure))); err == nil {
		return v.Redirect(localPath(v.Query("next")), fiber.StatusSeeOther)
	}
	return render(v.Ctx, "login.html", loginPage{layout: w.layout(v, "", "Log in"), Next: localPath(v.Query("next"))})
}

// login serves POST /login.
func (w *web) login(v *visit) error {
	ctx, next := v.UserContext(), localPath(v.form("next"))
	from := auth.Client{IP: v.IP(), UserAgent: v.Get(fiber.HeaderUserAgent)}
	s, err := w.Auth.Login(ctx, v.form("username"), v.form("password"), from)
	switch gate.KindOf(err) {
	case gate.Unauthorized, gate.Limited, gate.Unavailable:
		return w.loginFailed(v, next, err)
	}
	if err != nil {
		return err
	}
	if old := v.Cookies(auth.Cookie(w.Secure)); old != "" {
		if err := w.Auth.Logout(ctx, old); err != nil {
			return err
		}
	}
	v.Cookie(&fiber.Cookie{
		Name: auth.Cookie(w.Secure), Value: s.ID, Path: "/", Expires: s.Expires,
		HTTPOnly: true, Secure: w.Secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return v.Redirect(next, fiber.StatusSeeOther)
}

func (w *web) loginFailed(v *visit, next string, err error) error {
	v.Status(status(err))
	retryAfter(v.Ctx, err)
	p := loginPage{layout: w.layout(v, "", "Log in"), Username: v.form("username"), Next: next, Problem: err.Error()}
	if gate.KindOf(err) == gate.Unauthorized {
		p.Problem = "The user name or the password is wrong."
	}
	return render(v.Ctx, "login.html", p)
}

// logout serves POST /logout.
func (w *web) logout(v *visit) error {
	if err := w.Auth.Logout(v.UserContext(), v.Cookies(auth.Cookie(w.Secure))); err != nil {
		return err
	}
	v.ClearCookie(auth.Cookie(w.Secure))
	return v.Redirect("/login", fiber.StatusSeeOther)
}

// localPath returns an address of ours as it is, and "/" for any other: nobody
// is sent elsewhere by a link to our login.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || u.Host != "" || u.Scheme != "" ||
		strings.ContainsAny(s, "\\\r\n\t") || u.Path == "/login" || u.Path == "/logout" {
		return "/"
	}
	return s
}
