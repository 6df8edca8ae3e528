package policies

import (
	"time"

	"defectdojo/gate"
)

// Inputs is everything that a verdict rests on. The caller reads it from
// wherever it is kept; Evaluate looks at nothing else.
//
// The caller must supply:
//   - Policies: all that are switched on, those of the repository as they are on
//     the target branch, never on the pull request's head. Evaluate itself leaves
//     out those whose scope does not fit. Without any, the verdict passes with a note.
//   - Context: what is built, and for whom.
//   - Runs: the scan runs of the head commit and of the baseline, with those that
//     failed or are partial. A run counts as the head's or the baseline's if its
//     commit is Context.HeadCommit or Baseline.Commit; without commits, by Run.On.
//   - Head: every finding of the judged branch and component, of any status,
//     closed ones excepted: what the next report would be compared with.
//   - Baseline: what was there before; nil if there is nothing. ChooseBaseline
//     helps to find the right one.
//   - Waivers: those of the product, expired ones too: ended waivers are reported.
//     Approvals must have been checked against who may approve.
//   - VEX: statements about the product or its components. Those that are Trusted
//     rule findings out; others only support waivers.
//   - Intel: which snapshots the EPSS, KEV and fix data of the findings came from.
//   - Now: the time of decision. Evaluate reads no clock.
type Inputs struct {
	Policies []*Policy           `json:"policies"`
	Context  Context             `json:"context"`
	Runs     []Run               `json:"runs"`
	Head     []Finding           `json:"head"`
	Baseline *Baseline           `json:"baseline,omitempty"`
	Waivers  []gate.Waiver       `json:"waivers,omitempty"`
	VEX      []gate.VEXStatement `json:"vex,omitempty"`
	Intel    Intel               `json:"intel"`
	Now      time.Time           `json:"now"`

	// Provisional marks a verdict that was made without the server.
	Provisional bool `json:"provisional,omitempty"`
}

// Context is what is judged.
type Context struct {
	Product         Product  `json:"product"`
	Component       string   `json:"component,omitempty"` // a part of a monorepo: "services/pay"
	Repository      string   `json:"repository,omitempty"`
	Event           Event    `json:"event,omitempty"` // push, when empty
	Branch          string   `json:"branch,omitempty"`
	TargetBranch    string   `json:"target_branch,omitempty"` // of a pull request; else Branch
	PullRequest     int      `json:"pull_request,omitempty"`
	HeadCommit      string   `json:"head_commit,omitempty"`
	BaseCommit      string   `json:"base_commit,omitempty"`
	MergeBase       string   `json:"merge_base,omitempty"`
	Environment     string   `json:"environment,omitempty"`
	Fork            bool     `json:"fork,omitempty"` // the change comes from another repository
	Actor           string   `json:"actor,omitempty"`
	ArtifactDigests []string `json:"artifact_digests,omitempty"` // "sha256:…" of what is built
}

// Product is what a policy may know of the product.
type Product struct {
	ID                 int64    `json:"id,omitempty"`
	Name               string   `json:"name"`
	Type               string   `json:"type,omitempty"`
	Tags               []string `json:"tags,omitempty"`
	Tier               *int     `json:"tier,omitempty"`        // 1 is the most important; nil: not known
	PURLs              []string `json:"purls,omitempty"`       // ids by which VEX documents know it; none: any
	Criticality        string   `json:"criticality,omitempty"` // DefectDojo's business_criticality: "very high" …
	Lifecycle          string   `json:"lifecycle,omitempty"`
	Platform           string   `json:"platform,omitempty"`
	InternetAccessible bool     `json:"internet_accessible,omitempty"`
	ExternalAudience   bool     `json:"external_audience,omitempty"`
}

// Event is what made the build run.
type Event string

// The events.
const (
	Push        Event = "push"
	PullRequest Event = "pull_request" // or merge request
	MergeGroup  Event = "merge_group"  // a merge queue's or merge train's
	Release     Event = "release"
	Schedule    Event = "schedule"
	Manual      Event = "manual"
)

// Events lists them.
var Events = []Event{Push, PullRequest, MergeGroup, Release, Schedule, Manual}

// Run is one execution of a scanner.
type Run struct {
	ID             int64        `json:"id,omitempty"`
	Tool           string       `json:"tool"` // "trivy", as in Finding.Scanner
	Version        string       `json:"version,omitempty"`
	Ruleset        string       `json:"ruleset,omitempty"` // version or digest of its rules
	On             On           `json:"on,omitempty"`      // for builds without commits
	Commit         string       `json:"commit,omitempty"`
	ArtifactDigest string       `json:"artifact_digest,omitempty"`
	ReportDigest   string       `json:"report_digest,omitempty"`
	Outcome        gate.Outcome `json:"outcome,omitempty"` // gate.Unsaid is taken as complete
	Problems       []string     `json:"problems,omitempty"`
	CompletedAt    time.Time    `json:"completed_at"`
	Results        int          `json:"results"`                   // observations in the report
	Components     int          `json:"components,omitempty"`      // components that it lists
	Untrusted      bool         `json:"untrusted,omitempty"`       // made where the change's author decides, as in a fork's build
	Producer       string       `json:"producer,omitempty"`        // who made it, as proved: a workflow's identity
	PastResults    []int        `json:"past_results,omitempty"`    // of the tool's last complete runs here, newest first
	PastComponents []int        `json:"past_components,omitempty"` // the same for components
}

// On says at which end of a change a run was.
type On string

// The ends.
const (
	OnHead On = "head"
	OnBase On = "base"
)

// Baseline is what was there before the change.
type Baseline struct {
	Kind      string            `json:"kind"` // merge_base, ancestor, group_base or previous
	Commit    string            `json:"commit,omitempty"`
	Branch    string            `json:"branch,omitempty"`
	Distance  int               `json:"distance,omitempty"` // commits between the merge base and it
	Commits   map[string]string `json:"commits,omitempty"`  // tool → commit, of those whose last complete run was at another one
	Scanners  []string          `json:"scanners"`           // tools with a complete run there: of others nothing is known
	Findings  []Finding         `json:"findings"`           // active there; that one was closed since, its status may say
	Closed    []string          `json:"closed,omitempty"`   // fingerprints that were closed there or earlier
	Inventory []string          `json:"inventory"`          // purls that were there; nil if not known
	Contexts  map[string]string `json:"contexts,omitempty"` // path → context hashes, space-separated, in the base tree
	Renames   map[string]string `json:"renames,omitempty"`  // new path → old path
	Changed   []string          `json:"changed"`            // paths that the change touches; nil if not known
}

// Intel names the snapshots of outside knowledge that the findings' EPSS, KEV and
// fix data came from. A zero Snapshot is none.
type Intel struct {
	EPSS       Snapshot `json:"epss,omitzero"`
	KEV        Snapshot `json:"kev,omitzero"`
	Advisories Snapshot `json:"advisories,omitzero"`
}

// Snapshot is one dated state of a source.
type Snapshot struct {
	ID     string    `json:"id,omitempty"`
	Digest string    `json:"digest,omitempty"`
	At     time.Time `json:"at,omitzero"` // when its publisher made it
}
