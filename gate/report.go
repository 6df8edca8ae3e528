package gate

import "time"

// Run is what a report says of one execution of a scanner beside its
// observations. A report usually holds one; SARIF can hold several.
type Run struct {
	Tool        string    `json:"tool,omitempty"` // the scanner's name for itself
	Version     string    `json:"version,omitempty"`
	Ruleset     string    `json:"ruleset,omitempty"` // version or digest of its rules or database
	Target      string    `json:"target,omitempty"`  // what was scanned
	Revision    string    `json:"revision,omitempty"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	FinishedAt  time.Time `json:"finished_at,omitzero"`
	Outcome     Outcome   `json:"outcome,omitempty"`
	Problems    []string  `json:"problems,omitempty"` // what it could not read or do, as it says it
	Type        string    `json:"type,omitempty"`     // DefectDojo's dynamic test type
	Description string    `json:"description,omitempty"`
	First       int       `json:"first"` // index of its first observation
	Count       int       `json:"count"`
}

// Outcome is how a scanner's run ended, as its report says.
type Outcome string

// The outcomes. Unsaid, the zero value, is that of the many formats that do not say.
const (
	Unsaid    Outcome = ""
	Succeeded Outcome = "succeeded"
	Partial   Outcome = "partial" // it ran, but could not read or do everything
	Failed    Outcome = "failed"
)

// Component is a piece of software that a report lists, vulnerable or not.
type Component struct {
	Name     string   `json:"name"`
	Version  string   `json:"version,omitempty"`
	PURL     string   `json:"purl,omitempty"`
	Licenses []string `json:"licenses,omitempty"` // SPDX ids or expressions where the report has them
	Path     string   `json:"path,omitempty"`     // the file that brings it in
}
