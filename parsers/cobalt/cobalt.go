// Package cobalt reads the CSV of a Cobalt.io penetration test's findings.
//
// Made by a pentest's "Download, CSV":
//
//	Token,Tag,Title,Type,CreatedAt,BrowserUrl,HttpRequest,CriticalityJustification,Description,StepsToReproduce,ToolsUsed,SuggestedFix,RequestParams,Prerequisites,AssignedTo,EvaluatedResult,ReportUrl,ReportedBy,ResearcherUrl,RefKey
//
// A text begins with an apostrophe, so that no spreadsheet takes it for a
// formula. There is no severity: the criticality is only told in words.
package cobalt

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Cobalt's CSV.
var Parsers = []parsers.Parser{{
	Name:     "cobalt",
	ScanType: "Cobalt.io Scan",
	Files:    "CSV",
	Command:  "Cobalt.io: a pentest's findings, Download as CSV",
	URL:      "https://docs.cobalt.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("CriticalityJustification", "StepsToReproduce", "SuggestedFix") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Cobalt.io"
	return stream.CSV(in, []string{"Title", "Type", "Description"}, func(r stream.Row) error {
		out.Emit(observation(r))
		return nil
	})
}

// get returns a field without the apostrophe.
func get(r stream.Row, column string) string {
	return strings.TrimSpace(strings.TrimPrefix(r.Get(column), "'"))
}

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"Type", "Type"},
	{"BrowserUrl", "Place"},
	{"Tag", "Tag"},
	{"Token", "Token"},
	{"CreatedAt", "Created"},
	{"EvaluatedResult", "State"},
	{"AssignedTo", "Assigned to"},
	{"ReportedBy", "Reported by"},
	{"Prerequisites", "Prerequisites"},
	{"RequestParams", "Parameters"},
	{"ToolsUsed", "Tools"},
	{"RefKey", "Reference"},
}

func observation(r stream.Row) gate.Observation {
	var text parsers.Text
	text.Add(get(r, "Description"))
	for _, f := range facts {
		text.Fact(f[1], get(r, f[0]))
	}
	text.Code("http", get(r, "HttpRequest"))
	return gate.Observation{
		Title:                 get(r, "Title"),
		Severity:              gate.Info,
		Description:           text.String(),
		Mitigation:            get(r, "SuggestedFix"),
		StepsToReproduce:      get(r, "StepsToReproduce"),
		SeverityJustification: get(r, "CriticalityJustification"),
		References:            parsers.Lines(get(r, "ReportUrl"), get(r, "ResearcherUrl")),
		URL:                   get(r, "ReportUrl"),
		Check:                 get(r, "Type"),
	}
}
