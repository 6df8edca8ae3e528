package api

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/lifecycle"
	"defectdojo/gate/triage"
)

// actor is the sender as triage knows them: with the products on which they may
// do what the route says.
func (r *request) actor() (triage.Actor, error) {
	scope, err := r.Auth.Scope(r.ctx, r.who, r.do)
	return triage.Actor{Who: r.who, Scope: scope, Now: r.now, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}, err
}

// actOn returns the finding that the path names, if the sender may do to it
// what the route says, and the sender as triage knows them.
func (a *api) actOn(r *request) (gate.Finding, triage.Actor, error) {
	f, err := a.findings().allowed(r)
	if err != nil {
		return f, triage.Actor{}, err
	}
	who, err := r.actor()
	return f, who, err
}

// addFinding serves POST /findings.
func (a *api) addFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f := gate.Finding{ReporterID: r.who.User.ID, Date: gate.DateOf(r.now).Time(), DynamicFinding: true, LastStatusUpdate: r.now, Created: r.now}
	body.reference(r.ctx, "test", &f.TestID, required, func(ctx context.Context, id int64) (bool, error) {
		scope, err := r.scope()
		if err != nil {
			return false, err
		}
		t, err := r.Store.Test(ctx, scope, id)
		f.ProductID, f.EngagementID, f.TestTypeID = t.ProductID, t.EngagementID, t.TestTypeID
		return allows(err)
	})
	readFinding(r, body, gate.Finding{}, &f)
	push := body.pushes()
	if err := body.failed(); err != nil {
		return err
	}
	if err := r.may(f.ProductID); err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.check(nil, &f); err != nil {
		return err
	}
	if err := r.hash(&f); err != nil {
		return err
	}
	if f, err = r.Triage.Add(r.ctx, who, f); err != nil {
		return err
	}
	if err := r.push(push, f.ID); err != nil {
		return err
	}
	return a.findings().reply(r, fiber.StatusCreated, f)
}

// editFinding serves PUT and PATCH /findings/:id.
func (a *api) editFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		before, who, err := a.actOn(r)
		if err != nil {
			return err
		}
		want := before
		readFinding(r, body, before, &want)
		push := body.pushes()
		if err := body.failed(); err != nil {
			return err
		}
		if err := r.check(&before, &want); err != nil {
			return err
		}
		after, err := r.Triage.Edit(r.ctx, who, before, want)
		switch {
		case err == nil:
			if err := r.push(push, after.ID); err != nil {
				return err
			}
			return a.findings().reply(r, fiber.StatusOK, after)
		case gate.KindOf(err) != gate.Conflict || try == maxTries:
			return err
		}
	}
}

// pushes tells whether the body asks for tickets in JIRA.
func (f *form) pushes() bool {
	push := false
	f.flag("push_to_jira", &push, 0)
	return push
}

// push has findings' tickets made or updated, if that was asked for: by workers,
// so that nobody waits for JIRA. What JIRA says of it is told with the ticket.
func (r *request) push(asked bool, findings ...int64) error {
	if !asked || r.Tracker == nil {
		return nil
	}
	return r.Tracker.Push(r.ctx, findings)
}

// check refuses flags that contradict each other, and a risk accepted by a flag
// where the product does not allow that.
func (r *request) check(before, f *gate.Finding) error {
	simple := false
	if f.RiskAccepted && (before == nil || !before.RiskAccepted) {
		p, err := r.Store.Product(r.ctx, gate.Scope{All: true}, f.ProductID)
		if err != nil {
			return err
		}
		simple = p.EnableSimpleRiskAcceptance
		if err := r.Auth.May(r.ctx, r.who, "risk:accept", f.ProductID); err != nil {
			return err
		}
	}
	return lifecycle.Check(before, f, simple)
}

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

// closed is what POST /findings/:id/close answers.
type closed struct {
	IsMitigated bool   `json:"is_mitigated"`
	Mitigated   *stamp `json:"mitigated"`
	FalseP      bool   `json:"false_p"`
	OutOfScope  bool   `json:"out_of_scope"`
	Duplicate   bool   `json:"duplicate"`
	MitigatedBy *int64 `json:"mitigated_by"`
}

// closeFinding serves POST /findings/:id/close.
func (a *api) closeFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	var how lifecycle.Closing
	var n triage.Note
	body.flag("false_p", &how.FalseP, 0)
	body.flag("out_of_scope", &how.OutOfScope, 0)
	body.flag("duplicate", &how.Duplicate, 0)
	if how.IsMitigated = !how.FalseP && !how.OutOfScope && !how.Duplicate; body.has("is_mitigated") {
		body.flag("is_mitigated", &how.IsMitigated, 0)
	}
	body.maybeInstant("mitigated", &how.Mitigated)
	if !r.who.User.IsSuperuser { // when it was is not for everybody to say
		how.Mitigated = nil
	}
	body.text("note", &n.Entry, 0, blank)
	body.maybeReference(r.ctx, "note_type", &n.TypeID, r.kind("note_type"))
	if err := body.failed(); err != nil {
		return err
	}
	if f, err = r.Triage.Close(r.ctx, who, f.ID, how, n); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, closed{f.IsMitigated, maybe[stamp](f.Mitigated), f.FalseP, f.OutOfScope, f.Duplicate, f.MitigatedByID})
}

// verifyFinding serves POST /findings/:id/verify.
func (a *api) verifyFinding(r *request) error {
	body, err := r.form()
	if err != nil {
		return err
	}
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	var n triage.Note
	body.text("note", &n.Entry, 0, blank)
	body.maybeReference(r.ctx, "note_type", &n.TypeID, r.kind("note_type"))
	if err := body.failed(); err != nil {
		return err
	}
	if f, err = r.Triage.Verify(r.ctx, who, f.ID, n); err != nil {
		return err
	}
	return a.findings().reply(r, fiber.StatusOK, f)
}

// duplicates serves GET /findings/:id/duplicate: the other findings of its cluster.
func (a *api) duplicates(r *request) error {
	f, err := a.findings().one(r)
	if err != nil {
		return err
	}
	scope, err := r.scope()
	if err != nil {
		return err
	}
	rows, err := r.Store.Cluster(r.ctx, scope, f)
	if err != nil {
		return err
	}
	out, err := showFindings(r, rows)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, out)
}

// resetDuplicate serves POST /findings/:id/duplicate/reset.
func (a *api) resetDuplicate(r *request) error {
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	if _, err := r.Triage.ResetDuplicate(r.ctx, who, f.ID); err != nil {
		return err
	}
	return r.nothing()
}

// setOriginal serves POST /findings/:id/original/:original.
func (a *api) setOriginal(r *request) error {
	f, who, err := a.actOn(r)
	if err != nil {
		return err
	}
	original, err := strconv.ParseInt(r.Params("original"), 10, 64)
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such finding")
	}
	if err := r.Triage.SetOriginal(r.ctx, who, f.ID, original); err != nil {
		return err
	}
	return r.nothing()
}
