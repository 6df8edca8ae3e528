// Package iriusrisk reads the CSV of threats that IriusRisk, the threat-modelling platform, exports.
//
// Made in IriusRisk by "Threats, Export to CSV". The columns:
//
//	Component, Use case, Source, Threat, Risk Response, Inherent Risk, Current Risk, Countermeasure progress,
//	Weakness tests, Countermeasure tests, Projected Risk, Owner, MITRE reference, STRIDE-LM
//
// The current risk is the severity; "Very low" is Info. A threat that its
// countermeasures mitigate by 100% is closed. A MITRE reference is a weakness
// ("CWE-284") or a technique ("T1059").
package iriusrisk

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads IriusRisk's threats.
var Parsers = []parsers.Parser{{
	Name:     "iriusrisk",
	ScanType: "IriusRisk Threats Scan",
	Files:    "CSV",
	Command:  "IriusRisk: Threats, Export to CSV",
	URL:      "https://www.iriusrisk.com",
	Analysis: gate.Neither,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("Component", "Use case", "Threat", "Risk Response", "Current Risk") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "IriusRisk"
	return stream.CSV(in, []string{"Component", "Threat", "Current Risk"}, func(r stream.Row) error {
		if r.Get("Threat") != "" {
			out.Emit(observation(r))
		}
		return nil
	})
}

func observation(r stream.Row) gate.Observation {
	response, mitre := r.Get("Risk Response"), r.Get("MITRE reference")
	o := gate.Observation{
		Title:         shorten(r.Get("Threat")),
		Severity:      severity(r.Get("Current Risk")),
		Description:   description(r),
		Mitigation:    response,
		ComponentName: r.Get("Component"),
	}
	if strings.HasPrefix(strings.ToUpper(mitre), "CWE") {
		o.CWE = gate.ParseCWE(mitre)
	} else {
		o.References = mitre
	}
	if hasMitigated(response) {
		o.Active = new(false)
	}
	return o
}

// hasMitigated tells whether the risk response says "Mitigated: 100%".
func hasMitigated(response string) bool {
	for part := range strings.SplitSeq(response, ".") {
		if strings.EqualFold(strings.Join(strings.Fields(part), " "), "mitigated: 100%") {
			return true
		}
	}
	return false
}

// shorten cuts a threat to 500 characters, a title's length.
func shorten(s string) string {
	if r := []rune(s); len(r) > 500 {
		return string(r[:497]) + "..."
	}
	return s
}

func severity(risk string) gate.Severity {
	if strings.EqualFold(risk, "very low") {
		return gate.Info
	}
	return gate.ParseSeverity(risk)
}

func description(r stream.Row) string {
	var text parsers.Text
	text.Add(r.Get("Threat"))
	for _, name := range []string{
		"Component", "Use case", "Source", "Inherent Risk", "Current Risk", "Projected Risk",
		"Countermeasure progress", "Weakness tests", "Countermeasure tests", "Owner", "STRIDE-LM",
	} {
		text.Fact(sentence(name), r.Get(name))
	}
	return text.String()
}

// sentence writes a column's name as the other facts are written.
func sentence(name string) string {
	if name == "STRIDE-LM" {
		return name
	}
	return name[:1] + strings.ToLower(name[1:])
}
