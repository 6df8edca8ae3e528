package api

import (
	"encoding/hex"
	"fmt"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// finding is a finding as the API tells it.
type finding struct {
	ID                        int64            `json:"id"`
	Tags                      []string         `json:"tags"`
	RequestResponse           exchanges        `json:"request_response"`
	AcceptedRisks             []riskAcceptance `json:"accepted_risks"`
	PushToJIRA                bool             `json:"push_to_jira"`
	FoundBy                   []int64          `json:"found_by"`
	Age                       int              `json:"age"`
	SLADaysRemaining          *int             `json:"sla_days_remaining"`
	FindingMeta               []meta           `json:"finding_meta"`
	RelatedFields             *related         `json:"related_fields"`
	JIRACreation              *stamp           `json:"jira_creation"`
	JIRAChange                *stamp           `json:"jira_change"`
	DisplayStatus             string           `json:"display_status"`
	FindingGroups             []findingGroup   `json:"finding_groups"`
	VulnerabilityIDs          []vulnerability  `json:"vulnerability_ids"`
	CWEs                      []weakness       `json:"cwes"`
	Reporter                  int64            `json:"reporter"`
	Endpoints                 []int64          `json:"endpoints"`
	Title                     string           `json:"title"`
	Date                      day              `json:"date"`
	SLAStartDate              *day             `json:"sla_start_date"`
	SLAExpirationDate         *day             `json:"sla_expiration_date"`
	CWE                       *int32           `json:"cwe"`
	EPSSScore                 *float64         `json:"epss_score"`
	EPSSPercentile            *float64         `json:"epss_percentile"`
	KnownExploited            bool             `json:"known_exploited"`
	RansomwareUsed            bool             `json:"ransomware_used"`
	KEVDate                   *day             `json:"kev_date"`
	CVSSv3                    *string          `json:"cvssv3"`
	CVSSv3Score               *float64         `json:"cvssv3_score"`
	CVSSv4                    *string          `json:"cvssv4"`
	CVSSv4Score               *float64         `json:"cvssv4_score"`
	URL                       *string          `json:"url"`
	Severity                  gate.Severity    `json:"severity"`
	Description               string           `json:"description"`
	Mitigation                *string          `json:"mitigation"`
	FixAvailable              *bool            `json:"fix_available"`
	FixVersion                *string          `json:"fix_version"`
	Impact                    *string          `json:"impact"`
	StepsToReproduce          *string          `json:"steps_to_reproduce"`
	SeverityJustification     *string          `json:"severity_justification"`
	References                *string          `json:"references"`
	Active                    bool             `json:"active"`
	Verified                  bool             `json:"verified"`
	FalseP                    bool             `json:"false_p"`
	Duplicate                 bool             `json:"duplicate"`
	OutOfScope                bool             `json:"out_of_scope"`
	RiskAccepted              bool             `json:"risk_accepted"`
	UnderReview               bool             `json:"under_review"`
	LastStatusUpdate          stamp            `json:"last_status_update"`
	UnderDefectReview         bool             `json:"under_defect_review"`
	IsMitigated               bool             `json:"is_mitigated"`
	ThreadID                  int32            `json:"thread_id"`
	Mitigated                 *stamp           `json:"mitigated"`
	NumericalSeverity         string           `json:"numerical_severity"`
	LastReviewed              *stamp           `json:"last_reviewed"`
	Param                     *string          `json:"param"`
	Payload                   *string          `json:"payload"`
	HashCode                  *string          `json:"hash_code"`
	Line                      *int32           `json:"line"`
	FilePath                  *string          `json:"file_path"`
	ComponentName             *string          `json:"component_name"`
	ComponentVersion          *string          `json:"component_version"`
	StaticFinding             bool             `json:"static_finding"`
	DynamicFinding            bool             `json:"dynamic_finding"`
	Created                   stamp            `json:"created"`
	Updated                   stamp            `json:"updated"`
	ScannerConfidence         *int32           `json:"scanner_confidence"`
	UniqueIDFromTool          *string          `json:"unique_id_from_tool"`
	VulnIDFromTool            *string          `json:"vuln_id_from_tool"`
	SASTSourceObject          *string          `json:"sast_source_object"`
	SASTSinkObject            *string          `json:"sast_sink_object"`
	SASTSourceLine            *int32           `json:"sast_source_line"`
	SASTSourceFilePath        *string          `json:"sast_source_file_path"`
	NbOccurences              *int32           `json:"nb_occurences"`
	PublishDate               *day             `json:"publish_date"`
	Service                   *string          `json:"service"`
	PlannedRemediationDate    *day             `json:"planned_remediation_date"`
	PlannedRemediationVersion *string          `json:"planned_remediation_version"`
	EffortForFixing           *string          `json:"effort_for_fixing"`
	Test                      int64            `json:"test"`
	DuplicateFinding          *int64           `json:"duplicate_finding"`
	ReviewRequestedBy         *int64           `json:"review_requested_by"`
	DefectReviewRequestedBy   *int64           `json:"defect_review_requested_by"`
	MitigatedBy               *int64           `json:"mitigated_by"`
	LastReviewedBy            *int64           `json:"last_reviewed_by"`
	SonarqubeIssue            *int64           `json:"sonarqube_issue"`
	Notes                     []note           `json:"notes"`
	Files                     []file           `json:"files"`
	Reviewers                 []int64          `json:"reviewers"`
}

// vulnerability, weakness and exchange are the API's wrappers.
type vulnerability struct {
	VulnerabilityID string `json:"vulnerability_id"`
}

type weakness struct {
	CWE string `json:"cwe"` // CWE-89
}

type exchange struct {
	Request  string `json:"request"`
	Response string `json:"response"`
}

type exchanges struct {
	Pairs []exchange `json:"req_resp"`
}

// jiraIssue is an issue in JIRA as the API tells it.
type jiraIssue struct {
	ID           int64  `json:"id"`
	URL          string `json:"url"`
	JIRAID       string `json:"jira_id"`
	JIRAKey      string `json:"jira_key"`
	JIRACreation *stamp `json:"jira_creation"`
	JIRAChange   *stamp `json:"jira_change"`
	JIRAProject  *int64 `json:"jira_project"`
	Finding      *int64 `json:"finding"`
	Engagement   *int64 `json:"engagement"`
	FindingGroup *int64 `json:"finding_group"`
}

// showFindings returns what the API tells of findings. What goes with them is
// loaded for all of them at once.
func showFindings(r *request, rows []gate.Finding) ([]any, error) {
	s, err := r.loadSurroundings(rows)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, f := range rows {
		v := findingOf(f, r.now)
		s.add(&v, f)
		out = append(out, v)
	}
	return out, nil
}

func findingOf(f gate.Finding, now time.Time) finding {
	v := finding{
		ID: f.ID, Tags: f.Tags, FoundBy: foundBy(f), Age: age(f, now), SLADaysRemaining: remaining(f, now), DisplayStatus: f.Status(), Reporter: f.ReporterID,
		Title: f.Title, Date: day(f.Date), SLAStartDate: maybe[day](f.SLAStartDate), SLAExpirationDate: maybe[day](f.SLAExpirationDate),
		CWE: f.CWE, EPSSScore: f.EPSSScore, EPSSPercentile: f.EPSSPercentile, KnownExploited: f.KnownExploited,
		RansomwareUsed: f.RansomwareUsed, KEVDate: maybe[day](f.KEVDate), CVSSv3: f.CVSSv3, CVSSv3Score: f.CVSSv3Score, CVSSv4: f.CVSSv4,
		CVSSv4Score: f.CVSSv4Score, URL: f.URL, Severity: f.Severity, Description: f.Description, Mitigation: orNil(f.Mitigation),
		FixAvailable: f.FixAvailable, FixVersion: f.FixVersion, Impact: orNil(f.Impact), StepsToReproduce: orNil(f.StepsToReproduce),
		SeverityJustification: orNil(f.SeverityJustification), References: orNil(f.Refs), Active: f.Active, Verified: f.Verified, FalseP: f.FalseP,
		Duplicate: f.Duplicate, OutOfScope: f.OutOfScope, RiskAccepted: f.RiskAccepted, UnderReview: f.UnderReview,
		LastStatusUpdate: stamp(f.LastStatusUpdate), UnderDefectReview: f.UnderDefectReview, IsMitigated: f.IsMitigated, ThreadID: f.ThreadID,
		Mitigated: maybe[stamp](f.Mitigated), NumericalSeverity: f.Severity.Numerical(), LastReviewed: maybe[stamp](f.LastReviewed),
		Param: f.Param, Payload: f.Payload, Line: f.Line, FilePath: f.FilePath, ComponentName: f.ComponentName,
		ComponentVersion: f.ComponentVersion, StaticFinding: f.StaticFinding, DynamicFinding: f.DynamicFinding, Created: stamp(f.Created),
		Updated: stamp(f.Updated), ScannerConfidence: f.ScannerConfidence, UniqueIDFromTool: f.UniqueIDFromTool, VulnIDFromTool: f.VulnIDFromTool,
		SASTSourceObject: f.SASTSourceObject, SASTSinkObject: f.SASTSinkObject, SASTSourceLine: f.SASTSourceLine,
		SASTSourceFilePath: f.SASTSourceFilePath, NbOccurences: f.NbOccurences, PublishDate: maybe[day](f.PublishDate), Service: f.Service,
		PlannedRemediationDate: maybe[day](f.PlannedRemediationDate), PlannedRemediationVersion: f.PlannedRemediationVersion,
		EffortForFixing: f.EffortForFixing, Test: f.TestID, DuplicateFinding: f.DuplicateFindingID, ReviewRequestedBy: f.ReviewRequestedByID,
		MitigatedBy: f.MitigatedByID, LastReviewedBy: f.LastReviewedByID, Reviewers: f.Reviewers,
	}
	if f.HashCode != nil {
		h := hex.EncodeToString(f.HashCode)
		v.HashCode = &h
	}
	for _, id := range f.VulnerabilityIDs {
		v.VulnerabilityIDs = append(v.VulnerabilityIDs, vulnerability{id})
	}
	for _, n := range f.CWEs {
		v.CWEs = append(v.CWEs, weakness{fmt.Sprintf("CWE-%d", n)})
	}
	return v
}

// age returns the days from a finding's day to its mitigation, or to now.
func age(f gate.Finding, now time.Time) int {
	return max(0, until(f, now).Sub(gate.DateOf(f.Date)))
}

// remaining returns the days that are left until a finding is due; those of one
// that is overdue are below zero.
func remaining(f gate.Finding, now time.Time) *int {
	if f.SLAExpirationDate == nil {
		return nil
	}
	n := gate.DateOf(*f.SLAExpirationDate).Sub(until(f, now))
	return &n
}

func until(f gate.Finding, now time.Time) gate.Date {
	if f.Mitigated != nil {
		return gate.DateOf(f.Mitigated.UTC())
	}
	return gate.DateOf(now.UTC())
}

// surroundings is what goes with findings, by their IDs.
type surroundings struct {
	pairs     map[int64][]exchange
	metas     map[int64][]meta
	groups    map[int64][]findingGroup
	endpoints map[int64][]int64
	notes     map[int64][]note
	files     map[int64][]file
	issues    map[int64]jiraIssue
	accepted  map[int64][]riskAcceptance
	related   map[int64]*relatedTest // by test; nil unless it was asked for
}

func (r *request) loadSurroundings(rows []gate.Finding) (*surroundings, error) {
	findings := make([]int64, len(rows))
	for i, f := range rows {
		findings[i] = f.ID
	}
	s := &surroundings{
		pairs: map[int64][]exchange{}, metas: map[int64][]meta{}, groups: map[int64][]findingGroup{}, issues: map[int64]jiraIssue{},
		accepted: map[int64][]riskAcceptance{},
	}
	pairs, err := r.Store.Pairs(r.ctx, findings)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		s.pairs[p.FindingID] = append(s.pairs[p.FindingID], exchangeOf(p))
	}
	metas, err := r.Store.FindingMetadata(r.ctx, findings)
	if err != nil {
		return nil, err
	}
	for _, m := range metas {
		s.metas[*m.FindingID] = append(s.metas[*m.FindingID], meta{m.Name, m.Value})
	}
	groups, err := r.Store.FindingGroups(r.ctx, findings)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		s.groups[*g.FindingID] = append(s.groups[*g.FindingID], findingGroup{ID: g.ID, Name: g.Name, Test: g.TestID})
	}
	places, err := r.Store.FindingLocations(r.ctx, findings)
	if err != nil {
		return nil, err
	}
	s.endpoints = store.ByOwner(places)
	acceptances, err := r.Store.RiskAcceptanceList(r.ctx, store.RiskAcceptanceFilter{Scope: gate.Scope{All: true}, Findings: findings})
	if err != nil {
		return nil, err
	}
	for _, v := range acceptances.Rows {
		for _, id := range v.FindingIDs {
			s.accepted[id] = append(s.accepted[id], riskAcceptanceOf(v))
		}
	}
	issues, err := r.Store.JIRAIssues(r.ctx, findings)
	if err != nil {
		return nil, err
	}
	for _, j := range issues {
		s.issues[j.FindingID] = jiraIssueOf(j)
	}
	if s.notes, s.files, err = r.attached(store.NotesOf{FindingIDs: findings}); err != nil {
		return nil, err
	}
	if r.query().text("related_fields") == "true" {
		s.related, err = r.relatedTests(rows)
	}
	return s, err
}

// add puts what goes with a finding to it.
func (s *surroundings) add(v *finding, f gate.Finding) {
	v.RequestResponse.Pairs, v.FindingMeta, v.FindingGroups = s.pairs[f.ID], s.metas[f.ID], s.groups[f.ID]
	v.AcceptedRisks = s.accepted[f.ID]
	v.Endpoints, v.Notes, v.Files = s.endpoints[f.ID], s.notes[f.ID], s.files[f.ID]
	issue, has := s.issues[f.ID]
	if has {
		v.JIRACreation, v.JIRAChange = issue.JIRACreation, issue.JIRAChange
	}
	if s.related != nil {
		v.RelatedFields = &related{Test: s.related[f.TestID]}
		if has {
			v.RelatedFields.JIRA = &issue
		}
	}
}

func exchangeOf(p store.Pair) exchange { return exchange{valid(p.Request), valid(p.Response)} }

func jiraIssueOf(j store.JIRAIssue) jiraIssue {
	return jiraIssue{
		ID: j.ID, URL: browse(j.URL, j.JIRAKey), JIRAID: j.JIRAID, JIRAKey: j.JIRAKey, JIRACreation: maybe[stamp](j.JIRACreation), JIRAChange: maybe[stamp](j.JIRAChange),
		JIRAProject: j.JIRAProjectID, Finding: &j.FindingID, Engagement: j.EngagementID, FindingGroup: j.FindingGroupID,
	}
}
