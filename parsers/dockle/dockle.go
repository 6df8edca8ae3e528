// Package dockle reads the JSON report of Dockle, the linter of container images.
//
// Made by "dockle -f json -o dockle.json IMAGE". The report is one object:
//
//	{"image": "app:1", "summary": {"fatal": 0, "warn": 1, "info": 2, "skip": 0, "pass": 12},
//	 "details": [{"code": "CIS-DI-0001", "title": "Create a user for the container",
//	   "level": "WARN", "alerts": ["Last user should not be root"]}]}
//
// The levels are FATAL, WARN, INFO, SKIP, PASS and IGNORE; the last three are
// no findings. "image" is there since 0.4.6.
package dockle

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dockle's JSON.
var Parsers = []parsers.Parser{{
	Name:     "dockle",
	ScanType: "Dockle Scan",
	Files:    "JSON",
	Command:  "dockle -f json -o dockle.json IMAGE",
	URL:      "https://github.com/goodwithtech/dockle",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("details", "summary.fatal", "summary.warn"):
		return parsers.Sure
	case s.Has("details[].code", "details[].alerts"):
		return parsers.Likely
	}
	return parsers.No
}

type detail struct {
	Code   string   `json:"code"`
	Title  string   `json:"title"`
	Level  string   `json:"level"`
	Alerts []string `json:"alerts"`
}

var severities = map[string]gate.Severity{"FATAL": gate.Critical, "WARN": gate.Medium, "INFO": gate.Low}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Dockle"
	return stream.JSON(in, stream.Object(stream.Fields{
		"image": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"details": stream.Each(func(d detail) error {
			if severity, ok := severities[strings.ToUpper(d.Level)]; ok {
				out.Emit(d.observation(severity))
			}
			return nil
		}),
	}, "details"))
}

func (d detail) observation(severity gate.Severity) gate.Observation {
	var about parsers.Text
	about.Add(strings.Join(d.Alerts, "\n")).Fact("Checkpoint", strings.TrimSpace(d.Code+" "+d.Title))
	return gate.Observation{
		Title:       d.Code + ": " + d.Title,
		Severity:    severity,
		Description: about.String(),
		RuleID:      d.Code,
		Occurrences: new(1),
	}
}
