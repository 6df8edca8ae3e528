package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/ingest"
	"defectdojo/parsers/all"
)

var groupings = []string{"component_name", "component_name+component_version", "file_path", "finding_title", "vuln_id_from_tool"}

// incoming is an import as its form asks for it.
type incoming struct {
	request ingest.Request
	form    *form
	said    map[string]any // what the form says, to be said back
}

// readImport reads the form of an import or a reimport. What is wrong with its
// fields is noted in it, to be told after what is wrong with its target.
func (r *request) readImport(u *upload, again bool) *incoming {
	in := &incoming{
		form: &form{html: true, values: u.values, problems: problems{}},
		said: map[string]any{"file": nil},
		request: ingest.Request{
			User: r.who.User, Reimport: again, CloseOldFindings: again, CreateFindingGroupsForAllFindings: true,
		},
	}
	q := &in.request
	in.text("scan_type", &q.ScanType, 0)
	if q.ScanType == "" {
		in.form.problems.add("scan_type", "This field is required.")
	} else if _, ok := all.ByScanType(q.ScanType); !ok {
		in.form.problems.add("scan_type", "%q is not a valid choice.", q.ScanType)
	}
	u.checkFile(in.form, q.ScanType)
	in.readTarget(&q.Target, again)
	in.readFlags(q, again)
	in.readWords(q)
	in.readLine(q)
	r.readReferences(in)
	in.readDates(q, r.now)
	if key := r.Get("Idempotency-Key"); key != "" { // another user's key is another key
		if q.IdempotencyKey = strconv.FormatInt(r.who.User.ID, 10) + ":" + key; len(key) > 255 {
			in.form.problems.add("non_field_errors", "An Idempotency-Key has at most 255 characters.")
		}
	}
	return in
}

// text reads a text; a blank one is none.
func (in *incoming) text(name string, into *string, limit int) {
	if strings.TrimSpace(in.form.values.Get(name)) == "" {
		return
	}
	in.form.text(name, into, limit, 0)
	in.said[name] = *into
}

// maybe reads a text that may be missing.
func (in *incoming) maybe(name string, into **string, limit int) {
	var s string
	if in.text(name, &s, limit); s != "" {
		*into = &s
	}
}

// flag reads a boolean whose value is what it is if the form does not say it.
func (in *incoming) flag(name string, into *bool) {
	if strings.TrimSpace(in.form.values.Get(name)) != "" {
		in.form.flag(name, into, 0)
	}
	in.said[name] = *into
}

// id reads an ID of a target; what is no number is said not to exist, as such.
func (in *incoming) id(name, model string, into *int64) {
	v := strings.TrimSpace(in.form.values.Get(name))
	if v == "" {
		return
	}
	id, ok := parseID(trimZeros(v))
	if !ok {
		in.form.problems.add(name, "%s %q does not exist", model, v)
		id = -1 // no other target is meant
	}
	*into, in.said[name] = id, id
}

func (in *incoming) readTarget(t *ingest.Target, again bool) {
	if again {
		in.id("test", "Test", &t.TestID)
	} else {
		in.id("engagement", "Engagement", &t.EngagementID)
	}
	in.text("product_type_name", &t.ProductTypeName, 255)
	in.text("product_name", &t.ProductName, 255)
	in.text("engagement_name", &t.EngagementName, 300)
	in.text("test_title", &t.TestTitle, 255)
	in.flag("auto_create_context", &t.AutoCreateContext)
	in.flag("deduplication_on_engagement", &t.DeduplicationOnEngagement)
	in.text("source_code_management_uri", &t.SourceCodeManagementURI, 600)
	if t.SourceCodeManagementURI != "" && !isWebAddress(t.SourceCodeManagementURI) {
		in.form.problems.add("source_code_management_uri", "Enter a valid URL.")
	}
}

func (in *incoming) readFlags(q *ingest.Request, again bool) {
	for name, into := range map[string]**bool{"active": &q.Active, "verified": &q.Verified} {
		given := strings.TrimSpace(in.form.values.Get(name)) != ""
		var v bool
		if in.flag(name, &v); given { // only what is said overrides the tool
			*into = &v
		}
	}
	in.flag("close_old_findings", &q.CloseOldFindings)
	in.flag("close_old_findings_product_scope", &q.CloseOldFindingsProductScope)
	in.flag("push_to_jira", &q.PushToJira)
	in.flag("apply_tags_to_findings", &q.ApplyTagsToFindings)
	in.flag("apply_tags_to_endpoints", &q.ApplyTagsToEndpoints)
	in.flag("create_finding_groups_for_all_findings", &q.CreateFindingGroupsForAllFindings)
	if again {
		in.flag("do_not_reactivate", &q.DoNotReactivate)
	}
	if in.form.values.Has("allow_empty") { // ours
		in.flag("allow_empty", &q.AllowEmpty)
	}
	if in.form.values.Has("keep_closed_by_report") { // ours
		in.flag("keep_closed_by_report", &q.KeepClosedByReport)
	}
}

func (in *incoming) readWords(q *ingest.Request) {
	word := gate.Info.String()
	in.text("minimum_severity", &word, 0)
	in.said["minimum_severity"] = word
	if i := slices.IndexFunc(gate.Severities, func(s gate.Severity) bool { return s.String() == word }); i >= 0 {
		q.MinimumSeverity = gate.Severities[i]
	} else {
		in.form.problems.add("minimum_severity", "%q is not a valid choice.", word)
	}
	in.text("environment", &q.Environment, 200)
	in.maybe("service", &q.Service, 200)
	in.maybe("version", &q.Version, 100)
	in.maybe("build_id", &q.BuildID, 150)
	in.maybe("branch_tag", &q.BranchTag, 150)
	in.maybe("commit_hash", &q.CommitHash, 150)
	in.text("group_by", &q.GroupBy, 0)
	if q.GroupBy != "" && !slices.Contains(groupings, q.GroupBy) {
		in.form.problems.add("group_by", "%q is not a valid choice.", q.GroupBy)
	}
	in.form.tags(&q.Tags, 0)
	if q.Tags != nil {
		in.said["tags"] = q.Tags
	}
	if v := strings.TrimSpace(in.form.values.Get("sequence")); v != "" { // ours
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			in.form.problems.add("sequence", "A valid integer is required.")
		}
		q.Sequence = n
	}
}

// readLine reads what keeps reports of a line of work apart from others' in the
// engagement: all of it is ours.
func (in *incoming) readLine(q *ingest.Request) {
	var apart bool
	if in.form.values.Has("own_test") {
		in.flag("own_test", &apart)
	}
	in.text("repository", &q.Line.Repository, 300)
	in.text("component", &q.Line.Component, 300)
	if v := strings.TrimSpace(in.form.values.Get("pull_request")); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n <= 0 {
			in.form.problems.add("pull_request", "A valid integer is required.")
		}
		q.Line.Ref, in.said["pull_request"] = gate.PullRef(n), n
		return
	}
	if !apart && q.Line == (gate.Line{}) {
		return
	}
	if q.Line.Ref = gate.BranchRef(deref(q.BranchTag)); q.Line.Ref == "" {
		in.form.problems.add("branch_tag", "This field is required with own_test, repository or component.")
	}
}

// readReferences reads IDs of other things. In the answer they are there, or null.
func (r *request) readReferences(in *incoming) {
	var endpoint *int64
	in.form.maybeReference(r.ctx, "lead", &in.request.LeadID, r.kind("user"))
	in.form.maybeReference(r.ctx, "endpoint_to_add", &endpoint, func(ctx context.Context, id int64) (bool, error) { return r.seesLocation(ctx, id) })
	if endpoint != nil {
		in.request.EndpointsToAdd = []int64{*endpoint}
	}
	in.said["lead"], in.said["endpoint_to_add"] = in.request.LeadID, endpoint
}

func (in *incoming) readDates(q *ingest.Request, now time.Time) {
	q.ScanDate = in.date("scan_date")
	if !q.ScanDate.IsZero() && gate.DateOf(now.UTC()).AddDays(1).Before(q.ScanDate) { // it may be tomorrow already elsewhere
		in.form.problems.add("scan_date", "The scan_date cannot be in the future!")
	}
	q.Target.EngagementEndDate = in.date("engagement_end_date")
}

func (in *incoming) date(name string) gate.Date {
	if strings.TrimSpace(in.form.values.Get(name)) == "" {
		return gate.Date{}
	}
	var t time.Time
	in.form.date(name, &t, 0)
	d := gate.DateOf(t)
	in.said[name] = d.String()
	return d
}

// echo is the answer to an import: what was asked for, where it went, and what
// it did. Nothing in it changes later, so deduplication is complete.
func (in *incoming) echo(r ingest.Result) map[string]any {
	out := in.said
	out["api_scan_configuration"] = in.request.APIScanConfigurationID
	out["test"], out["test_id"] = r.TestID, r.TestID
	out["engagement_id"], out["product_id"], out["product_type_id"] = r.EngagementID, r.ProductID, r.ProductTypeID
	if !in.request.Reimport {
		out["engagement"] = r.EngagementID
	}
	statistics := map[string]any{"after": r.After}
	if r.Before != nil {
		statistics["before"] = r.Before
	}
	if r.Delta != nil {
		statistics["delta"] = r.Delta
	}
	out["statistics"] = statistics
	out["deduplication_complete"] = true
	out["test_import_id"] = r.ImportID
	out["notes"] = r.Notes
	out["superseded"] = r.Superseded
	out["replayed"] = r.Replayed
	return out
}
