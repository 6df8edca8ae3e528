package web

import (
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/connection"
	"defectdojo/gate/store"
)

// partForm is what somebody typed of a part of a repository that is to be added.
type partForm struct {
	Repository, Product         int64
	Component, Paths, Artifacts string
	Problems                    map[string]string // by field
}

// mapRepository serves POST /integrations/connections/:id/repositories: which
// product one belongs to.
func (w *web) mapRepository(v *visit) error {
	p, r, err := w.formRepository(v)
	if err != nil {
		return err
	}
	m, err := w.mapping(v)
	if err != nil {
		return err
	}
	err = w.Connections.Map(v.UserContext(), v.event(), r.ID, m)
	if gate.KindOf(err) == gate.Invalid && err != nil {
		p.Failed = partName(r) + ": " + err.Error()
		v.Status(fiber.StatusBadRequest)
		return w.showConnection(v, p)
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: partName(r) + " is saved."})
	return v.Redirect(connectionURL(p.ID), fiber.StatusSeeOther)
}

// addPart serves POST /integrations/connections/:id/parts: a part of a monorepo.
func (w *web) addPart(v *visit) error {
	p, r, err := w.formRepository(v)
	if err != nil {
		return err
	}
	m, err := w.mapping(v)
	if err != nil {
		return err
	}
	p.Part = partForm{Repository: r.ID, Product: m.Product, Component: strings.TrimSpace(v.form("component")), Paths: v.form("paths"), Artifacts: v.form("artifacts")}
	_, err = w.Connections.AddPart(v.UserContext(), v.event(), r.ID, p.Part.Component, m)
	if e, ok := errors.AsType[*gate.Error](err); ok && e.Kind == gate.Invalid {
		p.Part.Problems = map[string]string{e.Field: e.Message}
		v.Status(fiber.StatusBadRequest)
		return w.showConnection(v, p)
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: r.FullName + " has a part " + p.Part.Component + " now."})
	return v.Redirect(connectionURL(p.ID), fiber.StatusSeeOther)
}

// removePart serves POST /integrations/connections/:id/parts/delete.
func (w *web) removePart(v *visit) error {
	p, r, err := w.formRepository(v)
	if err != nil {
		return err
	}
	if err := w.Connections.RemovePart(v.UserContext(), v.event(), r.ID); err != nil {
		return err
	}
	w.flash(v, flash{Text: partName(r) + " is a part no more: its product stays, with what it has."})
	return v.Redirect(connectionURL(p.ID), fiber.StatusSeeOther)
}

// formRepository returns the connection that is looked at, and the repository of
// it that a form names.
func (w *web) formRepository(v *visit) (p connectionPage, r store.Repository, err error) {
	if p, err = w.savedConnection(v); err != nil {
		return p, r, err
	}
	id, err := strconv.ParseInt(v.form("repository"), 10, 64)
	if err != nil {
		return p, r, gate.Errorf(gate.NotFound, "no such repository")
	}
	r, err = w.Store.Repository(v.UserContext(), id)
	if err == nil && r.ConnectionID != p.ID {
		err = gate.Errorf(gate.NotFound, "no such repository")
	}
	return p, r, err
}

// mapping reads what a form says of a repository.
func (w *web) mapping(v *visit) (connection.Mapping, error) {
	list := func(name string) []string { return strings.Fields(strings.ReplaceAll(v.form(name), ",", " ")) }
	m := connection.Mapping{Artifacts: list("artifacts"), Paths: list("paths")}
	m.Product, _ = strconv.ParseInt(v.form("product"), 10, 64) // blank: none
	if m.Product == 0 {
		return m, nil
	}
	return m, w.Auth.May(v.UserContext(), v.Principal, auth.View, m.Product)
}

// partName names a repository, or a part of one.
func partName(r store.Repository) string {
	if r.Component == "" {
		return r.FullName
	}
	return r.FullName + ", " + r.Component
}

func connectionURL(id int64) string {
	return "/integrations/connections/" + strconv.FormatInt(id, 10)
}

// Holds tells whether a product is the repository's.
func (connectionPage) Holds(r store.Repository, product int64) bool {
	return r.ProductID != nil && *r.ProductID == product
}

// OneLine writes patterns or paths in one line.
func (connectionPage) OneLine(list []string) string { return strings.Join(list, " ") }
