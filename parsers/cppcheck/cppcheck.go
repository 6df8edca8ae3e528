// Package cppcheck reads the SARIF of Cppcheck, a static analyser of C and C++.
//
// Made by "cppcheck --output-format=sarif --output-file=cppcheck.sarif ." since
// Cppcheck 2.16. Package sarif describes the format. Its rules name no weakness;
// those of severity "error" have a "security-severity".
package cppcheck

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
)

// Parsers reads Cppcheck's SARIF.
var Parsers = []parsers.Parser{{
	Name:     "cppcheck",
	ScanType: "Cppcheck Scan",
	Files:    "JSON (SARIF)",
	Command:  "cppcheck --output-format=sarif --output-file=cppcheck.sarif .",
	URL:      "https://cppcheck.sourceforge.io",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    sarif.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if sarif.Is(s) && strings.EqualFold(s.Value("runs[].tool.driver.name"), "cppcheck") {
		return parsers.Sure
	}
	return parsers.No
}
