package web

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/policy"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// policiesPage is what policies.html shows.
type policiesPage struct {
	layout
	Policies []store.Policy
	Presets  []policy.Preset
	MayWrite bool // somewhere
}

// policies serves GET /policies.
func (w *web) policies(v *visit) error {
	p := policiesPage{layout: w.layout(v, "policies", "Policies"), Presets: policy.Presets()}
	l, err := w.Store.Policies(v.UserContext(), store.PolicyFilter{Scope: v.scope})
	if err != nil {
		return err
	}
	p.Policies = l.Rows
	p.MayWrite, err = w.writesPolicies(v)
	if err != nil {
		return err
	}
	return render(v.Ctx, "policies.html", p)
}

// writesPolicies tells whether the visitor may write policies of any product.
func (w *web) writesPolicies(v *visit) (bool, error) {
	s, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.WritePolicy)
	return s.All || len(s.ProductIDs) > 0, err
}

// policyPage is what policy.html shows: a policy, or the form of a new one.
type policyPage struct {
	layout
	Policy   store.Policy // ID 0: a new one
	Source   string       // as it is in the form
	Comment  string
	Product  string // chosen, as the form sends it
	Products []store.Choice
	Global   bool // the visitor may write policies for every product
	MayEdit  bool
	Problem  string            // that is no place's
	Problems policies.Problems // errors, and what lint says
	Fatal    bool              // they are errors
	Checked  bool              // lint has looked, and this is what it said
	Versions []store.PolicyVersion
	Days     int

	DaysProblem string
}

// sourceLine is a line of a policy's text with what is wrong with it.
type sourceLine struct {
	Number   int
	Text     string
	Problems policies.Problems
}

// Lines is the text, line by line.
func (p policyPage) Lines() []sourceLine {
	var out []sourceLine
	for i, text := range strings.Split(strings.TrimRight(p.Source, "\n"), "\n") {
		l := sourceLine{Number: i + 1, Text: text}
		for _, x := range p.Problems {
			if x.Line == l.Number {
				l.Problems = append(l.Problems, x)
			}
		}
		out = append(out, l)
	}
	return out
}

// Action is where the form goes.
func (p policyPage) Action() string {
	if p.Policy.ID == 0 {
		return "/policies"
	}
	return "/policies/" + strconv.FormatInt(p.Policy.ID, 10)
}

// newPolicy serves GET /policies/new?preset=….
func (w *web) newPolicy(v *visit) error {
	p := policyPage{Source: policies.Default().Source}
	if preset, ok := policies.Builtin()[v.Query("preset")]; ok {
		p.Source = preset.Source
	}
	return w.showPolicy(v, p)
}

// showPolicy completes the page and answers with it.
func (w *web) showPolicy(v *visit, p policyPage) error {
	p.layout = w.layout(v, "policies", "New policy")
	if p.Policy.ID != 0 {
		p.Title = "Policy " + p.Policy.Name
		l, err := w.Store.PolicyVersions(v.UserContext(), p.Policy.ID, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		p.Versions = l.Rows
	}
	p.Global = w.Auth.MayGlobal(v.Principal, auth.WritePolicy) == nil
	p.MayEdit = p.Policy.ID == 0 || w.mayPolicy(v, p.Policy.ProductID) == nil
	if p.Policy.ID == 0 {
		scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.WritePolicy)
		if err != nil {
			return err
		}
		choices, err := w.Store.FindingChoices(v.UserContext(), scope, false)
		if err != nil {
			return err
		}
		p.Products = choices.Products
		if !p.Global && len(p.Products) == 0 {
			return gate.Errorf(gate.Forbidden, "You may not write policies of any product.")
		}
	}
	if p.Days == 0 {
		p.Days = 30
	}
	return render(v.Ctx, "policy.html", p)
}

// mayPolicy returns nil if the visitor may write the policies of a product, or
// of all for nil.
func (w *web) mayPolicy(v *visit, product *int64) error {
	if product == nil {
		return w.Auth.MayGlobal(v.Principal, auth.WritePolicy)
	}
	return w.Auth.May(v.UserContext(), v.Principal, auth.WritePolicy, *product)
}

// policyForm reads what was typed.
func (v *visit) policyForm() policyPage {
	p := policyPage{Source: strings.ReplaceAll(v.form("source"), "\r\n", "\n"), Comment: strings.TrimSpace(v.form("comment")), Product: v.form("product")}
	p.Days, _ = strconv.Atoi(v.form("days"))
	return p
}

// tryPolicy does what the form's other buttons ask for: look for mistakes, or
// try the text on the past. It answers with next, unless that is nil: for saving.
func (w *web) tryPolicy(v *visit, p *policyPage) (next func() error, err error) {
	show := func() error { return w.showPolicy(v, *p) }
	switch v.form("do") {
	case "check":
		r := policy.Lint("policy", p.Source, nil)
		p.Checked, p.Problems, p.Fatal = true, slices.Concat(r.Errors, r.Warnings), len(r.Errors) > 0
		for _, f := range r.Failed {
			p.Problems = append(p.Problems, policies.Problem{Line: 1, Column: 1, Message: "a test failed: " + f})
		}
		return show, nil
	case "backtest":
		started, err := w.startBacktest(v, p)
		if err != nil || started {
			return func() error { return nil }, err
		}
		v.Status(fiber.StatusBadRequest)
		return show, nil
	}
	return nil, nil
}

// wrong keeps what is wrong with what was typed for the page; any other error is
// handed back.
func (p *policyPage) wrong(err error) error {
	if ps, ok := errors.AsType[policies.Problems](err); ok {
		p.Problems, p.Fatal = ps, true
		return nil
	}
	if k := gate.KindOf(err); k == gate.Invalid || k == gate.Conflict {
		p.Problem = err.Error()
		return nil
	}
	return err
}

// addPolicy serves POST /policies.
func (w *web) addPolicy(v *visit) error {
	p := v.policyForm()
	if next, err := w.tryPolicy(v, &p); err != nil || next != nil {
		return errorOr(err, next)
	}
	n := policy.New{Name: "policy", Source: p.Source, Comment: p.Comment}
	if p.Product != "" {
		id, err := strconv.ParseInt(p.Product, 10, 64)
		if err != nil {
			return gate.Errorf(gate.NotFound, "no such product")
		}
		n.ProductID = &id
	}
	if err := w.mayPolicy(v, n.ProductID); err != nil {
		return err
	}
	made, err := w.Policies.Add(v.UserContext(), w.policyActor(v), n)
	if err != nil {
		v.Status(fiber.StatusBadRequest)
		return errorOr(p.wrong(err), func() error { return w.showPolicy(v, p) })
	}
	w.flash(v, flash{Text: "The policy " + made.Name + " judges from now on."})
	return v.Redirect("/policies/"+strconv.FormatInt(made.ID, 10), fiber.StatusSeeOther)
}

func errorOr(err error, otherwise func() error) error {
	if err != nil {
		return err
	}
	return otherwise()
}

func (w *web) policyActor(v *visit) policy.Actor {
	return policy.Actor{Who: v.Principal, Now: v.now, RequestID: requestID(v.Ctx), IP: v.IP()}
}

// onePolicy returns the policy of the address, if the visitor may see it.
func (w *web) onePolicy(v *visit) (store.Policy, error) { return visible(w, v, w.Store.Policy) }

// policy serves GET /policies/:id.
func (w *web) policy(v *visit) error {
	one, err := w.onePolicy(v)
	if err != nil {
		return err
	}
	r := policy.Lint(one.Name, one.Source, nil)
	return w.showPolicy(v, policyPage{Policy: one, Source: one.Source, Problems: r.Warnings})
}

// editPolicy serves POST /policies/:id.
func (w *web) editPolicy(v *visit) error {
	one, err := w.onePolicy(v)
	if err != nil {
		return err
	}
	if err := w.mayPolicy(v, one.ProductID); err != nil {
		return err
	}
	p := v.policyForm()
	p.Policy = one
	if next, err := w.tryPolicy(v, &p); err != nil || next != nil {
		return errorOr(err, next)
	}
	text, err := w.changePolicy(v, one, &p)
	if err != nil {
		v.Status(fiber.StatusBadRequest)
		return errorOr(p.wrong(err), func() error { return w.showPolicy(v, p) })
	}
	w.flash(v, flash{Text: text})
	if v.form("do") == "delete" {
		return v.Redirect("/policies", fiber.StatusSeeOther)
	}
	return v.Redirect("/policies/"+strconv.FormatInt(one.ID, 10), fiber.StatusSeeOther)
}

// changePolicy does what the form's button says, and says what it did.
func (w *web) changePolicy(v *visit, one store.Policy, p *policyPage) (string, error) {
	ctx, who := v.UserContext(), w.policyActor(v)
	switch v.form("do") {
	case "enable":
		_, err := w.Policies.Edit(ctx, who, one, policy.Edit{Enabled: new(true)})
		return "The policy judges from now on.", err
	case "disable":
		_, err := w.Policies.Edit(ctx, who, one, policy.Edit{Enabled: new(false)})
		return "The policy is switched off.", err
	case "delete":
		return "The policy " + one.Name + " is deleted. Its versions are kept.", w.Policies.Delete(ctx, who, one)
	}
	version, _ := strconv.Atoi(v.form("version"))
	after, err := w.Policies.Edit(ctx, who, one, policy.Edit{Version: version, Source: &p.Source, Comment: p.Comment})
	if after.Version == one.Version {
		return "Nothing was changed.", err
	}
	return "This is version " + strconv.Itoa(after.Version) + ", which judges from now on.", err
}

// policyDiffPage is what policy-diff.html shows.
type policyDiffPage struct {
	layout
	Policy   store.Policy
	From, To store.PolicyVersion
	Lines    []policy.Line
}

// policyDiff serves GET /policies/:id/diff?from=…&to=….
func (w *web) policyDiff(v *visit) error {
	one, err := w.onePolicy(v)
	if err != nil {
		return err
	}
	l, err := w.Store.PolicyVersions(v.UserContext(), one.ID, store.Page{})
	if err != nil {
		return err
	}
	version := func(name string) (store.PolicyVersion, error) {
		n, _ := strconv.Atoi(v.Query(name))
		i := slices.IndexFunc(l.Rows, func(x store.PolicyVersion) bool { return x.Version == n })
		if i < 0 {
			return store.PolicyVersion{}, gate.Errorf(gate.NotFound, "no such version")
		}
		return l.Rows[i], nil
	}
	p := policyDiffPage{layout: w.layout(v, "policies", "Policy "+one.Name), Policy: one}
	if p.From, err = version("from"); err != nil {
		return err
	}
	if p.To, err = version("to"); err != nil {
		return err
	}
	p.Lines = policy.Diff(p.From.Source, p.To.Source)
	return render(v.Ctx, "policy-diff.html", p)
}

// Mark is the sign of a line of a diff.
func (p policyDiffPage) Mark(l policy.Line) string {
	return map[byte]string{'+': "added", '-': "removed"}[l.Op]
}
