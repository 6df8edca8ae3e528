package gate

import "time"

// EventKind is what sort of thing happened.
type EventKind string

// The events that others follow: trackers, code hosts, channels, later verdicts.
const (
	EventImport  EventKind = "import"  // a report was stored; ImportID
	EventVerdict EventKind = "verdict" // a build was judged; VerdictID, Flipped
	EventTriage  EventKind = "triage"  // somebody changed findings; FindingIDs, Action
	EventWaiver  EventKind = "waiver"  // a waiver was requested, approved, revoked, …; WaiverID, Action
	EventPolicy  EventKind = "policy"  // a policy was changed; Action
	EventIntel   EventKind = "intel"   // there is new intelligence
	EventCreated EventKind = "created" // a product_type, product, engagement or test was made; Action says which

	EventEngagement EventKind = "engagement" // it was closed or reopened; Action
	EventNote       EventKind = "note"       // somebody wrote about a finding; NoteID
)

// Event is something that happened, told by the transaction in which it did.
type Event struct {
	Kind          EventKind `json:"kind"`
	At            time.Time `json:"at"`
	Action        string    `json:"action,omitempty"`
	ProductTypeID int64     `json:"product_type_id,omitempty"`
	ProductID     int64     `json:"product_id,omitempty"`
	EngagementID  int64     `json:"engagement_id,omitempty"`
	TestID        int64     `json:"test_id,omitempty"`
	ImportID      int64     `json:"import_id,omitempty"`
	VerdictID     int64     `json:"verdict_id,omitempty"`
	WaiverID      int64     `json:"waiver_id,omitempty"`
	NoteID        int64     `json:"note_id,omitempty"`
	FindingIDs    []int64   `json:"finding_ids,omitempty"` // of a triage; those of an import are found by its id
	ActorID       int64     `json:"actor_id,omitempty"`
	Flipped       bool      `json:"flipped,omitempty"` // the verdict differs from the one before it on the same line
	PushToJira    bool      `json:"push_to_jira,omitempty"`
}
