package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// VerdictIDs returns the ids of verdicts that were made since a time, in order, after one.
func (s *Store) VerdictIDs(ctx context.Context, since time.Time, after int64, limit int) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select id from verdicts where id > $1 and decided_at >= $2 order by id limit $3`, after, since, limit)
}

// VerdictRow is what a list shows of a verdict.
type VerdictRow struct {
	ID           int64
	ProductID    int64
	Product      string
	Engagement   *string
	Overall      gate.Decision
	Conclusive   bool
	ExitCode     int
	Branch       string
	CommitHash   string
	PullRequest  string
	BuildID      string
	Event        string
	Why          string // the first sentence
	Whys         int    // how many sentences
	DecidedAt    time.Time
	ValidUntil   *time.Time
	SupersededBy *int64
}

// More is how many sentences there are after the first.
func (r VerdictRow) More() int { return max(0, r.Whys-1) }

// VerdictSearch says which verdicts a list shows, the newest first.
type VerdictSearch struct {
	Scope     gate.Scope
	ProductID int64
	Overall   gate.Decision // "" is any
	Branch    string        // * stands for any text
	Commit    string        // its begin
	Before    int64         // only older ones than this
	Limit     int
}

const verdictRowColumns = `v.id, v.product_id, p.name as product, e.name as engagement, v.overall, v.conclusive, v.exit_code, v.branch, v.commit_hash, v.pull_request,
	v.build_id, v.event, coalesce(v.document -> 'why' ->> 0, '') as why,
	case jsonb_typeof(v.document -> 'why') when 'array' then jsonb_array_length(v.document -> 'why') else 0 end as whys,
	v.decided_at, v.valid_until, v.superseded_by`

const verdictRowTables = ` from verdicts v join products p on p.id = v.product_id left join engagements e on e.id = v.engagement_id`

// VerdictRows returns verdicts for a list.
func (s *Store) VerdictRows(ctx context.Context, q VerdictSearch) ([]VerdictRow, error) {
	var w where
	w.scope("v.product_id", q.Scope)
	w.when(q.ProductID != 0, "v.product_id = ?", q.ProductID)
	w.when(q.Overall != "", "v.overall = ?", q.Overall)
	w.when(q.Branch != "", "v.branch ilike ?", like(q.Branch))
	w.when(q.Commit != "", "v.commit_hash like ?", prefix(q.Commit))
	w.when(q.Before != 0, "v.id < ?", q.Before)
	rows, err := many[VerdictRow](ctx, s.db, `select `+verdictRowColumns+verdictRowTables+w.sql.String()+
		` order by v.id desc`+Page{Limit: q.Limit}.window(), w.args...)
	if err != nil {
		return nil, fmt.Errorf("list of verdicts: %w", err)
	}
	return rows, nil
}

// BranchVerdict returns the newest standing verdict of a product's branch; of
// its main branch, or else of the one judged last, when none is named. Changes
// that are to go into a branch do not count.
func (s *Store) BranchVerdict(ctx context.Context, product int64, branch string) (VerdictRow, error) {
	return one[VerdictRow](ctx, s.db, "verdict", `select `+verdictRowColumns+verdictRowTables+`
		where v.product_id = $1 and v.superseded_by is null and v.pull_request = '' and ($2 = '' or v.branch = $2)
		order by v.branch in ('main', 'master') desc, v.id desc limit 1`, product, branch)
}
