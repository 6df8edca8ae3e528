package policies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"defectdojo/gate"
)

// Policy is a parsed, checked and compiled policy. Make it with Parse.
type Policy struct {
	Name        string
	Owner       string
	Description string
	Origin      Origin
	Digest      string // of Source
	Source      string // the YAML
	Spec        Spec

	scopeWhen *expression
	voidIf    *expression
	rules     []rule
	places    places
}

// Origin is where a policy comes from. All of them apply together, so one from a
// repository can only tighten.
type Origin string

// The origins.
const (
	FromBuiltin    Origin = "builtin"
	FromServer     Origin = "server"
	FromRepository Origin = "repository"
)

func (o Origin) rank() int {
	switch o {
	case FromBuiltin:
		return 0
	case FromServer:
		return 1
	}
	return 2
}

// Spec is what a policy demands.
type Spec struct {
	Mode          gate.Mode     `yaml:"mode"`
	EffectiveFrom time.Time     `yaml:"effective_from"` // before it, the policy only warns
	Scope         Scope         `yaml:"scope"`
	Require       []Requirement `yaml:"require"`
	Defaults      Defaults      `yaml:"defaults"`
	Intel         IntelTerms    `yaml:"intel"`
	Rules         []Rule        `yaml:"rules"`
	Waivers       WaiverTerms   `yaml:"waivers"`
}

// Scope says what a policy is for. An empty list is no limit; names and paths
// are globs: "*" within a path element, "**" across them.
type Scope struct {
	Products       ProductScope `yaml:"products"`
	Components     list         `yaml:"components"`
	Repositories   list         `yaml:"repositories"`
	Events         list         `yaml:"events"`
	TargetBranches list         `yaml:"target_branches"`
	Environments   list         `yaml:"environments"`
	When           string       `yaml:"when"` // CEL over product and change
}

// ProductScope says for which products. Any of the tags or any of the names will
// do, if given; an excluded one never does.
type ProductScope struct {
	Tags    list `yaml:"tags"`
	Names   list `yaml:"names"`
	Types   list `yaml:"types"`
	Exclude list `yaml:"exclude"`
}

// Requirement is evidence that must be there.
type Requirement struct {
	ID       string   `yaml:"id"`
	AnyOf    list     `yaml:"any_of"`
	AllOf    list     `yaml:"all_of"`
	AtLeast  int      `yaml:"at_least"` // of any_of; 1 when not given
	MaxAge   Duration `yaml:"max_age"`
	On       list     `yaml:"on"` // head, base; head when not given
	Trusted  bool     `yaml:"trusted"`
	Artifact bool     `yaml:"artifact"` // the run must be of one of the artifacts that are built
	// MaxShrink is how far the number of components may fall below the median of
	// the last runs, in percent, before the run is implausible; 0: not looked at.
	MaxShrink int `yaml:"max_shrink"`
	// AllowEmpty accepts a run without results where the last ones had many.
	AllowEmpty bool `yaml:"allow_empty"`
}

// Defaults are for all rules of a policy.
type Defaults struct {
	Statuses       list          `yaml:"statuses"`        // open, confirmed and in_review when not given
	OnInconclusive gate.Decision `yaml:"on_inconclusive"` // fail when not given
	OnFirstScan    string        `yaml:"on_first_scan"`   // inconclusive (when not given) or existing
	Grace          Grace         `yaml:"grace"`
	Assume         Assume        `yaml:"assume"`
}

// IntelTerms say how old outside knowledge may be: what is older is unknown.
type IntelTerms struct {
	MaxAge struct {
		EPSS       Duration `yaml:"epss"`
		KEV        Duration `yaml:"kev"`
		Advisories Duration `yaml:"advisories"`
	} `yaml:"max_age"`
}

// Rule is one threshold: it is violated if observed > max.
type Rule struct {
	ID             string        `yaml:"id"`
	Description    string        `yaml:"description"`
	Level          gate.Decision `yaml:"level"` // fail when not given, or warn
	Select         Select        `yaml:"select"`
	When           string        `yaml:"when"` // CEL over a finding
	Max            int           `yaml:"max"`
	Per            string        `yaml:"per"`
	Grace          Grace         `yaml:"grace"`
	Assume         Assume        `yaml:"assume"`
	OnInconclusive gate.Decision `yaml:"on_inconclusive"`
	Unknown        string        `yaml:"unknown"` // "inconclusive": said on purpose, for lint
	Ratchet        *Ratchet      `yaml:"ratchet"`
}

// Select says which findings a rule is for. What is not given matches all; of a
// list any will do.
type Select struct {
	Severity        list     `yaml:"severity"`
	SeverityAtLeast string   `yaml:"severity_at_least"`
	Delta           list     `yaml:"delta"` // "new" is introduced and reopened
	Category        list     `yaml:"category"`
	Status          list     `yaml:"status"`
	Scanner         list     `yaml:"scanner"`
	Rule            list     `yaml:"rule"` // globs
	CWE             ints     `yaml:"cwe"`
	Vulnerability   list     `yaml:"vulnerability"`
	PURL            list     `yaml:"purl"`      // globs
	Component       list     `yaml:"component"` // globs
	Path            list     `yaml:"path"`      // globs
	NotPath         list     `yaml:"not_path"`  // globs
	Tags            list     `yaml:"tags"`
	License         list     `yaml:"license"`
	Verified        list     `yaml:"verified"` // active, inactive, untried
	FixAvailable    *bool    `yaml:"fix_available"`
	KEV             *bool    `yaml:"kev"`
	Direct          *bool    `yaml:"direct"`
	Reachability    list     `yaml:"reachability"`
	EPSSAtLeast     *float64 `yaml:"epss_at_least"`
	CVSSAtLeast     *float64 `yaml:"cvss_at_least"`
}

// What a rule counts: distinct ones of these.
const (
	PerFinding       = "finding"
	PerVulnerability = "vulnerability"
	PerComponent     = "component"
	PerRule          = "rule"
	PerPath          = "path"
)

// Ratchet demands that there be no more than in the baseline.
type Ratchet struct {
	By         string `yaml:"by"` // severity or total
	Severities list   `yaml:"severities"`
}

// Assume is what a policy takes for values that are not known. It is said in the
// verdict how often it did.
type Assume struct {
	EPSS         *float64 `yaml:"epss"`
	CVSS         *float64 `yaml:"cvss"`
	KEV          *bool    `yaml:"kev"`
	Ransomware   *bool    `yaml:"ransomware"`
	FixAvailable *bool    `yaml:"fix_available"`
	Direct       *bool    `yaml:"direct"`
	Reachability string   `yaml:"reachability"`
	FixPublished string   `yaml:"fix_published"` // only "first_seen"
}

// WaiverTerms say which waivers a policy accepts.
type WaiverTerms struct {
	MaxTTL    map[string]Duration `yaml:"max_ttl"`   // by severity, or default
	Approvals map[string]int      `yaml:"approvals"` // by severity, or default; 1 when not given
	VoidIf    string              `yaml:"void_if"`   // CEL over a finding
	Accept    list                `yaml:"accept"`    // server, repository
	Evidence  list                `yaml:"evidence"`  // severities of which a waiver needs a VEX document
}

// Grace is how long a matched finding may stay before it counts.
type Grace struct {
	From string              // first_seen, fix_published or actionable: the later of the two
	By   map[string]Duration // by delta, else by severity, else default
}

// policyJSON is how a policy is kept among the inputs of a verdict: its text
// says all.
type policyJSON struct {
	Name   string `json:"name"`
	Origin Origin `json:"origin"`
	Digest string `json:"digest"`
	Source string `json:"source"`
}

// MarshalJSON writes the policy's text and where it is from.
func (p *Policy) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := canonical(&b, policyJSON{p.Name, p.Origin, p.Digest, p.Source})
	return b.Bytes(), err
}

// UnmarshalJSON parses the text again, and refuses one that is not of its digest.
func (p *Policy) UnmarshalJSON(b []byte) error {
	var j policyJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if d := Digest([]byte(j.Source)); d != j.Digest {
		return gate.Errorf(gate.Invalid, "policy %s: its text has digest %s, not %s", j.Name, d, j.Digest)
	}
	v, err := Parse(j.Name, j.Origin, []byte(j.Source))
	if err != nil {
		return fmt.Errorf("policy %s: %w", j.Name, err)
	}
	*p = *v
	return nil
}
