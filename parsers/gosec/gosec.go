// Package gosec reads the JSON report of gosec, the Go security checker.
//
// Made by "gosec -fmt=json -out=gosec.json ./...". The report is one object:
//
//	{"Golang errors": {}, "Issues": [{"severity": "HIGH", "confidence": "LOW",
//	  "cwe": {"id": "798", "url": "…"}, "rule_id": "G101", "details": "…",
//	  "file": "/src/main.go", "code": "7: password := …", "line": "7", "column": "2"}],
//	 "Stats": {}, "GosecVersion": "2.22.0"}
//
// Numbers come as strings. A line may be a range, "7-9": its first line counts.
// "Golang errors" are files that did not compile, which were not checked.
package gosec

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads gosec's JSON.
var Parsers = []parsers.Parser{{
	Name:     "gosec",
	ScanType: "Gosec Scanner",
	Files:    "JSON",
	Command:  "gosec -fmt=json -out=gosec.json ./...",
	URL:      "https://github.com/securego/gosec",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("Golang errors", "Issues") || s.Has("GosecVersion"):
		return parsers.Sure
	case s.Has("Issues[].rule_id", "Issues[].details"):
		return parsers.Likely
	}
	return parsers.No
}

type issue struct {
	Severity   string `json:"severity"`
	Confidence string `json:"confidence"`
	CWE        struct {
		ID  stream.Text `json:"id"`
		URL string      `json:"url"`
	} `json:"cwe"`
	RuleID  string      `json:"rule_id"`
	Details string      `json:"details"`
	File    string      `json:"file"`
	Code    string      `json:"code"`
	Line    stream.Text `json:"line"`

	Suppressions []struct {
		Kind          stream.Text `json:"kind"`
		Justification stream.Text `json:"justification"`
	} `json:"suppressions"` // with -track-suppressions
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "gosec"
	return stream.JSON(in, stream.Object(stream.Fields{
		"GosecVersion": stream.Into(&run.Version),
		"Golang errors": stream.Entries(func(file string, d *stream.Decoder) error {
			out.Problem("%s did not compile and was not checked", file)
			return stream.Skip(d)
		}),
		"Issues": stream.Each(func(i issue) error {
			out.Emit(observation(i))
			return nil
		}),
	}, "Issues"))
}

func observation(i issue) gate.Observation {
	first, last, _ := strings.Cut(string(i.Line), "-")
	var text parsers.Text
	text.Add(i.Details).Fact("Rule", i.RuleID).Fact("Place", i.File+":"+string(i.Line)).Fact("Confidence", i.Confidence).Code("go", i.Code)
	for _, s := range i.Suppressions {
		text.Fact("Suppressed", strings.TrimSpace(string(s.Kind+" "+s.Justification)))
	}
	cwe := gate.ParseCWE(string(i.CWE.ID))
	return gate.Observation{
		Title:             i.Details + " - rule " + i.RuleID,
		Severity:          gate.ParseSeverity(i.Severity),
		Description:       text.String(),
		CWE:               cwe,
		Check:             i.RuleID,
		References:        parsers.First(i.CWE.URL, "https://securego.io/docs/rules/"+strings.ToLower(i.RuleID)+".html"),
		FilePath:          i.File,
		Line:              stream.ParseInt(first).Ptr(),
		EndLine:           stream.ParseInt(last).Ptr(),
		Snippet:           i.Code,
		ScannerConfidence: confidence[strings.ToUpper(i.Confidence)],
	}
}

// confidence is DefectDojo's scale: 1 is certain, 7 tentative.
var confidence = map[string]*int{"HIGH": new(1), "MEDIUM": new(4), "LOW": new(7)}
