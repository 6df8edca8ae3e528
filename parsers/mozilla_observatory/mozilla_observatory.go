// Package mozilla_observatory reads the JSON of Mozilla's HTTP Observatory, which
// examines a site's headers.
//
// Made by "httpobs-local-scan --format json example.org", or by the API's list of
// tests alone:
//
//	{"scan": {"grade": "B+", "score": 80, "start_time": "Tue, 04 May 2021 10:05:40 GMT", "end_time": "…", "state": "FINISHED"},
//	 "tests": {"content-security-policy": {"expectation": "csp-implemented-with-no-unsafe", "name": "content-security-policy", "pass": false,
//	   "result": "csp-implemented-with-unsafe-inline", "score_description": "Content Security Policy (CSP) implemented unsafely. …", "score_modifier": -20}}}
//
// A test that passes is a finding that is not active. What a failed one costs of
// the score is its severity.
package mozilla_observatory

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the Observatory's JSON.
var Parsers = []parsers.Parser{{
	Name:     "mozilla_observatory",
	ScanType: "Mozilla Observatory Scan",
	Files:    "JSON",
	Command:  "httpobs-local-scan --format json example.org > observatory.json",
	URL:      "https://github.com/mozilla/http-observatory",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, at := range []string{"", "tests."} {
		for _, name := range []string{"content-security-policy", "redirection", "cookies", "x-frame-options", "referrer-policy"} {
			if s.Has(at+name+".score_modifier", at+name+".expectation") {
				return parsers.Sure
			}
		}
	}
	if s.Has("tests", "scan.tests_quantity") {
		return parsers.Sure
	}
	return parsers.No
}

type test struct {
	Name        stream.Text `json:"name"`
	Pass        bool        `json:"pass"`
	Expectation stream.Text `json:"expectation"`
	Result      stream.Text `json:"result"`
	Says        stream.Text `json:"score_description"`
	Modifier    *stream.Int `json:"score_modifier"`
}

type scan struct {
	Grade stream.Text `json:"grade"`
	Start stream.Text `json:"start_time"`
	End   stream.Text `json:"end_time"`
	State stream.Text `json:"state"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "HTTP Observatory"
	known := false
	put := func(key string, d *stream.Decoder) error {
		return stream.One(func(t test) error {
			if t.Modifier == nil {
				return stream.Errorf(`%q has no "score_modifier": this is not the Observatory's report`, key)
			}
			out.Emit(t.observation(parsers.First(string(t.Name), key)))
			return nil
		})(d)
	}
	err := stream.JSON(in, stream.Entries(func(key string, d *stream.Decoder) error {
		known = true
		switch key {
		case "scan":
			return stream.One(func(s scan) error {
				run.StartedAt, run.FinishedAt = parsers.ParseTime(string(s.Start)), parsers.ParseTime(string(s.End))
				if s.State == "FINISHED" {
					run.Outcome = gate.Succeeded
				}
				if s.Grade != "" {
					run.Description = "The grade is " + string(s.Grade) + "."
				}
				return nil
			})(d)
		case "tests":
			return stream.Entries(put)(d)
		}
		if d.PeekKind() != '{' {
			return stream.Skip(d)
		}
		return put(key, d)
	}))
	if err == nil && !known {
		err = stream.Errorf("there are no tests in it")
	}
	return err
}

func severity(modifier int) gate.Severity {
	switch {
	case modifier >= 0:
		return gate.Info
	case modifier >= -10:
		return gate.Low
	case modifier > -26:
		return gate.Medium
	}
	return gate.High
}

func (t test) observation(name string) gate.Observation {
	var text parsers.Text
	text.Add(string(t.Says)).Fact("Test", name).Fact("Result", "`"+string(t.Result)+"`").Fact("Expected", "`"+string(t.Expectation)+"`").Fact("Change of the score", strconv.Itoa(t.Modifier.N))
	o := gate.Observation{
		Title:       string(t.Says),
		Severity:    severity(t.Modifier.N),
		Description: text.String(),
		References:  "https://infosec.mozilla.org/guidelines/web_security",
		RuleID:      name,
	}
	if t.Pass {
		o.Active = new(false)
	} else {
		o.Mitigation = "Configure the site so that the result is `" + string(t.Expectation) + "`, " + strings.ReplaceAll(string(t.Expectation), "-", " ") + "."
	}
	return o
}
