package policies

import (
	"fmt"
	"time"

	"defectdojo/gate"
)

// facts is one finding as one rule sees it: with what the policy takes for
// unknown values, and without what is too old.
type facts struct {
	*Finding
	delta        gate.Delta // "" when there is no baseline for it
	epss, pct    *float64
	cvss         *float64
	kev, ransom  *bool
	fixAvailable *bool
	fixPublished *time.Time
	direct       *bool
	reachability string
	assumed      fieldSet // of those above, the ones that are an assumption
}

var (
	componentDeltas = []gate.Delta{gate.DeltaIntroduced, gate.DeltaReopened, gate.DeltaDisclosed, gate.DeltaExisting}
	codeDeltas      = []gate.Delta{gate.DeltaIntroduced, gate.DeltaReopened, gate.DeltaRuleDrift, gate.DeltaExisting}
)

// possibleDeltas lists the deltas that a finding without a baseline may have.
func (fa *facts) possibleDeltas() []gate.Delta {
	if fa.isComponent() {
		return componentDeltas
	}
	return codeDeltas
}

// fieldSet is a set of the fields that can be unknown.
type fieldSet uint16

// The fields that can be unknown.
const (
	fieldEPSS fieldSet = 1 << iota
	fieldEPSSPercentile
	fieldCVSS
	fieldKEV
	fieldRansomware
	fieldFixAvailable
	fieldFixPublished
	fieldDirect
	fieldReachability
	fieldDelta
	fieldWaiver // whether a waiver covers it
)

// fieldNames are the fields' names, in the order of their bits.
var fieldNames = []string{
	"epss", "epss_percentile", "cvss", "kev", "ransomware", "fix_available", "fix_published",
	"direct", "reachability", "delta", "waiver",
}

// names lists a set.
func (s fieldSet) names() []string {
	out := []string{}
	for i, n := range fieldNames {
		if s&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// fieldOf returns the field of that name, or 0 if there is none that can be unknown.
func fieldOf(name string) fieldSet {
	for i, n := range fieldNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// see fills fa with a finding as seen under an assumption, without stale fields.
func (fa *facts) see(f *Finding, delta gate.Delta, a *Assume, stale fieldSet) {
	*fa = facts{
		Finding: f, delta: delta, epss: f.EPSS, pct: f.EPSSPercentile, cvss: f.CVSS, kev: f.KEV, ransom: f.Ransomware,
		fixAvailable: f.fix(), fixPublished: f.FixPublished, direct: f.Direct, reachability: f.Reachability,
	}
	if stale != 0 {
		fa.forget(stale)
	}
	if !f.isComponent() && len(f.Vulnerabilities) == 0 {
		fa.settle()
	}
	fa.assume(a)
	if fa.delta == gate.DeltaNoBaseline {
		fa.delta = ""
	}
}

// forget makes values unknown that come from a source that is too old. What was
// true once stays true: a known exploit does not go away.
func (fa *facts) forget(stale fieldSet) {
	if stale&fieldEPSS != 0 {
		fa.epss, fa.pct = nil, nil
	}
	if stale&fieldKEV != 0 {
		fa.kev, fa.ransom = onlyTrue(fa.kev), onlyTrue(fa.ransom)
	}
	if stale&fieldFixAvailable != 0 {
		fa.fixAvailable = onlyTrue(fa.fixAvailable)
	}
}

// settle fills in what is only asked of known vulnerabilities and of components,
// for a finding that is neither: that is not unknown, it does not apply. No
// catalogue lists it, no newer version fixes it, and its code is ours and used.
func (fa *facts) settle() {
	or0(&fa.epss, 0)
	or0(&fa.pct, 0)
	or0(&fa.kev, false)
	or0(&fa.ransom, false)
	or0(&fa.fixAvailable, false)
	or0(&fa.direct, true)
	if fa.reachability == "" {
		fa.reachability = "reachable"
	}
}

// or0 gives a value to what has none.
func or0[T any](to **T, v T) {
	if *to == nil {
		*to = &v
	}
}

func onlyTrue(b *bool) *bool {
	if b != nil && !*b {
		return nil
	}
	return b
}

func (fa *facts) assume(a *Assume) {
	if a == nil {
		return
	}
	take(&fa.epss, a.EPSS, fa, fieldEPSS)
	take(&fa.cvss, a.CVSS, fa, fieldCVSS)
	take(&fa.kev, a.KEV, fa, fieldKEV)
	take(&fa.ransom, a.Ransomware, fa, fieldRansomware)
	take(&fa.fixAvailable, a.FixAvailable, fa, fieldFixAvailable)
	take(&fa.direct, a.Direct, fa, fieldDirect)
	if fa.reachability == "" && a.Reachability != "" {
		fa.reachability = a.Reachability
		fa.assumed |= fieldReachability
	}
	if fa.fixPublished == nil && a.FixPublished == "first_seen" {
		fa.fixPublished = &fa.FirstSeen
		fa.assumed |= fieldFixPublished
	}
}

// take puts the assumed value where there is none.
func take[T any](to **T, value *T, fa *facts, field fieldSet) {
	if *to == nil && value != nil {
		*to = value
		fa.assumed |= field
	}
}

// value returns what is assumed for a field, as text.
func (a *Assume) value(field string) string {
	text := func(v any) string { return fmt.Sprint(v) }
	switch field {
	case "epss", "epss_percentile":
		return text(*a.EPSS)
	case "cvss":
		return text(*a.CVSS)
	case "kev":
		return text(*a.KEV)
	case "ransomware":
		return text(*a.Ransomware)
	case "fix_available":
		return text(*a.FixAvailable)
	case "direct":
		return text(*a.Direct)
	case "reachability":
		return a.Reachability
	}
	return a.FixPublished
}
