// Package eslint reads the JSON of ESLint, the linter of JavaScript.
//
// Made by "eslint --format json --output-file eslint.json .". The report is an
// array of files:
//
//	[{"filePath": "/src/a.js", "messages": [{"ruleId": "security/detect-eval", "severity": 2,
//	  "message": "eval is harmful.", "line": 19, "column": 11, "endLine": 19, "fix": {}, "suggestions": []}],
//	  "suppressedMessages": [], "errorCount": 1, "warningCount": 0, "source": "…"}]
//
// Severity 2 is an error and 1 a warning. A file that cannot be parsed has a
// message that is "fatal" and names no rule.
package eslint

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ESLint's JSON.
var Parsers = []parsers.Parser{{
	Name:     "eslint",
	ScanType: "ESLint Scan",
	Files:    "JSON",
	Command:  "eslint --format json --output-file eslint.json .",
	URL:      "https://eslint.org/docs/latest/use/formatters/#json",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].filePath", "[].messages", "[].errorCount"):
		return parsers.Sure
	case s.Has("[].filePath", "[].messages") && !s.Has("[].sourceContent"): // which is Secretlint's
		return parsers.Likely
	case s.Format == parsers.JSON && strings.Join(strings.Fields(string(s.Head)), "") == "[]":
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "ESLint"
	return stream.JSON(in, stream.Array(func(d *stream.Decoder) error {
		var path stream.Text
		var list []message
		err := stream.Object(stream.Fields{
			"filePath": stream.Into(&path),
			"messages": stream.Each(func(m message) error {
				list = append(list, m)
				return nil
			}),
		}, "filePath", "messages")(d)
		for _, m := range list {
			if m.Fatal {
				out.Problem("%s: %s", parsers.Place(string(path), m.Line.Ptr()), m.Message)
			}
			out.Emit(m.observation(string(path)))
		}
		return err
	}))
}

type message struct {
	RuleID      stream.Text `json:"ruleId"`
	Severity    stream.Int  `json:"severity"`
	Fatal       bool        `json:"fatal"`
	Message     stream.Text `json:"message"`
	Line        stream.Int  `json:"line"`
	EndLine     stream.Int  `json:"endLine"`
	NodeType    stream.Text `json:"nodeType"`
	Suggestions []struct {
		Description stream.Text `json:"desc"`
	} `json:"suggestions"`
	Fix *struct {
		Text stream.Text `json:"text"`
	} `json:"fix"`
}

func (m message) observation(path string) gate.Observation {
	rule := string(m.RuleID)
	if rule == "" {
		rule = "None"
	}
	var text parsers.Text
	text.Add(string(m.Message)).
		Fact("Rule", string(m.RuleID)).
		Fact("Place", parsers.Place(path, m.Line.Ptr())).
		Fact("Kind of code", string(m.NodeType))
	o := gate.Observation{
		Title:       string(m.Message) + " Test ID: " + rule,
		Severity:    gate.Low,
		Description: text.String(),
		Mitigation:  m.mitigation(),
		Check:       string(m.RuleID),
		FilePath:    path,
		Line:        m.Line.Ptr(),
		EndLine:     m.EndLine.Ptr(),
	}
	switch m.Severity.N {
	case 2:
		o.Severity = gate.High
	case 1:
		o.Severity = gate.Medium
	}
	return o
}

func (m message) mitigation() string {
	var t parsers.Text
	if m.Fix != nil {
		t.Add("ESLint can mend this itself: run it with --fix.")
	}
	var list []string
	for _, s := range m.Suggestions {
		list = append(list, string(s.Description))
	}
	t.List(list)
	if t.String() == "" && m.RuleID != "" {
		t.Add("The documentation of the rule " + string(m.RuleID) + " says what to write instead.")
	}
	return t.String()
}
