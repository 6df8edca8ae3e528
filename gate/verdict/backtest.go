package verdict

import (
	"context"
	"iter"
	"strconv"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// BacktestRequest says what is to be tried, and on which verdicts.
type BacktestRequest struct {
	Candidates []*policies.Policy // each in the place of the policy of its name, or beside those that there are
	Without    []string           // policies that are left out
	Scope      gate.Scope         // of the products
	Since      time.Time
	Limit      int           // verdicts, the newest first
	Budget     time.Duration // how long it may take; 0: as long as it does
}

// Backtested is what would have been.
type Backtested struct {
	policies.Backtest
	Sentence string    `json:"sentence"`
	Since    time.Time `json:"since"`
	Of       int       `json:"of"`  // verdicts that there are of the time
	Cut      bool      `json:"cut"` // not all of them were judged: there are too many

	Unreadable int `json:"unreadable,omitempty"` // of those that were looked at, whose inputs are damaged
}

// Backtest judges stored verdicts again by candidate policies, from their exact
// inputs. Where a verdict was given by the built-in policy because there was no
// other, a candidate of the server takes its place.
func (j *Judge) Backtest(ctx context.Context, r BacktestRequest) (Backtested, error) {
	out := Backtested{Since: r.Since}
	f := store.BacktestFilter{Scope: r.Scope, Since: r.Since}
	var err error
	if out.Of, err = j.Store.BacktestCount(ctx, f); err != nil {
		return out, err
	}
	f.Limit = r.Limit
	rows, err := j.Store.BacktestVerdicts(ctx, f)
	if err != nil {
		return out, err
	}
	without := r.Without
	for _, c := range r.Candidates {
		if c.Origin == policies.FromServer {
			without = append(without, policies.Default().Name)
			break
		}
	}
	budget, cancel := context.WithCancel(ctx)
	if r.Budget > 0 {
		budget, cancel = context.WithTimeout(ctx, r.Budget)
	}
	defer cancel()
	out.Backtest, err = policies.RunBacktest(r.Candidates, without, j.past(ctx, budget, rows, &out.Unreadable))
	out.Cut, out.Sentence = out.Verdicts+out.Unreadable < out.Of, out.Backtest.Sentence()
	return out, err
}

// past yields the inputs of verdicts, until the budget is used up. Those that are
// damaged are counted: one of them is not to end all backtests.
func (j *Judge) past(ctx, budget context.Context, rows []store.BacktestVerdict, unreadable *int) iter.Seq2[policies.Past, error] {
	return func(yield func(policies.Past, error) bool) {
		for _, v := range rows {
			if ctx.Err() == nil && budget.Err() != nil {
				return
			}
			in, err := j.Inputs(ctx, v.InputsDigest)
			if err != nil && ctx.Err() == nil {
				*unreadable++
				continue
			}
			if !yield(policies.Past{ID: strconv.FormatInt(v.ID, 10), Team: v.Team, Inputs: in, Overall: v.Overall}, err) || err != nil {
				return
			}
		}
	}
}
