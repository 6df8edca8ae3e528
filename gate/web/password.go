package web

import (
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
)

// passwordPage is what password.html shows.
type passwordPage struct {
	layout
	Problems problemsOf
}

// passwordForm serves GET /password.
func (w *web) passwordForm(v *visit) error {
	return w.showPassword(v, problemsOf{})
}

func (w *web) showPassword(v *visit, problems problemsOf) error {
	if len(problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "password.html", passwordPage{w.layout(v, "tokens", "Password"), problems})
}

// changePassword serves POST /password: all sessions end but this one.
func (w *web) changePassword(v *visit) error {
	ctx, problems := v.UserContext(), problemsOf{}
	next := v.form("new")
	_, err := w.Auth.Verify(ctx, v.User.Username, v.form("old"), v.IP())
	switch {
	case gate.KindOf(err) == gate.Unauthorized:
		problems["old"] = "This is not your password."
	case err != nil:
		return err
	case next != v.form("again"):
		problems["again"] = "This is not the same."
	default:
		err = w.Auth.SetPassword(ctx, v.User, next, v.Cookies(auth.Cookie(w.Secure)))
		if err := problems.note(err, "password"); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return w.showPassword(v, problems)
	}
	w.flash(v, flash{Text: "Your password is changed. Wherever else you were logged in, you are no more."})
	return v.Redirect("/", fiber.StatusSeeOther)
}
