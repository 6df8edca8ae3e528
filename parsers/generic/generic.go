// Package generic reads DefectDojo's own format for findings of any tool, as
// JSON and as CSV.
//
// Written by hand or by a script. The JSON report is one object:
//
//	{"name": "Third party pentest", "type": "Pentest", "version": "1.2",
//	 "findings": [{"title": "…", "severity": "High", "description": "…",
//	   "cwe": 79, "cve": "CVE-2020-36234", "vulnerability_ids": ["GHSA-…"],
//	   "endpoints": ["https://www.example.org/login", {"host": "example.org", "port": 8443}],
//	   "files": [{"title": "shot.png", "data": "base64…"}]}]}
//
// A finding needs title, severity and description. A key that the format does
// not have is an error: a misspelt one would lose what it says. Numbers may be
// quoted; "N/A" is none.
//
// The CSV report has the columns Date, Title, CweId, Url, Severity,
// Description, Mitigation, Impact, References, Active, Verified, FalsePositive,
// Duplicate and more; rows that differ in their Url alone are one finding.
package generic

import (
	"bufio"
	"bytes"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the generic JSON and CSV.
var Parsers = []parsers.Parser{{
	Name:     "generic",
	ScanType: "Generic Findings Import",
	Files:    "JSON or CSV",
	Command:  "any script that writes this format",
	URL:      "https://docs.defectdojo.com/supported_tools/parsers/generic_findings_import/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("title", "severity", "description", "cweid", "falsepositive"):
		return parsers.Sure
	case s.Has("findings[].title", "findings[].severity", "findings[].description"):
		return parsers.Likely
	case s.HasColumns("title", "severity", "description", "date"), s.Has("findings[]", "name") && !s.Has("findings[].title"), s.Is(`{"findings":[]}`):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	head, err := bufio.NewReaderSize(in, 4096).Peek(64)
	if len(bytes.TrimSpace(head)) == 0 && err != nil {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return parseJSON(in, out)
	}
	return parseCSV(in, out)
}

// severity reads one of the format's five words, or another known one. An
// unknown word is an error: it could mean the worst.
func severity(s string) (gate.Severity, error) {
	v, ok := gate.SeverityOf(s)
	if !ok {
		return v, stream.Errorf("%q is not a severity: use Info, Low, Medium, High or Critical", s)
	}
	return v, nil
}

// parseTime reads an instant as the frame does, and also a day written as two
// numbers: the month first, or the day where it cannot be a month.
func parseTime(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	if t := parsers.ParseTime(s); !t.IsZero() {
		return t
	}
	for _, layout := range []string{"1/2/2006", "2/1/2006", "1-2-2006", "2-1-2006", "2.1.2006", "1/2/2006 15:04", "2/1/2006 15:04", "1/2/2006 15:04:05", "2/1/2006 15:04:05", "1/2/06", "2/1/06"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// setCVSS puts in the vectors, and the scores given where a vector is missing.
func setCVSS(o *gate.Observation, v3, v4 string, score3, score4 *float64) {
	parsers.SetCVSS(o, v3, v4)
	if o.CVSSv3Score == nil {
		o.CVSSv3Score = cvssScore(score3)
	}
	if o.CVSSv4Score == nil {
		o.CVSSv4Score = cvssScore(score4)
	}
}

func cvssScore(p *float64) *float64 {
	if p == nil || *p < 0 || *p > 10 {
		return nil
	}
	return p
}

// share keeps a probability, which lies between 0 and 1.
func share(p *float64) *float64 {
	if p == nil || *p < 0 || *p > 1 {
		return nil
	}
	return p
}
