// Package skf reads the CSV of OWASP's Security Knowledge Framework: a checklist with what to know of each item.
//
// Made in SKF by "Project, Export to CSV". The columns are title, description and mitigation. A comma in a
// field is written "\,", and other characters can be escaped so, too. The list rates nothing.
package skf

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads SKF's CSV.
var Parsers = []parsers.Parser{{
	Name:     "skf",
	ScanType: "SKF Scan",
	Files:    "CSV",
	Command:  "SKF: Project, Export to CSV",
	URL:      "https://www.securityknowledgeframework.org",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("title", "description", "mitigation") && len(s.Columns) == 3 {
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "OWASP SKF"
	return stream.CSV(in, []string{"title", "description", "mitigation"}, func(r stream.Row) error {
		if title := plain(r.Get("title")); title != "" {
			out.Emit(gate.Observation{
				Title:       title,
				Severity:    gate.Info,
				Description: plain(r.Get("description")),
				Mitigation:  plain(r.Get("mitigation")),
			})
		}
		return nil
	})
}

// plain takes away the backslashes that escape what follows them. SKF does not
// double the quotes within a field; DefectDojo takes the first for the field's
// end and keeps the last, and its hash of the finding has them so.
func plain(s string) string {
	if before, after, quoted := strings.Cut(s, `"`); quoted {
		s = before + after + `"`
	}
	return strings.NewReplacer(`\\`, `\`, `\`, "").Replace(s)
}
