// Package flawfinder reads the SARIF of Flawfinder, a static analyser of C and C++.
//
// Made by "flawfinder --sarif . > flawfinder.sarif". Package sarif describes the
// format. A rule names its weakness as a relationship to the taxonomy of CWE.
package flawfinder

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
)

// Parsers reads Flawfinder's SARIF.
var Parsers = []parsers.Parser{{
	Name:     "flawfinder",
	ScanType: "Flawfinder Scan",
	Files:    "JSON (SARIF)",
	Command:  "flawfinder --sarif . > flawfinder.sarif",
	URL:      "https://dwheeler.com/flawfinder/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    sarif.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if sarif.Is(s) && strings.EqualFold(s.Value("runs[].tool.driver.name"), "flawfinder") {
		return parsers.Sure
	}
	return parsers.No
}
