// Package brakeman reads the JSON report of Brakeman, the scanner for Ruby on Rails.
//
// Made by "brakeman -o brakeman.json .":
//
//	{"scan_info": {"app_path": "/src", "brakeman_version": "7.0.0", "rails_version": "8.0",
//	   "start_time": "2026-01-05 10:00:00 +0000", "end_time": "…"},
//	 "warnings": [{"warning_type": "SQL Injection", "warning_code": 0, "fingerprint": "…", "check_name": "SQL",
//	   "message": "Possible SQL injection", "file": "app/models/user.rb", "line": 7, "link": "…", "code": "…",
//	   "render_path": [], "location": {"type": "method", "class": "User", "method": "find"},
//	   "user_input": "params[:id]", "confidence": "High", "cwe_id": [89]}],
//	 "ignored_warnings": [], "errors": [{"error": "…", "location": "…"}], "obsolete": []}
//
// Brakeman gives no severities: all findings are Medium. Warnings that people
// chose to ignore are left out; "errors" are files that it could not read.
package brakeman

import (
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Brakeman's JSON.
var Parsers = []parsers.Parser{{
	Name:     "brakeman",
	ScanType: "Brakeman Scan",
	Files:    "JSON",
	Command:  "brakeman -o brakeman.json .",
	URL:      "https://brakemanscanner.org",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("scan_info.brakeman_version"), s.Has("warnings[].warning_type", "warnings[].check_name"):
		return parsers.Sure
	case s.Has("scan_info", "warnings"):
		return parsers.Likely
	}
	return parsers.No
}

type info struct {
	AppPath stream.Text `json:"app_path"`
	Version stream.Text `json:"brakeman_version"`
	Start   stream.Text `json:"start_time"`
	End     stream.Text `json:"end_time"`
}

// parse reads twice: the date of the findings is in "scan_info", wherever that stands.
func parse(in *stream.Input, out *parsers.Report) error {
	var i info
	err := stream.JSON(in, stream.Object(stream.Fields{
		"scan_info": stream.Into(&i),
		"errors": stream.Each(func(e failure) error {
			out.Problem("%s: %s", e.Location, e.Error)
			return nil
		}),
	}, "warnings"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run := out.Run()
	run.Tool, run.Version, run.Target = "Brakeman", string(i.Version), string(i.AppPath)
	run.StartedAt, run.FinishedAt = parsers.ParseTime(string(i.Start)), parsers.ParseTime(string(i.End))
	if run.Outcome == gate.Unsaid {
		run.Outcome = gate.Succeeded
	}
	return stream.JSON(in, stream.Object(stream.Fields{"warnings": stream.Each(func(w warning) error {
		o := w.observation()
		o.Date = gate.DateOf(run.FinishedAt)
		out.Emit(o)
		return nil
	})}))
}

type failure struct {
	Error    stream.Text `json:"error"`
	Location stream.Text `json:"location"`
}

type warning struct {
	Type        stream.Text                   `json:"warning_type"`
	Check       stream.Text                   `json:"check_name"`
	Fingerprint stream.Text                   `json:"fingerprint"`
	Message     stream.Text                   `json:"message"`
	File        stream.Text                   `json:"file"`
	Line        stream.Int                    `json:"line"`
	Link        stream.Text                   `json:"link"`
	Code        stream.Text                   `json:"code"`
	UserInput   stream.Text                   `json:"user_input"`
	Confidence  stream.Text                   `json:"confidence"`
	CWEs        stream.OneOrMany[stream.Text] `json:"cwe_id"`
	Location    struct {
		Type     stream.Text `json:"type"`
		Class    stream.Text `json:"class"`
		Method   stream.Text `json:"method"`
		Template stream.Text `json:"template"`
	} `json:"location"`
	RenderPath []struct {
		Class  stream.Text `json:"class"`
		Method stream.Text `json:"method"`
		Name   stream.Text `json:"name"`
		File   stream.Text `json:"file"`
		Line   stream.Int  `json:"line"`
	} `json:"render_path"`
}

func (w warning) observation() gate.Observation {
	return gate.Observation{
		Title:             fmt.Sprintf("%s. %s", w.Type, w.Message),
		Severity:          gate.Medium,
		Description:       w.description(),
		References:        string(w.Link),
		Check:             string(w.Check),
		FilePath:          string(w.File),
		Line:              w.Line.Ptr(),
		Snippet:           string(w.Code),
		ScannerConfidence: confidence[strings.ToLower(string(w.Confidence))],
	}
}

// confidence is DefectDojo's scale: 1 is certain, 7 tentative.
var confidence = map[string]*int{"high": new(1), "medium": new(4), "weak": new(7)}

func (w warning) description() string {
	l := w.Location
	in := string(l.Template)
	if l.Class != "" {
		in = strings.Trim(string(l.Class+"#"+l.Method), "#")
	}
	var t parsers.Text
	t.Add(string(w.Message)).
		Fact("Check", string(w.Check)).
		Fact("Place", parsers.Place(string(w.File), w.Line.Ptr())).
		Fact("In", in).
		Fact("Confidence", string(w.Confidence)).
		Fact("Input of the user", string(w.UserInput))
	for _, c := range w.CWEs {
		t.Fact("Weakness", "CWE-"+string(c))
	}
	t.Code("ruby", string(w.Code))
	var path []string
	for _, r := range w.RenderPath {
		name := parsers.First(strings.Trim(string(r.Class+"#"+r.Method), "#"), string(r.Name))
		path = append(path, strings.TrimSpace(name+" "+parsers.Place(string(r.File), r.Line.Ptr())))
	}
	if len(path) > 0 {
		t.Add("It is rendered by:").List(path)
	}
	return t.String()
}
