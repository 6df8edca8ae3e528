package anchore_grype

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// ignored is a match that does not count, with the rules that say so: of the
// configuration, of a VEX document, or Grype's own.
// https://github.com/anchore/grype/blob/main/grype/presenter/models/ignore.go
type ignored struct {
	match
	Rules []rule `json:"appliedIgnoreRules"`
}

type rule struct {
	Vulnerability    stream.Text `json:"vulnerability"`
	Reason           stream.Text `json:"reason"`
	Namespace        stream.Text `json:"namespace"`
	FixState         stream.Text `json:"fix-state"`
	VEXStatus        stream.Text `json:"vex-status"`
	VEXJustification stream.Text `json:"vex-justification"`
	Package          stream.Lenient[struct {
		Name     stream.Text `json:"name"`
		Version  stream.Text `json:"version"`
		Type     stream.Text `json:"type"`
		Location stream.Text `json:"location"`
	}] `json:"package"`
}

// observation says who ignores the match in the impact, which is no part of a
// finding's identity: it is the same when nobody does.
func (m ignored) observation(detailed bool) gate.Observation {
	o := m.match.observation(detailed)
	o.Active = new(false)
	o.Tags = append(o.Tags, "suppressed")
	var about parsers.Text
	about.Add("Grype ignores this match.")
	for _, r := range m.Rules {
		about.Fact("Rule", r.String())
		if s := string(r.VEXStatus); s == "not_affected" || s == "fixed" {
			o.Mitigated = true
		}
	}
	o.Impact = about.String()
	return o
}

// String tells what a rule is for, and why.
func (r rule) String() string {
	var parts []string
	for _, p := range []struct {
		name  string
		value stream.Text
	}{
		{"vulnerability", r.Vulnerability},
		{"namespace", r.Namespace},
		{"package", r.Package.Value.Name},
		{"version", r.Package.Value.Version},
		{"type", r.Package.Value.Type},
		{"location", r.Package.Value.Location},
		{"fix", r.FixState},
		{"VEX status", r.VEXStatus},
		{"VEX justification", r.VEXJustification},
		{"reason", r.Reason},
	} {
		if p.value != "" {
			parts = append(parts, p.name+" "+string(p.value))
		}
	}
	return strings.Join(parts, ", ")
}
