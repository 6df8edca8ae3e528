package api

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/policy"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

func (a *api) policyRoutes() []route {
	return []route{
		{fiber.MethodGet, "/policies", auth.View, a.policies},
		{fiber.MethodPost, "/policies", auth.WritePolicy, a.addPolicy},
		{fiber.MethodGet, "/policies/presets", auth.ViewReference, a.presets},
		{fiber.MethodPost, "/policies/lint", auth.Self, a.lintPolicy},
		{fiber.MethodGet, "/policies/:id", auth.View, a.policy},
		{fiber.MethodPut, "/policies/:id", auth.WritePolicy, a.editPolicy},
		{fiber.MethodPatch, "/policies/:id", auth.WritePolicy, a.editPolicy},
		{fiber.MethodDelete, "/policies/:id", auth.WritePolicy, a.deletePolicy},
		{fiber.MethodGet, "/policies/:id/versions", auth.View, a.policyVersions},
	}
}

// policyView is a policy as the API tells it.
type policyView struct {
	ID      int64   `json:"id"`
	Name    string  `json:"name"`
	Product *int64  `json:"product"` // null: for every product
	Enabled bool    `json:"enabled"`
	Version int     `json:"version"`
	Source  string  `json:"source"` // YAML, as it was written
	Digest  string  `json:"digest"`
	Author  string  `json:"author"` // of the version
	Comment string  `json:"comment"`
	Created stamp   `json:"created"`
	Updated stamp   `json:"updated"`
	Written stamp   `json:"written"` // the version
	Link    *string `json:"url"`
}

func (r *request) showPolicy(p store.Policy) policyView {
	return policyView{
		p.ID, p.Name, p.ProductID, p.Enabled, p.Version, p.Source, "sha256:" + hex.EncodeToString(p.Digest), p.Author, p.Comment, stamp(p.Created), stamp(p.Updated),
		stamp(p.Written), r.page("/policies/", p.ID),
	}
}

// policies serves GET /policies: those for every product, and those of products
// that the sender may see.
func (a *api) policies(r *request) error {
	q := r.query()
	p := q.page()
	p.Order = nil // this list has one order
	scope, err := r.scope()
	if err != nil {
		return err
	}
	f := store.PolicyFilter{Scope: scope, Name: q.maybe("name"), Page: p}
	if v := q.number("product"); len(v) > 0 {
		f.Product = &v[0]
	}
	if err := q.err(); err != nil {
		return err
	}
	l, err := r.Store.Policies(r.ctx, f)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, p := range l.Rows {
		rows = append(rows, r.showPolicy(p))
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// onePolicy returns the policy that the path names, if the sender may see it.
func (r *request) onePolicy() (store.Policy, error) {
	id, err := r.id("policy")
	if err != nil {
		return store.Policy{}, err
	}
	scope, err := r.scope()
	if err != nil {
		return store.Policy{}, err
	}
	return r.Store.Policy(r.ctx, scope, id)
}

// policy serves GET /policies/:id.
func (a *api) policy(r *request) error {
	p, err := r.onePolicy()
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, r.showPolicy(p))
}

// mayPolicy returns nil if the sender may do what the route says to the policies
// of a product, or to those of all for nil.
func (r *request) mayPolicy(product *int64) error {
	if product != nil {
		return r.may(*product)
	}
	return r.Auth.MayGlobal(r.who, r.do)
}

func (r *request) policyActor() policy.Actor {
	return policy.Actor{Who: r.who, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
}

// addPolicy serves POST /policies.
func (a *api) addPolicy(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	n := policy.New{Name: "policy"}
	enabled := true
	f.maybeReference(r.ctx, "product", &n.ProductID, r.seesProduct)
	f.text("name", &n.Name, 100, 0)
	f.source(&n.Source)
	f.text("comment", &n.Comment, 500, blank)
	f.flag("enabled", &enabled, 0)
	if err := f.failed(); err != nil {
		return err
	}
	if err := r.mayPolicy(n.ProductID); err != nil {
		return err
	}
	n.Disabled = !enabled && f.has("enabled")
	p, err := r.Policies.Add(r.ctx, r.policyActor(), n)
	if err != nil {
		return badPolicy(err)
	}
	return r.reply(fiber.StatusCreated, r.showPolicy(p))
}

// editPolicy serves PUT and PATCH /policies/:id. With "version" the change is
// refused if somebody has changed the policy since that version.
func (a *api) editPolicy(r *request) error {
	before, err := r.onePolicy()
	if err != nil {
		return err
	}
	if err := r.mayPolicy(before.ProductID); err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	e := policy.Edit{}
	var version *int64
	whole(f, "version", &version, 1, 1<<31)
	if f.has("source") || !f.partial {
		e.Source = new("")
		f.source(e.Source)
	}
	f.text("comment", &e.Comment, 500, blank)
	if f.has("enabled") {
		e.Enabled = new(false)
		f.flag("enabled", e.Enabled, required)
	}
	if err := f.failed(); err != nil {
		return err
	}
	if version != nil {
		e.Version = int(*version)
	}
	p, err := r.Policies.Edit(r.ctx, r.policyActor(), before, e)
	if err != nil {
		return badPolicy(err)
	}
	return r.reply(fiber.StatusOK, r.showPolicy(p))
}

// deletePolicy serves DELETE /policies/:id.
func (a *api) deletePolicy(r *request) error {
	p, err := r.onePolicy()
	if err != nil {
		return err
	}
	if err := r.mayPolicy(p.ProductID); err != nil {
		return err
	}
	if err := r.Policies.Delete(r.ctx, r.policyActor(), p); err != nil {
		return err
	}
	return r.nothing()
}

// badPolicy tells what is wrong with a policy's text, with the places.
func badPolicy(err error) error {
	ps, ok := errors.AsType[policies.Problems](err)
	if !ok {
		return err
	}
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return fail{fiber.StatusBadRequest, map[string]any{"message": ps.Error(), "source": lines, "problems": ps}}
}

// policyVersions serves GET /policies/:id/versions, the newest first.
func (a *api) policyVersions(r *request) error {
	one, err := r.onePolicy()
	if err != nil {
		return err
	}
	q := r.query()
	p := q.page()
	p.Order = nil
	l, err := r.Store.PolicyVersions(r.ctx, one.ID, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, v := range l.Rows {
		rows = append(rows, map[string]any{
			"version": v.Version, "source": v.Source, "digest": "sha256:" + hex.EncodeToString(v.Digest), "author": v.Author, "comment": v.Comment, "created": stamp(v.Created),
		})
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// presets serves GET /policies/presets: policies to start from.
func (a *api) presets(r *request) error {
	rows := []any{}
	for _, p := range policy.Presets() {
		rows = append(rows, map[string]string{"name": p.Name, "description": p.Description, "source": p.Source})
	}
	return r.reply(fiber.StatusOK, map[string]any{"count": len(rows), "next": nil, "previous": nil, "results": rows})
}

// lintPolicy serves POST /policies/lint: what is wrong with a text, with line
// and column.
func (a *api) lintPolicy(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	name, source := "policy.yaml", ""
	f.text("name", &name, 200, 0)
	f.source(&source)
	if err := f.failed(); err != nil {
		return err
	}
	report := policy.Lint(name, source, nil)
	return r.reply(fiber.StatusOK, map[string]any{
		"name": report.Name, "valid": len(report.Errors) == 0, "errors": orNone(report.Errors), "warnings": orNone(report.Warnings),
		"tests": report.Tests, "failed_tests": orNone(report.Failed),
	})
}

func orNone[S ~[]T, T any](s S) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// explain serves GET /verdicts/:id/explain?finding=…: why each rule did with a
// finding what it did.
func (a *api) explain(r *request) error {
	id, err := r.id("verdict")
	if err != nil {
		return err
	}
	scope, err := r.Auth.Scope(r.ctx, r.who, auth.ViewVerdict)
	if err != nil {
		return err
	}
	if _, err := r.Store.Verdict(r.ctx, scope, id); err != nil {
		return err
	}
	q := r.query()
	finding := q.number("finding")
	if len(finding) != 1 {
		return gate.FieldErrorf("finding", "Enter a number.")
	}
	x, err := r.Judge.Explain(r.ctx, scope, id, finding[0])
	if err != nil {
		return err
	}
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, json.RawMessage(b))
}
