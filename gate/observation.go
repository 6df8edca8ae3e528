// Package gate holds the words of the domain: products, tests, observations,
// findings, severities, verdicts and errors. It imports nothing but the
// standard library.
package gate

import (
	"strconv"
	"strings"
	"time"
)

// Observation is what one scanner said about one place, once: what a parser
// makes of one record of a report. The JSON names are those of DefectDojo's API.
//
// A zero field means that the report does not say. Pointers stand where zero
// is a value that reports do hold.
type Observation struct {
	// What it is.
	Title                 string   `json:"title"`
	Severity              Severity `json:"severity"`
	Description           string   `json:"description,omitempty"` // Markdown, as the other texts
	Mitigation            string   `json:"mitigation,omitempty"`
	Impact                string   `json:"impact,omitempty"`
	References            string   `json:"references,omitempty"`
	StepsToReproduce      string   `json:"steps_to_reproduce,omitempty"`
	SeverityJustification string   `json:"severity_justification,omitempty"`

	// How the world knows it.
	CWE              int      `json:"cwe"`                         // 0 when unknown
	CWEs             []int    `json:"cwes,omitempty"`              // all of them, with CWE, when there are several
	VulnerabilityIDs []string `json:"vulnerability_ids,omitempty"` // CVE, GHSA, RUSTSEC …; the first is the main one
	CVE              string   `json:"cve,omitempty"`               // the only one, where DefectDojo's parser gives no list: see IDs
	RuleID           string   `json:"vuln_id_from_tool,omitempty"` // the scanner's name for the check
	Check            string   `json:"-"`                           // the same, where DefectDojo leaves vuln_id_from_tool empty
	UniqueID         string   `json:"unique_id_from_tool,omitempty"`
	CVSSv3           string   `json:"cvssv3,omitempty"` // the vector
	CVSSv3Score      *float64 `json:"cvssv3_score,omitempty"`
	CVSSv4           string   `json:"cvssv4,omitempty"`
	CVSSv4Score      *float64 `json:"cvssv4_score,omitempty"`
	EPSSScore        *float64 `json:"epss_score,omitempty"`      // 0…1
	EPSSPercentile   *float64 `json:"epss_percentile,omitempty"` // 0…1
	KnownExploited   bool     `json:"known_exploited,omitempty"`
	Exploited        bool     `json:"-"` // known to be exploited, where DefectDojo leaves known_exploited unset
	RansomwareUsed   bool     `json:"ransomware_used,omitempty"`
	KEVDate          Date     `json:"kev_date,omitzero"`

	// Where it is.
	FilePath             string   `json:"file_path,omitempty"`
	Line                 *int     `json:"line,omitempty"`
	EndLine              *int     `json:"-"`
	Snippet              string   `json:"-"` // the code at that place, as the report quotes it
	ComponentName        string   `json:"component_name,omitempty"`
	ComponentVersion     string   `json:"component_version,omitempty"`
	PURL                 string   `json:"-"` // the component as a package URL
	Service              string   `json:"service,omitempty"`
	Endpoints            []string `json:"endpoints,omitempty"` // canonical: see parsers.Endpoint
	Param                string   `json:"param,omitempty"`
	Payload              string   `json:"payload,omitempty"`
	SASTSourceObject     string   `json:"sast_source_object,omitempty"`
	SASTSourceLine       *int     `json:"sast_source_line,omitempty"`
	SASTSourceFilePath   string   `json:"sast_source_file_path,omitempty"`
	SASTSinkObject       string   `json:"sast_sink_object,omitempty"`
	URL                  string   `json:"url,omitempty"` // where the scanner's own product or a database shows it
	RequestResponsePairs []Pair   `json:"-"`             // HTTP messages that show it
	Files                []File   `json:"-"`             // attachments that the report carries

	// What can be done.
	FixAvailable   *bool  `json:"fix_available,omitempty"`
	FixVersion     string `json:"fix_version,omitempty"`
	Fix            string `json:"-"`                           // the version that has the fix, where DefectDojo leaves fix_version empty
	EffortForFix   string `json:"effort_for_fixing,omitempty"` // Low, Medium or High
	PlannedVersion string `json:"planned_remediation_version,omitempty"`

	// What the scanner thinks of it.
	Date              Date      `json:"date,omitzero"` // when it was found; the scan's date if the report does not say
	PublishDate       Date      `json:"publish_date,omitzero"`
	Active            *bool     `json:"active,omitempty"` // nil is yes
	Verified          bool      `json:"verified,omitempty"`
	FalsePositive     bool      `json:"false_p,omitempty"`
	OutOfScope        bool      `json:"out_of_scope,omitempty"`
	RiskAccepted      bool      `json:"risk_accepted,omitempty"`
	UnderReview       bool      `json:"under_review,omitempty"`
	Mitigated         bool      `json:"is_mitigated,omitempty"`
	MitigatedAt       time.Time `json:"mitigated,omitzero"`
	ScannerConfidence *int      `json:"scanner_confidence,omitempty"` // 1–2 certain, 3–5 firm, above tentative
	Occurrences       *int      `json:"nb_occurences,omitempty"`
	Analysis          Analysis  `json:"-"` // how it was found; shown as static_finding and dynamic_finding
	Tags              []string  `json:"tags,omitempty"`

	// NoCWE says that the report's place for a CWE is there and empty, where
	// DefectDojo stores null and not 0. It matters to its hash alone.
	NoCWE bool `json:"-"`
}

// Pair is an HTTP request and the response to it.
type Pair struct{ Request, Response string }

// File is an attachment.
type File struct {
	Title string
	Data  []byte
}

// Analysis says how a finding was found.
type Analysis uint8

// The ways of analysis. ByParser, the zero value, is whatever is usual for the parser.
const (
	ByParser Analysis = iota
	Static            // by reading code, configuration or dependencies
	Dynamic           // by running it
	Both
	Neither
)

// IsStatic tells whether DefectDojo's static_finding is true.
func (a Analysis) IsStatic() bool { return a == Static || a == Both }

// IsDynamic tells whether DefectDojo's dynamic_finding is true.
func (a Analysis) IsDynamic() bool { return a == Dynamic || a == Both || a == ByParser }

// Rule returns the scanner's name for the check, if the report says it.
func (o Observation) Rule() string {
	if o.RuleID != "" {
		return o.RuleID
	}
	return o.Check
}

// FixedIn returns the version that has the fix, if the report says it.
func (o Observation) FixedIn() string {
	if o.FixVersion != "" {
		return o.FixVersion
	}
	return o.Fix
}

// IsExploited tells whether the report says that it is known to be exploited.
func (o Observation) IsExploited() bool { return o.KnownExploited || o.Exploited }

// IDs returns the ids under which the world knows it. As DefectDojo's importer
// does, it takes CVE for the list when a parser gives none.
func (o Observation) IDs() []string {
	if len(o.VulnerabilityIDs) == 0 && o.CVE != "" {
		return []string{o.CVE}
	}
	return o.VulnerabilityIDs
}

// ParseCWE reads a weakness number out of "CWE-89", "cwe:89", "CWE-89: SQL …"
// or "89". It returns 0 when there is none.
func ParseCWE(s string) int {
	s = strings.TrimSpace(s)
	if len(s) >= 3 && strings.EqualFold(s[:3], "cwe") {
		s = strings.TrimLeft(s[3:], "-_:# ")
	}
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil || n > 9_999_999 {
		return 0
	}
	return n
}

// NonZero returns a pointer to v, or nil when v is the zero value: for a field
// of an Observation that a report leaves out or writes as zero alike.
func NonZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
