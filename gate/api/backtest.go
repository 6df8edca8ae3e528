package api

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
)

// How many days back a backtest looks.
const (
	backtestDays    = 30
	maxBacktestDays = 365
)

func (a *api) backtestRoutes() []route {
	return []route{
		{fiber.MethodPost, "/policies/backtest", auth.WritePolicy, a.startBacktest},
		{fiber.MethodGet, "/backtests", auth.WritePolicy, a.backtests},
		{fiber.MethodGet, "/backtests/:id", auth.WritePolicy, a.backtest},
		{fiber.MethodPost, "/backtests/:id/cancel", auth.WritePolicy, a.cancelBacktest},
	}
}

// backtestBody is a backtest as the API tells it.
type backtestBody struct {
	ID          int64               `json:"id"`
	Policy      string              `json:"policy"`
	State       string              `json:"state"` // queued, running, done, failed, cancelled
	Days        int                 `json:"days"`
	Since       stamp               `json:"since"`
	Products    []int64             `json:"products"` // null: all
	RequestedBy string              `json:"requested_by"`
	Total       int                 `json:"total"` // verdicts of the time
	Done        int                 `json:"done"`
	Unreadable  int                 `json:"unreadable"` // whose inputs are damaged
	Percent     int                 `json:"percent"`
	Problem     string              `json:"problem"`
	Created     stamp               `json:"created"`
	Started     *stamp              `json:"started"`
	Finished    *stamp              `json:"finished"`
	URL         string              `json:"url"`
	Result      *verdict.Backtested `json:"result,omitempty"` // so far; not in lists
}

func (r *request) backtestBody(b store.Backtest) backtestBody {
	return backtestBody{
		ID: b.ID, Policy: b.Name, State: b.State, Days: b.Days, Since: stamp(b.Since), Products: b.ProductIDs, RequestedBy: b.RequestedBy, Total: b.Total, Done: b.Done, Unreadable: b.Unreadable,
		Percent: b.Percent(), Problem: b.Problem, Created: stamp(b.Created), Started: maybe[stamp](b.Started), Finished: maybe[stamp](b.Finished),
		URL: r.BaseURL() + Root + "/backtests/" + strconv.FormatInt(b.ID, 10) + "/",
	}
}

// startBacktest serves POST /policies/backtest: what a policy's text would have
// done to the builds of the last days. The answer tells where to look for it.
func (a *api) startBacktest(r *request) error {
	f, err := r.form()
	if err != nil {
		return err
	}
	var (
		ask     = verdict.BacktestRequest{Name: "candidate"}
		product *int64
		days    *int64
	)
	f.maybeReference(r.ctx, "product", &product, r.seesProduct)
	f.text("name", &ask.Name, 100, 0)
	f.source(&ask.Source)
	whole(f, "days", &days, 1, maxBacktestDays)
	if err := f.failed(); err != nil {
		return err
	}
	ask.Days, ask.ProductID = or(days, backtestDays), product
	if ask.Scope, err = r.backtestScope(product); err != nil {
		return err
	}
	b, err := r.Judge.StartBacktest(r.ctx, r.verdictActor(), ask)
	if err != nil {
		return badPolicy(err)
	}
	return r.reply(fiber.StatusAccepted, r.backtestBody(b))
}

func (r *request) verdictActor() verdict.Actor {
	return verdict.Actor{Who: r.who, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
}

// backtestScope is one product, or all on which the sender may write policies.
func (r *request) backtestScope(product *int64) (gate.Scope, error) {
	if product != nil {
		return gate.Scope{ProductIDs: []int64{*product}}, r.may(*product)
	}
	return r.Auth.Scope(r.ctx, r.who, r.do)
}

// backtests serves GET /backtests: those over nothing but products whose
// policies the sender may write.
func (a *api) backtests(r *request) error {
	q := r.query()
	p := q.page()
	if err := q.err(); err != nil {
		return err
	}
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	if err != nil {
		return err
	}
	l, err := r.Store.Backtests(r.ctx, scope, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, b := range l.Rows {
		rows = append(rows, r.backtestBody(b))
	}
	return r.listing(q, p, l.Count, rows, nil)
}

// backtest serves GET /backtests/:id: how far it is, and what it has found so far.
func (a *api) backtest(r *request) error {
	b, err := r.oneBacktest()
	if err != nil {
		return err
	}
	out := r.backtestBody(b)
	result, err := verdict.BacktestResult(b)
	if err != nil {
		return err
	}
	out.Result = &result
	return r.reply(fiber.StatusOK, out)
}

// oneBacktest returns the one of the address, if the sender may write the
// policies of all its products.
func (r *request) oneBacktest() (store.Backtest, error) {
	id, err := r.id("backtest")
	if err != nil {
		return store.Backtest{}, err
	}
	b, err := r.Store.Backtest(r.ctx, id)
	if err != nil {
		return b, err
	}
	if b.ProductIDs == nil {
		return b, r.Auth.MayGlobal(r.who, r.do)
	}
	for _, p := range b.ProductIDs {
		if err := r.may(p); err != nil {
			if gate.KindOf(err) == gate.NotFound {
				err = gate.Errorf(gate.NotFound, "no such backtest")
			}
			return b, err
		}
	}
	return b, nil
}

// cancelBacktest serves POST /backtests/:id/cancel.
func (a *api) cancelBacktest(r *request) error {
	b, err := r.oneBacktest()
	if err != nil {
		return err
	}
	if err := r.Judge.CancelBacktest(r.ctx, r.verdictActor(), b.ID); err != nil {
		return err
	}
	if b, err = r.Store.Backtest(r.ctx, b.ID); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, r.backtestBody(b))
}

func or(n *int64, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}
