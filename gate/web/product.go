package web

import (
	"context"
	"strconv"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// productPage is what product.html shows.
type productPage struct {
	layout
	Product gate.Product
	store.ProductPage
	Numbers    store.Dashboard
	Severities []severityLine
	Flow       flowChart
	Worst      []store.FindingRow
	Verdicts   []store.VerdictRow
	Badge      string // its address
	MayManage  bool   // its members
}

// product serves GET /products/:id.
func (w *web) product(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.UserContext()
	p := productPage{layout: w.layout(v, "products", "Product")}
	if p.Product, err = w.Store.Product(ctx, v.scope, id); err != nil {
		return err
	}
	p.Title, p.MayManage = p.Product.Name, w.Auth.May(ctx, v.Principal, auth.ManageMembers, id) == nil
	only := gate.Scope{ProductIDs: []int64{id}}
	if p.ProductPage, err = w.Store.ProductPage(ctx, id); err != nil {
		return err
	}
	if p.Numbers, err = w.Store.Dashboard(ctx, only, p.Today(), dashboardWeeks); err != nil {
		return err
	}
	p.Severities, p.Flow = severityLines(p.Numbers), newFlowChart(p.Numbers.Weeks)
	worst, err := w.Store.FindingPage(ctx, store.FindingPageQuery{
		FindingSearch: store.FindingSearch{Scope: only, Status: store.OpenStatus}, Sort: store.BySeverity, Descending: true, Limit: 10,
	})
	if err != nil {
		return err
	}
	p.Worst = worst.Rows
	if p.Verdicts, err = w.Store.VerdictRows(ctx, store.VerdictSearch{Scope: only, Limit: 10}); err != nil {
		return err
	}
	if p.Badge, err = w.badgeURL(v, id); err != nil {
		return err
	}
	return render(v.Ctx, "product.html", p)
}

// id reads the number in the address. Whatever is not one is not there.
func (v *visit) id() (int64, error) {
	id, err := strconv.ParseInt(v.Params("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, gate.Errorf(gate.NotFound, "no such page")
	}
	return id, nil
}

// visible returns what the address names, if the visitor may see it.
func visible[T any](w *web, v *visit, get func(context.Context, gate.Scope, int64) (T, error)) (T, error) {
	var none T
	id, err := v.id()
	if err != nil {
		return none, err
	}
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.View)
	if err != nil {
		return none, err
	}
	return get(v.UserContext(), scope, id)
}
