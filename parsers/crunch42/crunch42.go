// Package crunch42 reads the JSON of 42Crunch's audit of OpenAPI definitions.
//
// Made by "42c-ast audit run openapi.json -o audit.json":
//
//	{"end": "1709535630", "report": {"index": ["/components/security/ApiKey"], "assessmentVersion": "3.1.6", "score": 82.86,
//	  "security": {"issueCounter": 1, "issues": {"v3-global-securityscheme-apikey-inheader": {"description": "…", "criticality": 1, "issues": [
//	    {"specificDescription": "…", "score": 0, "pointer": 0, "criticality": 1, "fingerprint": "…"}]}}},
//	  "data": {…}}}
//
// A pointer is the position of a JSON pointer in the index, which may follow.
// Criticality goes from 1 (information) to 5 (critical). "data" is how well the
// definition describes data; it is left out, as with DefectDojo.
package crunch42

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads 42Crunch's JSON.
var Parsers = []parsers.Parser{{
	Name:     "crunch42",
	ScanType: "Crunch42 Scan",
	Files:    "JSON",
	Command:  "42c-ast audit run openapi.json -o audit.json",
	URL:      "https://docs.42crunch.com/latest/content/concepts/api_contract_security_audit.htm",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("report.assessmentVersion") || s.Has("report.security.issues", "report.index[]") {
		return parsers.Sure
	}
	return parsers.No
}

type issue struct {
	Description stream.Text  `json:"specificDescription"`
	Score       stream.Float `json:"score"`
	Pointer     stream.Int   `json:"pointer"`
	Criticality stream.Int   `json:"criticality"`
	Fingerprint stream.Text  `json:"fingerprint"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "42Crunch API Security Audit"
	var index []string
	var version stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{"report": stream.Object(stream.Fields{
		"assessmentVersion": stream.Into(&version),
		"index":             stream.Into(&index),
	})}, "report"))
	if err != nil {
		return err
	}
	run.Version = string(version)
	if err := in.Rewind(); err != nil {
		return err
	}
	security := stream.Object(stream.Fields{"issues": stream.Entries(func(id string, d *stream.Decoder) error { return rule(d, out, index, id) })})
	return stream.JSON(in, stream.Object(stream.Fields{"report": stream.Object(stream.Fields{"security": security}, "security")}))
}

// rule reads the issues of one rule, whose description may follow them: an
// issue is held back until the rule's end.
func rule(d *stream.Decoder, out *parsers.Report, index []string, id string) error {
	var v struct {
		Description stream.Text `json:"description"`
		Issues      []issue     `json:"issues"`
	}
	if err := stream.Into(&v)(d); err != nil {
		return err
	}
	for _, i := range v.Issues {
		out.Emit(i.observation(index, id, string(v.Description)))
	}
	return nil
}

var severities = map[int]gate.Severity{1: gate.Info, 2: gate.Low, 3: gate.Medium, 4: gate.High, 5: gate.Critical}

func (i issue) observation(index []string, id, description string) gate.Observation {
	place := ""
	if n := i.Pointer.N; i.Pointer.OK && n >= 0 && n < len(index) {
		place = index[n]
	}
	var text parsers.Text
	text.Add(description).Add(string(i.Description)).Fact("Place in the definition", place).Fact("Rule", id)
	text.Fact("Score", strconv.FormatFloat(i.Score.F, 'f', -1, 64)).Fact("Fingerprint", string(i.Fingerprint))
	return gate.Observation{
		Title:       id,
		Severity:    severities[i.Criticality.N],
		Description: text.String(),
		Check:       id,
		UniqueID:    string(i.Fingerprint),
	}
}
