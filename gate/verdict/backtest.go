package verdict

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// BacktestRequest says what is to be tried, and on which verdicts.
type BacktestRequest struct {
	Name      string // for a text that does not say its own
	Source    string // the policy: it takes the place of the server's of its name, or stands beside those that there are
	Scope     gate.Scope
	ProductID *int64 // of a request for one product, for the history
	Days      int
}

// Actor is who asks for something, and from where.
type Actor struct {
	Who       gate.Principal
	Now       time.Time
	RequestID string
	IP        string
}

// Backtested is what would have been, as far as a backtest is.
type Backtested struct {
	policies.Backtest
	Sentence string `json:"sentence"`
}

// StartBacktest has a policy tried on the verdicts of the past, by a job. Its
// error is policies.Problems if the text is wrong.
func (j *Judge) StartBacktest(ctx context.Context, a Actor, r BacktestRequest) (store.Backtest, error) {
	p, err := policies.Parse(r.Name, policies.FromServer, []byte(r.Source))
	if err != nil {
		return store.Backtest{}, err
	}
	if !r.Scope.All && len(r.Scope.ProductIDs) == 0 {
		return store.Backtest{}, gate.Errorf(gate.Forbidden, "You may not write policies of any product.")
	}
	b := store.Backtest{Name: p.Name, Source: r.Source, Days: r.Days, Since: a.Now.AddDate(0, 0, -r.Days), RequestedByID: &a.Who.User.ID, Created: a.Now}
	if !r.Scope.All {
		b.ProductIDs = r.Scope.ProductIDs
	}
	err = j.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		if b, err = s.AddBacktest(ctx, b); err != nil {
			return err
		}
		e := a.event("start", b.ID)
		e.ProductID, e.Changes = r.ProductID, map[string]any{"name": b.Name, "days": b.Days}
		if err := s.AddAuditEvent(ctx, e); err != nil || j.Later == nil {
			return err
		}
		return j.Later(ctx, tx, b.ID)
	})
	return b, err
}

func (a Actor) event(action string, id int64) store.AuditEvent {
	return store.AuditEvent{At: a.Now, ActorID: &a.Who.User.ID, Actor: a.Who.Name(), Action: action, Object: "backtest", ObjectID: &id, RequestID: a.RequestID, IP: a.IP}
}

// CancelBacktest ends a backtest; what it has found until then stays.
func (j *Judge) CancelBacktest(ctx context.Context, a Actor, id int64) error {
	return j.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		err := s.EndBacktest(ctx, id, "cancelled", "", a.Now)
		if gate.KindOf(err) == gate.NotFound {
			return gate.Errorf(gate.Conflict, "the backtest is over")
		}
		if err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, a.event("cancel", id))
	})
}

// A backtest writes how far it is after so many verdicts, or so long: what it
// has done then is not done again.
const (
	backtestStep     = 50
	backtestStepTime = 2 * time.Second
)

// WorkBacktest goes on with a backtest, for a while. more tells that there is
// something left then.
func (j *Judge) WorkBacktest(ctx context.Context, id int64, while time.Duration, now func() time.Time) (more bool, err error) {
	b, err := j.Store.BeginBacktest(ctx, id, now())
	if gate.KindOf(err) == gate.NotFound {
		return false, nil // it was cancelled, or is gone
	}
	if err != nil {
		return false, err
	}
	end := now().Add(while)
	for more = true; more; {
		if more, err = j.stepBacktest(ctx, &b); err != nil {
			return false, errors.Join(err, j.Store.SetBacktestProblem(context.WithoutCancel(ctx), id, "a try went wrong, and another follows"))
		}
		if more && now().After(end) {
			return true, nil
		}
	}
	if err := j.Store.EndBacktest(ctx, id, "done", "", now()); gate.KindOf(err) != gate.NotFound {
		return false, err
	}
	return false, nil // it was cancelled meanwhile
}

// stepBacktest judges the next verdicts.
func (j *Judge) stepBacktest(ctx context.Context, b *store.Backtest) (more bool, err error) {
	rows, err := j.Store.BacktestVerdicts(ctx, *b, backtestStep)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	p, err := policies.Parse(b.Name, policies.FromServer, []byte(b.Source))
	if err != nil {
		return false, err
	}
	var sum policies.Backtest
	if err := json.Unmarshal(b.Result, &sum); err != nil {
		return false, err
	}
	from := b.BeforeID
	// Where a verdict was given by the built-in policy because there was no other,
	// the candidate takes its place.
	step, err := policies.RunBacktest([]*policies.Policy{p}, []string{policies.Default().Name}, j.past(ctx, rows, b))
	if err != nil {
		return false, err
	}
	sum.Add(step)
	if b.Result, err = json.Marshal(sum); err != nil {
		return false, err
	}
	b.Done = sum.Verdicts
	return j.Store.AdvanceBacktest(ctx, from, *b)
}

// past yields the inputs of verdicts, for as long as a step may be, and notes how
// far it is. Those that are damaged are counted: one of them is not to end all
// backtests.
func (j *Judge) past(ctx context.Context, rows []store.BacktestVerdict, b *store.Backtest) iter.Seq2[policies.Past, error] {
	step, cancel := context.WithTimeout(ctx, backtestStepTime)
	return func(yield func(policies.Past, error) bool) {
		defer cancel()
		for n, v := range rows {
			if n > 0 && step.Err() != nil && ctx.Err() == nil {
				return
			}
			in, err := j.Inputs(ctx, v.InputsDigest)
			if err != nil && ctx.Err() == nil {
				b.Unreadable, b.BeforeID = b.Unreadable+1, v.ID
				continue
			}
			if !yield(policies.Past{ID: strconv.FormatInt(v.ID, 10), Team: v.Team, Inputs: in, Overall: v.Overall}, err) || err != nil {
				return
			}
			b.BeforeID = v.ID
		}
	}
}

// BacktestResult is what a backtest has found so far.
func BacktestResult(b store.Backtest) (Backtested, error) {
	var out Backtested
	err := json.Unmarshal(b.Result, &out.Backtest)
	out.Sentence = out.Backtest.Sentence()
	return out, err
}
