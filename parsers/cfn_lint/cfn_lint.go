// Package cfn_lint reads the JSON report of cfn-lint, the linter of CloudFormation templates.
//
// Made by "cfn-lint --format json template.yaml > cfn-lint.json". The report is a list:
//
//	[{"Filename": "template.yaml", "Id": "021c48aa-…", "Level": "Warning", "Message": "Parameter X not used.", "ParentId": null,
//	  "Location": {"Start": {"LineNumber": 7, "ColumnNumber": 3}, "End": {"LineNumber": 7, "ColumnNumber": 18}, "Path": ["Parameters", "X"]},
//	  "Rule": {"Id": "W2001", "ShortDescription": "Check if Parameters are Used", "Description": "…", "Source": "https://…"}}]
//
// Before version 1 there is no "Id".
package cfn_lint

import (
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads cfn-lint's JSON.
var Parsers = []parsers.Parser{{
	Name:     "cfn_lint",
	ScanType: "cfn-lint Scan",
	Files:    "JSON",
	Command:  "cfn-lint --format json template.yaml > cfn-lint.json",
	URL:      "https://github.com/aws-cloudformation/cfn-lint",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].Rule.ShortDescription", "[].Location", "[].Level"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type match struct {
	Filename stream.Text `json:"Filename"`
	ID       stream.Text `json:"Id"`
	Level    stream.Text `json:"Level"`
	Message  stream.Text `json:"Message"`
	Location struct {
		Start position      `json:"Start"`
		End   position      `json:"End"`
		Path  []stream.Text `json:"Path"`
	} `json:"Location"`
	Rule struct {
		ID    stream.Text `json:"Id"`
		Short stream.Text `json:"ShortDescription"`
		Long  stream.Text `json:"Description"`
		URL   stream.Text `json:"Source"`
	} `json:"Rule"`
}

type position struct {
	Line   stream.Int `json:"LineNumber"`
	Column stream.Int `json:"ColumnNumber"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "cfn-lint"
	return stream.JSON(in, stream.Each(func(m match) error {
		if m.Rule.ID == "" {
			return errors.New("a match without a rule")
		}
		out.Emit(observation(m))
		return nil
	}))
}

var severities = map[string]gate.Severity{"fatal": gate.Critical, "error": gate.High, "warning": gate.Medium, "informational": gate.Info}

// severity of a level that a later version brings is Medium, as DefectDojo has it.
func severity(level string) gate.Severity {
	if s, ok := severities[strings.ToLower(level)]; ok {
		return s
	}
	return gate.Medium
}

func observation(m match) gate.Observation {
	start := m.Location.Start
	var text parsers.Text
	text.Add(string(m.Message)).Fact("Rule", string(m.Rule.ID)).Add(string(m.Rule.Long)).
		Fact("In the template", strings.Join(stream.Strings(m.Location.Path), "/")).Fact("Place", parsers.Place(string(m.Filename), start.Line.Ptr())).
		Fact("Column", start.Column.String()).Fact("Documentation", string(m.Rule.URL))
	return gate.Observation{
		Title:       parsers.First(string(m.Rule.Short), string(m.Rule.ID)),
		Severity:    severity(string(m.Level)),
		Description: text.String(),
		References:  string(m.Rule.URL),
		UniqueID:    string(m.ID),
		RuleID:      string(m.Rule.ID),
		FilePath:    string(m.Filename),
		Line:        start.Line.Ptr(),
		EndLine:     m.Location.End.Line.Ptr(),
	}
}
