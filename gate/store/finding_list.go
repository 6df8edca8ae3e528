package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// FindingRow is what a list shows of a finding.
type FindingRow struct {
	ID                int64
	Severity          gate.Severity
	Title             string
	Active            bool
	Verified          bool
	Duplicate         bool
	FalseP            bool
	OutOfScope        bool
	RiskAccepted      bool
	IsMitigated       bool
	UnderReview       bool
	VulnerabilityIDs  []string `db:"vulnerability_ids"`
	CWE               *int32   `db:"cwe"`
	FilePath          *string
	Line              *int32
	ComponentName     *string
	ComponentVersion  *string
	FixVersion        *string
	FixAvailable      *bool
	Endpoint          *string // the first
	Endpoints         int     // how many
	Service           *string
	ProductID         int64
	Product           string
	TestID            int64
	Scanner           string   // the name of the test's type
	EPSSScore         *float64 `db:"epss_score"`
	KnownExploited    bool
	SLAExpirationDate *time.Time `db:"sla_expiration_date"`
	Date              time.Time
	Created           time.Time
	Mitigated         *time.Time
	Tags              []string
	Sources           int // scanners that found it
	Assignee          *string
}

// Status returns the finding's state in words.
func (r FindingRow) Status() string {
	return gate.Finding{
		Active: r.Active, Verified: r.Verified, Duplicate: r.Duplicate, FalseP: r.FalseP, OutOfScope: r.OutOfScope,
		RiskAccepted: r.RiskAccepted, IsMitigated: r.IsMitigated, UnderReview: r.UnderReview,
	}.Status()
}

// StateWord names the state of a finding that is not open in a word.
func (r FindingRow) StateWord() string {
	switch {
	case r.Duplicate:
		return "duplicate"
	case r.FalseP:
		return "false positive"
	case r.OutOfScope:
		return "out of scope"
	case r.RiskAccepted:
		return "accepted"
	case r.IsMitigated:
		return "closed"
	case r.Active:
		return "open"
	default:
		return "inactive"
	}
}

// FindingSort is an order of a list of findings. Findings that are equal in it
// come in the order of their IDs, the same way round.
type FindingSort string

// The orders. Each is of a value that is never null, so that a page can begin
// where another ended.
const (
	BySeverity FindingSort = "severity"
	ByEPSS     FindingSort = "epss"
	BySLA      FindingSort = "sla"  // the day it is due
	ByDate     FindingSort = "date" // the day it was found
	ByID       FindingSort = "id"
)

// sortKeys are the expressions; their indexes are findings_by_….
var sortKeys = map[FindingSort]string{
	BySeverity: `f.severity`,
	ByEPSS:     `coalesce(f.epss_score, -1)`,
	BySLA:      `coalesce(f.sla_expiration_date, 'infinity'::date)`,
	ByDate:     `f.date`,
	ByID:       `f.id`,
}

// FindingPlace is a place in a sorted list: just after the finding of that ID.
type FindingPlace struct {
	Key any
	ID  int64
}

// ParseFindingPlace reads what FindingPage.Next and Prev hold.
func ParseFindingPlace(sort FindingSort, s string) (*FindingPlace, error) {
	key, id, _ := strings.Cut(s, "_")
	p := &FindingPlace{}
	var err error
	if p.ID, err = strconv.ParseInt(id, 10, 64); err == nil {
		p.Key, err = parseSortKey(sort, key)
	}
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "%q is not a place in this list", s)
	}
	return p, nil
}

func parseSortKey(sort FindingSort, key string) (any, error) {
	switch sort {
	case ByEPSS:
		return strconv.ParseFloat(key, 64)
	case BySLA, ByDate:
		if key == "infinity" {
			return key, nil
		}
		_, err := gate.ParseDate(key)
		return key, err
	default:
		return strconv.ParseInt(key, 10, 64)
	}
}

// FindingPageQuery is one page of a list.
type FindingPageQuery struct {
	FindingSearch
	Sort          FindingSort
	Descending    bool
	After, Before *FindingPlace // at most one
	Limit         int
}

// FindingPage is a page of a list. Next and Prev are blank at its ends.
type FindingPage struct {
	Rows       []FindingRow
	Next, Prev string
}

type sortedRow struct {
	FindingRow
	Key    string
	Counts []int // of the whole list, by severity; nil: not counted
}

// FindingPage returns one page of a list.
func (s *Store) FindingPage(ctx context.Context, q FindingPageQuery) (FindingPage, error) {
	sql, args := q.sql()
	rows, err := many[sortedRow](ctx, s.db, sql, args...)
	if err != nil {
		return FindingPage{}, fmt.Errorf("list of findings: %w", err)
	}
	return q.page(rows), nil
}

// FindingPageAndCounts is FindingPage and FindingCounts in one pass: for a
// search that has to read every finding.
func (s *Store) FindingPageAndCounts(ctx context.Context, q FindingPageQuery) (FindingPage, Counts, error) {
	sql, args := q.onePass()
	rows, err := many[sortedRow](ctx, s.db, sql, args...)
	if err != nil {
		return FindingPage{}, Counts{}, fmt.Errorf("list of findings: %w", err)
	}
	var counts Counts
	if len(rows) > 0 {
		copy(counts[:], rows[0].Counts)
	} else if q.After != nil || q.Before != nil {
		counts, err = s.FindingCounts(ctx, q.FindingSearch)
	}
	return q.page(rows), counts, err
}

// page makes a page of its rows and the one after it.
func (q FindingPageQuery) page(rows []sortedRow) FindingPage {
	more := len(rows) > q.Limit
	rows = rows[:min(len(rows), q.Limit)]
	if q.Before != nil {
		slices.Reverse(rows)
	}
	p := FindingPage{Rows: make([]FindingRow, len(rows))}
	for i, r := range rows {
		p.Rows[i] = r.FindingRow
	}
	if n := len(rows); n > 0 {
		if more || q.Before != nil {
			p.Next = fmt.Sprintf("%s_%d", rows[n-1].Key, rows[n-1].ID)
		}
		if (more && q.Before != nil) || q.After != nil {
			p.Prev = fmt.Sprintf("%s_%d", rows[0].Key, rows[0].ID)
		}
	}
	return p
}

// sql selects the page's IDs first, by an index where there is one, and the
// wide rows and what belongs to them after that, for these few only.
func (q FindingPageQuery) sql() (string, []any) {
	w, key := q.where(), sortKeys[q.Sort]
	q.beyond(w, key, "f.id")
	return `
		with page as materialized (select f.id from findings f` + w.sql.String() + q.order(key, "f.id") + Page{Limit: q.Limit + 1}.window() + `)
		select ` + findingRowColumns + `, (` + key + `)::text as key, null::integer[] as counts
		from page join findings f using (id) ` + findingRowJoins + q.order(key, "f.id"), w.args
}

// onePass selects all that match, and both the page and the numbers from that.
func (q FindingPageQuery) onePass() (string, []any) {
	w, key := q.where(), sortKeys[q.Sort]
	hits := w.sql.String()
	w.sql.Reset()
	q.beyond(w, "key", "id")
	return `
		with hits as materialized (select f.id, f.severity, ` + key + ` as key from findings f` + hits + `),
			page as materialized (select id, key from hits` + w.sql.String() + q.order("key", "id") + Page{Limit: q.Limit + 1}.window() + `)
		select ` + findingRowColumns + `, page.key::text as key,
			array(select count(h.id) from generate_series(0, 4) s left join hits h on h.severity = s group by s order by s)::integer[] as counts
		from page join findings f using (id) ` + findingRowJoins + q.order("page.key", "f.id"), w.args
}

// beyond adds that rows come after the place where the page begins.
func (q FindingPageQuery) beyond(w *where, key, id string) {
	sign := map[string]string{"asc": ">", "desc": "<"}[q.direction()]
	for _, p := range []*FindingPlace{q.After, q.Before} {
		if p != nil {
			w.and("("+key+", "+id+") "+sign+" (?, ?)", p.Key, p.ID)
		}
	}
}

// direction is the way round in which rows are read: backwards for a page that
// ends where another begins.
func (q FindingPageQuery) direction() string {
	if q.Descending != (q.Before != nil) {
		return "desc"
	}
	return "asc"
}

func (q FindingPageQuery) order(key, id string) string {
	return fmt.Sprintf(" order by %s %s, %s %s", key, q.direction(), id, q.direction())
}

const findingRowColumns = `f.id, f.severity, f.title, f.active, f.verified, f.duplicate, f.false_p, f.out_of_scope, f.risk_accepted, f.is_mitigated, f.under_review,
	f.vulnerability_ids, f.cwe, f.file_path, f.line, f.component_name, f.component_version, f.fix_version, f.fix_available, e.endpoint, coalesce(e.endpoints, 0) as endpoints,
	f.service, f.product_id, p.name as product, f.test_id, tt.name as scanner, f.epss_score, f.known_exploited, f.sla_expiration_date, f.date, f.created, f.mitigated,
	f.tags || f.inherited_tags as tags, 1 + cardinality(f.found_by) as sources, u.username as assignee`

const findingRowJoins = `
	join products p on p.id = f.product_id
	join test_types tt on tt.id = f.test_type_id
	left join users u on u.id = f.assignee_id
	left join lateral (
		select min(l.location_value) as endpoint, count(*)::integer as endpoints
		from location_findings lf join locations l on l.id = lf.location_id
		where lf.finding_id = f.id
	) e on true`

// EachFindingRow calls f with every finding that q selects, worst first, one by
// one: for exports, which may be longer than memory is wide.
func (s *Store) EachFindingRow(ctx context.Context, q FindingSearch, f func(FindingRow) error) error {
	w := q.where()
	rows, _ := s.db.Query(ctx, `select `+findingRowColumns+` from findings f `+findingRowJoins+w.sql.String()+` order by f.severity desc, f.id desc`, w.args...)
	defer rows.Close()
	for rows.Next() {
		row, err := pgx.RowToStructByName[FindingRow](rows)
		if err != nil {
			return fmt.Errorf("export of findings: %w", err)
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Counts are numbers by severity.
type Counts [gate.Critical + 1]int

// Total returns the sum over all severities.
func (c Counts) Total() int {
	n := 0
	for _, v := range c {
		n += v
	}
	return n
}

type severityCount struct {
	Severity gate.Severity
	Count    int
}

// FindingCounts returns how many findings q selects, by severity.
func (s *Store) FindingCounts(ctx context.Context, q FindingSearch) (Counts, error) {
	w := q.where()
	rows, err := many[severityCount](ctx, s.db, `select f.severity, count(*) from findings f`+w.sql.String()+` group by f.severity`, w.args...)
	var c Counts
	for _, r := range rows {
		c[r.Severity] = r.Count
	}
	return c, err
}
