// Package nettacker reads the JSON report of OWASP Nettacker.
//
// Made by "nettacker -i example.org -m port_scan -o nettacker.json". The report is a list of events:
//
//	[{"scan_id": "…", "target": "example.org", "module_name": "port_scan", "date": "2026-07-31 19:05:10.990422",
//	  "port": 80, "event": "host: example.org port: 80 …", "json_event": "{\"timeout\": 3.0, …}"}]
//
// The report rates nothing. Older versions name the module "category" or
// "type" and the target "host". Nothing found is an empty file.
package nettacker

import (
	"errors"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads Nettacker's JSON.
var Parsers = []parsers.Parser{{
	Name:     "nettacker",
	ScanType: "Nettacker Scan",
	Files:    "JSON",
	Command:  "nettacker -i example.org -m port_scan -o nettacker.json",
	URL:      "https://github.com/OWASP/Nettacker",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].module_name", "[].target", "[].json_event"):
		return parsers.Sure
	case s.Has("[].module_name", "[].target"):
		return parsers.Likely
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type event struct {
	Target stream.Text `json:"target"`
	Host   stream.Text `json:"host"`
	Module stream.Text `json:"module_name"`
	Type   stream.Text `json:"type"`
	Date   stream.Text `json:"date"`
	Port   stream.Text `json:"port"`
	Event  stream.Text `json:"event"`
	JSON   stream.Text `json:"json_event"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "OWASP Nettacker"
	return stream.JSONs(in, stream.Each(func(e event) error {
		target, module := parsers.First(string(e.Target), string(e.Host)), parsers.First(string(e.Module), string(e.Type))
		if target == "" || module == "" {
			return errors.New("an event without a target or a module")
		}
		if run.FinishedAt = parsers.ParseTime(string(e.Date)); run.StartedAt.IsZero() {
			run.StartedAt = run.FinishedAt
		}
		out.Emit(observation(e, target, module))
		return nil
	}))
}

func observation(e event, target, module string) gate.Observation {
	place := target
	if e.Port != "" {
		place += ":" + string(e.Port)
	}
	var text parsers.Text
	text.Fact("Module", module).Fact("Target", target).Fact("Port", string(e.Port)).Fact("Event", string(e.Event)).Fact("Found", string(e.Date))
	if details := jsontext.Value(e.JSON); details.Kind() == '{' && details.Indent() == nil {
		text.Code("json", string(details))
	}
	return gate.Observation{
		Title:       module + ": " + place,
		Severity:    gate.Info,
		Description: text.String(),
		RuleID:      module,
		Endpoints:   []string{parsers.HostPort("", target, string(e.Port))},
	}
}
