// Package kubebench reads the JSON report of kube-bench, which checks a node
// against the CIS Kubernetes benchmark.
//
// Made by "kube-bench --json > kube-bench.json". The report is an object since
// 0.6, before an array of its controls, or the controls one after the other:
//
//	{"Controls": [{"id": "1", "version": "cis-1.6", "detected_version": "1.28", "text": "Master Node …", "node_type": "master",
//	  "tests": [{"section": "1.1", "desc": "…", "results": [{"test_number": "1.1.1", "test_desc": "…",
//	    "audit": "/bin/sh -c …", "remediation": "…", "status": "FAIL", "actual_value": "", "expected_result": "…", "type": ""}]}]}],
//	 "Totals": {…}}
//
// FAIL is a finding, and so is WARN, a check that could not be made, unless
// its type is manual: then it is for a person to make.
package kubebench

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads kube-bench's JSON.
var Parsers = []parsers.Parser{{
	Name:     "kubebench",
	ScanType: "kube-bench Scan",
	Files:    "JSON",
	Command:  "kube-bench --json > kube-bench.json",
	URL:      "https://github.com/aquasecurity/kube-bench",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, at := range []string{"Controls[].", "[].", ""} {
		if s.Has(at+"node_type", at+"tests") || s.Has(at+"tests[].results[].test_number") {
			return parsers.Sure
		}
	}
	if s.Has("Controls", "Totals") {
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "kube-bench"
	known, some := false, false
	chapter := func(d *stream.Decoder) error { return chapter(out, &known)(d) }
	chapters := func(d *stream.Decoder) error { known = true; return stream.Array(chapter)(d) }
	err := stream.JSONs(in, func(d *stream.Decoder) error {
		some = true
		return stream.ByKind(stream.Kinds{'[': chapters, '{': chapter})(d)
	})
	switch {
	case err != nil:
		return err
	case !some:
		return stream.Errorf("the report is empty")
	case !known:
		return stream.Errorf(`there is neither "Controls" nor "tests"`)
	}
	return nil
}

// controls are the checks of one chapter of the benchmark.
type controls struct {
	ID, Text, NodeType, Version stream.Text
}

// chapter reads the controls of one chapter, or an object with those of all.
func chapter(out *parsers.Report, known *bool) stream.Value {
	return func(d *stream.Decoder) error {
		var c controls
		return stream.Object(stream.Fields{
			"Controls": func(d *stream.Decoder) error {
				*known = true
				return stream.Array(chapter(out, known))(d)
			},
			"id":        stream.Into(&c.ID),
			"text":      stream.Into(&c.Text),
			"node_type": stream.Into(&c.NodeType),
			"version":   stream.Into(&c.Version),
			"tests":     func(d *stream.Decoder) error { *known = true; return c.tests(out)(d) },
		})(d)
	}
}

type test struct {
	Section stream.Text `json:"section"`
	Desc    stream.Text `json:"desc"`
	Results []result    `json:"results"`
}

func (c *controls) tests(out *parsers.Report) stream.Value {
	return stream.Each(func(t test) error {
		out.Run().Ruleset = string(c.Version)
		for _, r := range t.Results {
			if r.Status == "FAIL" || r.Status == "WARN" && r.Type != "manual" {
				out.Emit(r.observation(*c, t))
			}
		}
		return nil
	})
}

type result struct {
	Number      stream.Text `json:"test_number"`
	Desc        string      `json:"test_desc"`
	Audit       stream.Text `json:"audit"`
	Type        stream.Text `json:"type"`
	Remediation string      `json:"remediation"`
	Status      string      `json:"status"`
	Actual      stream.Text `json:"actual_value"`
	Expected    stream.Text `json:"expected_result"`
	Reason      stream.Text `json:"reason"`
}

func (r result) observation(c controls, t test) gate.Observation {
	severity := gate.Medium
	if r.Status == "WARN" {
		severity = gate.Info
	}
	var about parsers.Text
	about.Add(r.Desc).Add(string(r.Reason)).
		Fact("Chapter", strings.TrimSpace(string(c.ID+" "+c.Text))).
		Fact("Section", strings.TrimSpace(string(t.Section+" "+t.Desc))).
		Fact("Node", string(c.NodeType)).Fact("Status", r.Status).
		Fact("Expected", string(r.Expected)).Fact("Found", string(r.Actual)).
		Code("sh", string(r.Audit))
	return gate.Observation{
		Title:       string(r.Number) + " - " + r.Desc,
		Severity:    severity,
		Description: about.String(),
		Mitigation:  r.Remediation,
		RuleID:      string(r.Number),
	}
}
