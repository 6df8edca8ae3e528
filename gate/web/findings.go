package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// findingsPage is what findings.html shows.
type findingsPage struct {
	layout
	Filter   filter
	Problem  string // what is wrong with the filter
	Chips    []chip
	Statuses []statusOption
	Choices  store.Choices
	Counts   store.Counts // that match
	All      int          // findings that may be seen
	Rows     []store.FindingRow
	Columns  []column
	Next     string
	Prev     string
	CanEdit  bool
	JIRA     bool // tickets have a place to go
}

type statusOption struct {
	Value, Name string
	On          bool
}

// column is the head of a column: a link that sorts by it, if it can.
type column struct {
	Name, Class, Href string
	Sorted            string // ascending or descending, if the list is sorted by it
}

// Matching describes what the list has: "312 open match, of 100,000 findings".
func (p findingsPage) Matching() string {
	word := strings.ToLower(statusNames[p.Filter.Status()])
	if p.Filter.Status() == store.AnyStatus {
		word = ""
	}
	n := strings.TrimSpace(num(p.Counts.Total()) + " " + word)
	if p.Filter.Narrowed() {
		n += " match,"
	}
	return n + " of " + plural(p.All, "finding", "findings")
}

// findings serves GET /findings.
func (w *web) findings(v *visit) error {
	f, tidy := newFilter(queryOf(v.Ctx))
	if !tidy {
		return v.Redirect(f.Address(), fiber.StatusSeeOther)
	}
	p := findingsPage{layout: w.layout(v, "findings", "Findings"), Filter: f}
	p.Query = f.Get("q")
	for _, s := range store.FindingStatuses {
		p.Statuses = append(p.Statuses, statusOption{string(cmp.Or(s, "any")), statusNames[s], s == f.Status()})
	}
	if err := w.findingsFrame(v, &p); err != nil {
		return err
	}
	search, err := f.search(v.scope, p.Today(), v.User)
	var page store.FindingPageQuery
	if err == nil {
		page, err = f.page(search)
	}
	if gate.KindOf(err) == gate.Invalid && err != nil {
		v.Status(fiber.StatusBadRequest)
		p.Problem = err.Error()
		return render(v.Ctx, "findings.html", p)
	}
	if err := w.findingsRows(v, page, &p); err != nil {
		return err
	}
	return render(v.Ctx, "findings.html", p)
}

// findingsFrame fills in what is around the list.
func (w *web) findingsFrame(v *visit, p *findingsPage) error {
	ctx := v.UserContext()
	edit, err := w.Auth.Scope(ctx, v.Principal, auth.EditFinding)
	if err != nil {
		return err
	}
	p.CanEdit = edit.All || len(edit.ProductIDs) > 0
	if p.JIRA, err = w.Store.HasJIRA(ctx, 0); err != nil {
		return err
	}
	if p.Choices, err = w.Store.FindingChoices(ctx, v.scope, p.CanEdit); err != nil {
		return err
	}
	engagement, _ := strconv.ParseInt(p.Filter.Get("engagement"), 10, 64)
	test, _ := strconv.ParseInt(p.Filter.Get("test"), 10, 64)
	names, err := w.Store.Names(ctx, v.scope, engagement, test)
	if err != nil {
		return err
	}
	for _, c := range p.Choices.Products {
		names["product "+strconv.FormatInt(c.ID, 10)] = c.Name
	}
	for _, c := range p.Choices.People {
		names["assigned "+strconv.FormatInt(c.ID, 10)] = "Assigned to " + c.Name
	}
	p.Chips = p.Filter.chips(names)
	p.Columns = p.Filter.columns()
	return nil
}

// findingsRows reads the list and its numbers, side by side.
func (w *web) findingsRows(v *visit, q store.FindingPageQuery, p *findingsPage) error {
	g, ctx := errgroup.WithContext(v.UserContext())
	var page store.FindingPage
	if q.Wide() {
		g.Go(func() (err error) { page, p.Counts, err = w.Store.FindingPageAndCounts(ctx, q); return })
	} else {
		g.Go(func() (err error) { page, err = w.Store.FindingPage(ctx, q); return })
		g.Go(func() (err error) { p.Counts, err = w.Store.FindingCounts(ctx, q.FindingSearch); return })
	}
	g.Go(func() (err error) { p.All, err = w.Store.FindingTotal(ctx, v.scope); return })
	if err := g.Wait(); err != nil {
		return err
	}
	p.Rows = page.Rows
	if page.Next != "" {
		p.Next = p.Filter.With("after", page.Next)
	}
	if page.Prev != "" {
		p.Prev = p.Filter.With("before", page.Prev)
	}
	return nil
}

// sorts are the orders that the list offers, and whether each begins with the greatest.
var sorts = []sortOrder{
	{store.BySeverity, true}, {store.ByEPSS, true}, {store.BySLA, false}, {store.ByDate, false}, {store.ByID, true},
}

type sortOrder struct {
	by         store.FindingSort
	descending bool
}

// page makes the question for one page of the list.
func (f filter) page(search store.FindingSearch) (store.FindingPageQuery, error) {
	q := store.FindingPageQuery{FindingSearch: search, Limit: 50}
	name, reversed := strings.CutPrefix(cmp.Or(f.Get("sort"), string(store.BySeverity)), "-")
	i := slices.IndexFunc(sorts, func(s sortOrder) bool { return string(s.by) == name })
	if i < 0 {
		return q, gate.FieldErrorf("sort", "the list cannot be sorted by %q", name)
	}
	q.Sort, q.Descending = sorts[i].by, sorts[i].descending != reversed
	if n, err := strconv.Atoi(f.Get("per")); err == nil {
		q.Limit = min(max(n, 10), 200)
	}
	var err error
	if after := f.Get("after"); after != "" {
		q.After, err = store.ParseFindingPlace(q.Sort, after)
	} else if before := f.Get("before"); before != "" {
		q.Before, err = store.ParseFindingPlace(q.Sort, before)
	}
	return q, err
}

// columns are the heads of the list's columns.
func (f filter) columns() []column {
	columns := []column{
		{Name: "Severity", Href: "severity"},
		{Name: "Finding"},
		{Name: "Where", Class: "wide"},
		{Name: "Product", Class: "wide"},
		{Name: "EPSS", Class: "num wide", Href: "epss"},
		{Name: "SLA", Class: "num", Href: "sla"},
		{Name: "Age", Class: "num wide", Href: "date"},
	}
	current := cmp.Or(f.Get("sort"), string(store.BySeverity))
	for i := range columns {
		if by := columns[i].Href; by != "" {
			columns[i].Sorted, columns[i].Href = sortedBy(current, by), f.With("sort", by)
			if current == by {
				columns[i].Href = f.With("sort", "-"+by)
			}
		}
	}
	return columns
}

// sortedBy is the word of aria-sort for a column, if the list is sorted by it.
func sortedBy(current, by string) string {
	name, reversed := strings.CutPrefix(current, "-")
	if name != by {
		return ""
	}
	for _, s := range sorts {
		if string(s.by) == name && s.descending != reversed {
			return "descending"
		}
	}
	return "ascending"
}

// queryOf returns a request's query.
func queryOf(c *fiber.Ctx) url.Values {
	q, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return url.Values{} // what cannot be read narrows nothing
	}
	return q
}
