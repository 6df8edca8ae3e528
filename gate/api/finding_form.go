package api

import (
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
)

// readFinding reads a finding's fields but its test.
func readFinding(r *request, f *form, before gate.Finding, v *gate.Finding) {
	isNew := before.ID == 0
	if !isNew {
		f.reference(r.ctx, "test", &v.TestID, 0, func(_ context.Context, id int64) (bool, error) { return id == before.TestID, nil })
	}
	must := func(rules rule) rule { // fields that a new finding must say
		if isNew {
			return rules | required
		}
		return rules
	}
	f.text("title", &v.Title, 511, required)
	f.severity(&v.Severity)
	f.text("description", &v.Description, 0, required)
	f.flag("active", &v.Active, must(0))
	f.flag("verified", &v.Verified, must(0))
	readFindingFlags(f, v)
	readFindingTexts(f, v)
	readFindingNumbers(f, v)
	readFindingPeople(r, f, before, v)
	f.date("date", &v.Date, 0)
	f.maybeDate("sla_start_date", &v.SLAStartDate)
	f.maybeDate("kev_date", &v.KEVDate)
	f.maybeDate("publish_date", &v.PublishDate)
	f.maybeDate("planned_remediation_date", &v.PlannedRemediationDate)
	f.tags(&v.Tags, 0)
	f.vulnerabilityIDs(&v.VulnerabilityIDs)
	f.weaknesses(v)
}

// readFindingFlags reads the flags but active and verified. One of a form that
// is not there is what it was.
func readFindingFlags(f *form, v *gate.Finding) {
	for name, into := range map[string]*bool{
		"false_p": &v.FalseP, "duplicate": &v.Duplicate, "out_of_scope": &v.OutOfScope, "risk_accepted": &v.RiskAccepted,
		"under_review": &v.UnderReview, "under_defect_review": &v.UnderDefectReview, "is_mitigated": &v.IsMitigated,
		"known_exploited": &v.KnownExploited, "ransomware_used": &v.RansomwareUsed,
		"static_finding": &v.StaticFinding, "dynamic_finding": &v.DynamicFinding,
	} {
		if f.has(name) {
			f.flag(name, into, 0)
		}
	}
	f.maybeFlag("fix_available", &v.FixAvailable)
}

func readFindingTexts(f *form, v *gate.Finding) {
	for name, into := range map[string]*string{
		"mitigation": &v.Mitigation, "impact": &v.Impact, "references": &v.Refs, "steps_to_reproduce": &v.StepsToReproduce,
		"severity_justification": &v.SeverityJustification,
	} {
		f.text(name, into, 0, nullable|blank)
	}
	for _, t := range []struct {
		name  string
		into  **string
		limit int
	}{
		{"file_path", &v.FilePath, 4000},
		{"component_name", &v.ComponentName, 500},
		{"component_version", &v.ComponentVersion, 100},
		{"unique_id_from_tool", &v.UniqueIDFromTool, 500},
		{"vuln_id_from_tool", &v.VulnIDFromTool, 500},
		{"sast_source_object", &v.SASTSourceObject, 500},
		{"sast_sink_object", &v.SASTSinkObject, 500},
		{"sast_source_file_path", &v.SASTSourceFilePath, 4000},
		{"service", &v.Service, 200},
		{"fix_version", &v.FixVersion, 100},
		{"planned_remediation_version", &v.PlannedRemediationVersion, 99},
		{"effort_for_fixing", &v.EffortForFixing, 99},
		{"cvssv3", &v.CVSSv3, 117},
		{"cvssv4", &v.CVSSv4, 255},
		{"param", &v.Param, 0},
		{"payload", &v.Payload, 0},
		{"url", &v.URL, 0},
	} {
		f.optional(t.name, t.into, t.limit)
		if *t.into != nil && **t.into == "" {
			*t.into = nil
		}
	}
}

func readFindingNumbers(f *form, v *gate.Finding) {
	const most = 1<<31 - 1
	whole(f, "cwe", &v.CWE, 0, most)
	whole(f, "line", &v.Line, -most, most)
	whole(f, "sast_source_line", &v.SASTSourceLine, -most, most)
	whole(f, "scanner_confidence", &v.ScannerConfidence, -most, most)
	whole(f, "nb_occurences", &v.NbOccurences, -most, most)
	thread := &v.ThreadID
	whole(f, "thread_id", &thread, -most, most)
	if thread != nil {
		v.ThreadID = *thread
	}
	f.amount("cvssv3_score", &v.CVSSv3Score, 10)
	f.amount("cvssv4_score", &v.CVSSv4Score, 10)
	f.amount("epss_score", &v.EPSSScore, 1)
	f.amount("epss_percentile", &v.EPSSPercentile, 1)
}

func readFindingPeople(r *request, f *form, before gate.Finding, v *gate.Finding) {
	user := r.kind("user")
	f.reference(r.ctx, "reporter", &v.ReporterID, 0, user)
	f.references(r.ctx, "reviewers", &v.Reviewers, 0, user)
	f.maybeReference(r.ctx, "review_requested_by", &v.ReviewRequestedByID, user)
	f.maybeReference(r.ctx, "duplicate_finding", &v.DuplicateFindingID, func(ctx context.Context, id int64) (bool, error) {
		scope, err := r.scope()
		if err != nil {
			return false, err
		}
		o, err := r.Store.Finding(ctx, scope, id)
		found, err := allows(err)
		return found && o.ProductID == v.ProductID && !o.Duplicate && o.ID != v.ID, err
	})
	var by []int64
	must := required
	if before.ID != 0 {
		must = 0
	}
	f.references(r.ctx, "found_by", &by, must, r.kind("test_type"))
	if by != nil {
		v.FoundBy = nil
		for _, id := range by {
			if id != v.TestTypeID && !slices.Contains(v.FoundBy, int32(id)) { //nolint:gosec // it is an ID of a small table
				v.FoundBy = append(v.FoundBy, int32(id)) //nolint:gosec // as above
			}
		}
	}
	for _, name := range []string{"mitigated", "mitigated_by"} {
		if raw, ok := f.fields[name]; ok && raw.Kind() != 'n' {
			f.problems.add(name, "Editing %s is disabled", name)
		}
	}
}

// severity reads one of the five severities, in exactly their spelling.
func (f *form) severity(into *gate.Severity) {
	var word string
	if f.text("severity", &word, 0, required); word == "" {
		return
	}
	for _, s := range gate.Severities {
		if s.String() == word {
			*into = s
			return
		}
	}
	f.problems.add("severity", "Severity must be one of the following: ['Info', 'Low', 'Medium', 'High', 'Critical']")
}

// vulnerabilityIDs reads [{"vulnerability_id": "CVE-…"}, …], or plain texts.
func (f *form) vulnerabilityIDs(into *[]string) {
	items, ok := f.items("vulnerability_ids", 0)
	if !ok {
		return
	}
	out := []string{}
	for _, i := range items {
		id := field(i, "vulnerability_id")
		if id = strings.TrimSpace(id); id == "" || len(id) > 50 || strings.ContainsRune(id, 0) {
			f.problems.add("vulnerability_ids", "Expected a list of objects with a vulnerability_id of at most 50 characters.")
			return
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	*into = out
}

// weaknesses reads [{"cwe": "CWE-89"}, …], and keeps cwe among them. An explicit
// cwe is the main one, otherwise the first of them is.
func (f *form) weaknesses(v *gate.Finding) {
	if items, ok := f.items("cwes", 0); ok {
		v.CWEs = nil
		for _, i := range items {
			n := gate.ParseCWE(field(i, "cwe"))
			if n == 0 {
				f.problems.add("cwes", "Enter a CWE number, e.g. 89 or CWE-89.")
				return
			}
			v.CWEs = append(v.CWEs, int32(n)) //nolint:gosec // ParseCWE bounds it
		}
		if !f.has("cwe") && len(v.CWEs) > 0 {
			v.CWE = &v.CWEs[0]
		}
	}
	if v.CWE != nil && *v.CWE > 0 && !slices.Contains(v.CWEs, *v.CWE) && f.has("cwe") {
		v.CWEs = slices.Insert(slices.Clone(v.CWEs), 0, *v.CWE)
	}
}

// field returns a field of a JSON object as text, or the text that a JSON string is.
func field(v jsontext.Value, name string) string {
	if s, ok := unquote(v); ok {
		if !strings.HasPrefix(strings.TrimSpace(s), "{") {
			return s
		}
		v = jsontext.Value(s) // an object in a form's field
	}
	var m map[string]jsontext.Value
	if v.Kind() == '0' || json.Unmarshal(v, &m) != nil {
		return string(v)
	}
	if s, ok := unquote(m[name]); ok {
		return s
	}
	return string(m[name])
}
