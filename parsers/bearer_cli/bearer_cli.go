// Package bearer_cli reads the JSON report of Bearer CLI, a static analyser for
// security and privacy.
//
// Made by "bearer scan . --format json --output bearer.json". The report is an
// object of severities, those without findings left out:
//
//	{"critical": [], "high": [{"id": "javascript_lang_dangerous_insert_html", "title": "…", "description": "## Description …",
//	  "cwe_ids": ["79"], "documentation_url": "…", "line_number": 581, "filename": "js/a.js", "full_filename": "js/a.js",
//	  "source": {"start": 581, "end": 581}, "sink": {"start": 581, "end": 581, "content": "…"},
//	  "snippet": "…", "code_extract": "…", "fingerprint": "…_0", "category_groups": ["PII"]}], "warning": []}
package bearer_cli

import (
	"fmt"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Bearer's JSON.
var Parsers = []parsers.Parser{{
	Name:     "bearer_cli",
	ScanType: "Bearer CLI",
	Files:    "JSON",
	Command:  "bearer scan . --format json --output bearer.json",
	URL:      "https://docs.bearer.com/reference/commands/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

// severities are the keys of the report. A warning is no judgement of a risk.
var severities = map[string]gate.Severity{
	"critical": gate.Critical, "high": gate.High, "medium": gate.Medium, "low": gate.Low, "warning": gate.Info,
}

func detect(s *parsers.Sample) parsers.Likeness {
	for k := range severities {
		if s.Has(k+"[].fingerprint", k+"[].cwe_ids", k+"[].full_filename") || s.Has(k+"[].documentation_url", k+"[].cwe_ids") {
			return parsers.Sure
		}
	}
	if s.Format == parsers.JSON && (s.Has("critical[]") || s.Has("high[]") || string(s.Head) == "{}" || string(s.Head) == "{}\n") {
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Bearer CLI"
	return stream.JSON(in, stream.Entries(func(key string, d *stream.Decoder) error {
		severity, ok := severities[key]
		if !ok {
			return fmt.Errorf("%q is no severity of Bearer's", key)
		}
		return stream.Each(func(f finding) error {
			out.Emit(f.observation(severity))
			return nil
		})(d)
	}))
}

type finding struct {
	CWEs        stream.OneOrMany[stream.Text] `json:"cwe_ids"`
	ID          stream.Text                   `json:"id"`
	Title       stream.Text                   `json:"title"`
	Description stream.Text                   `json:"description"`
	URL         stream.Text                   `json:"documentation_url"`
	Line        stream.Int                    `json:"line_number"`
	File        stream.Text                   `json:"filename"`
	FullFile    stream.Text                   `json:"full_filename"`
	Groups      stream.OneOrMany[stream.Text] `json:"category_groups"`
	Source      stream.Lenient[region]        `json:"source"`
	Sink        stream.Lenient[region]        `json:"sink"`
	Snippet     stream.Text                   `json:"snippet"`
	Extract     stream.Text                   `json:"code_extract"`
	Fingerprint stream.Text                   `json:"fingerprint"`
}

type region struct {
	Start   stream.Int  `json:"start"`
	End     stream.Int  `json:"end"`
	Content stream.Text `json:"content"`
}

func (f finding) observation(severity gate.Severity) gate.Observation {
	code := parsers.First(string(f.Extract), string(f.Snippet))
	var text parsers.Text
	text.Add(string(f.Description)).
		Fact("Rule", string(f.ID)).
		Fact("Place", parsers.Place(string(f.File), f.Line.Ptr())).
		Facts("Data", words(f.Groups)).
		Code("", code)
	o := gate.Observation{
		Title:              fmt.Sprintf("%s in %s:%d", f.Title, f.File, f.Line.N),
		Severity:           severity,
		Description:        text.String(),
		References:         string(f.URL),
		RuleID:             string(f.ID),
		UniqueID:           string(f.Fingerprint),
		FilePath:           string(f.File),
		Line:               f.Line.Ptr(),
		EndLine:            f.Sink.Value.End.Ptr(),
		Snippet:            code,
		SASTSourceLine:     f.Source.Value.Start.Ptr(),
		SASTSourceFilePath: string(f.File),
		SASTSinkObject:     string(f.Sink.Value.Content),
	}
	parsers.SetCWEs(&o, f.CWEs...)
	return o
}

func words(list stream.OneOrMany[stream.Text]) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}
