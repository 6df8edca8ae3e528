// Package checkmarx_one reads the reports of Checkmarx One, in all of its JSON forms.
//
// Made by "cx scan create … --report-format json", which lists results:
//
//	{"totalCount": 6, "scanID": "…", "results": [{"type": "sast", "id": "…", "similarityId": "…", "status": "RECURRENT",
//	  "state": "TO_VERIFY", "severity": "HIGH", "firstFoundAt": "…", "description": "…", "data": {"queryName": "SQL_Injection",
//	  "languageName": "Java", "nodes": [{"fileName": "/a.java", "line": 24, "name": "query"}]}, "vulnerabilityDetails": {"cweId": 89}}]}
//
// by "--report-format gl-sast", GitLab's form, which package gitlab describes;
// or by the portal, as "improved scan report":
//
//	{"reportType": "scan", "reportHeader": {"projectName": "shop"}, "scanResults": {"resultsList": [{"queryName": "Reflected_XSS",
//	   "queryPath": "…", "cweId": 79, "description": "…", "categories": [{"name": "OWASP", "subCategories": ["A3"]}],
//	   "vulnerabilities": [{"state": "To Verify", "severity": "High", "foundDate": "…", "sourceFileName": "…", "sourceLine": 69,
//	     "destinationFileName": "…", "destinationLine": 484, "nodes": []}]}]},
//	 "iacScanResults": {"technology": []}, "vulnerabilityDetails": [{"cweId": 79, "risk": "…", "cause": "…", "generalRecommendations": "…"}]}
package checkmarx_one

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Checkmarx One's JSON.
var Parsers = []parsers.Parser{{
	Name:     "checkmarx_one",
	ScanType: "Checkmarx One Scan",
	Files:    "JSON",
	Command:  "cx scan create --project-name shop -s . --report-format json",
	URL:      "https://docs.checkmarx.com/en/34965-68643-results.html",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[]", "scanID", "totalCount"), s.Has("results[].similarityId", "results[].vulnerabilityDetails"):
		return parsers.Sure
	case s.Has("reportHeader", "scanResults.resultsList"), s.Has("reportHeader", "iacScanResults"):
		return parsers.Sure
	case s.Value("scan.scanner.name") == "Checkmarx" && s.Has("vulnerabilities"):
		return parsers.Sure
	}
	return parsers.No
}

// parse reads the explanations first: in the portal's form they stand behind
// what they explain.
func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Checkmarx One"
	p := portal{out: out}
	known := false
	seen := func(d *stream.Decoder) error { known = true; return stream.Skip(d) }
	err := stream.JSON(in, stream.Object(stream.Fields{
		"results": seen, "scanResults": seen, "iacScanResults": seen, "vulnerabilities": seen,
		"vulnerabilityDetails": stream.Each(p.explain),
		"reportHeader":         optional(stream.Object(stream.Fields{"projectName": stream.Into((*stream.Text)(&run.Target))})),
		"scan":                 optional(gitlabScan(run)),
	}))
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf(`there is none of "results", "scanResults", "iacScanResults" and "vulnerabilities"`)
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	unread := func(what string) stream.Value {
		return func(d *stream.Decoder) error {
			if d.PeekKind() != 'n' {
				out.Problem("the results of %s are not read in this form of report", what)
			}
			return stream.Skip(d)
		}
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"results":              stream.Each(func(r result) error { out.Emit(r.observation()); return nil }),
		"vulnerabilities":      stream.Each(func(v gitlabVulnerability) error { out.Emit(v.observation()); return nil }),
		"scanResults":          optional(stream.Object(stream.Fields{"resultsList": stream.Each(p.sast)})),
		"iacScanResults":       optional(stream.Object(stream.Fields{"technology": stream.Array(p.technology)})),
		"scaScanResults":       unread("software composition analysis"),
		"containerScanResults": unread("container images"),
		"apiSecScanResults":    unread("API security"),
	}))
}

func optional(v stream.Value) stream.Value {
	return stream.ByKind(stream.Kinds{'n': stream.Skip, '{': v, '[': stream.Skip})
}

// setState takes the state that people gave a result. Forms differ in letter
// case and in spaces; a result without a state is as good as new.
func setState(o *gate.Observation, state stream.Text) {
	switch strings.ToUpper(strings.ReplaceAll(string(state), " ", "_")) {
	case "NOT_EXPLOITABLE":
		o.Active, o.FalsePositive, o.Verified = new(false), true, true
	case "CONFIRMED", "URGENT":
		o.Verified = true
	}
}

// severity reads Checkmarx's word, of which the lowest is INFO or INFORMATION.
func severity(word stream.Text) gate.Severity {
	if strings.HasPrefix(strings.ToUpper(string(word)), "INFO") {
		return gate.Info
	}
	return gate.ParseSeverity(string(word))
}

// spaced makes "Reflected_XSS" words.
func spaced(t stream.Text) string { return strings.ReplaceAll(string(t), "_", " ") }
