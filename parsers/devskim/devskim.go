// Package devskim reads the SARIF of DevSkim, Microsoft's linter for security in code.
//
// Made by "devskim analyze -I . -O devskim.sarif -f sarif". It is SARIF, whose
// rules and results have DevSkim's own properties:
//
//	{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "devskim", "rules": [{"id": "DS126858",
//	   "properties": {"DevSkimSeverity": "Critical", "DevSkimConfidence": "High"}}]}},
//	  "results": [{"ruleId": "DS126858", "level": "error", "message": {"text": "…"},
//	   "properties": {"tags": ["Cryptography.BannedHashAlgorithm"], "DevSkimSeverity": "Critical"}, "locations": […]}]}]}
//
// Package sarif describes the rest.
package devskim

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
	"defectdojo/parsers/stream"
)

// Parsers reads DevSkim's SARIF.
var Parsers = []parsers.Parser{{
	Name:     "devskim",
	ScanType: "DevSkim Scan",
	Files:    "SARIF",
	Command:  "devskim analyze -I . -O devskim.sarif -f sarif",
	URL:      "https://github.com/microsoft/DevSkim",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if sarif.Is(s) && strings.EqualFold(s.Value("runs[].tool.driver.name"), "devskim") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	return sarif.Walk(in, func(run *sarif.Run) error {
		sarif.Begin(out, run)
		return nil
	}, func(run *sarif.Run, result *sarif.Result) error {
		for o := range sarif.Observations(run, result) {
			out.Emit(o)
		}
		return nil
	})
}
