package trivy

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// modified is a finding that something outside of the scan changed: a
// .trivyignore file, a policy, or a VEX document. It stands nowhere else in the
// report. https://github.com/aquasecurity/trivy/blob/main/pkg/types/finding.go
type modified struct {
	Type      string         `json:"Type"`
	Status    stream.Text    `json:"Status"`
	Statement stream.Text    `json:"Statement"`
	Source    stream.Text    `json:"Source"`
	Finding   jsontext.Value `json:"Finding"`
}

// observation is of the finding; there is none of a kind that we do not know.
func (m modified) observation(t target) (gate.Observation, bool, error) {
	var o gate.Observation
	var err error
	switch m.Type {
	case "vulnerability":
		o, err = decode(m.Finding, func(v *vulnerability) gate.Observation { return v.observation(t) })
	case "misconfiguration":
		o, err = decode(m.Finding, func(v *misconfiguration) gate.Observation { return v.observation(t) })
	case "secret":
		o, err = decode(m.Finding, func(v *secret) gate.Observation { return v.observation(t) })
	case "license":
		o, err = decode(m.Finding, func(v *license) gate.Observation { return v.observation(t) })
	default:
		return o, false, nil
	}
	m.apply(&o)
	return o, true, err
}

func decode[T any](finding jsontext.Value, f func(*T) gate.Observation) (gate.Observation, error) {
	var v T
	if err := stream.Unmarshal(finding, &v); err != nil {
		return gate.Observation{}, stream.Errorf("a modified finding is not of its type: %v", err)
	}
	return f(&v), nil
}

// apply says what became of the finding. The text of the impact has it, which is
// no part of a finding's identity: it is the same when nobody suppresses it.
func (m modified) apply(o *gate.Observation) {
	status := strings.ReplaceAll(string(m.Status), "_", " ")
	why := parsers.First(string(m.Statement), "no statement says why")
	if m.Source != "" {
		why = string(m.Source) + ": " + why
	}
	switch m.Status {
	case "ignored", "not_affected", "fixed":
		o.Active, o.Verified, o.Mitigated = new(false), false, m.Status != "ignored"
		o.Tags = append(o.Tags, "suppressed")
	case "under_investigation":
		o.UnderReview = true
	}
	o.Impact = strings.TrimSpace("Changed after the scan to \"" + status + "\", by " + why + ".\n\n" + o.Impact)
}
