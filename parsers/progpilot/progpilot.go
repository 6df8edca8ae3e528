// Package progpilot reads the JSON report of progpilot, a static analyser of
// PHP's security.
//
// Made by "progpilot --configuration config.yml src > progpilot.json":
//
//	[{"source_name": ["$sql"], "source_line": [590], "source_column": [25854], "source_file": ["/src/Order.php"],
//	  "tainted_flow": [[{"flow_name": "$dni", "flow_line": 588, "flow_column": 25832, "flow_file": "/src/Order.php"}]],
//	  "sink_name": "executeS", "sink_line": 593, "sink_file": "/src/Order.php", "vuln_name": "sql_injection", "vuln_cwe": "CWE_89", "vuln_id": "…", "vuln_type": "taint-style"},
//	 {"vuln_rule": "MUST_VERIFY_DEFINITION", "vuln_name": "security misconfiguration", "vuln_line": 461, "vuln_file": "…",
//	  "vuln_description": "…", "vuln_cwe": "CWE_295", "vuln_id": "…", "vuln_type": "custom"}]
//
// It gives no severity: all are medium, as with DefectDojo.
package progpilot

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads progpilot's JSON.
var Parsers = []parsers.Parser{{
	Name:     "progpilot",
	ScanType: "Progpilot Scan",
	Files:    "JSON",
	Command:  "progpilot --configuration config.yml src > progpilot.json",
	URL:      "https://github.com/designsecurity/progpilot",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].vuln_name", "[].vuln_cwe", "[].vuln_type"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type vulnerability struct {
	Name        stream.Text                   `json:"vuln_name"`
	CWE         stream.Text                   `json:"vuln_cwe"`
	ID          stream.Text                   `json:"vuln_id"`
	Type        stream.Text                   `json:"vuln_type"`
	Rule        stream.Text                   `json:"vuln_rule"`
	Line        stream.Int                    `json:"vuln_line"`
	File        stream.Text                   `json:"vuln_file"`
	Description stream.Text                   `json:"vuln_description"`
	SourceNames stream.OneOrMany[stream.Text] `json:"source_name"`
	SourceLines stream.OneOrMany[stream.Int]  `json:"source_line"`
	SourceFiles stream.OneOrMany[stream.Text] `json:"source_file"`
	Sink        stream.Text                   `json:"sink_name"`
	SinkLine    stream.Int                    `json:"sink_line"`
	SinkFile    stream.Text                   `json:"sink_file"`
	Flows       stream.Lenient[[][]step]      `json:"tainted_flow"`
}

type step struct {
	Name stream.Text `json:"flow_name"`
	Line stream.Int  `json:"flow_line"`
	File stream.Text `json:"flow_file"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "progpilot"
	return stream.JSON(in, stream.Array(stream.One(func(v vulnerability) error {
		if v.Name == "" {
			return stream.Errorf(`an entry has no "vuln_name": this is not progpilot's report`)
		}
		out.Emit(v.observation())
		return nil
	})))
}

func (v vulnerability) observation() gate.Observation {
	o := gate.Observation{
		Title:       string(v.Name),
		Severity:    gate.Medium,
		CWE:         gate.ParseCWE(strings.ReplaceAll(string(v.CWE), "_", "-")),
		Check:       parsers.First(string(v.Rule), string(v.Name)),
		UniqueID:    string(v.ID),
		FilePath:    parsers.First(string(v.SinkFile), string(v.File)),
		Line:        v.SinkLine.Ptr(),
		Description: v.describe(),
	}
	if o.Line == nil {
		o.Line = v.Line.Ptr()
	}
	return o
}

func (v vulnerability) describe() string {
	var text parsers.Text
	text.Add(parsers.First(string(v.Description), strings.ReplaceAll(string(v.Name), "_", " "))).Fact("Type", string(v.Type)).Fact("Rule", string(v.Rule)).Fact("Place", parsers.Place(string(v.File), v.Line.Ptr()))
	var sources []string
	for i, name := range v.SourceNames {
		s := "`" + string(name) + "`"
		if i < len(v.SourceFiles) && i < len(v.SourceLines) {
			s += " at " + parsers.Place(string(v.SourceFiles[i]), v.SourceLines[i].Ptr())
		}
		sources = append(sources, s)
	}
	text.Facts("Source", sources)
	if v.Sink != "" {
		text.Fact("Sink", "`"+string(v.Sink)+"` at "+parsers.Place(string(v.SinkFile), v.SinkLine.Ptr()))
	}
	for _, flow := range v.Flows.Value {
		var steps []string
		for _, s := range flow[:min(len(flow), 100)] {
			steps = append(steps, "`"+string(s.Name)+"` at "+parsers.Place(string(s.File), s.Line.Ptr()))
		}
		if len(steps) > 0 {
			text.Add("The data came this way, the last step first:").List(steps)
		}
	}
	return text.String()
}
