package web

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// tokensPage is what tokens.html shows.
type tokensPage struct {
	layout
	Tokens   []gate.Token
	Products []store.Choice // that a token can be for
	Names    map[int64]string
	Problem  string
	Secret   string // of the token that was just made: shown this once
	First    firstReport
	Form     tokenForm
}

type tokenForm struct {
	Name  string
	Scope gate.TokenScope
	Days  int
}

// tokens serves GET /tokens.
func (w *web) tokens(v *visit) error {
	return w.showTokens(v, tokensPage{Form: tokenForm{Scope: gate.ScopeImport, Days: 90}})
}

func (w *web) showTokens(v *visit, p tokensPage) error {
	p.layout = w.layout(v, "tokens", "API tokens")
	ctx := v.UserContext()
	var err error
	if p.Tokens, err = w.Store.Tokens(ctx, v.User.ID); err != nil {
		return err
	}
	scope, err := w.Auth.Scope(ctx, v.Principal, auth.View)
	if err != nil {
		return err
	}
	choices, err := w.Store.FindingChoices(ctx, scope, false)
	if err != nil {
		return err
	}
	p.Products, p.Names = choices.Products, map[int64]string{}
	for _, c := range choices.Products {
		p.Names[c.ID] = c.Name
	}
	return render(v.Ctx, "tokens.html", p)
}

// addToken serves POST /tokens. It answers with the page itself: the token is
// in no address, no cookie and no log.
func (w *web) addToken(v *visit) error {
	form := tokenForm{Name: v.form("name"), Scope: gate.TokenScope(v.form("scope"))}
	form.Days, _ = strconv.Atoi(v.form("days"))
	want := auth.NewToken{Name: form.Name, Scope: form.Scope, Expires: v.now.Add(time.Duration(form.Days) * 24 * time.Hour)}
	if product := v.form("product"); product != "" {
		id, err := strconv.ParseInt(product, 10, 64)
		if err != nil {
			return gate.FieldErrorf("product", "no such product")
		}
		if err := w.Auth.May(v.UserContext(), v.Principal, auth.View, id); err != nil {
			return err
		}
		want.ProductIDs = []int64{id}
	}
	text, _, err := w.Auth.AddToken(v.UserContext(), v.User, want)
	if gate.KindOf(err) == gate.Invalid && err != nil {
		v.Status(fiber.StatusBadRequest)
		return w.showTokens(v, tokensPage{Problem: err.Error(), Form: form})
	}
	if err != nil {
		return err
	}
	first := firstReport{URL: w.SiteURL, Token: text, CSRF: v.CSRF, Real: true}
	return w.showTokens(v, tokensPage{Secret: text, First: first, Form: tokenForm{Scope: gate.ScopeImport, Days: 90}})
}

// revokeToken serves POST /tokens/:id/revoke.
func (w *web) revokeToken(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := w.Auth.RevokeToken(v.UserContext(), v.User, id); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The token is revoked. What used it can do nothing any more."})
	return v.Redirect("/tokens", fiber.StatusSeeOther)
}

// Ended tells whether a token can no longer be used.
func (p tokensPage) Ended(t gate.Token) bool {
	return t.Revoked != nil || t.Expires != nil && t.Expires.Before(p.Now)
}

// Lives are the numbers of days that a token can be given to live.
func (p tokensPage) Lives() []int { return []int{7, 30, 90, 180, 365} }
