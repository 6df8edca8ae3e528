// Package krakend_audit reads the JSON report of KrakenD's audit of an API gateway's configuration.
//
// Made by "krakend audit -c krakend.json -f '{{ marshal . }}' > audit.json". The report is one object:
//
//	{"recommendations": [{"rule": "2.1.2", "severity": "HIGH", "message": "Enable TLS or use a terminator …"}], "stats": {…}}
//
// A message says what to do, not what is wrong. The first number of a rule is
// its chapter: 1 unused or outdated settings, 2 security, 3 performance, 4
// traffic, 5 telemetry.
package krakend_audit

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads KrakenD's audit.
var Parsers = []parsers.Parser{{
	Name:     "krakend_audit",
	ScanType: "KrakenD Audit Scan",
	Files:    "JSON",
	Command:  "krakend audit -c krakend.json -f '{{ marshal . }}' > audit.json",
	URL:      "https://www.krakend.io/docs/configuration/audit/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("recommendations[].rule", "recommendations[].message", "stats"):
		return parsers.Sure
	case s.Has("recommendations", "stats"):
		return parsers.Likely
	case s.Has("recommendations[].rule"):
		return parsers.Possible
	}
	return parsers.No
}

type recommendation struct {
	Rule     stream.Text `json:"rule"`
	Severity stream.Text `json:"severity"`
	Message  stream.Text `json:"message"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "KrakenD"
	return stream.JSON(in, stream.Object(stream.Fields{
		"recommendations": stream.Each(func(r recommendation) error {
			out.Emit(observation(r))
			return nil
		}),
	}, "recommendations"))
}

func observation(r recommendation) gate.Observation {
	o := gate.Observation{
		Title:       "KrakenD_" + string(r.Rule),
		Severity:    gate.ParseSeverity(string(r.Severity)),
		Description: "**Rule:** " + string(r.Rule), // of DefectDojo's hash
		Mitigation:  string(r.Message),
		References:  "https://www.krakend.io/docs/configuration/audit/",
		Check:       string(r.Rule),
	}
	if r.Message != "" {
		o.FixAvailable = new(true)
	}
	return o
}
