package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

func (a *api) findings() resource[gate.Finding] {
	return resource[gate.Finding]{
		path: "/findings", model: "finding",
		view: auth.View, add: auth.EditFinding, edit: auth.EditFinding, remove: auth.Delete,
		id:  func(f gate.Finding) int64 { return f.ID },
		may: func(r *request, f gate.Finding) error { return r.may(f.ProductID) },
		find: func(r *request, s *store.Store, id int64) (gate.Finding, error) {
			scope, err := r.scope()
			if err != nil {
				return gate.Finding{}, err
			}
			return s.Finding(r.ctx, scope, id)
		},
		page:   findingPage,
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteFinding(ctx, id) },
		holds:  true,
		entry:  func(f gate.Finding) (*int64, string) { return &f.ProductID, f.Title },
		gone: func(f gate.Finding) gate.Event {
			return gate.Event{Action: "finding", Title: f.Title, ProductID: f.ProductID, EngagementID: f.EngagementID, TestID: f.TestID}
		},
		show: showFindings,
		refers: references[gate.Finding]{
			"test":                {a.toTests, func(f gate.Finding) []int64 { return []int64{f.TestID} }},
			"duplicate_finding":   {a.toFindings, func(f gate.Finding) []int64 { return ids(f.DuplicateFindingID) }},
			"found_by":            {a.toTestTypes, foundBy},
			"reporter":            {a.toUsers, func(f gate.Finding) []int64 { return []int64{f.ReporterID} }},
			"mitigated_by":        {a.toUsers, func(f gate.Finding) []int64 { return ids(f.MitigatedByID) }},
			"last_reviewed_by":    {a.toUsers, func(f gate.Finding) []int64 { return ids(f.LastReviewedByID) }},
			"review_requested_by": {a.toUsers, func(f gate.Finding) []int64 { return ids(f.ReviewRequestedByID) }},
			"reviewers":           {a.toUsers, func(f gate.Finding) []int64 { return f.Reviewers }},
		},
	}
}

func (a *api) findingRoutes() []route {
	get, post := fiber.MethodGet, fiber.MethodPost
	return append(a.findings().routes(),
		route{post, "/findings", auth.EditFinding, a.addFinding},
		route{fiber.MethodPut, "/findings/:id", auth.EditFinding, a.editFinding},
		route{fiber.MethodPatch, "/findings/:id", auth.EditFinding, a.editFinding},
		route{post, "/findings/:id/close", auth.EditFinding, a.closeFinding},
		route{post, "/findings/:id/verify", auth.EditFinding, a.verifyFinding},
		route{get, "/findings/:id/notes", auth.View, a.findingNotes},
		route{post, "/findings/:id/notes", auth.AddNote, a.addFindingNote},
		route{fiber.MethodPatch, "/findings/:id/remove_note", auth.AddNote, a.removeFindingNote},
		route{get, "/findings/:id/tags", auth.View, a.findingTags},
		route{post, "/findings/:id/tags", auth.EditFinding, a.addFindingTags},
		route{fiber.MethodPut, "/findings/:id/remove_tags", auth.EditFinding, a.removeFindingTags},
		route{fiber.MethodPatch, "/findings/:id/remove_tags", auth.EditFinding, a.removeFindingTags},
		route{get, "/findings/:id/duplicate", auth.View, a.duplicates},
		route{post, "/findings/:id/duplicate/reset", auth.EditFinding, a.resetDuplicate},
		route{post, "/findings/:id/original/:original", auth.EditFinding, a.setOriginal},
		route{get, "/findings/:id/request_response", auth.View, a.requestResponse},
		route{post, "/findings/:id/request_response", auth.EditFinding, a.addRequestResponse},
	)
}

// foundBy returns the test types that found a finding: its test's own first.
func foundBy(f gate.Finding) []int64 {
	out := []int64{f.TestTypeID}
	for _, t := range f.FoundBy {
		if int64(t) != f.TestTypeID {
			out = append(out, int64(t))
		}
	}
	return out
}

// seesTest tells whether the sender may see a test.
func (r *request) seesTest(ctx context.Context, id int64) (bool, error) {
	scope, err := r.scope()
	if err != nil {
		return false, err
	}
	_, err = r.Store.Test(ctx, scope, id)
	return allows(err)
}

// seesFinding tells whether the sender may see a finding.
func (r *request) seesFinding(ctx context.Context, id int64) (bool, error) {
	scope, err := r.scope()
	if err != nil {
		return false, err
	}
	_, err = r.Store.Finding(ctx, scope, id)
	return allows(err)
}

func findingPage(r *request, q *query) (store.List[gate.Finding], store.Page, error) {
	var none store.List[gate.Finding]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	f := findingFilter(q)
	f.Scope, f.Today, f.Page = scope, r.now, q.page()
	if f.In["test"], err = q.reference(r.ctx, "test", r.seesTest); err != nil {
		return none, f.Page, err
	}
	if f.In["duplicate_finding"], err = q.reference(r.ctx, "duplicate_finding", r.seesFinding); err != nil {
		return none, f.Page, err
	}
	if err := q.err(); err != nil {
		return none, f.Page, err
	}
	l, err := r.Store.Findings(r.ctx, f)
	return l, f.Page, err
}

// findingFilter reads the filters that need no look-up.
func findingFilter(q *query) store.FindingFilter {
	f := store.FindingFilter{
		Flags: q.flags("active", "verified", "duplicate", "false_p", "out_of_scope", "risk_accepted", "is_mitigated", "under_review",
			"under_defect_review", "static_finding", "dynamic_finding", "fix_available", "mitigation_available", "has_jira",
			"known_exploited", "ransomware_used"),
		Contains: q.texts("title", "description", "mitigation", "impact", "references", "steps_to_reproduce", "severity_justification",
			"component_name", "component_version", "file_path", "param", "payload", "unique_id_from_tool", "hash_code"),
		Exact: q.texts("product_name", "vuln_id_from_tool", "service", "fix_version", "cvssv3", "cvssv4", "sast_source_object",
			"sast_sink_object", "sast_source_file_path", "effort_for_fixing", "planned_remediation_version"),
		In: q.numbers("id", "test__engagement", "test__engagement__product", "test__engagement__product__prod_type", "test__test_type",
			"cwe", "reporter", "mitigated_by", "last_reviewed_by", "review_requested_by", "reviewers", "found_by", "nb_occurences",
			"scanner_confidence", "sast_source_line", "endpoints", "finding_group"),
		VulnerabilityIDs: q.list("vulnerability_id"),
		Lifecycles:       q.list("product_lifecycle"),
		Times:            q.spans("date", "created", "mitigated", "last_reviewed", "jira_creation", "jira_change"),
		Ranges:           map[string]store.NumberRange{},
		Tags:             q.tags(""),
		TestTags:         q.tags("test__"),
		EngagementTags:   q.tags("test__engagement__"),
		ProductTags:      q.tags("test__engagement__product__"),
	}
	if v := q.text("exact_title"); v != "" {
		f.Exact["title"] = v
	}
	if v := q.text("product_name_contains"); v != "" {
		f.Contains["product_name"] = v
	}
	f.Severities = q.severities()
	q.findingTimes(f.Times)
	for _, n := range []string{"epss_score", "epss_percentile"} {
		if r := (store.NumberRange{Min: q.amount(n + "_min"), Max: q.amount(n + "_max")}); r.Min != nil || r.Max != nil {
			f.Ranges[n] = r
		}
	}
	one := func(name string) *bool { // a numbered choice of no and yes
		v := q.choice(name, "0", "1")
		if v == nil {
			return nil
		}
		yes := v[0] == "1"
		return &yes
	}
	f.OutsideOfSLA = one("outside_of_sla")
	if v := one("risk_acceptance"); v != nil {
		f.Flags["risk_acceptance"] = *v
	}
	return f
}

// severities reads severity and numerical_severity: comma lists. A word that is
// none lets nothing pass, as in DefectDojo.
func (q *query) severities() []gate.Severity {
	words := q.list("severity")
	words = append(words, q.list("numerical_severity")...)
	if words == nil {
		return nil
	}
	out := []gate.Severity{}
	for _, w := range words {
		for _, s := range gate.Severities {
			if w == s.String() || strings.EqualFold(w, s.Numerical()) {
				out = append(out, s)
			}
		}
	}
	return out
}

// findingTimes reads the days and instants on, before and after which a finding was found or mitigated.
func (q *query) findingTimes(times map[string]store.Range) {
	q.onDay(times, "date", "discovered_on")
	if d := q.date("discovered_before"); d != nil {
		r := times["date"]
		r.To = d
		times["date"] = r
	}
	if d := q.date("discovered_after"); d != nil {
		next := d.AddDate(0, 0, 1)
		r := times["date"]
		r.From = &next
		times["date"] = r
	}
	if t := q.instant("mitigated_on"); t != nil {
		end := t.Add(1000)
		if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 { // a day
			end = t.AddDate(0, 0, 1)
		}
		times["mitigated"] = store.Range{From: t, To: &end}
	}
	if t := q.instant("mitigated_before"); t != nil {
		r := times["mitigated"]
		r.To = t
		times["mitigated"] = r
	}
	if t := q.instant("mitigated_after"); t != nil {
		after := t.Add(1000)
		if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 { // after that day
			after = t.AddDate(0, 0, 1)
		}
		r := times["mitigated"]
		r.From = &after
		times["mitigated"] = r
	}
}
