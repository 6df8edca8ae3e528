package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// NewFinding is a finding that an import adds.
type NewFinding struct {
	ID          int64
	Origin      *Origin
	Observation *gate.Observation
	Hash        [32]byte
	RefreshKey  int64
	EndpointKey string
	DuplicateOf *int64

	Date          gate.Date
	SLAExpiration gate.Date
	Active        bool
	Verified      bool
	FalseP        bool
	OutOfScope    bool
	RiskAccepted  bool
	IsMitigated   bool
	MitigatedAt   time.Time
	MitigatedByID *int64
	Static        bool
	Dynamic       bool
	Tags          []string
}

// Origin is what all findings of one import have in common.
type Origin struct {
	TestID, EngagementID, ProductID, TestTypeID, ReporterID int64
	Now                                                     time.Time
	InheritedTags                                           []string
	HashVersion                                             int16
}

type findingColumn = column[*NewFinding]

func textColumn(name string, get func(o *gate.Observation) string) findingColumn {
	return findingColumn{name, func(b []byte, f *NewFinding) []byte { return putText(b, get(f.Observation)) }}
}

func nullTextColumn(name string, get func(o *gate.Observation) string) findingColumn {
	return findingColumn{name, func(b []byte, f *NewFinding) []byte { return putTextOrNull(b, get(f.Observation)) }}
}

// findingColumnsIn are the columns that an import writes, in the table's order.
var findingColumnsIn = []findingColumn{
	{"id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.ID) }},
	{"test_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.TestID) }},
	{"engagement_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.EngagementID) }},
	{"product_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.ProductID) }},
	{"test_type_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.TestTypeID) }},
	{"hash_code", func(b []byte, f *NewFinding) []byte { return putBytes(b, f.Hash[:]) }},
	{"hash_version", func(b []byte, f *NewFinding) []byte { return putInt16(b, f.Origin.HashVersion) }},
	{"severity", func(b []byte, f *NewFinding) []byte { return putInt16(b, int16(f.Observation.Severity)) }},
	{"active", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Active) }},
	{"verified", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Verified) }},
	{"duplicate", func(b []byte, f *NewFinding) []byte { return putBool(b, f.DuplicateOf != nil) }},
	{"false_p", func(b []byte, f *NewFinding) []byte { return putBool(b, f.FalseP) }},
	{"out_of_scope", func(b []byte, f *NewFinding) []byte { return putBool(b, f.OutOfScope) }},
	{"risk_accepted", func(b []byte, f *NewFinding) []byte { return putBool(b, f.RiskAccepted) }},
	{"is_mitigated", func(b []byte, f *NewFinding) []byte { return putBool(b, f.IsMitigated) }},
	{"under_review", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Observation.UnderReview) }},
	{"static_finding", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Static) }},
	{"dynamic_finding", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Dynamic) }},
	{"duplicate_finding_id", func(b []byte, f *NewFinding) []byte { return putInt64Ptr(b, f.DuplicateOf) }},
	{"reporter_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.ReporterID) }},
	{"date", func(b []byte, f *NewFinding) []byte { return putDate(b, f.Date) }},
	{"created", func(b []byte, f *NewFinding) []byte { return putTime(b, f.Origin.Now) }},
	{"updated", func(b []byte, f *NewFinding) []byte { return putTime(b, f.Origin.Now) }},
	{"last_status_update", func(b []byte, f *NewFinding) []byte { return putTime(b, f.Origin.Now) }},
	{"mitigated", func(b []byte, f *NewFinding) []byte { return putTime(b, f.MitigatedAt) }},
	{"mitigated_by_id", func(b []byte, f *NewFinding) []byte { return putInt64Ptr(b, f.MitigatedByID) }},
	{"last_reviewed", func(b []byte, f *NewFinding) []byte { return putTime(b, f.Origin.Now) }},
	{"last_reviewed_by_id", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.Origin.ReporterID) }},
	{"sla_expiration_date", func(b []byte, f *NewFinding) []byte { return putDate(b, f.SLAExpiration) }},
	{"cwe", func(b []byte, f *NewFinding) []byte {
		if f.Observation.NoCWE && f.Observation.CWE == 0 {
			return putNull(b)
		}
		return putInt32(b, int32(f.Observation.CWE))
	}},
	{"cwes", func(b []byte, f *NewFinding) []byte { return putInts(b, f.Observation.CWEs) }},
	{"vulnerability_ids", func(b []byte, f *NewFinding) []byte { return putTexts(b, f.Observation.VulnerabilityIDs) }},
	textColumn("title", func(o *gate.Observation) string { return o.Title }),
	textColumn("description", func(o *gate.Observation) string { return o.Description }),
	textColumn("mitigation", func(o *gate.Observation) string { return o.Mitigation }),
	textColumn("impact", func(o *gate.Observation) string { return o.Impact }),
	textColumn("refs", func(o *gate.Observation) string { return o.References }),
	textColumn("steps_to_reproduce", func(o *gate.Observation) string { return o.StepsToReproduce }),
	textColumn("severity_justification", func(o *gate.Observation) string { return o.SeverityJustification }),
	textColumn("rule", func(o *gate.Observation) string { return o.Rule() }),
	nullTextColumn("vuln_id_from_tool", func(o *gate.Observation) string { return o.RuleID }),
	nullTextColumn("unique_id_from_tool", func(o *gate.Observation) string { return o.UniqueID }),
	nullTextColumn("cvssv3", func(o *gate.Observation) string { return o.CVSSv3 }),
	{"cvssv3_score", func(b []byte, f *NewFinding) []byte { return putFloatPtr(b, f.Observation.CVSSv3Score) }},
	nullTextColumn("cvssv4", func(o *gate.Observation) string { return o.CVSSv4 }),
	{"cvssv4_score", func(b []byte, f *NewFinding) []byte { return putFloatPtr(b, f.Observation.CVSSv4Score) }},
	{"epss_score", func(b []byte, f *NewFinding) []byte { return putFloatPtr(b, f.Observation.EPSSScore) }},
	{"epss_percentile", func(b []byte, f *NewFinding) []byte { return putFloatPtr(b, f.Observation.EPSSPercentile) }},
	{"known_exploited", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Observation.IsExploited()) }},
	{"ransomware_used", func(b []byte, f *NewFinding) []byte { return putBool(b, f.Observation.RansomwareUsed) }},
	{"kev_date", func(b []byte, f *NewFinding) []byte { return putDate(b, f.Observation.KEVDate) }},
	nullTextColumn("file_path", func(o *gate.Observation) string { return o.FilePath }),
	{"line", func(b []byte, f *NewFinding) []byte { return putIntPtr(b, f.Observation.Line) }},
	{"end_line", func(b []byte, f *NewFinding) []byte { return putIntPtr(b, f.Observation.EndLine) }},
	textColumn("snippet", func(o *gate.Observation) string { return o.Snippet }),
	nullTextColumn("component_name", func(o *gate.Observation) string { return o.ComponentName }),
	nullTextColumn("component_version", func(o *gate.Observation) string { return o.ComponentVersion }),
	textColumn("purl", func(o *gate.Observation) string { return o.PURL }),
	nullTextColumn("service", func(o *gate.Observation) string { return o.Service }),
	nullTextColumn("param", func(o *gate.Observation) string { return o.Param }),
	nullTextColumn("payload", func(o *gate.Observation) string { return o.Payload }),
	nullTextColumn("url", func(o *gate.Observation) string { return o.URL }),
	nullTextColumn("sast_source_object", func(o *gate.Observation) string { return o.SASTSourceObject }),
	{"sast_source_line", func(b []byte, f *NewFinding) []byte { return putIntPtr(b, f.Observation.SASTSourceLine) }},
	nullTextColumn("sast_source_file_path", func(o *gate.Observation) string { return o.SASTSourceFilePath }),
	nullTextColumn("sast_sink_object", func(o *gate.Observation) string { return o.SASTSinkObject }),
	{"fix_available", func(b []byte, f *NewFinding) []byte { return putBoolPtr(b, f.Observation.FixAvailable) }},
	nullTextColumn("fix_version", func(o *gate.Observation) string { return o.FixedIn() }),
	nullTextColumn("effort_for_fixing", func(o *gate.Observation) string { return o.EffortForFix }),
	nullTextColumn("planned_remediation_version", func(o *gate.Observation) string { return o.PlannedVersion }),
	{"publish_date", func(b []byte, f *NewFinding) []byte { return putDate(b, f.Observation.PublishDate) }},
	{"scanner_confidence", func(b []byte, f *NewFinding) []byte { return putIntPtr(b, f.Observation.ScannerConfidence) }},
	{"nb_occurences", func(b []byte, f *NewFinding) []byte { return putIntPtr(b, f.Observation.Occurrences) }},
	{"tags", func(b []byte, f *NewFinding) []byte { return putTexts(b, f.Tags) }},
	{"inherited_tags", func(b []byte, f *NewFinding) []byte { return putTexts(b, f.Origin.InheritedTags) }},
	{"endpoint_key", func(b []byte, f *NewFinding) []byte { return putText(b, f.EndpointKey) }},
	{"refresh_key", func(b []byte, f *NewFinding) []byte { return putInt64(b, f.RefreshKey) }},
}

// AddFindings stores new findings. Their ids come from NextFindingIDs.
func (s *Store) AddFindings(ctx context.Context, found []*NewFinding) error {
	return copyRows(ctx, s.tx, "findings", findingColumnsIn, found)
}

// RemoveFindings removes findings that this transaction added.
func (s *Store) RemoveFindings(ctx context.Context, ids []int64) error {
	_, err := s.db.Exec(ctx, `delete from findings where id = any($1)`, ids)
	return err
}

// NextFindingIDs reserves n ids, ascending.
func (s *Store) NextFindingIDs(ctx context.Context, n int) ([]int64, error) {
	return scalar[[]int64](ctx, s.db, `select array_agg(nextval('findings_id_seq')) from generate_series(1, $1)`, n)
}

// Known is what matching needs of a finding that is there.
type Known struct {
	ID           int64
	Hash         [32]byte // zero: none
	UniqueID     string
	Title        string // only if asked for
	Service      string
	EndpointKey  string
	EngagementID int64
	TestTypeID   int64
	RefreshKey   int64
	Severity     gate.Severity
	Flags
}

// Flags are a finding's flags.
type Flags struct {
	Active, Verified, Duplicate, FalseP, OutOfScope, RiskAccepted, IsMitigated bool
}

const knownColumns = `id, hash_code, coalesce(unique_id_from_tool, ''), coalesce(service, ''), endpoint_key, engagement_id, test_type_id, refresh_key, severity,
	active, verified, duplicate, false_p, out_of_scope, risk_accepted, is_mitigated`

// known yields the findings of a query on knownColumns, and title.
func known(ctx context.Context, db DB, sql string, args ...any) iter.Seq2[Known, error] {
	return func(yield func(Known, error) bool) {
		rows, err := db.Query(ctx, sql, args...)
		if err != nil {
			yield(Known{}, err)
			return
		}
		defer rows.Close()
		var hash []byte
		for rows.Next() {
			var k Known
			hash = hash[:0]
			err := rows.Scan(&k.ID, &hash, &k.UniqueID, &k.Service, &k.EndpointKey, &k.EngagementID, &k.TestTypeID, &k.RefreshKey, &k.Severity,
				&k.Active, &k.Verified, &k.Duplicate, &k.FalseP, &k.OutOfScope, &k.RiskAccepted, &k.IsMitigated, &k.Title)
			copy(k.Hash[:], hash)
			if !yield(k, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Known{}, err)
		}
	}
}

// TestFindings yields the findings of a test by id, with their titles if asked for.
func (s *Store) TestFindings(ctx context.Context, test int64, titles bool) iter.Seq2[Known, error] {
	title := `''`
	if titles {
		title = `title`
	}
	return known(ctx, s.db, `select `+knownColumns+`, `+title+` from findings where test_id = $1 order by id`, test)
}

// DedupScope is where originals of new findings are looked for.
type DedupScope struct {
	ProductID    int64
	EngagementID int64 // of the new findings
	Within       bool  // only in that engagement
	TestTypeID   int64 // of the new findings, for unique ids
}

// Originals yields the findings in scope that are no duplicates and have one of
// the hashes, or one of the unique ids and the same test type, by id.
func (s *Store) Originals(ctx context.Context, scope DedupScope, hashes [][]byte, uniqueIDs []string) iter.Seq2[Known, error] {
	where := `product_id = @product and engagement_id not in (select id from engagements where product_id = @product and deduplication_on_engagement and id <> @engagement)`
	if scope.Within {
		where = `product_id = @product and engagement_id = @engagement`
	}
	return known(ctx, s.db, `
		select `+knownColumns+`, '' from findings where hash_code = any(@hashes) and not duplicate and `+where+`
		union
		select `+knownColumns+`, '' from findings where unique_id_from_tool = any(@ids) and test_type_id = @type and not duplicate and `+where+`
		order by 1`, pgx.NamedArgs{"product": scope.ProductID, "engagement": scope.EngagementID, "hashes": hashes, "ids": uniqueIDs, "type": scope.TestTypeID})
}

// HasFindings tells whether a product has findings in tests other than one.
func (s *Store) HasFindings(ctx context.Context, product, but int64) (bool, error) {
	return scalar[bool](ctx, s.db, `
		select exists (
			select from tests t join engagements e on e.id = t.engagement_id
			where e.product_id = $1 and t.id <> $2 and exists (select from findings f where f.test_id = t.id)
		)`, product, but)
}

// CloseScope is where findings are closed that a new test no longer shows.
type CloseScope struct {
	ProductID, EngagementID, TestTypeID, TestID int64 // of the new test
	WholeProduct                                bool
	Service                                     string
}

// OldFindings yields the open or accepted findings of other tests of the same
// type in scope.
func (s *Store) OldFindings(ctx context.Context, scope CloseScope) iter.Seq2[Known, error] {
	return known(ctx, s.db, `
		select `+knownColumns+`, '' from findings
		where product_id = @product and (@whole or engagement_id = @engagement) and test_type_id = @type and test_id <> @test
		  and (active or risk_accepted) and not is_mitigated and coalesce(service, '') = @service
		order by id`, pgx.NamedArgs{
		"product": scope.ProductID, "whole": scope.WholeProduct, "engagement": scope.EngagementID, "type": scope.TestTypeID, "test": scope.TestID, "service": scope.Service,
	})
}

// StatusChange is a change of many findings at once, with the note that tells why.
type StatusChange struct {
	IDs    []int64
	UserID int64
	At     time.Time // of the closing
	Note   string
}

// CloseFindings closes findings: they are mitigated, their risk acceptances end
// and their locations are mitigated.
func (s *Store) CloseFindings(ctx context.Context, c StatusChange) error {
	return s.change(ctx, c, `
		update findings set active = false, is_mitigated = true, mitigated = coalesce(mitigated, @at), mitigated_by_id = @user, risk_accepted = false,
		                    last_status_update = now(), updated = now()
		where id = any(@ids)`, `
		delete from risk_acceptance_findings where finding_id = any(@ids)`, `
		update location_findings set status = 'Mitigated', auditor_id = @user, audit_time = now() where finding_id = any(@ids) and status = 'Active'`)
}

// ReactivateFindings opens closed findings again. Duplicates stay inactive.
func (s *Store) ReactivateFindings(ctx context.Context, c StatusChange, verified *bool, restartSLA *SLA) error {
	if err := s.change(ctx, c, `
		update findings set is_mitigated = false, mitigated = null, mitigated_by_id = null, active = not duplicate, false_p = false, out_of_scope = false,
		                    verified = not duplicate and coalesce(@verified, verified), last_status_update = now(), updated = now()
		where id = any(@ids)`, `
		update location_findings set status = 'Active', auditor_id = @user, audit_time = now() where finding_id = any(@ids) and status = 'Mitigated'`,
		named{"verified", verified}); err != nil || restartSLA == nil {
		return err
	}
	_, err := s.db.Exec(ctx, `
		update findings set sla_start_date = @at::date, sla_expiration_date = @at::date + nullif((@days::int[])[severity + 1], 0)
		where id = any(@ids)`, pgx.NamedArgs{"ids": c.IDs, "at": c.At, "days": restartSLA.Days[:]})
	return err
}

type named struct {
	name  string
	value any
}

// change runs statements over the findings of a change, and adds its note.
func (s *Store) change(ctx context.Context, c StatusChange, statements ...any) error {
	if len(c.IDs) == 0 {
		return nil
	}
	args := pgx.NamedArgs{"ids": c.IDs, "user": c.UserID, "at": c.At, "note": c.Note}
	for _, st := range statements {
		if n, ok := st.(named); ok {
			args[n.name] = n.value
		}
	}
	for _, st := range statements {
		if sql, ok := st.(string); ok {
			if _, err := s.db.Exec(ctx, sql, args); err != nil {
				return err
			}
		}
	}
	if c.Note == "" {
		return nil
	}
	_, err := s.db.Exec(ctx, `insert into notes (finding_id, entry, author_id) select id, @note, @user from unnest(@ids::bigint[]) id`, args)
	return err
}

// AddNoteOnce adds a note to findings that have not the same by the same author.
func (s *Store) AddNoteOnce(ctx context.Context, c StatusChange) error {
	_, err := s.db.Exec(ctx, `
		insert into notes (finding_id, entry, author_id)
		select f.id, @note, @user from unnest(@ids::bigint[]) f (id)
		where not exists (select from notes n where n.finding_id = f.id and n.entry = @note and n.author_id = @user)`,
		pgx.NamedArgs{"ids": c.IDs, "note": c.Note, "user": c.UserID})
	return err
}

// MarkSpecial copies the flags that a report gives to findings which were open.
func (s *Store) MarkSpecial(ctx context.Context, ids []int64, f Flags, c StatusChange) error {
	_, err := s.db.Exec(ctx, `
		update findings set active = false, verified = case when @fp or @oos then false else verified end, false_p = @fp, out_of_scope = @oos, risk_accepted = @ra,
		       is_mitigated = @fp or @oos, mitigated = case when @fp or @oos then @at::timestamptz end, mitigated_by_id = case when @fp or @oos then @user::bigint end,
		       last_status_update = now(), updated = now()
		where id = any(@ids)`, pgx.NamedArgs{"ids": ids, "fp": f.FalseP, "oos": f.OutOfScope, "ra": f.RiskAccepted, "at": c.At, "user": c.UserID})
	return err
}

// Refresh is what a reimport brings up to date of a finding that it meets again.
type Refresh struct {
	ID               int64
	RefreshKey       int64
	VulnerabilityIDs []string
	CWEs             []int
	FixAvailable     *bool
	FixVersion       string
	ComponentName    string // fills a blank
	ComponentVersion string // fills a blank
	EndpointKey      string
	KnownExploited   bool // never takes back what is known
}

// RefreshFindings writes refreshes, through a temporary table in one statement.
func (s *Store) RefreshFindings(ctx context.Context, list []Refresh) error {
	if len(list) == 0 {
		return nil
	}
	if _, err := s.db.Exec(ctx, `
		create temporary table if not exists refreshed (
			id bigint, refresh_key bigint, vulnerability_ids text[], cwes integer[], fix_available boolean, fix_version text,
			component_name text, component_version text, endpoint_key text, known_exploited boolean
		) on commit drop`); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, `truncate refreshed`); err != nil {
		return err
	}
	if err := copyRows(ctx, s.tx, "refreshed", refreshColumns, list); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, `
		update findings f set
			refresh_key = r.refresh_key, vulnerability_ids = r.vulnerability_ids, cwes = r.cwes, endpoint_key = r.endpoint_key,
			fix_available = coalesce(r.fix_available, f.fix_available), fix_version = coalesce(r.fix_version, f.fix_version),
			component_name = coalesce(f.component_name, r.component_name), component_version = coalesce(f.component_version, r.component_version),
			known_exploited = f.known_exploited or r.known_exploited,
			updated = now()
		from refreshed r where f.id = r.id`)
	return err
}

var refreshColumns = []column[Refresh]{
	{"id", func(b []byte, r Refresh) []byte { return putInt64(b, r.ID) }},
	{"refresh_key", func(b []byte, r Refresh) []byte { return putInt64(b, r.RefreshKey) }},
	{"vulnerability_ids", func(b []byte, r Refresh) []byte { return putTexts(b, r.VulnerabilityIDs) }},
	{"cwes", func(b []byte, r Refresh) []byte { return putInts(b, r.CWEs) }},
	{"fix_available", func(b []byte, r Refresh) []byte { return putBoolPtr(b, r.FixAvailable) }},
	{"fix_version", func(b []byte, r Refresh) []byte { return putTextOrNull(b, r.FixVersion) }},
	{"component_name", func(b []byte, r Refresh) []byte { return putTextOrNull(b, r.ComponentName) }},
	{"component_version", func(b []byte, r Refresh) []byte { return putTextOrNull(b, r.ComponentVersion) }},
	{"endpoint_key", func(b []byte, r Refresh) []byte { return putText(b, r.EndpointKey) }},
	{"known_exploited", func(b []byte, r Refresh) []byte { return putBool(b, r.KnownExploited) }},
}

// FindingSummaries describes every finding in a line, by title: for tests and
// for checking a database.
func (s *Store) FindingSummaries(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `
		select f.title || concat(
			case when f.active then ' active' end, case when f.is_mitigated then ' mitigated' end, case when f.false_p then ' false_p' end,
			case when f.out_of_scope then ' out_of_scope' end, case when f.risk_accepted then ' risk_accepted' end,
			case when f.verified then ' verified' end, case when f.duplicate then ' duplicate of ' || (select count(*) from findings o where o.id = f.duplicate_finding_id and not o.duplicate) end)
		from findings f order by f.title, f.id`)
}

// FindingStates describes every finding by id with the version of its row, which
// changes whenever the row is written.
func (s *Store) FindingStates(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `select concat_ws(' ', id, xmin, ctid, active, is_mitigated, title) from findings order by id`)
}

// FindingContents describes every finding without what depends on when and as
// which number it was stored.
func (s *Store) FindingContents(ctx context.Context) ([]string, error) {
	return scalars[string](ctx, s.db, `
		select concat_ws('|', title, severity, description, mitigation, file_path, line, unique_id_from_tool, active, is_mitigated, duplicate, false_p, verified)
		from findings order by 1`)
}
