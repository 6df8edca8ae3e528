package policies

import (
	"slices"
	"time"

	"defectdojo/gate"
)

// Finding is what the evaluator knows of a finding. Pointers and empty strings
// of fields marked "unknown" say that it is not known: never that it is not so.
// A finding without a component and without vulnerability ids (in code, a secret)
// needs none of them: for it kev, epss, fix_available and the like do not apply,
// and are taken as false, zero, and reachable.
type Finding struct {
	ID              int64         `json:"id"`          // unique among the head; the uploader numbers new ones -1, -2 …
	Fingerprint     string        `json:"fingerprint"` // the identity that survives a new commit
	Title           string        `json:"title"`
	Severity        gate.Severity `json:"severity"`
	Status          Status        `json:"status"`
	DuplicateOf     int64         `json:"duplicate_of,omitempty"`
	Category        Category      `json:"category,omitempty"`
	Scanner         string        `json:"scanner"` // as Run.Tool
	Rule            string        `json:"rule,omitempty"`
	CWE             int           `json:"cwe,omitempty"`
	Vulnerabilities []string      `json:"vulnerability_ids,omitempty"` // the first is the main one
	PURL            string        `json:"purl,omitempty"`
	Component       string        `json:"component,omitempty"` // the library's name
	Version         string        `json:"version,omitempty"`
	Path            string        `json:"path,omitempty"`
	Line            int           `json:"line,omitempty"`
	ContextHash     string        `json:"context_hash,omitempty"` // of the code around it, without blanks
	Endpoint        string        `json:"endpoint,omitempty"`
	FirstSeen       time.Time     `json:"first_seen,omitzero"` // zero: now
	FixVersion      string        `json:"fix_version,omitempty"`
	FixAvailable    *bool         `json:"fix_available,omitempty"` // nil: unknown, unless there is a FixVersion
	FixPublished    *time.Time    `json:"fix_published,omitempty"` // nil: unknown
	EPSS            *float64      `json:"epss,omitempty"`          // 0…1; nil: unknown
	EPSSPercentile  *float64      `json:"epss_percentile,omitempty"`
	KEV             *bool         `json:"kev,omitempty"` // in the catalogue; nil: unknown
	Ransomware      *bool         `json:"ransomware,omitempty"`
	CVSS            *float64      `json:"cvss,omitempty"`
	Reachability    string        `json:"reachability,omitempty"` // reachable or unreachable; "": unknown
	Direct          *bool         `json:"direct,omitempty"`       // a direct dependency; nil: unknown
	Verified        string        `json:"verified,omitempty"`     // of secrets: active or inactive; "": nobody tried
	Licenses        []string      `json:"licenses,omitempty"`
	Tags            []string      `json:"tags,omitempty"`
}

// Status is where a finding stands, in one word.
type Status string

// The statuses.
const (
	Open          Status = "open"
	Confirmed     Status = "confirmed"
	InReview      Status = "in_review"
	RiskAccepted  Status = "risk_accepted"
	FalsePositive Status = "false_positive"
	OutOfScope    Status = "out_of_scope"
	Mitigated     Status = "mitigated"
	Inactive      Status = "inactive"
	Duplicate     Status = "duplicate"
)

// Statuses lists them.
var Statuses = []Status{Open, Confirmed, InReview, RiskAccepted, FalsePositive, OutOfScope, Mitigated, Inactive, Duplicate}

// open tells whether a finding of that status is still to be dealt with.
func (s Status) open() bool { return s == Open || s == Confirmed || s == InReview }

// before returns the status that a finding of a baseline had there. It was active:
// that it was closed since is what makes it fixed.
func (s Status) before() Status {
	if s == "" || s == Mitigated || s == Inactive {
		return Open
	}
	return s
}

// Flags are DefectDojo's flags of a finding.
type Flags struct {
	Active, Verified, FalsePositive, Duplicate, OutOfScope, RiskAccepted, UnderReview, Mitigated bool
}

// Status returns the one word for the flags: what takes a finding out of sight
// comes first.
func (f Flags) Status() Status {
	switch {
	case f.Duplicate:
		return Duplicate
	case f.FalsePositive:
		return FalsePositive
	case f.OutOfScope:
		return OutOfScope
	case f.Mitigated:
		return Mitigated
	case f.RiskAccepted:
		return RiskAccepted
	case !f.Active:
		return Inactive
	case f.UnderReview:
		return InReview
	case f.Verified:
		return Confirmed
	}
	return Open
}

// Category is what kind of weakness a finding is.
type Category string

// The categories.
const (
	Code       Category = "code"       // of source code
	Dependency Category = "dependency" // a library with a known vulnerability
	Container  Category = "container"  // a package of an image's operating system
	Secret     Category = "secret"
	License    Category = "license"
	Config     Category = "config" // infrastructure as code, images, clusters
	Web        Category = "web"    // found by talking to a running application
	Network    Category = "network"
	Malware    Category = "malware"
	Other      Category = "other"
)

// Categories lists them.
var Categories = []Category{Code, Dependency, Container, Secret, License, Config, Web, Network, Malware, Other}

// isComponent tells whether the finding is about a piece of software that was
// taken from elsewhere.
func (f *Finding) isComponent() bool { return f.PURL != "" || f.Component != "" }

// fix tells whether there is a version that has the fix; nil is unknown.
func (f *Finding) fix() *bool {
	if f.FixAvailable == nil && f.FixVersion != "" {
		return new(true)
	}
	return f.FixAvailable
}

// vulnerability returns the name by which people know the finding.
func (f *Finding) vulnerability() string {
	if len(f.Vulnerabilities) > 0 {
		return f.Vulnerabilities[0]
	}
	return ""
}

// hasVulnerability tells whether one of the finding's ids is that one.
func (f *Finding) hasVulnerability(id string) bool { return slices.Contains(f.Vulnerabilities, id) }
