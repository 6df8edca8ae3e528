// Package ptart reads the JSON report of PTART, Michelin's tool for writing up
// penetration tests.
//
// Made by the export of an assessment project:
//
//	{"name": "Shop", "executive_summary": "…", "start_date": "2024-08-11", "end_date": "2024-08-16", "cvss_type": 3,
//	 "assessments": [{"title": "API", "hits": [{"id": "PTART-2024-00002", "title": "Broken Access Control", "body": "…",
//	   "remediation": "…", "asset": "https://shop.example.org", "severity": 2, "fix_complexity": 3, "cvss_vector": "CVSS:3.1/…",
//	   "added": "…", "labels": ["A01:2021-…"], "cwes": [{"cwe_id": 862}], "references": [{"name": "…", "url": "…"}],
//	   "screenshots": [{"caption": "…", "screenshot": {"filename": "a.png", "data": "base64"}}],
//	   "attachments": [{"title": "…", "filename": "…", "data": "base64"}]}]}],
//	 "retests": [{"name": "…", "start_date": "…", "hits": [{"id": "PTART-2024-00002-RT", "status": "NF", "body": "…",
//	   "original_hit": {the hit}, "screenshots": […]}]}]}
//
// Severity goes from 1 (critical) to 5 (information), the effort of a fix from 1
// (high) to 3 (low). A hit that was tested again is a finding of its own.
package ptart

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads PTART's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ptart",
	ScanType: "PTART Report",
	Files:    "JSON",
	Command:  "PTART: the project's export as JSON",
	URL:      "https://github.com/certmichelin/PTART",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("assessments[].hits[].fix_complexity") || s.Has("retests[].hits[].original_hit"):
		return parsers.Sure
	case s.Has("assessments", "executive_summary", "engagement_overview"):
		return parsers.Sure
	case s.Has("assessments") || s.Is("{}"):
		return parsers.Possible
	}
	return parsers.No
}

type project struct {
	name, summary, overview, conclusion, start, end stream.Text

	tools, methods []stream.Text
	assessments    []stream.Text // their titles
	retests        []retest
}

type retest struct{ name, start stream.Text }

func parse(in *stream.Input, out *parsers.Report) error {
	p, err := header(in)
	if err != nil {
		return err
	}
	p.describe(out.Run())
	if err := in.Rewind(); err != nil {
		return err
	}
	assessment, again := -1, -1
	return stream.JSON(in, stream.Object(stream.Fields{
		"assessments": stream.Array(func(d *stream.Decoder) error {
			assessment++
			return stream.Object(stream.Fields{"hits": stream.Each(func(h hit) error {
				out.Emit(h.observation(string(p.assessments[assessment])))
				return nil
			})})(d)
		}),
		"retests": stream.Array(func(d *stream.Decoder) error {
			again++
			return stream.Object(stream.Fields{"hits": stream.Each(func(h retestHit) error {
				out.Emit(h.observation(p.retests[again]))
				return nil
			})})(d)
		}),
	}))
}

// header reads all but the hits, whose assessment's title may follow them.
func header(in *stream.Input) (*project, error) {
	p := new(project)
	err := stream.JSON(in, stream.Object(stream.Fields{
		"name": stream.Into(&p.name), "executive_summary": stream.Into(&p.summary), "engagement_overview": stream.Into(&p.overview), "conclusion": stream.Into(&p.conclusion),
		"start_date": stream.Into(&p.start), "end_date": stream.Into(&p.end), "tools": stream.Into(&p.tools), "methodologies": stream.Into(&p.methods),
		"assessments": stream.Array(func(d *stream.Decoder) error {
			var title stream.Text
			err := stream.Object(stream.Fields{"title": stream.Into(&title)})(d)
			p.assessments = append(p.assessments, title)
			return err
		}),
		"retests": stream.Array(func(d *stream.Decoder) error {
			var r retest
			err := stream.Object(stream.Fields{"name": stream.Into(&r.name), "start_date": stream.Into(&r.start)})(d)
			p.retests = append(p.retests, r)
			return err
		}),
	}))
	return p, err
}

func (p *project) describe(run *gate.Run) {
	run.Tool = "PTART"
	run.Target = string(p.name)
	run.Type = "Pen Test"
	if p.name != "" {
		run.Type = string(p.name) + " Report"
	}
	run.StartedAt, run.FinishedAt = parsers.ParseTime(string(p.start)), parsers.ParseTime(string(p.end))
	var text parsers.Text
	text.Add(string(p.summary)).Add(string(p.overview)).Add(string(p.conclusion))
	run.Description = text.String()
}
