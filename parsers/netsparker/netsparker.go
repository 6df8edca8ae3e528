// Package netsparker reads the JSON report of Netsparker, which is Invicti's of
// today: see package invicti for the format.
package netsparker

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/invicti"
	"defectdojo/parsers/stream"
)

// Parsers reads Netsparker's JSON.
var Parsers = []parsers.Parser{{
	Name:     "netsparker",
	ScanType: "Netsparker Scan",
	Files:    "JSON",
	Command:  "Scan > Export > Vulnerabilities List (JSON)",
	URL:      "https://www.invicti.com/support/vulnerabilities-list-json/",
	Analysis: gate.Both,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return invicti.Detect(s, "Netsparker", "netsparker.com") },
	Parse: func(in *stream.Input, out *parsers.Report) error {
		return invicti.Parse(in, out, invicti.Brand{Tool: "Netsparker"})
	},
}}
