package gate

import "time"

// Finding is an observation that the gate keeps track of. Pointers are nil
// where the report did not say.
type Finding struct {
	ID                        int64
	TestID                    int64
	EngagementID              int64
	ProductID                 int64
	TestTypeID                int64
	HashCode                  []byte
	Severity                  Severity
	Active                    bool
	Verified                  bool
	Duplicate                 bool
	FalseP                    bool
	OutOfScope                bool
	RiskAccepted              bool
	IsMitigated               bool
	UnderReview               bool
	UnderDefectReview         bool
	StaticFinding             bool
	DynamicFinding            bool
	DuplicateFindingID        *int64
	ReporterID                int64
	Date                      time.Time // a day
	Created                   time.Time
	Updated                   time.Time
	LastStatusUpdate          time.Time
	Mitigated                 *time.Time
	MitigatedByID             *int64
	LastReviewed              *time.Time
	LastReviewedByID          *int64
	SLAStartDate              *time.Time `db:"sla_start_date"`
	SLAExpirationDate         *time.Time `db:"sla_expiration_date"`
	CWE                       *int32     `db:"cwe"`
	CWEs                      []int32    `db:"cwes"`
	VulnerabilityIDs          []string   `db:"vulnerability_ids"`
	Title                     string
	Description               string
	Mitigation                string
	Impact                    string
	Refs                      string
	StepsToReproduce          string
	SeverityJustification     string
	Rule                      string
	VulnIDFromTool            *string  `db:"vuln_id_from_tool"`
	UniqueIDFromTool          *string  `db:"unique_id_from_tool"`
	CVSSv3                    *string  `db:"cvssv3"`
	CVSSv3Score               *float64 `db:"cvssv3_score"`
	CVSSv4                    *string  `db:"cvssv4"`
	CVSSv4Score               *float64 `db:"cvssv4_score"`
	EPSSScore                 *float64 `db:"epss_score"`
	EPSSPercentile            *float64 `db:"epss_percentile"`
	KnownExploited            bool
	RansomwareUsed            bool
	KEVDate                   *time.Time `db:"kev_date"`
	FilePath                  *string
	Line                      *int32
	EndLine                   *int32
	Snippet                   string
	ComponentName             *string
	ComponentVersion          *string
	PURL                      string `db:"purl"`
	Service                   *string
	Param                     *string
	Payload                   *string
	URL                       *string `db:"url"`
	SASTSourceObject          *string `db:"sast_source_object"`
	SASTSourceLine            *int32  `db:"sast_source_line"`
	SASTSourceFilePath        *string `db:"sast_source_file_path"`
	SASTSinkObject            *string `db:"sast_sink_object"`
	FixAvailable              *bool
	FixVersion                *string
	EffortForFixing           *string
	PlannedRemediationDate    *time.Time
	PlannedRemediationVersion *string
	PublishDate               *time.Time
	ScannerConfidence         *int32
	NbOccurences              *int32
	ThreadID                  int32
	Tags                      []string
	InheritedTags             []string
	ReviewRequestedByID       *int64
	Reviewers                 []int64
	AssigneeID                *int64
	FoundBy                   []int32 // test types beside its own
}

// Status returns the finding's state in the words of DefectDojo's pages.
func (f Finding) Status() string {
	s := ""
	add := func(on bool, word string) {
		if on {
			if s != "" {
				s += ", "
			}
			s += word
		}
	}
	add(f.UnderReview, "Under Review")
	add(f.Active, "Active")
	add(!f.Active, "Inactive")
	add(f.Verified, "Verified")
	add(f.IsMitigated, "Mitigated")
	add(f.FalseP, "False Positive")
	add(f.OutOfScope, "Out Of Scope")
	add(f.Duplicate, "Duplicate")
	add(f.RiskAccepted, "Risk Accepted")
	return s
}
