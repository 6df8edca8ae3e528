// Package snyksarif is the shared format of Snyk Code: SARIF whose rules name
// their weaknesses in "properties", and whose results have a "priorityScore".
// "Snyk Code Scan" and "Snyk Scan" both read it. Package sarif describes the rest.
package snyksarif

import (
	"slices"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
	"defectdojo/parsers/stream"
)

// Is tells whether a report is Snyk Code's SARIF.
func Is(s *parsers.Sample) bool {
	return sarif.Is(s) && s.Value("runs[].tool.driver.name") == "SnykCode"
}

// Parse reads Snyk Code's SARIF.
func Parse(in *stream.Input, out *parsers.Report) error {
	return sarif.Walk(in, func(run *sarif.Run) error {
		sarif.Begin(out, run)
		return nil
	}, func(run *sarif.Run, result *sarif.Result) error {
		for o := range sarif.Observations(run, result) {
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
