package gate

import (
	"slices"
	"time"
)

// Decision is what a gate says of a build.
type Decision string

// The decisions, from best to worst.
const (
	Pass Decision = "pass"
	Warn Decision = "warn"
	Fail Decision = "fail"
)

var decisions = []Decision{Pass, Warn, Fail}

// Worse returns the worse of two decisions; an unknown word is worse than any.
func (d Decision) Worse(o Decision) Decision {
	if d.rank() >= o.rank() {
		return d
	}
	return o
}

// Better returns the better of two decisions.
func (d Decision) Better(o Decision) Decision {
	if d.rank() <= o.rank() {
		return d
	}
	return o
}

func (d Decision) rank() int {
	if i := slices.Index(decisions, d); i >= 0 {
		return i
	}
	return len(decisions)
}

// Mode is how seriously a policy is meant.
type Mode string

// The modes. A policy that warns never fails a build; one that audits is only recorded.
const (
	ModeEnforce Mode = "enforce"
	ModeWarn    Mode = "warn"
	ModeAudit   Mode = "audit"
)

// RuleOutcome is how one rule of a policy came out.
type RuleOutcome string

// The outcomes. A rule is inconclusive only if what is unknown could change it.
const (
	Satisfied    RuleOutcome = "satisfied"
	Violated     RuleOutcome = "violated"
	Inconclusive RuleOutcome = "inconclusive"
)

// Delta says why a finding is here, seen from the baseline.
type Delta string

// The deltas. A finding has the first one that is true of it, in this order;
// NoBaseline is for those that nothing can be said of.
const (
	DeltaExisting   Delta = "existing"    // the same finding is active in the baseline
	DeltaReopened   Delta = "reopened"    // it was closed before
	DeltaDisclosed  Delta = "disclosed"   // its component was there already: the advisory is what is new
	DeltaRuleDrift  Delta = "rule_drift"  // its code was there already: the scanner or its rules are what is new
	DeltaIntroduced Delta = "introduced"  // by this change
	DeltaNoBaseline Delta = "no_baseline" // there is nothing to compare it with
	DeltaFixed      Delta = "fixed"       // in the baseline and not here: told, never counted
)

// Deltas lists those that a finding can have, newest first.
var Deltas = []Delta{DeltaIntroduced, DeltaReopened, DeltaDisclosed, DeltaRuleDrift, DeltaExisting, DeltaNoBaseline}

// DispositionCode says what a gate did with a finding.
type DispositionCode string

// The codes, strongest first: over all rules a finding has the strongest that
// any rule gave it.
const (
	DispositionCounted     DispositionCode = "counted"
	DispositionUnknown     DispositionCode = "unknown"      // whether it counts depends on fields that are not known
	DispositionInGrace     DispositionCode = "in_grace"     // it will count when its time is up
	DispositionWaived      DispositionCode = "waived"       // by an active waiver
	DispositionExprFalse   DispositionCode = "expr_false"   // selected, but the rule's expression is false
	DispositionNotSelected DispositionCode = "not_selected" // a selector does not match
	DispositionStatus      DispositionCode = "status"       // not in a status that the policy looks at
	DispositionDuplicate   DispositionCode = "duplicate_of" // another finding stands for it
)

// Dispositions lists the codes, strongest first.
var Dispositions = []DispositionCode{
	DispositionCounted, DispositionUnknown, DispositionInGrace, DispositionWaived,
	DispositionExprFalse, DispositionNotSelected, DispositionStatus, DispositionDuplicate,
}

// Disposition is what a gate did with a group of findings, all for the same reason.
type Disposition struct {
	Code     DispositionCode `json:"code"`
	Detail   string          `json:"detail,omitempty"` // the selector, sub-expression, unknown fields, status or waiver
	Policy   string          `json:"policy,omitempty"` // whose rule; empty where it is the same for all
	Rule     string          `json:"rule,omitempty"`
	Due      time.Time       `json:"due,omitzero"` // when grace ends
	Findings []int64         `json:"findings"`     // ids in ascending order; negative for those that have no id yet
}

// ExitCode is what a process that speaks for a gate ends with.
type ExitCode int

// The exit codes. ExitFailed is only ever a policy's failure, and no flag changes
// what a number means.
const (
	ExitPassed       ExitCode = 0 // pass, or only warnings
	ExitFailed       ExitCode = 1 // a policy failed, conclusively
	ExitUsage        ExitCode = 2 // wrong usage, configuration or policy
	ExitInconclusive ExitCode = 3 // something is missing or unknown that could change the outcome
	ExitRejected     ExitCode = 4 // the report was not accepted
	ExitUnreachable  ExitCode = 5 // the server did not answer
)

// Verdict is a gate's answer, with all that it rests on. It is a function of its
// inputs: the same inputs give the same bytes of JSON.
type Verdict struct {
	ID              string          `json:"id"` // made of the inputs' digest
	Overall         Decision        `json:"overall"`
	Conclusive      bool            `json:"conclusive"` // nothing that is unknown could change Overall
	WouldBe         Decision        `json:"would_be"`   // Overall, were every policy enforced now
	Mode            Mode            `json:"mode"`       // the strictest of the policies
	Exit            ExitCode        `json:"exit_code"`
	Provisional     bool            `json:"provisional,omitempty"` // decided without the server
	DecidedAt       time.Time       `json:"decided_at"`
	ValidUntil      time.Time       `json:"valid_until,omitzero"` // when time alone may change it
	ValidUntilWhy   string          `json:"valid_until_why,omitempty"`
	Subject         Subject         `json:"subject"`
	Inputs          InputDigests    `json:"inputs"`
	Why             []string        `json:"why"` // one sentence for each rule and lack that decided
	Green           *WayToGreen     `json:"shortest_way_to_green,omitempty"`
	Policies        []PolicyVerdict `json:"policies"`
	Missing         []MissingScan   `json:"missing"` // evidence that policies require and that is not there
	Baseline        *BaselineUsed   `json:"baseline,omitempty"`
	Deltas          map[Delta]int   `json:"deltas"`       // findings by why they are here
	Dispositions    []Disposition   `json:"dispositions"` // every finding exactly once
	Findings        []FindingView   `json:"findings"`     // those that matter, worst first
	FindingsOmitted int             `json:"findings_omitted,omitempty"`
	Waivers         []WaiverUse     `json:"waivers,omitempty"`
	Intel           []IntelUse      `json:"intel,omitempty"`
	Notes           []string        `json:"notes"`
}

// Subject is what a verdict is about.
type Subject struct {
	Product         string   `json:"product"`
	Component       string   `json:"component,omitempty"` // a part of a monorepo
	Repository      string   `json:"repository,omitempty"`
	Commit          string   `json:"commit,omitempty"`
	Branch          string   `json:"branch,omitempty"`
	TargetBranch    string   `json:"target_branch,omitempty"`
	PullRequest     int      `json:"pull_request,omitempty"`
	Event           string   `json:"event,omitempty"`
	ArtifactDigests []string `json:"artifact_digests,omitempty"` // "sha256:…"
}

// InputDigests are the SHA-256 of the canonical JSON of each part of the inputs,
// as "sha256:" and hex. All is over the others and the time of decision.
type InputDigests struct {
	All              string `json:"all"`
	Policies         string `json:"policies"`
	Context          string `json:"context"`
	Runs             string `json:"runs"`
	Findings         string `json:"findings"`
	Baseline         string `json:"baseline"`
	BaselineFindings string `json:"baseline_findings"`
	Waivers          string `json:"waivers"`
	VEX              string `json:"vex"`
	Intel            string `json:"intel"`
}

// PolicyVerdict is what one policy says.
type PolicyVerdict struct {
	Name          string        `json:"name"`
	Origin        string        `json:"origin"` // builtin, server or repository
	Digest        string        `json:"digest"` // of its text
	Mode          Mode          `json:"mode"`
	EffectiveFrom time.Time     `json:"effective_from,omitzero"` // only if that is still to come
	Overall       Decision      `json:"overall"`
	WouldBe       Decision      `json:"would_be"`
	Conclusive    bool          `json:"conclusive"`
	Rules         []RuleVerdict `json:"rules"`
}

// RuleVerdict is what one rule says. It holds if observed ≤ max.
type RuleVerdict struct {
	ID          string         `json:"id"`
	Description string         `json:"description,omitempty"`
	Level       Decision       `json:"level"` // what violating it means: warn or fail
	Outcome     RuleOutcome    `json:"outcome"`
	Decision    Decision       `json:"decision"` // before the policy's mode
	Observed    int            `json:"observed"` // distinct Per
	Unknown     int            `json:"unknown"`  // what could come on top
	Max         int            `json:"max"`
	Per         string         `json:"per"`
	Why         string         `json:"why"`
	Findings    []int64        `json:"findings"`           // those counted
	Unknowns    []UnknownMatch `json:"unknowns,omitempty"` // those that may count
	Waived      []WaivedMatch  `json:"waived,omitempty"`
	InGrace     []GraceMatch   `json:"in_grace,omitempty"`
	Excluded    []Excluded     `json:"excluded_summary,omitempty"`
	Ratchet     []RatchetCount `json:"ratchet,omitempty"`
	Assumed     []Assumed      `json:"assumed,omitempty"`
}

// UnknownMatch is a group of findings of which the same fields are missing.
type UnknownMatch struct {
	Fields   []string `json:"fields"`
	Findings []int64  `json:"findings"`
}

// WaivedMatch is a group of findings that one waiver takes out of a count.
type WaivedMatch struct {
	Waiver   string  `json:"waiver"`
	Findings []int64 `json:"findings"`
}

// GraceMatch is a group of findings that will count from Due on; a zero Due is
// for those that wait for a fix to be published.
type GraceMatch struct {
	Due      time.Time `json:"due,omitzero"`
	Findings []int64   `json:"findings"`
}

// Excluded is how many findings a rule left out for one reason.
type Excluded struct {
	Code   DispositionCode `json:"code"`
	Detail string          `json:"detail,omitempty"`
	Count  int             `json:"count"`
}

// RatchetCount compares head and base for one key of a ratchet.
type RatchetCount struct {
	Key         string `json:"key"`
	Head        int    `json:"head"`
	HeadUnknown int    `json:"head_unknown,omitempty"`
	Base        int    `json:"base"`
	BaseUnknown int    `json:"base_unknown,omitempty"`
}

// Assumed says that a policy took a value for a field that is not known.
type Assumed struct {
	Field    string `json:"field"`
	Value    string `json:"value"`
	Findings int    `json:"findings"`
}

// MissingScan is evidence that a policy requires and that is not there.
type MissingScan struct {
	Policy   string   `json:"policy"`
	ID       string   `json:"id"` // the requirement
	On       string   `json:"on"` // head or base
	Why      string   `json:"why"`
	Scanners []string `json:"scanners"` // those without a good run
	Need     int      `json:"need"`     // how many of them are needed
	Detail   string   `json:"detail"`
}

// BaselineUsed tells what the findings were compared with.
type BaselineUsed struct {
	Kind     string   `json:"kind"` // merge_base, ancestor, group_base, previous or none
	Commit   string   `json:"commit,omitempty"`
	Branch   string   `json:"branch,omitempty"`
	Distance int      `json:"distance,omitempty"` // commits from the merge base to it
	Scanners []string `json:"scanners,omitempty"` // those with a complete run there
}

// FindingView is what a verdict tells of one finding.
type FindingView struct {
	ID              int64           `json:"id"`
	Fingerprint     string          `json:"fingerprint"`
	Title           string          `json:"title"`
	Severity        Severity        `json:"severity"`
	Category        string          `json:"category,omitempty"`
	Scanner         string          `json:"scanner,omitempty"`
	Rule            string          `json:"rule,omitempty"` // the scanner's
	Vulnerabilities []string        `json:"vulnerability_ids,omitempty"`
	PURL            string          `json:"purl,omitempty"`
	Component       string          `json:"component,omitempty"`
	Version         string          `json:"version,omitempty"`
	FixVersion      string          `json:"fix_version,omitempty"`
	Path            string          `json:"path,omitempty"`
	Line            int             `json:"line,omitempty"`
	FirstSeen       time.Time       `json:"first_seen,omitzero"`
	Delta           Delta           `json:"delta"`
	DeltaWhy        string          `json:"delta_why"` // what the delta rests on
	Code            DispositionCode `json:"code"`
	Detail          string          `json:"detail,omitempty"`
	Policy          string          `json:"policy,omitempty"`
	GateRule        string          `json:"gate_rule,omitempty"` // the policy's
	Due             time.Time       `json:"due,omitzero"`
	Waiver          string          `json:"waiver,omitempty"`
}

// WayToGreen is the smallest set of steps after which the gate would not fail:
// all are needed, and none is enough alone.
type WayToGreen struct {
	Steps   []GreenStep `json:"steps"`
	Omitted int         `json:"steps_omitted,omitempty"` // more of them, of the dearest kinds
	Why     string      `json:"why"`
}

// StepKind is what kind of work a step is.
type StepKind string

// The kinds, cheapest first.
const (
	StepScan    StepKind = "scan"    // bring evidence that is missing
	StepLearn   StepKind = "learn"   // find out what is not known
	StepUpgrade StepKind = "upgrade" // raise a component to a version that has the fix
	StepRevoke  StepKind = "revoke"  // revoke a secret and remove it
	StepChange  StepKind = "change"  // change code or configuration
	StepReplace StepKind = "replace" // no fix is known: replace or remove the component, or ask for a waiver
	StepBase    StepKind = "base"    // bring a baseline
)

// GreenStep is one thing to do.
type GreenStep struct {
	Kind     StepKind `json:"kind"`
	Text     string   `json:"text"`
	Findings []int64  `json:"findings,omitempty"` // those that it ends
	Command  string   `json:"command,omitempty"`  // the other way: ask for a waiver
}

// IntelUse is a snapshot of outside knowledge that a verdict used.
type IntelUse struct {
	Name  string `json:"name"` // epss, kev or advisories
	ID    string `json:"id,omitempty"`
	Date  Date   `json:"date,omitzero"`
	Stale bool   `json:"stale,omitempty"` // too old for a policy: taken as unknown
}

// DispositionOf returns what was done with the finding of that id.
func (v *Verdict) DispositionOf(id int64) (Disposition, bool) {
	for _, d := range v.Dispositions {
		if _, ok := slices.BinarySearch(d.Findings, id); ok {
			return d, true
		}
	}
	return Disposition{}, false
}

// ExitStrictly is the exit code if warnings, too, are to fail the build. No flag
// changes what a number means: it is still a policy that is violated.
func (v *Verdict) ExitStrictly() ExitCode {
	if v.Overall == Warn {
		return ExitFor(Fail, v.Conclusive)
	}
	return v.Exit
}

// ExitFor maps a decision to the exit code that stands for it.
func ExitFor(d Decision, conclusive bool) ExitCode {
	switch {
	case d != Fail:
		return ExitPassed
	case conclusive:
		return ExitFailed
	}
	return ExitInconclusive
}
