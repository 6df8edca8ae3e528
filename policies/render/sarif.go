package render

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"

	"defectdojo/gate"
)

// The parts of SARIF 2.1.0 that a verdict needs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Automation struct {
			ID string `json:"id"`
		} `json:"automationDetails"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]any    `json:"properties"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID     string    `json:"id"`
		Short  sarifText `json:"shortDescription"`
		Full   sarifText `json:"fullDescription"`
		Config struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
		Properties map[string]any `json:"properties"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful bool        `json:"executionSuccessful"`
		EndTime    string      `json:"endTimeUtc"`
		Exit       int         `json:"exitCode"`
		Notes      []sarifNote `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNote struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Baseline     string             `json:"baselineState,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Status        string `json:"status"`
		Justification string `json:"justification"`
	}
)

// SARIF writes a verdict as a run of a tool whose rules are the gate's. What is
// waived is there, suppressed.
func SARIF(w io.Writer, v *gate.Verdict) error {
	run := sarifRun{
		Invocations: []sarifInvocation{{Successful: v.Overall != gate.Fail || v.Conclusive, EndTime: v.DecidedAt.Format("2006-01-02T15:04:05.000Z"), Exit: int(v.Exit)}},
		Results:     []sarifResult{}, Properties: map[string]any{"verdict": v.ID, "overall": v.Overall, "conclusive": v.Conclusive, "inputs": v.Inputs.All},
	}
	run.Tool.Driver.Name = "DefectDojo gate"
	run.Automation.ID = "gate/" + url.PathEscape(v.Subject.Product) + "/" + url.PathEscape(v.Subject.Component)
	index := map[string]int{}
	for i := range v.Policies {
		for j := range v.Policies[i].Rules {
			r := rule(&v.Policies[i], &v.Policies[i].Rules[j])
			index[r.ID] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, r)
		}
	}
	for _, m := range v.Missing {
		run.Invocations[0].Notes = append(run.Invocations[0].Notes, sarifNote{"error", sarifText{fmt.Sprintf("%s/%s: %s: %s", m.Policy, m.ID, m.Why, m.Detail)}})
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		r := result(v, f)
		r.RuleIndex = index[r.RuleID]
		run.Results = append(run.Results, r)
	}
	return writeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func rule(p *gate.PolicyVerdict, r *gate.RuleVerdict) sarifRule {
	out := sarifRule{ID: p.Name + "/" + r.ID, Short: sarifText{cmp.Or(r.Description, r.ID)}, Full: sarifText{r.Why}}
	out.Config.Level = sarifLevel(p, r)
	out.Properties = map[string]any{"outcome": r.Outcome, "observed": r.Observed, "unknown": r.Unknown, "max": r.Max, "policyDigest": p.Digest}
	return out
}

// sarifLevel says how bad it is to be counted by a rule.
func sarifLevel(p *gate.PolicyVerdict, r *gate.RuleVerdict) string {
	switch {
	case r == nil || p.Mode == gate.ModeAudit:
		return "note"
	case r.Level == gate.Fail && p.Mode == gate.ModeEnforce && p.EffectiveFrom.IsZero():
		return "error"
	}
	return "warning"
}

func result(v *gate.Verdict, f *gate.FindingView) sarifResult {
	p, r := ruleOf(v, f)
	out := sarifResult{
		RuleID: f.Policy + "/" + f.GateRule, Level: sarifLevel(p, r), Message: sarifText{fmt.Sprintf("%s (%s): %s", where(f), deltaWords(f.Delta), what(f))},
		Fingerprints: map[string]string{"defectdojo/v1": f.Fingerprint}, Locations: []sarifLocation{location(f)},
		Properties: map[string]any{"finding": f.ID, "severity": f.Severity, "delta": f.Delta, "disposition": f.Code},
	}
	switch f.Delta {
	case gate.DeltaExisting:
		out.Baseline = "unchanged"
	case gate.DeltaNoBaseline:
	default:
		out.Baseline = "new"
	}
	switch f.Code {
	case gate.DispositionWaived:
		out.Suppressions = []sarifSuppression{{"external", "accepted", "waiver " + f.Waiver}}
	case gate.DispositionInGrace:
		out.Level = "note"
	case gate.DispositionUnknown:
		out.Level = "warning"
	}
	return out
}

func location(f *gate.FindingView) sarifLocation {
	var l sarifLocation
	if f.Path != "" {
		l.Physical = &sarifPhysical{}
		l.Physical.Artifact.URI = uri(f.Path)
		if f.Line > 0 {
			l.Physical.Region = &sarifRegion{f.Line}
		}
	}
	if f.PURL != "" || f.Component != "" {
		l.Logical = []sarifLogical{{cmp.Or(f.PURL, f.Component), "package"}}
	}
	return l
}

// uri makes a path one that is relative to the repository's root.
func uri(path string) string {
	path = strings.TrimLeft(strings.ReplaceAll(path, `\`, "/"), "/")
	return (&url.URL{Path: path}).String()
}
