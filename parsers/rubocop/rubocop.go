// Package rubocop reads the JSON of RuboCop, the linter of Ruby.
//
// Made by "rubocop --only Security --format json --out rubocop.json":
//
//	{"metadata": {"rubocop_version": "1.75.0", "ruby_version": "3.4.0"},
//	 "files": [{"path": "app/a.rb", "offenses": [{"severity": "convention", "message": "…",
//	   "cop_name": "Security/YAMLLoad", "corrected": false, "correctable": true,
//	   "location": {"start_line": 12, "last_line": 12, "line": 12, "column": 1}}]}],
//	 "summary": {"offense_count": 1, "target_file_count": 1, "inspected_file_count": 1}}
//
// Only offenses of the department Security are findings: the others are of style.
package rubocop

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads RuboCop's JSON.
var Parsers = []parsers.Parser{{
	Name:     "rubocop",
	ScanType: "Rubocop Scan",
	Files:    "JSON",
	Command:  "rubocop --only Security --format json --out rubocop.json",
	URL:      "https://docs.rubocop.org/rubocop/formatters.html#json-formatter",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("metadata.rubocop_version"), s.Has("files[].offenses[].cop_name"):
		return parsers.Sure
	case s.Has("files", "summary.offense_count"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "RuboCop"
	version := stream.Object(stream.Fields{"rubocop_version": stream.Into((*stream.Text)(&run.Version))})
	return stream.JSON(in, stream.Object(stream.Fields{
		"metadata": version,
		"files": stream.Each(func(f file) error {
			for _, o := range f.Offenses {
				switch {
				case strings.HasPrefix(string(o.Cop), "Security/"):
					out.Emit(o.observation(string(f.Path)))
				case o.Cop == "Lint/Syntax":
					out.Problem("%s: %s", parsers.Place(string(f.Path), o.Location.first().Ptr()), o.Message)
				}
			}
			return nil
		}),
	}, "files"))
}

type file struct {
	Path     stream.Text `json:"path"`
	Offenses []offense   `json:"offenses"`
}

type offense struct {
	Severity    stream.Text `json:"severity"`
	Message     stream.Text `json:"message"`
	Cop         stream.Text `json:"cop_name"`
	Correctable stream.Text `json:"correctable"`
	Location    location    `json:"location"`
}

type location struct {
	Start  stream.Int `json:"start_line"`
	Last   stream.Int `json:"last_line"`
	Line   stream.Int `json:"line"`
	Column stream.Int `json:"column"`
}

// first is the line, which older versions call only "line".
func (l location) first() stream.Int {
	if l.Start.OK {
		return l.Start
	}
	return l.Line
}

// severities are RuboCop's; most cops of the department are conventions or warnings.
var severities = map[string]gate.Severity{
	"convention": gate.Medium, "refactor": gate.Medium, "warning": gate.Medium, "error": gate.High, "fatal": gate.Critical, "info": gate.Low,
}

func (o offense) observation(path string) gate.Observation {
	line := o.Location.first().Ptr()
	var text parsers.Text
	text.Add(string(o.Message)).
		Fact("Cop", string(o.Cop)).
		Fact("Place", parsers.Place(path, line)).
		Fact("RuboCop calls it", string(o.Severity))
	mitigation := ""
	if o.Correctable == "true" {
		mitigation = "RuboCop can mend this itself: run it with --autocorrect."
	}
	return gate.Observation{
		Title:       string(o.Message),
		Severity:    severities[strings.ToLower(string(o.Severity))],
		Description: text.String(),
		Mitigation:  mitigation,
		References:  "https://docs.rubocop.org/rubocop/cops_security.html#" + strings.ToLower(strings.ReplaceAll(string(o.Cop), "/", "")),
		RuleID:      string(o.Cop),
		FilePath:    path,
		Line:        line,
		EndLine:     o.Location.Last.Ptr(),
	}
}
