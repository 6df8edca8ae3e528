package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Backtest is a policy that is tried on the verdicts of the past.
type Backtest struct {
	ID            int64
	Name          string
	Source        string
	Days          int
	Since         time.Time
	ProductIDs    []int64 // whose verdicts; nil: all
	RequestedByID *int64
	RequestedBy   string
	State         string // queued, running, done, failed or cancelled
	Total         int    // verdicts of the time when it was asked for
	Done          int    // that were judged
	Unreadable    int    // whose inputs are damaged
	BeforeID      int64  // what is left: older verdicts than this
	Result        json.RawMessage
	Problem       string
	Created       time.Time
	Started       *time.Time
	Finished      *time.Time
}

// Scope is whose verdicts it looks at.
func (b Backtest) Scope() gate.Scope {
	return gate.Scope{All: b.ProductIDs == nil, ProductIDs: b.ProductIDs}
}

// Live tells whether it is still to be worked.
func (b Backtest) Live() bool { return b.State == "queued" || b.State == "running" }

// Percent is how far it is.
func (b Backtest) Percent() int {
	if b.Total == 0 {
		return 100
	}
	return min(100, 100*(b.Done+b.Unreadable)/b.Total)
}

const backtestColumns = `b.id, b.name, b.source, b.days, b.since, b.product_ids, b.requested_by_id, coalesce(u.username, '') as requested_by, b.state, b.total, b.done, b.unreadable,
	b.before_id, b.result, b.problem, b.created, b.started, b.finished`

const backtestTables = ` from backtests b left join users u on u.id = b.requested_by_id`

// AddBacktest keeps a new one over the verdicts that there are now.
func (s *Store) AddBacktest(ctx context.Context, b Backtest) (Backtest, error) {
	w := &where{}
	w.and("decided_at >= ?", b.Since)
	w.scope("product_id", b.Scope())
	type span struct {
		Total    int
		BeforeID int64
	}
	r, err := one[span](ctx, s.db, "backtest", `select count(*)::int as total, coalesce(max(id), 0) + 1 as before_id from verdicts`+w.sql.String(), w.args...)
	if err != nil {
		return b, err
	}
	id, err := scalar[int64](ctx, s.db, `
		insert into backtests (name, source, days, since, product_ids, requested_by_id, total, before_id, created)
		values (@name, @source, @days, @since, @products, @by, @total, @before, @created) returning id`, pgx.NamedArgs{
		"name": b.Name, "source": b.Source, "days": b.Days, "since": b.Since, "products": b.ProductIDs, "by": b.RequestedByID, "total": r.Total, "before": r.BeforeID, "created": b.Created,
	})
	if err != nil {
		return b, err
	}
	return s.Backtest(ctx, id)
}

// Backtest returns one.
func (s *Store) Backtest(ctx context.Context, id int64) (Backtest, error) {
	return one[Backtest](ctx, s.db, "backtest", `select `+backtestColumns+backtestTables+` where b.id = $1`, id)
}

// Backtests returns those over nothing but products in scope, the newest first.
func (s *Store) Backtests(ctx context.Context, scope gate.Scope, p Page) (List[Backtest], error) {
	w := &where{}
	if !scope.All {
		w.and("b.product_ids <@ ?::bigint[]", orEmpty(scope.ProductIDs))
	}
	return list[Backtest](ctx, s.db, backtestColumns, backtestTables[len(" from "):], w, " order by b.id desc", p)
}

// BeginBacktest takes one up, or up again; NotFound if there is nothing to be done.
func (s *Store) BeginBacktest(ctx context.Context, id int64, now time.Time) (Backtest, error) {
	if err := exec(ctx, s.db, "backtest", `update backtests set state = 'running', started = coalesce(started, $2) where id = $1 and state in ('queued', 'running')`, id, now); err != nil {
		return Backtest{}, err
	}
	return s.Backtest(ctx, id)
}

// AdvanceBacktest writes how far one is by now. ok is false if it was cancelled,
// or another worker went on from before.
func (s *Store) AdvanceBacktest(ctx context.Context, before int64, b Backtest) (ok bool, err error) {
	tag, err := s.db.Exec(ctx, `
		update backtests set before_id = @to, done = @done, unreadable = @unreadable, result = @result, problem = ''
		where id = @id and state = 'running' and before_id = @from`, pgx.NamedArgs{
		"id": b.ID, "from": before, "to": b.BeforeID, "done": b.Done, "unreadable": b.Unreadable, "result": b.Result,
	})
	return tag.RowsAffected() == 1, err
}

// EndBacktest ends one that has not ended; NotFound if it has. The problem says
// why, of one that failed.
func (s *Store) EndBacktest(ctx context.Context, id int64, state, problem string, now time.Time) error {
	return exec(ctx, s.db, "backtest", `update backtests set state = $2, problem = $3, finished = $4 where id = $1 and state in ('queued', 'running')`, id, state, problem, now)
}

// SetBacktestProblem notes why a try went wrong that is followed by another.
func (s *Store) SetBacktestProblem(ctx context.Context, id int64, problem string) error {
	_, err := s.db.Exec(ctx, `update backtests set problem = $2 where id = $1 and state = 'running'`, id, problem)
	return err
}

// backtestsKept is how long they are kept.
const backtestsKept = 90 * 24 * time.Hour

// SweepBacktests ends those whose job was given up, and removes old ones.
func (s *Store) SweepBacktests(ctx context.Context, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update backtests b set state = 'failed', finished = @now, problem = coalesce(nullif(problem, ''), 'its job was given up')
		where state in ('queued', 'running') and not exists (
			select from river_job j where j.kind = 'backtest' and (j.args ->> 'id')::bigint = b.id and j.state not in ('completed', 'cancelled', 'discarded'))`,
		pgx.NamedArgs{"now": now})
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `delete from backtests where finished < $1`, now.Add(-backtestsKept))
	return err
}

// BacktestVerdict is a verdict to be judged by other policies.
type BacktestVerdict struct {
	ID           int64
	Overall      gate.Decision
	InputsDigest []byte
	Team         string // the product's type
}

// BacktestVerdicts returns the next verdicts that a backtest is to look at, the
// newest first.
func (s *Store) BacktestVerdicts(ctx context.Context, b Backtest, limit int) ([]BacktestVerdict, error) {
	w := &where{}
	w.and("v.decided_at >= ?", b.Since)
	w.and("v.id < ?", b.BeforeID)
	w.scope("v.product_id", b.Scope())
	return many[BacktestVerdict](ctx, s.db, `
		select v.id, v.overall, v.inputs_digest, t.name as team
		from verdicts v join products p on p.id = v.product_id join product_types t on t.id = p.prod_type_id`+w.sql.String()+
		` order by v.id desc`+Page{Limit: limit}.window(), w.args...)
}
