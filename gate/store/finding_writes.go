package store

import (
	"context"
	"strconv"
	"time"

	"defectdojo/gate"
)

// dueDate is when a finding whose severity, start and product are given is due
// by the product's SLA; info findings never are.
const dueDate = `(
	select coalesce($73::date, $20::date) + case $2::smallint
		when 4 then case when c.enforce_critical then c.critical end
		when 3 then case when c.enforce_high then c.high end
		when 2 then case when c.enforce_medium then c.medium end
		when 1 then case when c.enforce_low then c.low end
	end
	from products p join sla_configurations c on c.id = p.sla_configuration_id where p.id = $72)`

// findingSets are the columns that SaveFinding and AddFinding write, in the
// order of findingValues; the first of them is $2.
const findingSets = `severity, active, verified, duplicate, false_p, out_of_scope, risk_accepted, is_mitigated, under_review,
	under_defect_review, static_finding, dynamic_finding, duplicate_finding_id, reporter_id, mitigated, mitigated_by_id,
	last_reviewed, last_reviewed_by_id, date, last_status_update, cwe, cwes, vulnerability_ids, title, description, mitigation,
	impact, refs, steps_to_reproduce, severity_justification, rule, vuln_id_from_tool, unique_id_from_tool, cvssv3, cvssv3_score,
	cvssv4, cvssv4_score, epss_score, epss_percentile, known_exploited, ransomware_used, kev_date, file_path, line, component_name,
	component_version, service, param, payload, url, sast_source_object, sast_source_line, sast_source_file_path, sast_sink_object,
	fix_available, fix_version, effort_for_fixing, planned_remediation_date, planned_remediation_version, publish_date,
	scanner_confidence, nb_occurences, thread_id, tags, inherited_tags, review_requested_by_id, reviewers, assignee_id, found_by,
	hash_code`

func findingValues(f gate.Finding) []any {
	return []any{
		f.Severity, f.Active, f.Verified, f.Duplicate, f.FalseP, f.OutOfScope, f.RiskAccepted, f.IsMitigated, f.UnderReview,
		f.UnderDefectReview, f.StaticFinding, f.DynamicFinding, f.DuplicateFindingID, f.ReporterID, f.Mitigated, f.MitigatedByID,
		f.LastReviewed, f.LastReviewedByID, f.Date, f.LastStatusUpdate, f.CWE, orEmpty(f.CWEs), orEmpty(f.VulnerabilityIDs), f.Title, f.Description, f.Mitigation,
		f.Impact, f.Refs, f.StepsToReproduce, f.SeverityJustification, f.Rule, f.VulnIDFromTool, f.UniqueIDFromTool, f.CVSSv3, f.CVSSv3Score,
		f.CVSSv4, f.CVSSv4Score, f.EPSSScore, f.EPSSPercentile, f.KnownExploited, f.RansomwareUsed, f.KEVDate, f.FilePath, f.Line, f.ComponentName,
		f.ComponentVersion, f.Service, f.Param, f.Payload, f.URL, f.SASTSourceObject, f.SASTSourceLine, f.SASTSourceFilePath, f.SASTSinkObject,
		f.FixAvailable, f.FixVersion, f.EffortForFixing, f.PlannedRemediationDate, f.PlannedRemediationVersion, f.PublishDate,
		f.ScannerConfidence, f.NbOccurences, f.ThreadID, orEmpty(f.Tags), orEmpty(f.InheritedTags), f.ReviewRequestedByID, orEmpty(f.Reviewers), f.AssigneeID, orEmpty(f.FoundBy),
		f.HashCode,
	}
}

// SaveFinding writes what a finding is now, and when it is due by its product's
// SLA. Each time its updated moves on, if only by a microsecond: who has read it
// before can tell that it has changed.
func (s *Store) SaveFinding(ctx context.Context, f gate.Finding) (gate.Finding, error) {
	args := append([]any{f.ID}, findingValues(f)...)
	return one[gate.Finding](ctx, s.db, "finding", `
		update findings set (`+findingSets+`, sla_start_date, sla_expiration_date, updated) =
			(`+placeholders(2, len(args))+`, $73::date, `+dueDate+`, greatest($74, updated + interval '1 microsecond'))
		where id = $1 and product_id = $72 returning `+findingColumns, append(args, f.ProductID, f.SLAStartDate, f.Updated)...)
}

// AddFinding adds a finding that somebody found by hand to its test, and
// returns it with its ID.
func (s *Store) AddFinding(ctx context.Context, f gate.Finding) (gate.Finding, error) {
	args := append([]any{f.TestID}, findingValues(f)...)
	return one[gate.Finding](ctx, s.db, "test", `
		insert into findings (test_id, engagement_id, product_id, test_type_id, `+findingSets+`, sla_start_date, sla_expiration_date, updated)
		select t.id, t.engagement_id, t.product_id, t.test_type_id, `+placeholders(2, len(args))+`, $73::date, `+dueDate+`, $74
		from tests t where t.id = $1 and t.product_id = $72
		returning `+findingColumns, append(args, f.ProductID, f.SLAStartDate, f.Updated)...)
}

// LockFindings returns those of some findings that are within scope, by ID, and
// makes others who want to change them wait.
func (s *Store) LockFindings(ctx context.Context, scope gate.Scope, ids []int64) ([]gate.Finding, error) {
	var w where
	oneOf(&w, "id", orEmpty(ids))
	w.scope("product_id", scope)
	return many[gate.Finding](ctx, s.db, `select `+findingColumns+` from findings`+w.sql.String()+` order by id for update`, w.args...)
}

// LockClusters is LockFindings for some findings with all of their clusters:
// their originals, and the duplicates of these. All of them are locked in the
// order of their IDs, so that others who do the same cannot lock each other out.
func (s *Store) LockClusters(ctx context.Context, scope gate.Scope, ids []int64) ([]gate.Finding, error) {
	var w where
	w.and(`id in (
		with roots as (select coalesce(duplicate_finding_id, id) as id from findings where id = any(?))
		select id from roots union select unnest(?::bigint[]) union select d.id from findings d join roots on d.duplicate_finding_id = roots.id)`, ids, ids)
	w.scope("product_id", scope)
	return many[gate.Finding](ctx, s.db, `select `+findingColumns+` from findings`+w.sql.String()+` order by id for update`, w.args...)
}

// DropRiskAcceptances takes a finding out of the risk acceptances that it is in.
func (s *Store) DropRiskAcceptances(ctx context.Context, finding int64) error {
	_, err := s.db.Exec(ctx, `delete from risk_acceptance_findings where finding_id = $1`, finding)
	return err
}

// MoveLocations gives a finding's locations another status, and its product's
// locations the one that follows: active if any finding there is.
func (s *Store) MoveLocations(ctx context.Context, f gate.Finding, from, to string, by int64, at time.Time) error {
	return s.atomically(ctx, func(s *Store) error {
		if _, err := s.db.Exec(ctx, `
			update location_findings set status = $3, auditor_id = $4, audit_time = $5 where finding_id = $1 and status = $2`,
			f.ID, from, to, by, at); err != nil {
			return err
		}
		return s.settleLocations(ctx, f)
	})
}

// settleLocations gives the locations of a finding's product the status that
// follows from its findings there.
func (s *Store) settleLocations(ctx context.Context, f gate.Finding) error {
	_, err := s.db.Exec(ctx, `
		update location_products p set status = new.status
		from (
			select l.location_id, case when bool_or(r.status = 'Active') then 'Active' else 'Mitigated' end as status
			from location_findings l
			join location_findings r on r.location_id = l.location_id
			join findings f on f.id = r.finding_id and f.product_id = $2
			where l.finding_id = $1 group by 1
		) new
		where p.location_id = new.location_id and p.product_id = $2 and p.status <> new.status`, f.ID, f.ProductID)
	return err
}

// RepointDuplicates makes an original's duplicates, and itself, duplicates of another finding.
func (s *Store) RepointDuplicates(ctx context.Context, from, to int64) error {
	_, err := s.db.Exec(ctx, `
		update findings set duplicate_finding_id = $2, duplicate = true, active = false, verified = false, updated = now()
		where (duplicate_finding_id = $1 or id = $1) and id <> $2`, from, to)
	return err
}

// placeholders returns "$from, …, $to".
func placeholders(from, to int) string {
	var b []byte
	for i := from; i <= to; i++ {
		if i > from {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(append(b, '$'), int64(i), 10)
	}
	return string(b)
}
