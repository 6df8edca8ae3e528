package api

import (
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

// What a backtest may take: the answer says if it saw less than there is.
const (
	backtestDays      = 30
	maxBacktestDays   = 365
	backtestVerdicts  = 500
	maxBacktestNumber = 5000
	backtestBudget    = 45 * time.Second
)

// backtest serves POST /policies/backtest: what a policy's text would have done
// to the builds of the last days.
func (a *api) backtest(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var (
		product     *int64
		source      string
		name        = "candidate"
		days, limit *int64
	)
	f.maybeReference(r.ctx, "product", &product, r.seesProduct)
	f.text("name", &name, 100, 0)
	f.source(&source)
	whole(f, "days", &days, 1, maxBacktestDays)
	whole(f, "limit", &limit, 1, maxBacktestNumber)
	if err := f.failed(); err != nil {
		return err
	}
	ask := verdict.BacktestRequest{Since: r.now.AddDate(0, 0, -or(days, backtestDays)), Limit: or(limit, backtestVerdicts), Budget: backtestBudget}
	if ask.Scope, err = r.backtestScope(product); err != nil {
		return err
	}
	p, err := policies.Parse(name, policies.FromServer, []byte(source))
	if err != nil {
		return badPolicy(err)
	}
	ask.Candidates = []*policies.Policy{p}
	done, err := r.Judge.Backtest(r.ctx, ask)
	if err != nil {
		return err
	}
	b, err := json.Marshal(done)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, json.RawMessage(b))
}

// backtestScope is one product, or all on which the sender may write policies.
func (r *request) backtestScope(product *int64) (gate.Scope, error) {
	if product != nil {
		return gate.Scope{ProductIDs: []int64{*product}}, r.may(*product)
	}
	return r.Auth.Scope(r.ctx, r.who, r.do)
}

func or(n *int64, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}
