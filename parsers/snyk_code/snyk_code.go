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
	"slices"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
	"defectdojo/parsers/stream"
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
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if sarif.Is(s) && s.Value("runs[].tool.driver.name") == "SnykCode" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	return sarif.Walk(in, func(run *sarif.Run) error {
		sarif.Begin(out, run)
		return nil
	}, func(run *sarif.Run, result *sarif.Result) error {
		for _, o := range sarif.Observations(run, result) {
			adapt(&o, result, run.RuleOf(result))
			out.Emit(o)
		}
		return nil
	})
}

// adapt names the finding by its rule and file, and takes the rule's weaknesses: the
// last is the main one, as DefectDojo has it.
func adapt(o *gate.Observation, result *sarif.Result, rule *sarif.Rule) {
	o.Severity = severity(result)
	o.Title = o.RuleID
	if o.FilePath != "" {
		o.Title += "_" + o.FilePath
	}
	if rule == nil {
		return
	}
	var found []int
	for _, name := range rule.Properties.List("cwe") {
		if id := gate.ParseCWE(name); id > 0 && !slices.Contains(found, id) {
			found = append(found, id)
		}
	}
	if len(found) > 0 {
		o.CWE, o.CWEs = found[len(found)-1], found
	}
}

// severity is by Snyk's priority score, of 1,000, and without one by its level,
// where a note is a finding of low severity.
func severity(result *sarif.Result) gate.Severity {
	score := stream.ParseInt(result.Properties.Text("priorityScore"))
	switch {
	case score.N >= 900:
		return gate.Critical
	case score.N >= 700:
		return gate.High
	case score.N >= 400:
		return gate.Medium
	case score.OK:
		return gate.Low
	}
	switch result.Level {
	case "error":
		return gate.High
	case "note":
		return gate.Low
	case "none":
		return gate.Info
	}
	return gate.Medium
}
