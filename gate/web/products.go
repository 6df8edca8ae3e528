package web

import (
	"strconv"
	"strings"

	"defectdojo/gate/store"
)

// productsPage is what products.html shows.
type productsPage struct {
	layout
	Text     string
	ByName   bool
	Products []store.ProductRow
	Total    int
	Next     string
	Prev     string
}

// products serves GET /products.
func (w *web) products(v *visit) error {
	const perPage = 100
	query := queryOf(v.Ctx)
	page, _ := strconv.Atoi(query.Get("page"))
	page = min(max(page, 1), 10_000)
	p := productsPage{layout: w.layout(v, "products", "Products"), Text: strings.TrimSpace(query.Get("q")), ByName: query.Get("sort") == "name"}
	var err error
	p.Products, err = w.Store.ProductRows(v.UserContext(), store.ProductSearch{
		Scope: v.scope, Text: p.Text, ByName: p.ByName, Page: store.Page{Limit: perPage, Offset: (page - 1) * perPage},
	})
	if err != nil {
		return err
	}
	if len(p.Products) > 0 {
		p.Total = p.Products[0].Total
	}
	at := func(n int) string {
		query.Set("page", strconv.Itoa(n))
		return "/products?" + query.Encode()
	}
	if page*perPage < p.Total {
		p.Next = at(page + 1)
	}
	if page > 1 {
		p.Prev = at(page - 1)
	}
	return render(v.Ctx, "products.html", p)
}
