// Package cwe_checker reads the JSON report of cwe_checker, which finds weaknesses in binaries.
//
// Made by "cwe_checker --json --out report.json a.out". The report is a list:
//
//	[{"name": "CWE134", "version": "0.1", "addresses": ["00401181"], "tids": ["instr_00401181_2"], "symbols": ["printf"], "other": [],
//	  "description": "(Externally Controlled Format String) Potential externally controlled format string …"}]
//
// The words in brackets are the weakness's name.
package cwe_checker

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads cwe_checker's JSON.
var Parsers = []parsers.Parser{{
	Name:     "cwe_checker",
	ScanType: "cwe_checker Scan",
	Files:    "JSON",
	Command:  "cwe_checker --json --out report.json a.out",
	URL:      "https://github.com/fkie-cad/cwe_checker",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].tids", "[].addresses", "[].symbols"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type warning struct {
	Name        stream.Text      `json:"name"`
	Version     stream.Text      `json:"version"`
	Addresses   []stream.Text    `json:"addresses"`
	TIDs        []stream.Text    `json:"tids"`
	Symbols     []stream.Text    `json:"symbols"`
	Other       []jsontext.Value `json:"other"`
	Description stream.Text      `json:"description"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "cwe_checker"
	return stream.JSON(in, stream.Each(func(w warning) error {
		if w.Name == "" || w.Description == "" {
			return errors.New("a warning without a name or a description")
		}
		out.Emit(observation(w))
		return nil
	}))
}

var parts = regexp.MustCompile(`(?s)^\(([^)]+)\) *(.*)$`)

func observation(w warning) gate.Observation {
	title, what := string(w.Name), string(w.Description)
	if m := parts.FindStringSubmatch(what); m != nil {
		title, what = m[1], m[2]
	}
	var other []string
	for _, o := range w.Other {
		other = append(other, strings.Trim(string(o), `[]"`))
	}
	var text parsers.Text
	text.Add(what).Fact("Check", strings.TrimSpace(string(w.Name)+" "+string(w.Version))).Facts("Symbols", stream.Strings(w.Symbols)).
		Facts("Addresses", stream.Strings(w.Addresses)).Facts("Terms", stream.Strings(w.TIDs)).Facts("More", other)
	return gate.Observation{
		Title:       title,
		Severity:    gate.Medium, // cwe_checker rates nothing
		Description: text.String(),
		CWE:         gate.ParseCWE(string(w.Name)),
		RuleID:      string(w.Name),
	}
}
