package store

import (
	"cmp"
	"strings"

	"defectdojo/gate"
)

// FindingStatus is a named state that a list of findings can be narrowed to.
type FindingStatus string

// The states, after the named filters of DefectDojo. AnyStatus is all of them.
const (
	AnyStatus        FindingStatus = ""
	OpenStatus       FindingStatus = "open"
	VerifiedStatus   FindingStatus = "verified"
	ReviewStatus     FindingStatus = "review"
	ClosedStatus     FindingStatus = "closed"
	AcceptedStatus   FindingStatus = "accepted"
	FalsePositive    FindingStatus = "false-positive"
	OutOfScopeStatus FindingStatus = "out-of-scope"
	DuplicateStatus  FindingStatus = "duplicate"
	InactiveStatus   FindingStatus = "inactive"
)

// FindingStatuses lists the states in the order of how often people ask for them.
var FindingStatuses = []FindingStatus{
	OpenStatus, AnyStatus, VerifiedStatus, ReviewStatus, ClosedStatus, AcceptedStatus, FalsePositive, OutOfScopeStatus, DuplicateStatus, InactiveStatus,
}

var statusConditions = map[FindingStatus]string{
	OpenStatus:       `f.active`,
	VerifiedStatus:   `f.active and f.verified`,
	ReviewStatus:     `f.under_review`,
	ClosedStatus:     `f.is_mitigated and not f.false_p and not f.out_of_scope`,
	AcceptedStatus:   `f.risk_accepted`,
	FalsePositive:    `f.false_p and not f.active`,
	OutOfScopeStatus: `f.out_of_scope and not f.active`,
	DuplicateStatus:  `f.duplicate`,
	InactiveStatus:   `not f.active and not f.duplicate and not f.is_mitigated and not f.false_p and not f.out_of_scope`,
}

// FindingSearch says which findings a list shows. The zero value of a field
// does not narrow it; but the zero Scope is no finding at all.
type FindingSearch struct {
	Scope           gate.Scope
	IDs             []int64 // of these only
	Status          FindingStatus
	Severities      []gate.Severity
	ProductIDs      []int64
	Products        []string // names, in any letter case; * stands for any text
	EngagementID    int64
	TestID          int64
	Scanners        []string // names of test types; * stands for any text
	Text            string   // in the title, the place, the component or an identifier
	VulnerabilityID string   // CVE, GHSA …
	CWE             int
	Tags            []string // all of them
	Component       string   // * stands for any text
	Version         string   // of the component
	FilePath        string   // its begin, or with * for any text
	MinEPSS         float64
	KnownExploited  bool
	FixAvailable    bool
	SLABreached     bool
	Today           gate.Date // for SLABreached
	AssigneeID      int64     // Unassigned: nobody
	From, Until     gate.Date // when it was found; both days belong to it
}

// Unassigned as AssigneeID selects what nobody is assigned to.
const Unassigned = -1

// when adds a condition if it is asked for.
func (w *where) when(asked bool, condition string, args ...any) {
	if asked {
		w.and(condition, args...)
	}
}

// where makes the condition on findings f.
func (q FindingSearch) where() *where {
	w := &where{}
	w.scope("f.product_id", q.Scope)
	oneOf(w, "f.id", q.IDs)
	w.when(q.Status != AnyStatus, cmp.Or(statusConditions[q.Status], "false"))
	w.when(len(q.Severities) > 0, `f.severity = any(?::smallint[])`, q.Severities)
	q.wherePlace(w)
	q.whereIdentity(w)
	w.when(q.KnownExploited, `f.known_exploited`)
	w.when(q.FixAvailable, `f.fix_available`)
	w.when(q.MinEPSS > 0, `f.epss_score >= ?`, q.MinEPSS)
	w.when(q.SLABreached, `f.active and f.sla_expiration_date < ?::date`, q.Today.Time())
	w.when(q.AssigneeID == Unassigned, `f.assignee_id is null`)
	w.when(q.AssigneeID > 0, `f.assignee_id = ?`, q.AssigneeID)
	w.when(!q.From.IsZero(), `f.date >= ?::date`, q.From.Time())
	w.when(!q.Until.IsZero(), `f.date <= ?::date`, q.Until.Time())
	return w
}

// wherePlace narrows to where findings were found.
func (q FindingSearch) wherePlace(w *where) {
	w.when(len(q.ProductIDs) > 0, `f.product_id = any(?::bigint[])`, q.ProductIDs)
	w.when(len(q.Products) > 0, `f.product_id = any(array(select id from products where name ilike any(?::text[])))`, likes(q.Products))
	w.when(q.EngagementID != 0, `f.engagement_id = ?`, q.EngagementID)
	w.when(q.TestID != 0, `f.test_id = ?`, q.TestID)
	w.when(len(q.Scanners) > 0, `f.test_type_id = any(array(select id from test_types where name ilike any(?::text[])))`, likes(q.Scanners))
	w.when(q.FilePath != "", `f.file_path ilike ?`, prefix(q.FilePath))
	w.when(q.Component != "", `f.component_name ilike ?`, like(q.Component))
	w.when(q.Version != "", `f.component_version = ?`, q.Version)
}

// whereIdentity narrows to what findings are.
func (q FindingSearch) whereIdentity(w *where) {
	w.when(q.VulnerabilityID != "", hasVulnerability, []string{q.VulnerabilityID, strings.ToUpper(q.VulnerabilityID)})
	w.when(q.CWE != 0, `(f.cwe = ? or f.cwes && array[?::integer])`, q.CWE, q.CWE)
	for _, t := range q.Tags {
		w.and(`(f.tags <> '{}' and f.tags @> array[?] or f.inherited_tags <> '{}' and f.inherited_tags @> array[?])`, t, t)
	}
	if q.Text != "" {
		contains := "%" + likeEscape.Replace(q.Text) + "%"
		w.and(`(`+searchedText+` ilike ? or `+hasVulnerability+`)`, contains, []string{q.Text, strings.ToUpper(q.Text)})
	}
}

// Wide tells whether the search is by something that no index holds: all
// findings have to be read for it.
func (q FindingSearch) Wide() bool {
	return q.Text != "" || q.FilePath != "" || q.Component != "" || q.Version != "" || q.CWE != 0 || q.Status != OpenStatus && q.MinEPSS > 0
}

// hasVulnerability says that there is one, as the index's own condition does.
const hasVulnerability = `f.vulnerability_ids <> '{}' and f.vulnerability_ids && ?::text[]`

// searchedText is what Text is looked up in.
const searchedText = `(f.title || ' ' || coalesce(f.file_path, '') || ' ' || coalesce(f.component_name, ''))`

// like makes a pattern of a name in which * stands for any text.
func like(s string) string { return strings.ReplaceAll(likeEscape.Replace(s), "*", "%") }

func likes(names []string) []string {
	patterns := make([]string, len(names))
	for i, n := range names {
		patterns[i] = like(n)
	}
	return patterns
}

// prefix is like, but without any * the text may go on.
func prefix(s string) string {
	if strings.Contains(s, "*") {
		return like(s)
	}
	return like(s) + "%"
}
