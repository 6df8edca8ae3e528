package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

const findingColumns = `id, test_id, engagement_id, product_id, test_type_id, hash_code, severity, active, verified, duplicate,
	false_p, out_of_scope, risk_accepted, is_mitigated, under_review, under_defect_review, static_finding, dynamic_finding,
	duplicate_finding_id, reporter_id, date, created, updated, last_status_update, mitigated, mitigated_by_id,
	last_reviewed, last_reviewed_by_id, sla_start_date, sla_expiration_date, cwe, cwes, vulnerability_ids, title, description,
	mitigation, impact, refs, steps_to_reproduce, severity_justification, rule, vuln_id_from_tool, unique_id_from_tool,
	cvssv3, cvssv3_score, cvssv4, cvssv4_score, epss_score, epss_percentile, known_exploited, ransomware_used, kev_date,
	file_path, line, end_line, snippet, component_name, component_version, purl, service, param, payload, url,
	sast_source_object, sast_source_line, sast_source_file_path, sast_sink_object, fix_available, fix_version,
	effort_for_fixing, planned_remediation_date, planned_remediation_version, publish_date, scanner_confidence,
	nb_occurences, thread_id, tags, inherited_tags, review_requested_by_id, reviewers, assignee_id, found_by`

// FindingFilter narrows a list of findings. The names in its maps are those of
// DefectDojo's API; a name that the list does not know is an error.
type FindingFilter struct {
	Scope            gate.Scope
	Text             string             // in the title, component, file, rule or a vulnerability ID
	Flags            map[string]bool    // active, verified, …: findingFlags
	Severities       []gate.Severity    // nil: all
	Contains         map[string]string  // title, component_name, …: findingTexts
	Exact            map[string]string  // by the same names, in any letter case
	In               map[string][]int64 // id, test, test__engagement__product, …: findingNumbers
	VulnerabilityIDs []string           // one of them
	Lifecycles       []string           // of the product
	Times            map[string]Range   // date, created, mitigated, …: findingTimes
	Ranges           map[string]NumberRange
	OutsideOfSLA     *bool
	Today            time.Time // what OutsideOfSLA is told by; the database's day if it is zero
	Tags             TagFilter
	TestTags         TagFilter
	EngagementTags   TagFilter
	ProductTags      TagFilter
	Page
}

var (
	findingFlags = columns{
		"active": "active", "verified": "verified", "duplicate": "duplicate", "false_p": "false_p", "out_of_scope": "out_of_scope",
		"risk_accepted": "risk_accepted", "is_mitigated": "is_mitigated", "under_review": "under_review",
		"under_defect_review": "under_defect_review", "static_finding": "static_finding", "dynamic_finding": "dynamic_finding",
		"known_exploited": "known_exploited", "ransomware_used": "ransomware_used",
		"fix_available":        "fix_available", // not said is neither
		"mitigation_available": "(mitigation <> '')",
		"has_component":        "(component_name is not null)",
		"has_notes":            "exists (select from notes n where n.finding_id = findings.id)",
		"has_jira":             "exists (select from jira_issues j where j.finding_id = findings.id and j.jira_key <> '')",
		"risk_acceptance":      "exists (select from risk_acceptance_findings r where r.finding_id = findings.id)",
		"assigned":             "(assignee_id is not null)",
	}
	findingTexts = columns{
		"title": "title", "description": "description", "mitigation": "mitigation", "impact": "impact", "references": "refs",
		"steps_to_reproduce": "steps_to_reproduce", "severity_justification": "severity_justification",
		"component_name": "component_name", "component_version": "component_version", "file_path": "file_path",
		"param": "param", "payload": "payload", "unique_id_from_tool": "unique_id_from_tool", "vuln_id_from_tool": "vuln_id_from_tool",
		"service": "service", "rule": "rule", "fix_version": "fix_version", "cvssv3": "cvssv3", "cvssv4": "cvssv4",
		"sast_source_object": "sast_source_object", "sast_sink_object": "sast_sink_object",
		"sast_source_file_path": "sast_source_file_path", "effort_for_fixing": "effort_for_fixing",
		"planned_remediation_version": "planned_remediation_version",
		"hash_code":                   "encode(hash_code, 'hex')",
		"product_name":                "(select p.name from products p where p.id = product_id)",
	}
	findingNumbers = columns{
		"id": "id", "test": "test_id", "test__engagement": "engagement_id", "test__engagement__product": "product_id",
		"test__test_type":                      "test_type_id",
		"test__engagement__product__prod_type": "(select p.prod_type_id from products p where p.id = product_id)",
		"cwe":                                  "coalesce(cwe, 0)", "reporter": "reporter_id", "mitigated_by": "mitigated_by_id", "last_reviewed_by": "last_reviewed_by_id",
		"review_requested_by": "review_requested_by_id", "nb_occurences": "nb_occurences", "scanner_confidence": "scanner_confidence",
		"sast_source_line": "sast_source_line", "duplicate_finding": "duplicate_finding_id", "assignee": "assignee_id",
		"reviewers":     "array(select unnest(reviewers))",
		"found_by":      "array(select test_type_id union select unnest(found_by))",
		"endpoints":     "array(select l.location_id from location_findings l where l.finding_id = findings.id)",
		"finding_group": "array(select g.group_id from finding_group_members g where g.finding_id = findings.id)",
	}
	findingTimes = columns{
		"date": "date", "created": "created", "updated": "updated", "mitigated": "mitigated", "last_reviewed": "last_reviewed",
		"last_status_update": "last_status_update", "sla_expiration_date": "sla_expiration_date", "sla_start_date": "sla_start_date",
		"kev_date": "kev_date", "publish_date": "publish_date", "planned_remediation_date": "planned_remediation_date",
		"jira_creation": "(select j.jira_creation from jira_issues j where j.finding_id = findings.id)",
		"jira_change":   "(select j.jira_change from jira_issues j where j.finding_id = findings.id)",
	}
	findingRanges = columns{
		"epss_score": "epss_score", "epss_percentile": "epss_percentile", "cvssv3_score": "cvssv3_score", "cvssv4_score": "cvssv4_score",
	}
	findingOrders = orders{
		"active": "active", "component_name": "component_name", "component_version": "component_version", "created": "created",
		"last_status_update": "last_status_update", "last_reviewed": "last_reviewed", "cwe": "cwe", "date": "date",
		"duplicate": "duplicate", "dynamic_finding": "dynamic_finding", "false_p": "false_p", "found_by": "test_type_id", "id": "id",
		"is_mitigated": "is_mitigated", "numerical_severity": "-severity", "severity": "-severity", "out_of_scope": "out_of_scope",
		"planned_remediation_date": "planned_remediation_date", "sla_expiration_date": "sla_expiration_date",
		"reviewers": "reviewers", "static_finding": "static_finding", "title": "title",
		"test__engagement__product__name": "(select p.name from products p where p.id = product_id)",
		"under_defect_review":             "under_defect_review", "under_review": "under_review", "verified": "verified",
		"epss_score": "epss_score", "epss_percentile": "epss_percentile", "updated": "updated", "mitigated": "mitigated",
	}
)

func (f FindingFilter) where() (*where, error) {
	w := &where{}
	w.scope("product_id", f.Scope)
	err := firstError(
		flags(w, findingFlags, f.Flags),
		texts(w, findingTexts, f.Contains),
		exactly(w, findingTexts, f.Exact),
		numbers(w, findingNumbers, f.In),
		times(w, findingTimes, f.Times),
		ranges(w, findingRanges, f.Ranges),
	)
	if f.Text != "" {
		like := "%" + likeEscape.Replace(f.Text) + "%"
		w.and(`(title ilike ? or component_name ilike ? or file_path ilike ? or rule ilike ?
			or exists (select from unnest(vulnerability_ids) v where v ilike ?))`, like, like, like, like, like)
	}
	oneOf(w, "severity", f.Severities)
	if f.VulnerabilityIDs != nil {
		w.and("vulnerability_ids <> '{}' and vulnerability_ids && ?", f.VulnerabilityIDs)
	}
	if f.Lifecycles != nil {
		w.and("product_id in (select id from products where lifecycle = any(?))", f.Lifecycles)
	}
	f.sla(w)
	f.Tags.on(w, "")
	f.TestTags.on(w, "test_id in (select id from tests where %)")
	f.EngagementTags.on(w, "engagement_id in (select id from engagements where %)")
	f.ProductTags.on(w, "product_id in (select id from products where %)")
	return w, err
}

// sla adds the conditions of OutsideOfSLA: open and overdue, or not overdue.
func (f FindingFilter) sla(w *where) {
	if f.OutsideOfSLA == nil {
		return
	}
	today := f.Today
	if today.IsZero() {
		today = time.Now() //nolint:forbidigo // a caller that does not say means now
	}
	if *f.OutsideOfSLA {
		w.and("active and not duplicate and not risk_accepted and sla_expiration_date < ?::date", today)
	} else {
		w.and("(sla_expiration_date is null or sla_expiration_date >= ?::date)", today)
	}
}

// Finding returns a finding within scope.
func (s *Store) Finding(ctx context.Context, scope gate.Scope, id int64) (gate.Finding, error) {
	var w where
	w.and("id = ?", id)
	w.scope("product_id", scope)
	return one[gate.Finding](ctx, s.db, "finding", `select `+findingColumns+` from findings`+w.sql.String(), w.args...)
}

// Findings returns the findings of f, the worst first.
func (s *Store) Findings(ctx context.Context, f FindingFilter) (List[gate.Finding], error) {
	w, err := f.where()
	if err != nil {
		return List[gate.Finding]{}, err
	}
	order, err := findingOrders.by(f.Order, "severity desc, date desc, title, epss_score, epss_percentile", "id")
	if err != nil {
		return List[gate.Finding]{}, err
	}
	l := List[gate.Finding]{}
	if l.Count, err = scalar[int](ctx, s.db, `select count(*) from findings`+w.sql.String(), w.args...); err != nil {
		return l, err
	}
	// The IDs of the page first: to sort whole findings takes far more memory.
	l.Rows, err = many[gate.Finding](ctx, s.db, `
		with page as materialized (select id from findings`+w.sql.String()+order+f.window()+`)
		select `+findingColumns+` from findings where id in (select id from page)`+order, w.args...)
	return l, err
}

// FindingKey is a finding's place in a list that has the worst first, and of
// equally bad ones the newest.
type FindingKey struct {
	Severity gate.Severity
	ID       int64
}

// FindingsAfter returns the next findings of f after a place, or the first ones
// when it is nil: a page costs the same however far down it is. The filter's
// own page and order do not count.
func (s *Store) FindingsAfter(ctx context.Context, f FindingFilter, after *FindingKey, limit int) ([]gate.Finding, error) {
	w, err := f.where()
	if err != nil {
		return nil, err
	}
	if after != nil {
		w.and("(severity, id) < (?, ?)", after.Severity, after.ID)
	}
	return many[gate.Finding](ctx, s.db, `
		select `+findingColumns+` from findings`+w.sql.String()+` order by severity desc, id desc`+Page{Limit: limit}.window(), w.args...)
}

// CountFindings returns how many findings f has.
func (s *Store) CountFindings(ctx context.Context, f FindingFilter) (int, error) {
	w, err := f.where()
	if err != nil {
		return 0, err
	}
	return scalar[int](ctx, s.db, `select count(*) from findings`+w.sql.String(), w.args...)
}

// SeverityCount is how many findings of a product have a severity.
type SeverityCount struct {
	ProductID int64
	Severity  gate.Severity
	Count     int
}

// CountBySeverity returns how many findings of f each product has, by severity.
func (s *Store) CountBySeverity(ctx context.Context, f FindingFilter) ([]SeverityCount, error) {
	w, err := f.where()
	if err != nil {
		return nil, err
	}
	return many[SeverityCount](ctx, s.db, `
		select product_id, severity, count(*) as count from findings`+w.sql.String()+` group by 1, 2 order by 1, 2 desc`, w.args...)
}

// Cluster returns the other findings of a finding's cluster: its original, and
// all duplicates of that.
func (s *Store) Cluster(ctx context.Context, scope gate.Scope, f gate.Finding) ([]gate.Finding, error) {
	root := f.ID
	if f.DuplicateFindingID != nil {
		root = *f.DuplicateFindingID
	}
	var w where
	w.and("(id = ? or duplicate_finding_id = ?)", root, root)
	w.and("id <> ?", f.ID)
	w.scope("product_id", scope)
	return many[gate.Finding](ctx, s.db, `select `+findingColumns+` from findings`+w.sql.String()+` order by id`, w.args...)
}
