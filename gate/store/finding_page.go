package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// FindingContext names what a finding belongs to.
type FindingContext struct {
	Product        string
	EngagementID   int64
	Engagement     string
	Branch         string
	Test           *string
	Scanner        string
	ScanType       *string
	CommitHash     *string
	Repository     *string // where the code is
	Reporter       *string
	MitigatedBy    *string
	LastReviewedBy *string
	Assignee       *string
	FoundByNames   []string
	Simple         bool // risks may be accepted without more ado
	Full           bool // risks may be accepted for a time
}

// FindingEvent is something that happened to a finding: an import that saw it,
// or what somebody did.
type FindingEvent struct {
	At     time.Time
	What   string // new, closed, reactivated, untouched; or the action's name
	By     string
	Detail string // the report's file and version; or what changed, as JSON
	Commit string
}

// NoteRow is a note with its author's name.
type NoteRow struct {
	ID       int64
	Entry    string
	Date     time.Time
	AuthorID int64
	Author   string
	Private  bool
	Edited   bool
	EditTime *time.Time
}

// EndpointRow is where a finding shows, and how it stands there.
type EndpointRow struct {
	Value  string
	Status string
}

// PairRow is an HTTP request that shows a finding, and its response.
type PairRow struct {
	Request  []byte
	Response []byte
}

// AcceptanceRow is a risk acceptance that covers a finding.
type AcceptanceRow struct {
	ID             int64
	Name           string
	Details        *string
	Owner          string
	AcceptedBy     *string
	ExpirationDate *time.Time
	Created        time.Time
}

// FindingDetails is all that a page shows of a finding beside itself.
type FindingDetails struct {
	FindingContext
	Endpoints   []EndpointRow
	Pairs       []PairRow
	Notes       []NoteRow
	Events      []FindingEvent // the newest first
	Duplicates  []FindingRow   // those that it is the original of
	Original    *FindingRow    // that it is a duplicate of
	Similar     []FindingRow   // open ones of the same vulnerability elsewhere in scope
	Acceptances []AcceptanceRow
}

// FindingDetails returns what belongs to a finding within scope, as a user may
// see it: the private notes of others are left out.
func (s *Store) FindingDetails(ctx context.Context, scope gate.Scope, f gate.Finding, reader gate.User) (FindingDetails, error) {
	var d FindingDetails
	var err error
	read := func(what string, f func() error) {
		if err != nil {
			return
		}
		if e := f(); e != nil {
			err = fmt.Errorf("%s of a finding: %w", what, e)
		}
	}
	read("context", func() (e error) { d.FindingContext, e = s.findingContext(ctx, f.ID); return })
	read("endpoints", func() (e error) { d.Endpoints, e = s.endpoints(ctx, f.ID); return })
	read("requests", func() (e error) { d.Pairs, e = s.pairs(ctx, f.ID); return })
	read("notes", func() (e error) { d.Notes, e = s.notes(ctx, f.ID, reader); return })
	read("history", func() (e error) { d.Events, e = s.findingEvents(ctx, f); return })
	read("acceptances", func() (e error) { d.Acceptances, e = s.acceptances(ctx, f.ID); return })
	read("relatives", func() error { return s.relatives(ctx, scope, f, &d) })
	return d, err
}

func (s *Store) findingContext(ctx context.Context, id int64) (FindingContext, error) {
	return one[FindingContext](ctx, s.db, "finding", `
		select p.name as product, f.engagement_id, e.name as engagement, coalesce(t.branch_tag, e.branch_tag, '') as branch, t.title as test, tt.name as scanner, t.scan_type,
			coalesce(nullif(t.commit_hash, ''), e.commit_hash) as commit_hash, e.source_code_management_uri as repository,
			r.username as reporter, m.username as mitigated_by, l.username as last_reviewed_by, a.username as assignee,
			array(select name from test_types where id = any(f.found_by) order by name) as found_by_names,
			p.enable_simple_risk_acceptance as simple, p.enable_full_risk_acceptance as full
		from findings f
		join products p on p.id = f.product_id
		join engagements e on e.id = f.engagement_id
		join tests t on t.id = f.test_id
		join test_types tt on tt.id = f.test_type_id
		left join users r on r.id = f.reporter_id
		left join users m on m.id = f.mitigated_by_id
		left join users l on l.id = f.last_reviewed_by_id
		left join users a on a.id = f.assignee_id
		where f.id = $1`, id)
}

func (s *Store) endpoints(ctx context.Context, id int64) ([]EndpointRow, error) {
	return many[EndpointRow](ctx, s.db, `
		select l.location_value as value, lf.status from location_findings lf join locations l on l.id = lf.location_id
		where lf.finding_id = $1 order by lf.status, l.location_value limit 200`, id)
}

func (s *Store) pairs(ctx context.Context, id int64) ([]PairRow, error) {
	return many[PairRow](ctx, s.db, `
		select substr(request, 1, 20000) as request, substr(response, 1, 20000) as response
		from request_response_pairs where finding_id = $1 order by id limit 10`, id)
}

func (s *Store) notes(ctx context.Context, id int64, reader gate.User) ([]NoteRow, error) {
	return many[NoteRow](ctx, s.db, `
		select n.id, n.entry, n.date, n.author_id, u.username as author, n.private, n.edited, n.edit_time
		from notes n join users u on u.id = n.author_id
		where n.finding_id = $1 and (not n.private or n.author_id = $2 or $3)
		order by n.id desc limit 200`, id, reader.ID, reader.IsSuperuser)
}

func (s *Store) acceptances(ctx context.Context, id int64) ([]AcceptanceRow, error) {
	return many[AcceptanceRow](ctx, s.db, `
		select a.id, a.name, a.decision_details as details, u.username as owner, a.accepted_by, a.expiration_date, a.created
		from risk_acceptance_findings rf join risk_acceptances a on a.id = rf.risk_acceptance_id join users u on u.id = a.owner_id
		where rf.finding_id = $1 order by a.id desc`, id)
}

// findingEvents returns what the last imports of a finding's test did to it,
// and what people did. How many imports is limited: each names all that it saw.
func (s *Store) findingEvents(ctx context.Context, f gate.Finding) ([]FindingEvent, error) {
	return many[FindingEvent](ctx, s.db, `
		with recent as (
			(select id from test_imports where test_id = $2 order by id desc limit 30) union (select id from test_imports where test_id = $2 order by id limit 1)
		)
		select i.created as at, case a.action when 'N' then 'new' when 'C' then 'closed' when 'R' then 'reactivated' else 'untouched' end as what,
			coalesce(u.username, '') as by, trim(i.filename || ' ' || i.version) as detail, i.commit_hash as commit
		from recent join test_imports i using (id) join test_import_actions a on a.test_import_id = i.id left join users u on u.id = i.user_id
		where $1 = any(a.finding_ids)
		union all
		(select at, action, actor, changes::text, '' from audit_events where object = 'finding' and object_id = $1 order by id desc limit 100)
		order by at desc`, f.ID, f.TestID)
}

// relatives reads the findings that a finding has to do with.
func (s *Store) relatives(ctx context.Context, scope gate.Scope, f gate.Finding, d *FindingDetails) error {
	var err error
	if d.Duplicates, err = s.findingRows(ctx, scope, 50, `f.duplicate_finding_id = ?`, f.ID); err != nil {
		return err
	}
	if f.DuplicateFindingID != nil {
		originals, err := s.findingRows(ctx, scope, 1, `f.id = ?`, *f.DuplicateFindingID)
		if err != nil {
			return err
		}
		if len(originals) == 1 {
			d.Original = &originals[0]
		}
	}
	if len(f.VulnerabilityIDs) > 0 {
		d.Similar, err = s.findingRows(ctx, scope, 20, hasVulnerability+` and f.active and f.id <> ?`, f.VulnerabilityIDs, f.ID)
	}
	return err
}

// findingRows returns the worst findings of a condition on findings f.
func (s *Store) findingRows(ctx context.Context, scope gate.Scope, limit int, condition string, args ...any) ([]FindingRow, error) {
	var w where
	w.and(condition, args...)
	w.scope("f.product_id", scope)
	return many[FindingRow](ctx, s.db, `select `+findingRowColumns+` from findings f `+findingRowJoins+w.sql.String()+
		` order by f.severity desc, f.id desc`+Page{Limit: limit}.window(), w.args...)
}
