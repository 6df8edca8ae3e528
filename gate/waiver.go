package gate

import "time"

// Waiver takes findings out of a gate's counts for a while, for a reason that
// somebody else approved. It never takes them out of a report.
type Waiver struct {
	ID            string        `json:"id"`
	Match         WaiverMatch   `json:"match"`
	Reason        string        `json:"reason"`
	Justification Justification `json:"justification,omitempty"`
	Ticket        string        `json:"ticket,omitempty"`
	Origin        WaiverOrigin  `json:"origin,omitempty"` // server, when empty
	RequestedBy   string        `json:"requested_by"`
	RequestedAt   time.Time     `json:"requested_at,omitzero"`
	ApprovedBy    []string      `json:"approved_by"` // people who may, and did
	ValidFrom     time.Time     `json:"valid_from,omitzero"`
	Expires       time.Time     `json:"expires"` // mandatory
	RevokedAt     time.Time     `json:"revoked_at,omitzero"`
	MaxMatches    int           `json:"max_matches,omitempty"` // findings that it may cover; more void it. 0: no limit
	VoidIf        string        `json:"void_if,omitempty"`     // CEL over a finding; unless definitely false, it does not cover it
	Evidence      []string      `json:"evidence,omitempty"`    // digests of VEX documents that support it
}

// WaiverMatch says which findings a waiver is for. Every field that is given must
// match; at least a fingerprint, a vulnerability with a purl, or a rule with a
// path must be given.
type WaiverMatch struct {
	Fingerprint   string   `json:"fingerprint,omitempty"`
	Vulnerability string   `json:"vulnerability,omitempty"` // CVE, GHSA …
	PURL          string   `json:"purl,omitempty"`          // without a version: all versions
	Rule          string   `json:"rule,omitempty"`          // the scanner's name for the check
	Path          string   `json:"path,omitempty"`          // "dir/**" and "*" are understood
	Product       string   `json:"product,omitempty"`
	Component     string   `json:"component,omitempty"` // a part of a monorepo
	Branches      []string `json:"branches,omitempty"`  // target branches
}

// IsZero tells whether nothing is said at all.
func (m WaiverMatch) IsZero() bool {
	return m.Fingerprint == "" && m.Vulnerability == "" && m.PURL == "" && m.Rule == "" && m.Path == "" && m.Product == "" && m.Component == "" && len(m.Branches) == 0
}

// WaiverOrigin is where a waiver was written.
type WaiverOrigin string

// The origins. A policy accepts those of the server only, unless it says so:
// who can write to a repository must not be able to loosen the organisation's policy.
const (
	WaiverFromServer     WaiverOrigin = "server"
	WaiverFromRepository WaiverOrigin = "repository"
)

// Justification is why a vulnerable component is not a problem: the words of VEX.
type Justification string

// The justifications (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md#status-justifications).
const (
	ComponentNotPresent         Justification = "component_not_present"
	VulnerableCodeNotPresent    Justification = "vulnerable_code_not_present"
	VulnerableCodeNotInPath     Justification = "vulnerable_code_not_in_execute_path"
	VulnerableCodeNotControlled Justification = "vulnerable_code_cannot_be_controlled_by_adversary"
	InlineMitigationsExist      Justification = "inline_mitigations_already_exist"
)

// Justifications lists them.
var Justifications = []Justification{
	ComponentNotPresent, VulnerableCodeNotPresent, VulnerableCodeNotInPath,
	VulnerableCodeNotControlled, InlineMitigationsExist,
}

// WaiverState is how a waiver stands at the time of a verdict.
type WaiverState string

// The states.
const (
	WaiverActive     WaiverState = "active"
	WaiverPending    WaiverState = "pending"    // its time has not come
	WaiverExpired    WaiverState = "expired"    // its time is over
	WaiverRevoked    WaiverState = "revoked"    // somebody took it back
	WaiverUnapproved WaiverState = "unapproved" // too few approvals, or its requester's own
	WaiverTooLong    WaiverState = "too_long"   // valid for longer than the policy allows
	WaiverTooWide    WaiverState = "too_wide"   // covers more findings than it may
	WaiverVoided     WaiverState = "voided"     // void_if is true
	WaiverUnsure     WaiverState = "unsure"     // void_if is unknown: the finding's count is unknown too
	WaiverForeign    WaiverState = "foreign"    // from an origin that the policy does not accept
	WaiverOutOfScope WaiverState = "scope"      // for another product, component or branch
	WaiverUnused     WaiverState = "unused"     // matches no finding
	WaiverInvalid    WaiverState = "invalid"    // no expiry, no match, or a void_if that does not compile
	WaiverUnneeded   WaiverState = "unneeded"   // what it matches would not count anyway
)

// WaiverUse is what became of a waiver in a verdict.
type WaiverUse struct {
	ID      string      `json:"id"`
	State   WaiverState `json:"state"`
	Reason  string      `json:"reason,omitempty"` // of the state
	Matches int         `json:"matches"`          // findings that it is for
	Covered int         `json:"covered"`          // findings that it took out of a count
	Expires time.Time   `json:"expires,omitzero"`
}

// VEXStatus is what a VEX statement says of a product.
type VEXStatus string

// The statuses.
const (
	VEXNotAffected        VEXStatus = "not_affected"
	VEXAffected           VEXStatus = "affected"
	VEXFixed              VEXStatus = "fixed"
	VEXUnderInvestigation VEXStatus = "under_investigation"
)

// VEXStatement is one statement of a VEX document.
type VEXStatement struct {
	Document        string        `json:"document"`          // its digest
	Trusted         bool          `json:"trusted,omitempty"` // it holds by itself; else it is only evidence for waivers
	Author          string        `json:"author,omitempty"`
	At              time.Time     `json:"at,omitzero"`
	Vulnerability   string        `json:"vulnerability"`
	Aliases         []string      `json:"aliases,omitempty"`
	Of              []string      `json:"of,omitempty"` // ids of the software that it is about, where Products are parts of it
	Products        []string      `json:"products"`     // purls; one without a version is for all versions
	Status          VEXStatus     `json:"status"`
	Justification   Justification `json:"justification,omitempty"`
	ImpactStatement string        `json:"impact_statement,omitempty"`
	ActionStatement string        `json:"action_statement,omitempty"`
}
