// Package ingest takes a scanner's report in: it keeps the report, reads it,
// finds out which findings it tells of, and stores what is new or has changed,
// all in one transaction.
package ingest

import (
	"io"

	"defectdojo/gate"
)

// Target says into which test a report goes: by id, or by names.
type Target struct {
	TestID       int64 // reimport only
	EngagementID int64 // import only

	ProductTypeName string
	ProductName     string
	EngagementName  string
	TestTitle       string

	AutoCreateContext         bool // create what the names name and is not there
	DeduplicationOnEngagement bool // of an engagement that is created
	EngagementEndDate         gate.Date
	SourceCodeManagementURI   string
}

// Request is one import or reimport. Pointers are nil where the caller did not say.
type Request struct {
	User     gate.User
	Reimport bool
	Target   Target
	ScanType string

	MinimumSeverity gate.Severity
	Active          *bool // forces the flag; nil keeps what the report says
	Verified        *bool
	ScanDate        gate.Date // of all findings; none keeps what the report says
	Service         *string
	Environment     string // name; blank is "Development"
	Version         *string
	BuildID         *string
	BranchTag       *string
	CommitHash      *string
	LeadID          *int64

	Tags                 []string // of the test; nil leaves those of a test that is there
	ApplyTagsToFindings  bool
	ApplyTagsToEndpoints bool
	EndpointsToAdd       []int64 // location ids

	CloseOldFindings             bool
	CloseOldFindingsProductScope bool // import only
	DoNotReactivate              bool // reimport only
	AllowEmpty                   bool // a report without findings may close findings although it does not say that the scan succeeded

	// Line keeps the reports of a branch or a pull request apart from others' in
	// the engagement, in tests of their own. Without a ref they are not: as
	// DefectDojo has it.
	Line gate.Line

	GroupBy                           string
	CreateFindingGroupsForAllFindings bool
	PushToJira                        bool
	APIScanConfigurationID            *int64
	KeepClosedByReport                bool // a report's closed, false positive or out-of-scope findings stay so although they are not said to be inactive

	Report Report

	// IdempotencyKey makes an upload once only: a second one with the same key
	// gets the first one's answer. Sequence orders CI runs of one test: a report
	// of an older run than the newest changes nothing. Blank and zero: neither.
	IdempotencyKey string
	Sequence       int64

	// Paths are where a part of a monorepo is, and Elsewhere where its other parts
	// are: what a report says of those is not this part's. Without Paths all of it is.
	Paths     []string
	Elsewhere []string

	// Untrusted says that whoever made the change could decide what is in the
	// report, as in a build of a fork: it may add findings, and can neither close
	// one nor say that one does not count. Producer is what made it, as proved.
	Untrusted bool
	Producer  string

	// Judges says that whoever imports asks for the verdict, too, even if a node
	// dies in between: nobody else is to judge, who knows less of the build.
	Judges bool
}

// Report is the file that was uploaded.
type Report struct {
	Filename string
	Content  interface {
		io.ReadSeeker
		io.ReaderAt
	}
	Size   int64
	SHA256 [32]byte
}

// Counts are findings of one severity, or of all, by their flags.
type Counts struct {
	Active       int `json:"active"`
	Verified     int `json:"verified"`
	Duplicate    int `json:"duplicate"`
	FalseP       int `json:"false_p"`
	OutOfScope   int `json:"out_of_scope"`
	IsMitigated  int `json:"is_mitigated"`
	RiskAccepted int `json:"risk_accepted"`
	Total        int `json:"total"`
}

// Statistics are counts of findings by severity.
type Statistics struct {
	Info     Counts `json:"info"`
	Low      Counts `json:"low"`
	Medium   Counts `json:"medium"`
	High     Counts `json:"high"`
	Critical Counts `json:"critical"`
	Total    Counts `json:"total"`
}

// Delta is what a reimport did, counted by the flags that findings have now.
type Delta struct {
	Created     Statistics `json:"created"`
	Closed      Statistics `json:"closed"`
	Reactivated Statistics `json:"reactivated"`
	Untouched   Statistics `json:"untouched"`
}

// Result is what an import did. Everything in it is final: nothing changes it later.
type Result struct {
	ImportID      int64 `json:"test_import_id"`
	TestID        int64 `json:"test_id"`
	EngagementID  int64 `json:"engagement_id"`
	ProductID     int64 `json:"product_id"`
	ProductTypeID int64 `json:"product_type_id"`

	Before *Statistics `json:"before,omitempty"` // reimport into a test that was there
	Delta  *Delta      `json:"delta,omitempty"`
	After  Statistics  `json:"after"`

	New         int `json:"new"`
	Closed      int `json:"closed"`
	Reactivated int `json:"reactivated"`
	Untouched   int `json:"untouched"`

	Runs       []gate.Run `json:"runs"`
	Notes      []string   `json:"notes,omitempty"` // what the caller should know: something was left undone on purpose
	Asked      Resolved   `json:"-"`               // what was there before: zero ids were created
	Replayed   bool       `json:"-"`               // the answer to an earlier upload with the same key
	Superseded bool       `json:"superseded,omitempty"`
	Judges     bool       `json:"-"` // as the request says
}
