// Package tfsec reads the JSON report of tfsec, the checker of Terraform code
// that became part of Trivy.
//
// Made by "tfsec --format json --out tfsec.json .". The report is one object:
//
//	{"results": [{"rule_id": "AVD-AWS-0107", "long_id": "aws-vpc-no-public-ingress-sgr", "rule_description": "…",
//	  "impact": "…", "resolution": "…", "links": ["https://…"], "description": "…", "severity": "CRITICAL",
//	  "status": 0, "resource": "aws_security_group_rule.in",
//	  "location": {"filename": "/src/main.tf", "start_line": 40, "end_line": 42}}]}
//
// With nothing found results is null. The same rule fails at the same place once
// for each use of a module: that is one finding. The status is 0 or "failed",
// 1 or "passed" and 2 or "ignored"; old versions had none.
package tfsec

import (
	"fmt"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads tfsec's JSON.
var Parsers = []parsers.Parser{{
	Name:     "tfsec",
	ScanType: "TFSec Scan",
	Files:    "JSON",
	Command:  "tfsec --format json --out tfsec.json .",
	URL:      "https://aquasecurity.github.io/tfsec/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].rule_id", "results[].rule_provider"), s.Has("results[].rule_id", "results[].rule_description", "results[].resolution"):
		return parsers.Sure
	case s.Has("results[].rule_id", "results[].location.filename"):
		return parsers.Likely
	case s.Format == parsers.JSON && s.Has("results") && !s.Has("results[]") && len(s.Head) < 100:
		return parsers.Possible
	}
	return parsers.No
}

type result struct {
	RuleID      string                   `json:"rule_id"`
	LongID      string                   `json:"long_id"`
	Rule        string                   `json:"rule_description"`
	Provider    string                   `json:"rule_provider"`
	Impact      string                   `json:"impact"`
	Resolution  string                   `json:"resolution"`
	Links       stream.OneOrMany[string] `json:"links"`
	Link        string                   `json:"link"` // before 0.39
	Description string                   `json:"description"`
	Severity    string                   `json:"severity"`
	Status      stream.Text              `json:"status"`
	Resource    string                   `json:"resource"`
	Location    struct {
		File  string     `json:"filename"`
		Start stream.Int `json:"start_line"`
		End   stream.Int `json:"end_line"`
	} `json:"location"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string {
		return fmt.Sprintf("%s\n%s\n%d\n%d", o.RuleID, o.FilePath, *o.Line, end(o))
	}
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		out.Run().Tool = "tfsec"
		return stream.JSON(in, stream.Object(stream.Fields{
			"results": stream.Each(func(r result) error {
				switch r.Status {
				case "passed", "ignored", "1", "2":
				default:
					out.Emit(r.observation())
				}
				return nil
			}),
		}, "results"))
	})
}

// end is the last line of an observation, 0 where it is not said.
func end(o gate.Observation) int {
	if o.EndLine == nil {
		return 0
	}
	return *o.EndLine
}

// severity of a word that is none of tfsec's is Low, as DefectDojo has it.
func severity(word string) gate.Severity {
	if s, known := gate.SeverityOf(word); known && word != "" {
		return s
	}
	return gate.Low
}

func (r result) observation() gate.Observation {
	var about parsers.Text
	about.Add(r.Description).Fact("Rule", r.RuleID).Fact("Also known as", r.LongID).Fact("Resource", r.Resource)
	return gate.Observation{
		Title:       parsers.First(r.Rule, r.Description),
		Severity:    severity(r.Severity),
		Description: about.String(),
		Mitigation:  r.Resolution,
		Impact:      r.Impact,
		References:  parsers.Lines(append(r.Links, r.Link)...),
		RuleID:      r.RuleID,
		FilePath:    r.Location.File,
		Line:        &r.Location.Start.N,
		EndLine:     r.Location.End.Ptr(),
	}
}
