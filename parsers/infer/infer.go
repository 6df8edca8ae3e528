// Package infer reads the JSON report of Infer, Meta's static analyser.
//
// Made by "infer run -- make", which writes infer-out/report.json:
//
//	[{"bug_type": "NULLPTR_DEREFERENCE", "qualifier": "`p` could be null …", "severity": "ERROR", "category": "Null pointer dereference",
//	  "line": 6, "column": 5, "procedure": "main", "procedure_start_line": 4, "file": "a.c", "hash": "…", "bug_type_hum": "Null Dereference",
//	  "bug_trace": [{"level": 1, "filename": "a.c", "line_number": 5, "column_number": 19, "description": "…"}]}]
package infer

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Infer's JSON.
var Parsers = []parsers.Parser{{
	Name:     "infer",
	ScanType: "Infer Scan",
	Files:    "JSON",
	Command:  "infer run -- make, which writes infer-out/report.json",
	URL:      "https://fbinfer.com/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].bug_type", "[].qualifier", "[].file"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type bug struct {
	Type      stream.Text `json:"bug_type"`
	Name      stream.Text `json:"bug_type_hum"`
	Qualifier stream.Text `json:"qualifier"`
	Severity  stream.Text `json:"severity"`
	Category  stream.Text `json:"category"`
	Line      stream.Int  `json:"line"`
	File      stream.Text `json:"file"`
	Procedure stream.Text `json:"procedure"`
	Suggests  stream.Text `json:"suggestion"`
	Hash      stream.Text `json:"hash"`
	Trace     []struct {
		File        stream.Text `json:"filename"`
		Line        stream.Int  `json:"line_number"`
		Description stream.Text `json:"description"`
	} `json:"bug_trace"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Infer"
	return stream.JSON(in, stream.Array(stream.One(func(b bug) error {
		if b.Type == "" {
			return stream.Errorf(`an entry has no "bug_type": this is not Infer's report`)
		}
		out.Emit(b.observation())
		return nil
	})))
}

// severities are Infer's; LIKE and ADVICE are opinions.
var severities = map[string]gate.Severity{"ERROR": gate.High, "WARNING": gate.Medium, "ADVICE": gate.Low, "LIKE": gate.Low, "INFO": gate.Info}

func (b bug) observation() gate.Observation {
	var text parsers.Text
	text.Add(string(b.Qualifier)).Fact("Category", string(b.Category)).Fact("Type", string(b.Type)).Fact("Place", parsers.Place(string(b.File), b.Line.Ptr())).Fact("Procedure", string(b.Procedure)).Fact("Infer's hash", string(b.Hash))
	var steps []string
	for _, t := range b.Trace[:min(len(b.Trace), 100)] {
		steps = append(steps, strings.TrimSpace(parsers.Place(string(t.File), t.Line.Ptr())+" "+string(t.Description)))
	}
	if len(steps) > 0 {
		text.Add("How it comes about:").List(steps)
	}
	return gate.Observation{
		Title:       parsers.First(string(b.Name), string(b.Type)),
		Severity:    severities[strings.ToUpper(string(b.Severity))],
		Description: text.String(),
		Mitigation:  string(b.Suggests),
		References:  "https://fbinfer.com/docs/all-issue-types#" + strings.ToLower(string(b.Type)),
		RuleID:      string(b.Type),
		FilePath:    string(b.File),
		Line:        b.Line.Ptr(),
	}
}
