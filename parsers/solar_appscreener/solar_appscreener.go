// Package solar_appscreener reads the CSV of Solar appScreener, an analyser of
// code.
//
// Made by a scan's export as CSV:
//
//	Vulnerability,Language,Description,Recommendations,Links,File,Line,Severity Level,Status,Trace,Vulnerability Comment,Jira Task Identifier, …
//	Hardcoded password,PHP,"…","…","https://…,https://…",misc/shared.php,151-152,Critical,Not processed,-,,-,-
//
// A line may be a range: its first counts. "-" is nothing.
package solar_appscreener

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Solar appScreener's CSV.
var Parsers = []parsers.Parser{{
	Name:     "solar_appscreener",
	ScanType: "Solar Appscreener Scan",
	Files:    "CSV",
	Command:  "Solar appScreener: a scan's results, exported as CSV",
	URL:      "https://solarappscreener.com/",
	Analysis: gate.Dynamic, // as DefectDojo says; the scanner reads code
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Vulnerability", "Recommendations", "Severity Level", "Trace"):
		return parsers.Sure
	case s.HasColumns("Vulnerability", "Description", "File", "Line", "Severity Level"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Solar appScreener"
	return stream.CSV(in, []string{"Vulnerability", "Description", "File", "Line", "Severity Level"}, func(r stream.Row) error {
		out.Emit(observation(row{r}))
		return nil
	})
}

// row is a record whose empty values are "-".
type row struct{ stream.Row }

func (r row) get(column string) string {
	if v := r.Get(column); v != "-" {
		return v
	}
	return ""
}

func observation(r row) gate.Observation {
	first, last, _ := strings.Cut(r.get("Line"), "-")
	line := stream.ParseInt(first).Ptr()
	var text parsers.Text
	text.Add(r.get("Description")).Fact("Language", r.get("Language")).Fact("Place", parsers.Place(r.get("File"), line)).Fact("Status", r.get("Status"))
	text.Fact("Trace", r.get("Trace")).Fact("Comment", r.get("Vulnerability Comment")).Fact("Jira issue", r.get("Jira Task Identifier"))
	return gate.Observation{
		Title:              r.get("Vulnerability"),
		Severity:           gate.ParseSeverity(r.get("Severity Level")),
		Description:        text.String(),
		Mitigation:         r.get("Recommendations"),
		References:         strings.ReplaceAll(r.get("Links"), ",http", "\nhttp"),
		Check:              r.get("Vulnerability"),
		FilePath:           r.get("File"),
		Line:               line,
		EndLine:            stream.ParseInt(last).Ptr(),
		SASTSourceFilePath: r.get("File"),
		SASTSourceLine:     line,
	}
}
