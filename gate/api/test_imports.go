package api

import (
	"encoding/hex"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

func (a *api) testImportRoutes() []route {
	return []route{
		{fiber.MethodGet, "/test_imports", auth.View, a.testImports},
		{fiber.MethodGet, "/test_imports/:id", auth.View, a.testImport},
		{fiber.MethodPost, "/test_imports/:id/retry", auth.Import, a.retryImport},
	}
}

// testImport is an import of the history: DefectDojo's fields, and what became of it.
type testImport struct {
	ID               int64           `json:"id"`
	Created          stamp           `json:"created"`
	Modified         stamp           `json:"modified"`
	ImportSettings   json.RawMessage `json:"import_settings"`
	Type             string          `json:"type"`
	Version          string          `json:"version"`
	BuildID          string          `json:"build_id"`
	CommitHash       string          `json:"commit_hash"`
	BranchTag        string          `json:"branch_tag"`
	Test             *int64          `json:"test"`
	FindingsAffected []int64         `json:"findings_affected"`

	State     string `json:"state"` // done, failed or superseded
	Error     string `json:"error"`
	ScanType  string `json:"scan_type"`
	Filename  string `json:"filename"`
	SHA256    string `json:"sha256"` // of the report, which is kept
	RetriedBy *int64 `json:"retried_by"`
}

func showTestImport(i store.ImportRow) testImport {
	return testImport{
		i.ID, stamp(i.Created), stamp(i.Modified), i.ImportSettings, i.Type, i.Version, i.BuildID, i.CommitHash, i.BranchTag, i.TestID, i.FindingIDs,
		i.State, i.Error, i.ScanType, i.Filename, hex.EncodeToString(i.SHA256), i.RetriedByID,
	}
}

// testImports serves GET /test_imports: the history. ?test= and ?state= choose some.
func (a *api) testImports(r *request) error {
	scope, err := r.scope()
	if err != nil {
		return err
	}
	q := r.query()
	f := store.ImportFilter{Scope: scope, State: q.maybe("state"), Page: q.page()}
	if id, ok := parseID(q.text("test")); ok {
		f.TestID = &id
	}
	if err := q.err(); err != nil {
		return err
	}
	l, err := r.Store.Imports(r.ctx, f)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, i := range l.Rows {
		rows = append(rows, showTestImport(i))
	}
	return r.listing(q, f.Page, l.Count, rows, nil)
}

// testImport serves GET /test_imports/:id.
func (a *api) testImport(r *request) error {
	i, err := r.namedImport()
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, showTestImport(i))
}

// namedImport returns the import that the path names, if the sender may do with
// it what the route says. One that failed before its product was there is for
// those who may do so everywhere.
func (r *request) namedImport() (store.ImportRow, error) {
	none := gate.Errorf(gate.NotFound, "no such import")
	id, err := r.id("import")
	if err != nil {
		return store.ImportRow{}, err
	}
	i, err := r.Store.Import(r.ctx, gate.Scope{All: true}, id)
	if err != nil {
		return i, err
	}
	if i.ProductID == nil {
		scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
		if err == nil && !scope.All {
			err = none
		}
		return i, err
	}
	err = r.may(*i.ProductID)
	if gate.KindOf(err) == gate.NotFound {
		err = none
	}
	return i, err
}

// retryImport serves POST /test_imports/:id/retry: an import that failed is done
// again, with the report that was kept and as it was asked for.
func (a *api) retryImport(r *request) error {
	failed, err := r.namedImport()
	if err != nil {
		return err
	}
	result, err := r.Retry(r.ctx, failed, r.who.User, r.mayImport, r.now)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusCreated, result)
}
