// Package pmd reads the CSV report of PMD, the static analyser of Java and more.
//
// Made by "pmd check -d src -R rulesets/java/quickstart.xml -f csv -r pmd.csv":
//
//	"Problem","Package","File","Priority","Line","Description","Rule set","Rule"
//	"1","org.example.shop","/src/Cart.java","3","21","This class …","Design","UseUtilityClass"
//
// Priority 1 is the highest and 5 the lowest. DefectDojo takes the findings for
// dynamic ones.
package pmd

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads PMD's CSV.
var Parsers = []parsers.Parser{{
	Name:     "pmd",
	ScanType: "PMD Scan",
	Files:    "CSV",
	Command:  "pmd check -d src -R rulesets/java/quickstart.xml -f csv -r pmd.csv",
	URL:      "https://docs.pmd-code.org/latest/pmd_userdocs_report_formats.html",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

var columns = []string{"Problem", "Package", "File", "Priority", "Line", "Description", "Rule set", "Rule"}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns(columns...) {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "PMD"
	return stream.CSV(in, []string{"File", "Priority", "Line", "Rule"}, func(r stream.Row) error {
		out.Emit(observation(r))
		return nil
	})
}

// severities are PMD's priorities.
var severities = map[string]gate.Severity{"1": gate.Critical, "2": gate.High, "3": gate.Medium, "4": gate.Low, "5": gate.Info}

func observation(r stream.Row) gate.Observation {
	line := stream.ParseInt(r.Get("Line")).Ptr()
	var text parsers.Text
	text.Add(r.Get("Description")).
		Fact("Rule", r.Get("Rule")).
		Fact("Rule set", r.Get("Rule set")).
		Fact("Package", r.Get("Package")).
		Fact("Place", parsers.Place(r.Get("File"), line)).
		Fact("Priority", r.Get("Priority")).
		Fact("Problem", r.Get("Problem"))
	return gate.Observation{
		Title:       "PMD rule " + r.Get("Rule"),
		Severity:    severities[r.Get("Priority")],
		Description: text.String(),
		Mitigation:  "The documentation of the rule " + r.Get("Rule") + " shows code that it accepts.",
		Check:       r.Get("Rule"),
		FilePath:    r.Get("File"),
		Line:        line,
	}
}
