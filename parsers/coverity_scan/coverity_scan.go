// Package coverity_scan reads the JSON in which Coverity writes its issues.
//
// Made by "cov-format-errors --dir idir --json-output-v10 coverity.json" (v7 to v10):
//
//	{"type": "Coverity issues", "formatVersion": 10, "issues": [{"mergeKey": "…", "occurrenceCountForMK": 1,
//	  "checkerName": "RESOURCE_LEAK", "subcategory": "none", "language": "C", "functionDisplayName": "main",
//	  "mainEventFilePathname": "/src/a.c", "strippedMainEventFilePathname": "a.c", "mainEventLineNumber": 7,
//	  "events": [{"eventNumber": 1, "eventTag": "alloc_fn", "eventDescription": "…", "lineNumber": 5, "main": false, "remediation": false}],
//	  "checkerProperties": {"cweCategory": "404", "impact": "High", "issueKinds": ["QUALITY"],
//	    "subcategoryShortDescription": "Resource leak", "subcategoryLongDescription": "…", "subcategoryLocalEffect": "…"}}]}
//
// An event is a step towards the main one; a remediation says what to do.
package coverity_scan

import (
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Coverity's JSON.
var Parsers = []parsers.Parser{{
	Name:     "coverity_scan",
	ScanType: "Coverity Scan JSON Report",
	Files:    "JSON",
	Command:  "cov-format-errors --dir idir --json-output-v10 coverity.json",
	URL:      "https://scan.coverity.com",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("type") == "Coverity issues", s.Has("issues[].checkerName", "issues[].mergeKey"):
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Coverity"
	return stream.JSON(in, stream.Object(stream.Fields{
		"formatVersion": stream.Skip,
		"warnings": stream.Each(func(w stream.Text) error {
			out.Problem("%s", w)
			return nil
		}),
		"error": stream.One(func(e stream.Text) error {
			if e != "" {
				out.Problem("%s", e)
				run.Outcome = gate.Failed
			}
			return nil
		}),
		"issues": stream.Each(func(i issue) error {
			out.Emit(i.observation())
			return nil
		}),
	}, "issues"))
}

type issue struct {
	MergeKey    stream.Text `json:"mergeKey"`
	Occurrences stream.Int  `json:"occurrenceCountForMK"`
	Checker     stream.Text `json:"checkerName"`
	Subcategory stream.Text `json:"subcategory"`
	Language    stream.Text `json:"language"`
	File        stream.Text `json:"mainEventFilePathname"`
	Stripped    stream.Text `json:"strippedMainEventFilePathname"`
	Line        stream.Int  `json:"mainEventLineNumber"`
	Function    stream.Text `json:"functionDisplayName"`
	Events      []event     `json:"events"`
	Properties  struct {
		Category stream.Text                   `json:"category"`
		CWE      stream.Text                   `json:"cweCategory"`
		Kinds    stream.OneOrMany[stream.Text] `json:"issueKinds"`
		Impact   stream.Text                   `json:"impact"`
		Effect   stream.Text                   `json:"subcategoryLocalEffect"`
		Short    stream.Text                   `json:"subcategoryShortDescription"`
		Long     stream.Text                   `json:"subcategoryLongDescription"`
	} `json:"checkerProperties"`
}

type event struct {
	Description stream.Text `json:"eventDescription"`
	Tag         stream.Text `json:"eventTag"`
	File        stream.Text `json:"strippedFilePathname"`
	Line        stream.Int  `json:"lineNumber"`
	Main        bool        `json:"main"`
	Remediation bool        `json:"remediation"`
}

func (i issue) observation() gate.Observation {
	p := i.Properties
	o := gate.Observation{
		Title:       cmp.Or(string(p.Short), string(i.Checker)),
		Severity:    severity(p.Impact),
		Description: i.description(),
		Mitigation:  i.mitigation(),
		Impact:      string(p.Effect),
		CWE:         gate.ParseCWE(string(p.CWE)),
		RuleID:      string(i.Checker),
		FilePath:    cmp.Or(string(i.Stripped), string(i.File)),
		Line:        i.Line.Ptr(),
		Occurrences: i.Occurrences.Ptr(),
	}
	if i.Subcategory != "" {
		o.RuleID += "/" + string(i.Subcategory)
	}
	return o
}

// severity is Coverity's impact; its lowest is "Audit".
func severity(impact stream.Text) gate.Severity {
	if strings.EqualFold(string(impact), "audit") {
		return gate.Info
	}
	return gate.ParseSeverity(string(impact))
}

// description is stable between scans as far as the code is: DefectDojo's
// identity of an issue holds it.
func (i issue) description() string {
	p := i.Properties
	var t parsers.Text
	t.Add(string(p.Long))
	var steps []string
	for _, e := range i.Events {
		switch {
		case e.Remediation:
		case e.Main && e.Description != p.Long:
			t.Add(string(e.Description))
		case !e.Main:
			steps = append(steps, fmt.Sprintf("%s (%s): %s", parsers.Place(string(e.File), e.Line.Ptr()), e.Tag, e.Description))
		}
	}
	kinds := make([]string, len(p.Kinds))
	for n, k := range p.Kinds {
		kinds[n] = strings.ToLower(string(k))
	}
	t.Fact("Checker", string(i.Checker)).
		Fact("Category", string(p.Category)).
		Facts("Kind", kinds).
		Fact("Place", parsers.Place(cmp.Or(string(i.Stripped), string(i.File)), i.Line.Ptr())).
		Fact("Function", string(i.Function)).
		Fact("Language", string(i.Language))
	if len(steps) > 0 {
		t.Add("Steps:").List(steps)
	}
	return t.String()
}

func (i issue) mitigation() string {
	var t parsers.Text
	for _, e := range i.Events {
		if e.Remediation {
			t.Add(string(e.Description))
		}
	}
	return t.String()
}
