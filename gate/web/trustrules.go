package web

import (
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// trustPage is what trust-rules.html shows.
type trustPage struct {
	layout
	Rules    []store.TrustRule
	Products []store.Choice // whose integrations the visitor manages
	Issuers  []auth.Issuer
	Form     store.TrustRule
	Field    string // that is wrong
	Problem  string
}

// trustRules serves GET /trust-rules.
func (w *web) trustRules(v *visit) error {
	return w.showTrustRules(v, trustPage{Form: store.TrustRule{Provider: "github", DefaultBranch: "main"}})
}

func (w *web) showTrustRules(v *visit, p trustPage) error {
	p.layout, p.Issuers = w.layout(v, "integrations", "Keyless CI"), w.Auth.TrustedIssuers()
	var err error
	if p.Rules, err = w.Store.TrustRules(v.UserContext(), v.scope); err != nil {
		return err
	}
	choices, err := w.Store.FindingChoices(v.UserContext(), v.scope, false)
	if err != nil {
		return err
	}
	p.Products = choices.Products
	return render(v.Ctx, "trust-rules.html", p)
}

// addTrustRule serves POST /trust-rules.
func (w *web) addTrustRule(v *visit) error {
	r := store.TrustRule{
		Issuer: v.form("issuer"), RepositoryID: v.form("repository_id"), OwnerID: v.form("owner_id"), Repository: v.form("repository"), DefaultBranch: v.form("default_branch"),
		Environment: v.form("environment"), Workflow: v.form("workflow"),
	}
	for _, i := range w.Auth.TrustedIssuers() {
		if i.URL == r.Issuer {
			r.Provider = i.Provider
		}
	}
	r.ProductID, _ = strconv.ParseInt(v.form("product"), 10, 64)
	err := w.Auth.May(v.UserContext(), v.Principal, auth.ManageChannels, r.ProductID)
	if err == nil {
		_, err = w.Auth.AddTrustRule(v.UserContext(), v.Principal, r, auth.Client{IP: v.IP()})
	}
	if e, ok := errors.AsType[*gate.Error](err); ok && e.Kind == gate.Invalid {
		v.Status(fiber.StatusBadRequest)
		if e.Field == "provider" { // of an issuer that is none of those that were shown
			e.Field = "issuer"
		}
		return w.showTrustRules(v, trustPage{Form: r, Field: e.Field, Problem: e.Message})
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "The jobs of this repository can upload without a token now."})
	return v.Redirect("/trust-rules", fiber.StatusSeeOther)
}

// deleteTrustRule serves POST /trust-rules/:id/delete.
func (w *web) deleteTrustRule(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	r, err := w.Store.TrustRule(v.UserContext(), v.scope, id)
	if err != nil {
		return err
	}
	if err := w.Auth.RemoveTrustRule(v.UserContext(), v.Principal, r, auth.Client{IP: v.IP()}); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The rule is gone, and with it the tokens that its jobs still had."})
	return v.Redirect("/trust-rules", fiber.StatusSeeOther)
}

// Wrong is what is wrong with a field; blank if nothing is.
func (p trustPage) Wrong(field string) string {
	if p.Field == field {
		return p.Problem
	}
	return ""
}
