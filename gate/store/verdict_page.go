package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// VerdictPage is a verdict whole, with the reports that it was made of.
type VerdictPage struct {
	VerdictRow
	Document     gate.Verdict
	Imports      []VerdictImport
	InputsDigest []byte
}

// VerdictImport is a report that a verdict was made of.
type VerdictImport struct {
	ID           int64
	TestID       *int64
	Scanner      string
	Filename     string
	FindingCount int
	Outcome      string
	Created      time.Time
}

type verdictRecord struct {
	VerdictRow
	Document      gate.Verdict
	InputsDigest  []byte
	TestImportIDs []int64 `db:"test_import_ids"`
}

// VerdictPage returns a verdict within scope.
func (s *Store) VerdictPage(ctx context.Context, scope gate.Scope, id int64) (VerdictPage, error) {
	var w where
	w.and("v.id = ?", id)
	w.scope("v.product_id", scope)
	r, err := one[verdictRecord](ctx, s.db, "verdict",
		`select `+verdictRowColumns+`, v.document, v.inputs_digest, v.test_import_ids`+verdictRowTables+w.sql.String(), w.args...)
	if err != nil {
		return VerdictPage{}, err
	}
	p := VerdictPage{VerdictRow: r.VerdictRow, Document: r.Document, InputsDigest: r.InputsDigest}
	p.Imports, err = many[VerdictImport](ctx, s.db, `
		select id, test_id, scan_type as scanner, filename, finding_count, outcome, created
		from test_imports where id = any($1) and product_id = $2 order by id`, r.TestImportIDs, r.ProductID)
	if err != nil {
		return p, fmt.Errorf("reports of verdict %d: %w", id, err)
	}
	return p, nil
}
