// Package conftest reads the JSON report of Conftest, which tests configuration
// files with Rego policies.
//
// Made by "conftest test -o json deploy/ > conftest.json". The report is an array
// with an object for each file and policy name space:
//
//	[{"filename": "web.yaml", "namespace": "main", "successes": 3,
//	  "warnings": [{"msg": "…", "metadata": {"query": "data.main.warn"}}],
//	  "failures": [{"msg": "…", "metadata": {"query": "data.main.deny"}}],
//	  "exceptions": [{"msg": "…"}]}]
//
// A failure is High, a warning Medium; exceptions are accepted and no findings.
package conftest

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Conftest's JSON.
var Parsers = []parsers.Parser{{
	Name:     "conftest",
	ScanType: "Conftest Scan",
	Files:    "JSON",
	Command:  "conftest test -o json deploy/ > conftest.json",
	URL:      "https://www.conftest.dev/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case strings.HasPrefix(s.Value("[].failures[].metadata.query")+s.Value("[].warnings[].metadata.query"), "data."),
		s.Has("[].filename", "[].namespace", "[].successes"):
		return parsers.Sure
	case s.Has("[].filename", "[].failures"), s.Has("[].filename", "[].warnings"), s.Has("[].filename", "[].successes"):
		return parsers.Likely
	}
	return parsers.No
}

type file struct {
	Name      *string     `json:"filename"`
	Namespace string      `json:"namespace"`
	Warnings  []outcome   `json:"warnings"`
	Failures  []outcome   `json:"failures"`
	Successes stream.Text `json:"successes"`
}

type outcome struct {
	Message  stream.Text `json:"msg"`
	Metadata struct {
		Query string `json:"query"`
	} `json:"metadata"`
	Location struct {
		File string      `json:"file"`
		Line stream.Text `json:"line"`
	} `json:"loc"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "conftest"
	return stream.JSON(in, stream.Each(func(f file) error {
		if f.Name == nil {
			return stream.Errorf(`an element has no "filename"`)
		}
		for _, o := range f.Failures {
			out.Emit(o.observation(f, gate.High))
		}
		for _, o := range f.Warnings {
			out.Emit(o.observation(f, gate.Medium))
		}
		return nil
	}))
}

func (o outcome) observation(f file, severity gate.Severity) gate.Observation {
	_, rule, _ := strings.Cut(strings.TrimPrefix(o.Metadata.Query, "data."), ".")
	place := o.Location.File
	if place != "" && o.Location.Line != "" {
		place += ":" + string(o.Location.Line)
	}
	var about parsers.Text
	about.Add(string(o.Message)).Fact("Rule", rule).Fact("Policy name space", f.Namespace).
		Fact("Query", o.Metadata.Query).Fact("File", *f.Name).Fact("Place", place)
	return gate.Observation{
		Title:       string(o.Message),
		Severity:    severity,
		Description: about.String(),
		RuleID:      o.Metadata.Query,
		FilePath:    *f.Name,
	}
}
