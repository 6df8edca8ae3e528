package store

import (
	"context"
	"encoding/json"
	"time"

	"defectdojo/gate"
)

// ImportRow is an import of the history.
type ImportRow struct {
	ID             int64
	TestID         *int64
	ProductID      *int64
	Type           string
	State          string
	Error          string
	ScanType       string
	Filename       string
	SHA256         []byte
	Size           *int64
	ImportSettings json.RawMessage
	Version        string
	BuildID        string
	CommitHash     string
	BranchTag      string
	Created        time.Time
	Modified       time.Time
	FindingIDs     []int64 // all that it did something to
	Request        json.RawMessage
	RetriedByID    *int64
}

const importRowColumns = `i.id, i.test_id, i.product_id, i.type, i.state, i.error, i.scan_type, i.filename, a.sha256, a.size, i.import_settings, i.version, i.build_id,
	i.commit_hash, i.branch_tag, i.created, i.modified, i.request, i.retried_by_id,
	coalesce((select array_agg(f order by f) from test_import_actions x cross join unnest(x.finding_ids) f where x.test_import_id = i.id), '{}') as finding_ids`

const importRowTables = `test_imports i left join artifacts a on a.id = i.artifact_id`

// ImportFilter narrows the history of imports. One that failed before its
// product was there belongs to no product: only who sees all sees it.
type ImportFilter struct {
	Scope  gate.Scope
	TestID *int64
	State  *string
	Page
}

// Imports returns the history, by id.
func (s *Store) Imports(ctx context.Context, f ImportFilter) (List[ImportRow], error) {
	var w where
	w.scope("i.product_id", f.Scope)
	optional(&w, "i.test_id", f.TestID)
	optional(&w, "i.state", f.State)
	return list[ImportRow](ctx, s.db, importRowColumns, importRowTables, &w, " order by i.id", f.Page)
}

// Import returns one import of the history.
func (s *Store) Import(ctx context.Context, scope gate.Scope, id int64) (ImportRow, error) {
	var w where
	w.scope("i.product_id", scope)
	w.and("i.id = ?", id)
	return one[ImportRow](ctx, s.db, "import", `select `+importRowColumns+` from `+importRowTables+w.sql.String(), w.args...)
}

// SetRetried notes that a failed import was done after all, as another one.
func (s *Store) SetRetried(ctx context.Context, failed, done int64) error {
	_, err := s.db.Exec(ctx, `update test_imports set retried_by_id = $2, modified = now() where id = $1`, failed, done)
	return err
}
