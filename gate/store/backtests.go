package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// BacktestFilter selects verdicts of a time.
type BacktestFilter struct {
	Scope gate.Scope
	Since time.Time
	Limit int
}

// BacktestVerdict is a verdict to be judged by other policies.
type BacktestVerdict struct {
	ID           int64
	Overall      gate.Decision
	InputsDigest []byte
	Team         string // the product's type
}

func (f BacktestFilter) where() *where {
	w := &where{}
	w.and("v.decided_at >= ?", f.Since)
	w.scope("v.product_id", f.Scope)
	return w
}

// BacktestCount returns how many verdicts f selects, its limit aside.
func (s *Store) BacktestCount(ctx context.Context, f BacktestFilter) (int, error) {
	w := f.where()
	return scalar[int](ctx, s.db, `select count(*) from verdicts v`+w.sql.String(), w.args...)
}

// BacktestVerdicts returns the verdicts of f, the newest first.
func (s *Store) BacktestVerdicts(ctx context.Context, f BacktestFilter) ([]BacktestVerdict, error) {
	w := f.where()
	return many[BacktestVerdict](ctx, s.db, `
		select v.id, v.overall, v.inputs_digest, t.name as team
		from verdicts v join products p on p.id = v.product_id join product_types t on t.id = p.prod_type_id`+w.sql.String()+
		` order by v.id desc`+Page{Limit: f.Limit}.window(), w.args...)
}
