// Package trustwave reads the CSV of Trustwave's network scans.
//
// Made in TrustKeeper by "Export, CSV". The columns:
//
//	Status,IP,Target Name,Domain,Vulnerability Name,Description,Remediation,Protocol,Port,Severity,CVE,Service,Evidence
//
// A severity is its first letter. The same vulnerability, with the same texts, is
// one finding of several endpoints.
package trustwave

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Trustwave's CSV.
var Parsers = []parsers.Parser{{
	Name:     "trustwave",
	ScanType: "Trustwave Scan (CSV)",
	Files:    "CSV",
	Command:  "TrustKeeper: Export, CSV",
	URL:      "https://www.trustwave.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("Target Name", "Vulnerability Name", "Remediation", "Evidence") {
		return parsers.Sure
	}
	return parsers.No
}

type key struct{ severity, title, description string }

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Trustwave"
	var order []*gate.Observation
	byKey := map[key]*gate.Observation{}
	err := stream.CSV(in, []string{"Vulnerability Name", "Severity", "IP"}, func(r stream.Row) error {
		o := observation(r)
		if o.Title == "" {
			return nil
		}
		k := key{r.Get("Severity"), o.Title, r.Get("Description")}
		if same := byKey[k]; same != nil {
			*same.Occurrences++
			same.Endpoints = append(same.Endpoints, o.Endpoints...)
			return nil
		}
		byKey[k] = &o
		order = append(order, &o)
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range order {
		out.Emit(*o)
	}
	return nil
}

var severities = map[string]gate.Severity{"C": gate.Critical, "H": gate.High, "M": gate.Medium, "L": gate.Low, "I": gate.Info}

func observation(r stream.Row) gate.Observation {
	severity, known := severities[strings.ToUpper(r.Get("Severity"))]
	if !known {
		severity = gate.ParseSeverity(r.Get("Severity"))
	}
	var text parsers.Text
	text.Add(r.Get("Description")).Fact("Target", r.Get("Target Name")).Fact("Service", r.Get("Service")).Fact("Status", r.Get("Status"))
	return gate.Observation{
		Title:            r.Get("Vulnerability Name"),
		Severity:         severity,
		Description:      text.String(),
		Mitigation:       r.Get("Remediation"),
		References:       r.Get("Evidence"),
		VulnerabilityIDs: ids(r.Get("CVE")),
		Endpoints:        []string{parsers.HostPort(r.Get("Protocol"), parsers.First(r.Get("Domain"), r.Get("IP")), r.Get("Port"))},
		Occurrences:      new(1),
	}
}

// ids are the ids of a cell, as they are.
func ids(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' })
}
