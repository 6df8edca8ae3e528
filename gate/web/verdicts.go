package web

import (
	"net/url"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// verdictsPage is what verdicts.html shows.
type verdictsPage struct {
	layout
	Overall  gate.Decision
	Branch   string
	Commit   string
	Product  *gate.Product // of which only
	Verdicts []store.VerdictRow
	Next     string
	chips
}

// verdicts serves GET /verdicts.
func (w *web) verdicts(v *visit) error {
	const perPage = 50
	query := queryOf(v.Ctx)
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(query.Get(name), 10, 64)
		return n
	}
	p := verdictsPage{
		layout: w.layout(v, "verdicts", "Verdicts"), Overall: gate.Decision(query.Get("overall")),
		Branch: strings.TrimSpace(query.Get("branch")), Commit: strings.TrimSpace(query.Get("commit")),
	}
	p.chips = decisionChips(query)
	if id := number("product"); id != 0 {
		product, err := w.Store.Product(v.UserContext(), v.scope, id)
		if err != nil {
			return err
		}
		p.Product = &product
	}
	var err error
	p.Verdicts, err = w.Store.VerdictRows(v.UserContext(), store.VerdictSearch{
		Scope: v.scope, ProductID: number("product"), Overall: p.Overall, Branch: p.Branch, Commit: p.Commit, Before: number("before"), Limit: perPage + 1,
	})
	if err != nil {
		return err
	}
	if len(p.Verdicts) > perPage {
		p.Verdicts = p.Verdicts[:perPage]
		query.Set("before", strconv.FormatInt(p.Verdicts[perPage-1].ID, 10))
		p.Next = "/verdicts?" + query.Encode()
	}
	return render(v.Ctx, "verdicts.html", p)
}

type chips struct{ Chips []chip }

// decisionChips narrow the list to one decision.
func decisionChips(query url.Values) chips {
	var out []chip
	for _, d := range []gate.Decision{gate.Fail, gate.Warn, gate.Pass} {
		q := url.Values{}
		for _, name := range []string{"product", "branch", "commit"} {
			if v := query.Get(name); v != "" {
				q.Set(name, v)
			}
		}
		on := query.Get("overall") == string(d)
		if !on {
			q.Set("overall", string(d))
		}
		out = append(out, chip{Text: map[gate.Decision]string{gate.Fail: "Failed", gate.Warn: "Warned", gate.Pass: "Passed"}[d], Href: "/verdicts?" + q.Encode(), On: on})
	}
	return chips{out}
}
