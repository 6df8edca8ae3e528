// Package horusec reads the JSON of Horusec, which runs many static analysers.
//
// Made by "horusec start -o json -O horusec.json -p .":
//
//	{"version": "v2.8.0", "id": "…", "status": "success", "errors": "", "createdAt": "2026-01-05T10:00:00Z",
//	 "finishedAt": "…", "analysisVulnerabilities": [{"vulnerabilities": {"line": "762", "column": "2",
//	   "confidence": "MEDIUM", "file": "a.py", "code": "…", "details": "Title\nText", "securityTool": "Bandit",
//	   "language": "Python", "severity": "CRITICAL", "type": "Vulnerability", "rule_id": "HS-LEAKS-2",
//	   "commitAuthor": "-", "vulnHash": "…"}}]}
//
// The first line of "details" is the title. "errors" tells which analysers
// failed. A "-" stands for nothing. DefectDojo takes the findings for dynamic ones.
package horusec

import (
	"cmp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Horusec's JSON.
var Parsers = []parsers.Parser{{
	Name:     "horusec",
	ScanType: "Horusec Scan",
	Files:    "JSON",
	Command:  "horusec start -o json -O horusec.json -p .",
	URL:      "https://github.com/ZupIT/horusec",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("analysisVulnerabilities") {
		return parsers.Sure
	}
	return parsers.No
}

type head struct {
	Version, Status, Errors, Created, Finished stream.Text
}

// parse reads what is said of the run first, since findings have its date.
func parse(in *stream.Input, out *parsers.Report) error {
	var h head
	err := stream.JSON(in, stream.Object(stream.Fields{
		"version":    stream.Into(&h.Version),
		"status":     stream.Into(&h.Status),
		"errors":     stream.Into(&h.Errors),
		"createdAt":  stream.Into(&h.Created),
		"finishedAt": stream.Into(&h.Finished),
	}, "analysisVulnerabilities"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	h.describe(out)
	date := parsers.ParseDate(string(h.Created))
	return stream.JSON(in, stream.Object(stream.Fields{"analysisVulnerabilities": stream.Each(func(x struct {
		V vulnerability `json:"vulnerabilities"`
	},
	) error {
		o := x.V.observation()
		o.Date = date
		out.Emit(o)
		return nil
	})}))
}

func (h head) describe(out *parsers.Report) {
	run := out.Run()
	run.Tool, run.Type, run.Version = "Horusec", "Horusec", strings.TrimPrefix(string(h.Version), "v")
	run.StartedAt, run.FinishedAt = parsers.ParseTime(string(h.Created)), parsers.ParseTime(string(h.Finished))
	if h.Status == "success" {
		run.Outcome = gate.Succeeded
	}
	for e := range strings.SplitSeq(string(h.Errors), "; ") {
		if e = strings.TrimSpace(e); e != "" {
			out.Problem("%s", strings.Join(strings.Fields(e), " "))
		}
	}
	if h.Status == "error" && run.Outcome != gate.Partial {
		run.Outcome = gate.Failed
	}
}

type vulnerability struct {
	Line       stream.Text `json:"line"`
	Confidence stream.Text `json:"confidence"`
	File       stream.Text `json:"file"`
	Code       stream.Text `json:"code"`
	Details    stream.Text `json:"details"`
	Tool       stream.Text `json:"securityTool"`
	Language   stream.Text `json:"language"`
	Severity   stream.Text `json:"severity"`
	Type       stream.Text `json:"type"`
	RuleID     stream.Text `json:"rule_id"`
	Author     stream.Text `json:"commitAuthor"`
	Hash       stream.Text `json:"commitHash"`
}

func (v vulnerability) observation() gate.Observation {
	title, details, _ := strings.Cut(string(v.Details), "\n")
	line := stream.ParseInt(string(v.Line)).Ptr()
	var text parsers.Text
	text.Add(details).
		Fact("Found by", string(v.Tool)).
		Fact("Rule", string(v.RuleID)).
		Fact("Place", parsers.Place(string(v.File), line)).
		Fact("Language", string(v.Language)).
		Fact("Confidence", string(v.Confidence)).
		Fact("Author", said(v.Author)).
		Fact("Commit", said(v.Hash)).
		Code("", string(v.Code))
	o := gate.Observation{
		Title:             title,
		Severity:          gate.ParseSeverity(string(v.Severity)),
		Description:       text.String(),
		Check:             cmp.Or(string(v.RuleID), string(v.Tool)),
		FilePath:          string(v.File),
		Line:              line,
		Snippet:           string(v.Code),
		ScannerConfidence: confidence[strings.ToUpper(string(v.Confidence))],
	}
	switch v.Type {
	case "False Positive":
		o.FalsePositive, o.Active = true, new(false)
	case "Risk Accepted":
		o.RiskAccepted, o.Active = true, new(false)
	case "Corrected":
		o.Mitigated, o.Active = true, new(false)
	}
	return o
}

// confidence is DefectDojo's scale: 1 is certain, 7 tentative.
var confidence = map[string]*int{"HIGH": new(1), "MEDIUM": new(4), "LOW": new(7)}

// said is a text, unless it is Horusec's sign for nothing.
func said(t stream.Text) string {
	if t == "-" {
		return ""
	}
	return string(t)
}
