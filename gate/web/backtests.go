package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
)

// backtestsPage is what backtests.html shows.
type backtestsPage struct {
	layout
	Backtests []store.Backtest
}

// backtests serves GET /backtests.
func (w *web) backtests(v *visit) error {
	p := backtestsPage{layout: w.layout(v, "policies", "Backtests")}
	l, err := w.Store.Backtests(v.UserContext(), v.scope, store.Page{Limit: 100})
	p.Backtests = l.Rows
	if err != nil {
		return err
	}
	return render(v.Ctx, "backtests.html", p)
}

// backtestPage is what backtest.html shows.
type backtestPage struct {
	layout
	Backtest store.Backtest
	Result   verdict.Backtested
}

// backtest serves GET /backtests/:id: how far it is, and what it has found so far.
func (w *web) backtest(v *visit) error {
	b, err := w.oneBacktest(v)
	if err != nil {
		return err
	}
	p := backtestPage{layout: w.layout(v, "policies", "Backtest of "+b.Name), Backtest: b}
	if p.Result, err = verdict.BacktestResult(b); err != nil {
		return err
	}
	return render(v.Ctx, "backtest.html", p)
}

// oneBacktest returns the one of the address, if the visitor may write the
// policies of all its products.
func (w *web) oneBacktest(v *visit) (store.Backtest, error) {
	id, err := v.id()
	if err != nil {
		return store.Backtest{}, err
	}
	b, err := w.Store.Backtest(v.UserContext(), id)
	if err != nil {
		return b, err
	}
	hidden := b.ProductIDs == nil && !v.scope.All || slices.ContainsFunc(b.ProductIDs, func(p int64) bool { return !v.scope.Allows(p) })
	if hidden {
		return b, gate.Errorf(gate.NotFound, "no such backtest")
	}
	return b, nil
}

// cancelBacktest serves POST /backtests/:id/cancel.
func (w *web) cancelBacktest(v *visit) error {
	b, err := w.oneBacktest(v)
	if err != nil {
		return err
	}
	if err := w.Judge.CancelBacktest(v.UserContext(), w.verdictActor(v), b.ID); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The backtest is cancelled. What it had found stays."})
	return v.Redirect(backtestAddress(b.ID), fiber.StatusSeeOther)
}

func backtestAddress(id int64) string { return "/backtests/" + strconv.FormatInt(id, 10) }

func (w *web) verdictActor(v *visit) verdict.Actor {
	return verdict.Actor{Who: v.Principal, Now: v.now, RequestID: requestID(v.Ctx), IP: v.IP()}
}

// startBacktest tries what was typed on the past. started is false if it is wrong.
func (w *web) startBacktest(v *visit, p *policyPage) (started bool, err error) {
	if p.Days < 1 || p.Days > 365 {
		p.DaysProblem = "A backtest looks at 1 to 365 days."
		return false, nil
	}
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.WritePolicy)
	if err != nil {
		return false, err
	}
	b, err := w.Judge.StartBacktest(v.UserContext(), w.verdictActor(v), verdict.BacktestRequest{Name: nameOf(p), Source: p.Source, Scope: scope, Days: p.Days})
	if err != nil {
		return false, p.wrong(err)
	}
	return true, v.Redirect(backtestAddress(b.ID), fiber.StatusSeeOther)
}

func nameOf(p *policyPage) string {
	if p.Policy.Name != "" {
		return p.Policy.Name
	}
	return "policy"
}

// Lines is the policy that was tried, line by line.
func (p backtestPage) Lines() []string {
	return strings.Split(strings.TrimRight(p.Backtest.Source, "\n"), "\n")
}
