// Package bandit reads the JSON report of Bandit, the Python security linter.
//
// Made by "bandit -r . -f json -o bandit.json":
//
//	{"errors": [{"filename": "bad.py", "reason": "syntax error while parsing AST from file"}],
//	 "generated_at": "2026-01-05T10:00:00Z", "metrics": {"_totals": {}},
//	 "results": [{"filename": "app/db.py", "line_number": 27, "line_range": [27, 28], "code": "26 …\n27 …",
//	   "issue_severity": "LOW", "issue_confidence": "HIGH", "issue_text": "Try, Except, Pass detected.",
//	   "issue_cwe": {"id": 703, "link": "…"}, "more_info": "…", "test_id": "B110", "test_name": "try_except_pass"}]}
//
// "errors" are files that Bandit could not read. Weaknesses came with 1.7.3.
package bandit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Bandit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "bandit",
	ScanType: "Bandit Scan",
	Files:    "JSON",
	Command:  "bandit -r . -f json -o bandit.json",
	URL:      "https://github.com/PyCQA/bandit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].test_id", "results[].issue_text"):
		return parsers.Sure
	case s.Has("results[]", "metrics._totals", "generated_at", "errors"):
		return parsers.Sure
	}
	return parsers.No
}

type issue struct {
	Code       stream.Text                  `json:"code"`
	File       stream.Text                  `json:"filename"`
	Confidence stream.Text                  `json:"issue_confidence"`
	Severity   stream.Text                  `json:"issue_severity"`
	Text       stream.Text                  `json:"issue_text"`
	Line       stream.Int                   `json:"line_number"`
	Range      stream.OneOrMany[stream.Int] `json:"line_range"`
	MoreInfo   stream.Text                  `json:"more_info"`
	TestID     stream.Text                  `json:"test_id"`
	TestName   stream.Text                  `json:"test_name"`
	CWE        stream.Lenient[issueCWE]     `json:"issue_cwe"`
}

type issueCWE struct {
	ID   stream.Int  `json:"id"`
	Link stream.Text `json:"link"`
}

type failure struct {
	File   stream.Text `json:"filename"`
	Reason stream.Text `json:"reason"`
}

// parse reads the time first, which in Bandit's order stands before the results.
func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool, run.Outcome = "Bandit", gate.Succeeded
	at := stream.Text("")
	err := stream.JSON(in, stream.Object(stream.Fields{"generated_at": stream.Into(&at)}, "results"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run.FinishedAt = parsers.ParseTime(string(at))
	return stream.JSON(in, stream.Object(stream.Fields{
		"errors": stream.Each(func(f failure) error {
			out.Problem("%s: %s", f.File, f.Reason)
			return nil
		}),
		"results": stream.Each(func(i issue) error {
			o := observation(i)
			o.Date = gate.DateOf(run.FinishedAt)
			out.Emit(o)
			return nil
		}),
	}))
}

func observation(i issue) gate.Observation {
	var text parsers.Text
	text.Add(string(i.Text)).
		Fact("Test", strings.TrimSpace(string(i.TestID+" "+i.TestName))).
		Fact("Place", parsers.Place(string(i.File), i.Line.Ptr())).
		Fact("Confidence", string(i.Confidence)).
		Code("python", string(i.Code))
	o := gate.Observation{
		Title:             string(i.Text),
		Severity:          gate.ParseSeverity(string(i.Severity)),
		Description:       text.String(),
		References:        parsers.Lines(string(i.MoreInfo), string(i.CWE.Value.Link)),
		CWE:               i.CWE.Value.ID.N,
		RuleID:            string(i.TestName + ":" + i.TestID),
		FilePath:          string(i.File),
		Line:              i.Line.Ptr(),
		Snippet:           string(i.Code),
		ScannerConfidence: confidence[strings.ToUpper(string(i.Confidence))],
		Occurrences:       new(1),
	}
	if n := len(i.Range); n > 0 {
		o.EndLine = i.Range[n-1].Ptr()
	}
	return o
}

// confidence is DefectDojo's scale: 2 is certain, 6 tentative.
var confidence = map[string]*int{"HIGH": new(2), "MEDIUM": new(3), "LOW": new(6)}
