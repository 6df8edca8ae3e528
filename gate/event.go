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

	EventEngagement EventKind = "engagement" // it was closed, by somebody or by itself, or reopened; Action
	EventNote       EventKind = "note"       // somebody wrote about a finding; NoteID
	EventDeleted    EventKind = "deleted"    // Action says what, Title what it was called; its own ID is not set
	EventTicket     EventKind = "ticket"     // JIRA did not take one, does not answer, or somebody wrote there; Action, TicketID
)

// The actions of an EventTicket.
const (
	TicketRefused   = "refused" // JIRA does not take it: somebody has to change something
	TicketOutage    = "outage"  // JIRA does not answer; ConnectionID says which
	TicketCommented = "comment" // somebody wrote there; NoteID is what it became
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
	TicketID      int64     `json:"ticket_id,omitempty"`
	ConnectionID  int64     `json:"connection_id,omitempty"` // of an instance of JIRA
	FindingIDs    []int64   `json:"finding_ids,omitempty"`   // of a triage; those of an import are found by its id
	ActorID       int64     `json:"actor_id,omitempty"`
	Title         string    `json:"title,omitempty"`
	Flipped       bool      `json:"flipped,omitempty"` // the verdict differs from the one before it on the same line
	PushToJira    bool      `json:"push_to_jira,omitempty"`
}
