// Package hadolint reads the JSON report of hadolint, the linter of Dockerfiles.
//
// Made by "hadolint -f json Dockerfile > hadolint.json". The report is an array:
//
//	[{"code": "DL3008", "column": 1, "file": "Dockerfile", "level": "warning", "line": 9, "message": "Pin versions in apt get install. …"}]
//
// The levels are error, warning, info and style. Codes that begin with SC are ShellCheck's.
package hadolint

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads hadolint's JSON.
var Parsers = []parsers.Parser{{
	Name:     "hadolint",
	ScanType: "Hadolint Dockerfile check",
	Files:    "JSON",
	Command:  "hadolint -f json Dockerfile > hadolint.json",
	URL:      "https://github.com/hadolint/hadolint",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if !s.Has("[].code", "[].file", "[].level", "[].line", "[].message") {
		return parsers.No
	}
	if strings.HasPrefix(s.Value("[].code"), "DL") {
		return parsers.Sure
	}
	return parsers.Possible
}

type issue struct {
	Code    stream.Text `json:"code"`
	File    string      `json:"file"`
	Level   string      `json:"level"`
	Line    stream.Int  `json:"line"`
	Message string      `json:"message"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "hadolint"
	return stream.JSON(in, stream.Each(func(i issue) error {
		if i.Code == "" {
			return stream.Errorf(`an element has no "code"`)
		}
		out.Emit(i.observation())
		return nil
	}))
}

// severities follow DefectDojo: what breaks a build is Critical.
var severities = map[string]gate.Severity{"error": gate.Critical, "warning": gate.High}

func (i issue) observation() gate.Observation {
	code := string(i.Code)
	var about parsers.Text
	about.Add(i.Message).Fact("Rule", code).Fact("Level", i.Level)
	o := gate.Observation{
		Title:    code + ": " + i.Message,
		Severity: severities[strings.ToLower(i.Level)],
		Check:    code,
		FilePath: i.File,
		Line:     i.Line.Ptr(),
	}
	switch {
	case strings.HasPrefix(code, "DL"):
		o.References = "https://github.com/hadolint/hadolint/wiki/" + code
	case strings.HasPrefix(code, "SC"):
		o.References = "https://www.shellcheck.net/wiki/" + code
	}
	o.Description = about.String()
	return o
}
