// Package notification tells people and systems what happened: what is told of
// an event, to whom, over which channel, and when.
//
// An event is followed in a transaction (Follow), which writes what is told
// once (a notice), whom it goes to (deliveries), and a job for each. The jobs
// send; they read what they send from the database, so a message that waits for
// hours tells what is true then where that matters (see slack.go).
//
// Events and their names are DefectDojo's, with ours beside them.
package notification

import "slices"

// Channel is a way to tell somebody something.
type Channel string

// The channels, by the names that DefectDojo's API gives them.
const (
	Slack    Channel = "slack"
	Teams    Channel = "msteams"
	Mail     Channel = "mail"
	Webhooks Channel = "webhooks"
	Alert    Channel = "alert" // in the pages
)

// Short is a channel's name in a narrow table.
func (c Channel) Short() string {
	return map[Channel]string{Slack: "Slack", Teams: "Teams", Mail: "Mail", Webhooks: "Hook", Alert: "Alert"}[c]
}

// Channels lists them in the order of the pages.
var Channels = []Channel{Alert, Mail, Slack, Teams, Webhooks}

// The events that have a preference of their own. Others are told as Other.
const (
	ProductTypeAdded     = "product_type_added"
	ProductAdded         = "product_added"
	EngagementAdded      = "engagement_added"
	TestAdded            = "test_added"
	ScanAdded            = "scan_added"
	ScanAddedEmpty       = "scan_added_empty"
	JiraUpdate           = "jira_update"
	UpcomingEngagement   = "upcoming_engagement"
	StaleEngagement      = "stale_engagement"
	AutoCloseEngagement  = "auto_close_engagement"
	CloseEngagement      = "close_engagement"
	UserMentioned        = "user_mentioned"
	CodeReview           = "code_review"
	ReviewRequested      = "review_requested"
	Other                = "other"
	SLABreach            = "sla_breach"
	SLABreachCombined    = "sla_breach_combined"
	RiskAcceptanceExpiry = "risk_acceptance_expiration"
	VerdictChanged       = "verdict_changed" // ours: a line of builds went from pass to fail, or back
	WaiverChanged        = "waiver_changed"  // ours: requested, approved, revoked …
	WaiverExpiring       = "waiver_expiring" // ours
)

// EngagementClosed is what DefectDojo calls a closed engagement. Its preference
// is CloseEngagement, which nothing goes by there.
const EngagementClosed = "engagement_closed"

// EventInfo is what there is to know of an event that has a preference.
type EventInfo struct {
	Name  string
	Label string // blank: nothing sends it, so people are not offered it
}

// Events lists those that have a preference, in the order of the pages. The API
// takes and tells all of them; people are offered those that something sends.
var Events = []EventInfo{
	{ScanAdded, "Report imported"},
	{ScanAddedEmpty, "Report imported that changed nothing"},
	{VerdictChanged, "Verdict changed"},
	{SLABreach, "Finding near or past its due day"},
	{SLABreachCombined, "Findings near or past their due day, by product"},
	{RiskAcceptanceExpiry, "Risk acceptance expires"},
	{WaiverExpiring, "Waiver expires"},
	{WaiverChanged, "Waiver requested, approved, revoked"},
	{UserMentioned, "I am mentioned"},
	{ReviewRequested, "My review is requested"},
	{ProductTypeAdded, "Product type added"},
	{ProductAdded, "Product added"},
	{EngagementAdded, "Engagement added"},
	{TestAdded, "Test added"},
	{UpcomingEngagement, "Engagement is about to begin"},
	{StaleEngagement, "Engagement is past its end"},
	{CloseEngagement, "Engagement closed"},
	{AutoCloseEngagement, "Engagement closed by itself"},
	{JiraUpdate, "JIRA takes no ticket, or does not answer"},
	{Other, "Anything else"},
	{Name: CodeReview}, // DefectDojo has the preference, and nothing that sends it; reviews are ReviewRequested
}

// Offered lists the events that people can choose.
func Offered() []EventInfo {
	return slices.DeleteFunc(slices.Clone(Events), func(e EventInfo) bool { return e.Label == "" })
}

// Column returns the preference under which an event is chosen.
func Column(event string) string {
	if event == EngagementClosed {
		return CloseEngagement
	}
	if slices.ContainsFunc(Events, func(e EventInfo) bool { return e.Name == event }) {
		return event
	}
	return Other
}

// Defaults returns the channels of an event when nobody has said otherwise.
func Defaults(event string) []Channel {
	if event == ScanAddedEmpty {
		return nil
	}
	return []Channel{Alert}
}

// trumps are the events about somebody by name: the system's preferences count
// for them beside their own.
var trumps = []string{UserMentioned, ReviewRequested}
