// Package kics reads the JSON report of KICS, Checkmarx's checker of
// infrastructure as code.
//
// Made by "kics scan -p . --report-formats json -o out". The report is one object:
//
//	{"kics_version": "v2.1.3", "files_scanned": 15, "files_parsed": 14, "files_failed_to_scan": 0,
//	 "queries": [{"query_name": "S3 Bucket Access to Any Principal", "query_id": "7af43613-…", "query_url": "https://…",
//	   "severity": "HIGH", "platform": "Terraform", "category": "Access Control", "description": "…", "cwe": "284",
//	   "files": [{"file_name": "s3.tf", "line": 36, "issue_type": "IncorrectValue", "search_key": "…",
//	     "expected_value": "…", "actual_value": "…"}]}],
//	 "scan_id": "console", "severity_counters": {…}, "start": "…", "end": "…", "paths": ["."]}
//
// Each place in a query's files is a finding.
package kics

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads KICS's JSON.
var Parsers = []parsers.Parser{{
	Name:     "kics",
	ScanType: "KICS Scan",
	Files:    "JSON",
	Command:  "kics scan -p . --report-formats json -o out",
	URL:      "https://docs.kics.io/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("kics_version"), s.Has("queries", "queries_total"), s.Has("queries[].query_id", "queries[].files"):
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string {
		return strings.Join([]string{o.ComponentName, o.Title, o.FilePath, strconv.Itoa(*o.Line), o.Description}, "\n")
	}
	return parsers.Once(in, out, key, read)
}

func read(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "KICS"
	return stream.JSON(in, stream.Object(stream.Fields{
		"kics_version": stream.One(func(s stream.Text) error { run.Version = string(s); return nil }),
		"start":        stream.One(func(s stream.Text) error { run.StartedAt = parsers.ParseTime(string(s)); return nil }),
		"end":          stream.One(func(s stream.Text) error { run.FinishedAt = parsers.ParseTime(string(s)); return nil }),
		"paths": stream.One(func(p stream.Lenient[[]string]) error {
			run.Target = strings.Join(p.Value, ", ")
			return nil
		}),
		"files_failed_to_scan":      count(out, "%d files could not be scanned"),
		"queries_failed_to_execute": count(out, "%d queries could not be executed"),
		"queries": stream.Each(func(q query) error {
			for _, f := range q.Files {
				out.Emit(q.observation(f))
			}
			return nil
		}),
	}, "queries"))
}

// count notes a number of failures.
func count(out *parsers.Report, what string) stream.Value {
	return stream.One(func(n stream.Int) error {
		if n.N > 0 {
			out.Problem(what, n.N)
		}
		return nil
	})
}

type query struct {
	Name        string      `json:"query_name"`
	ID          string      `json:"query_id"`
	URL         string      `json:"query_url"`
	Severity    string      `json:"severity"`
	Platform    string      `json:"platform"`
	Cloud       string      `json:"cloud_provider"`
	Category    string      `json:"category"`
	Description string      `json:"description"`
	CWE         stream.Text `json:"cwe"`
	Files       []place     `json:"files"`
}

type place struct {
	File         string      `json:"file_name"`
	Line         stream.Int  `json:"line"`
	ResourceType stream.Text `json:"resource_type"`
	ResourceName stream.Text `json:"resource_name"`
	IssueType    string      `json:"issue_type"`
	SearchKey    string      `json:"search_key"`
	Expected     stream.Text `json:"expected_value"`
	Actual       stream.Text `json:"actual_value"`
	Remediation  stream.Text `json:"remediation"`
}

func (q query) observation(p place) gate.Observation {
	var about, how parsers.Text
	about.Add(q.Description).Fact("Platform", q.Platform).Fact("Cloud", q.Cloud).Fact("Category", q.Category).
		Fact("CWE", string(q.CWE)).Fact("Resource", strings.TrimSpace(string(p.ResourceType+" "+p.ResourceName))).
		Fact("Kind of issue", p.IssueType).Fact("Key", p.SearchKey).Fact("Found", string(p.Actual)).Fact("Query", q.ID)
	how.Add(string(p.Expected)).Code("", string(p.Remediation))
	return gate.Observation{
		Title:         q.Category + ": " + q.Name,
		Severity:      gate.ParseSeverity(q.Severity),
		Description:   about.String(),
		Mitigation:    how.String(),
		References:    q.URL,
		Check:         q.ID,
		FilePath:      p.File,
		Line:          &p.Line.N,
		ComponentName: q.Platform,
	}
}
