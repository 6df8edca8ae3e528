// Package snyk_code reads the SARIF of Snyk Code, Snyk's static analysis.
//
// Made by "snyk code test --json > snyk-code.json" (or --sarif). Package sarif
// describes the format. Snyk's rules name their weaknesses in "properties":
//
//	{"id": "javascript/Sqli", "shortDescription": {"text": "SQL Injection"},
//	 "properties": {"tags": ["Security"], "cwe": ["CWE-89"]}}
//
// and its results a "priorityScore", which is the severity. The first fingerprint is the id of a finding.
package snyk_code

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/snyksarif"
)

// Parsers reads Snyk Code's SARIF.
var Parsers = []parsers.Parser{{
	Name:     "snyk_code",
	ScanType: "Snyk Code Scan",
	Files:    "JSON (SARIF)",
	Command:  "snyk code test --json > snyk-code.json",
	URL:      "https://docs.snyk.io/snyk-cli/commands/code-test",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    snyksarif.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if snyksarif.Is(s) {
		return parsers.Sure
	}
	return parsers.No
}
