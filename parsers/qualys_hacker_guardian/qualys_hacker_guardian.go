// Package qualys_hacker_guardian reads the CSV report of HackerGuardian, Sectigo's PCI scans by Qualys.
//
// Made in HackerGuardian by "Reports, Download, CSV". Each row is a vulnerability of a port. The columns:
//
//	"IP","HOSTNAME","LAST SCAN","QID","VULN TITLE","TYPE","SEVERITY","PORT","PROTOCOL","OPERATING SYSTEM","IS_PCI",
//	"FALSE POSITIVE STATUS","CVSS_BASE","Q_SEVERITY","THREAT","IMPACT","SOLUTION","CVSS_TEMPORAL","CATEGORY","RESULT","BUGTRAQID","CVEID"
//
// Rows of the same vulnerability, severity and threat are one finding of several
// endpoints. Q_SEVERITY, from 1 to 5, is the severity; "-" stands for nothing.
package qualys_hacker_guardian

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads HackerGuardian's CSV.
var Parsers = []parsers.Parser{{
	Name:     "qualys_hacker_guardian",
	ScanType: "Qualys Hacker Guardian Scan",
	Files:    "CSV",
	Command:  "HackerGuardian: Reports, Download, CSV",
	URL:      "https://hackerguardian.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("VULN TITLE", "Q_SEVERITY", "IS_PCI", "QID") {
		return parsers.Likely // Qualys writes the same for its own PCI scans
	}
	return parsers.No
}

// key is what rows of one finding have in common.
type key struct{ title, severity, text string }

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Qualys HackerGuardian"
	var order []*gate.Observation
	byKey := map[key]*gate.Observation{}
	err := stream.CSV(in, []string{"VULN TITLE", "QID", "Q_SEVERITY"}, func(r stream.Row) error {
		o := observation(r)
		if o.Title == "" {
			return nil
		}
		k := key{o.Title, o.Severity.String(), r.Get("THREAT")}
		same := byKey[k]
		if same == nil {
			byKey[k] = &o
			order = append(order, &o)
			return nil
		}
		*same.Occurrences++
		same.Endpoints = append(same.Endpoints, o.Endpoints...)
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

// severities are those of Qualys's levels.
var severities = map[string]gate.Severity{"1": gate.Low, "2": gate.Low, "3": gate.Medium, "4": gate.High, "5": gate.Critical}

func observation(r stream.Row) gate.Observation {
	var text parsers.Text
	text.Fact("Category", value(r, "CATEGORY")).Fact("Threat", parsers.Markdown(value(r, "THREAT"))).Code("", value(r, "RESULT")).
		Fact("Type", value(r, "TYPE")).Fact("CVSS base score", value(r, "CVSS_BASE")).Fact("CVSS temporal score", value(r, "CVSS_TEMPORAL")).
		Fact("Operating system", value(r, "OPERATING SYSTEM")).Fact("Matters to PCI", value(r, "IS_PCI")).Fact("Bugtraq", value(r, "BUGTRAQID"))
	host := parsers.First(value(r, "HOSTNAME"), value(r, "IP"))
	o := gate.Observation{
		Title:            value(r, "VULN TITLE"),
		Severity:         severity(r),
		Description:      text.String(),
		Impact:           parsers.Markdown(value(r, "IMPACT")),
		Mitigation:       parsers.Markdown(value(r, "SOLUTION")),
		UniqueID:         value(r, "QID"),
		VulnerabilityIDs: parsers.CVEs(r.Get("CVEID")),
		Endpoints:        []string{parsers.HostPort(value(r, "PROTOCOL"), host, value(r, "PORT"))},
		Date:             parsers.ParseDate(value(r, "LAST SCAN")),
		Occurrences:      new(1),
	}
	if f := strings.ToUpper(value(r, "FALSE POSITIVE STATUS")); f == "APPROVED" || f == "Y" || f == "YES" {
		o.FalsePositive, o.Active = true, new(false)
	}
	return o
}

// severity falls back on the letter of the PCI report: L, M, H.
func severity(r stream.Row) gate.Severity {
	if s, ok := severities[value(r, "Q_SEVERITY")]; ok {
		return s
	}
	switch strings.ToUpper(value(r, "SEVERITY")) {
	case "H":
		return gate.High
	case "M":
		return gate.Medium
	case "L":
		return gate.Low
	}
	return gate.Info
}

func value(r stream.Row, column string) string {
	if v := r.Get(column); v != "-" {
		return v
	}
	return ""
}
