// Package burp_api reads a scan's result from the REST API of Burp Suite
// Professional.
//
// Made by "curl http://127.0.0.1:1337/v0.1/scan/7 -o burp.json":
//
//	{"task_id": "7", "scan_status": "succeeded", "scan_metrics": {…}, "issue_events": [
//	  {"id": "1", "type": "issue_found", "issue": {
//	    "name": "SQL injection", "type_index": 1049088, "serial_number": "5605602767570803712",
//	    "origin": "https://example.org", "path": "/items", "severity": "high", "confidence": "firm",
//	    "description": "<p>…", "issue_background": "<p>…", "remediation_background": "<p>…",
//	    "evidence": [{"type": "FirstOrderEvidence", "request_response": {"url": "…",
//	      "request": [{"type": "DataSegment", "data": "R0VU…", "length": 7}, {"type": "SnipSegment", "length": 99}],
//	      "response": […]}}]}}]}
//
// Data is in base64; a SnipSegment stands for bytes that were left out. An
// evidence that compares two answers has them in first_evidence and
// second_evidence. A scan that still runs has a result as well.
package burp_api

import (
	"encoding/base64"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the REST API's JSON.
var Parsers = []parsers.Parser{{
	Name:     "burp_api",
	ScanType: "Burp REST API",
	Files:    "JSON",
	Command:  "curl http://127.0.0.1:1337/v0.1/scan/7 -o burp.json",
	URL:      "https://portswigger.net/burp/documentation/desktop/settings/suite/rest-api",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("issue_events") && (s.Has("scan_metrics") || s.Has("task_id")):
		return parsers.Sure
	case s.Has("issue_events"):
		return parsers.Likely
	}
	return parsers.No
}

type event struct {
	Type  string `json:"type"`
	Issue *issue `json:"issue"`
}

type issue struct {
	Name                  string                     `json:"name"`
	TypeIndex             stream.Text                `json:"type_index"`
	SerialNumber          stream.Text                `json:"serial_number"`
	Origin                string                     `json:"origin"`
	Path                  string                     `json:"path"`
	Severity              string                     `json:"severity"`
	Confidence            string                     `json:"confidence"`
	Description           string                     `json:"description"`
	Background            string                     `json:"issue_background"`
	Remediation           string                     `json:"remediation"`
	RemediationBackground string                     `json:"remediation_background"`
	References            string                     `json:"references"`
	Classifications       string                     `json:"vulnerability_classifications"`
	Caption               string                     `json:"caption"`
	Evidence              []stream.Lenient[evidence] `json:"evidence"`
}

type evidence struct {
	Detail struct {
		Payload struct {
			Bytes string `json:"bytes"`
		} `json:"payload"`
	} `json:"detail"`
	Messages *messages `json:"request_response"`
	First    *evidence `json:"first_evidence"`
	Second   *evidence `json:"second_evidence"`
}

type messages struct {
	URL      string    `json:"url"`
	Request  []segment `json:"request"`
	Response []segment `json:"response"`
}

type segment struct {
	Type   string     `json:"type"`
	Data   string     `json:"data"`
	Length stream.Int `json:"length"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Burp Suite"
	return stream.JSON(in, stream.Object(stream.Fields{
		"scan_status": stream.One(func(status stream.Text) error {
			switch status {
			case "succeeded":
				run.Outcome = gate.Succeeded
			case "failed":
				run.Outcome = gate.Failed
			default:
				out.Problem("the scan had not ended, it was %s", status)
			}
			return nil
		}),
		"issue_events": stream.Each(func(e event) error {
			if e.Issue == nil || e.Type != "" && e.Type != "issue_found" {
				return nil
			}
			if run.Target == "" {
				run.Target = e.Issue.Origin
			}
			out.Emit(e.Issue.observation())
			return nil
		}),
	}, "issue_events"))
}

// confidences are Burp's words on DefectDojo's scale.
var confidences = map[string]*int{"certain": new(2), "firm": new(3), "tentative": new(6)}

func (i *issue) observation() gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(i.Description)).Add(parsers.Markdown(i.Caption)).
		Fact("Place", i.Origin+i.Path).Fact("Confidence", i.Confidence).Fact("Issue type", string(i.TypeIndex)).Fact("Serial number", string(i.SerialNumber))
	o := gate.Observation{
		Title:             i.Name,
		Severity:          gate.ParseSeverity(i.Severity),
		Description:       text.String(),
		Impact:            parsers.First(parsers.Markdown(i.Background), "The result does not tell an impact."),
		Mitigation:        parsers.First(parsers.Markdown(i.Remediation), parsers.Markdown(i.RemediationBackground), "The result names no remedy."),
		References:        parsers.First(parsers.Lines(parsers.Markdown(i.References), parsers.Markdown(i.Classifications)), "https://portswigger.net/kb/issues"),
		RuleID:            string(i.TypeIndex),
		UniqueID:          string(i.SerialNumber),
		ScannerConfidence: confidences[strings.ToLower(i.Confidence)],
		Endpoints:         []string{parsers.Endpoint(i.Origin + i.Path)},
	}
	var kept parsers.Messages
	for _, e := range i.Evidence {
		for _, part := range []*evidence{&e.Value, e.Value.First, e.Value.Second} {
			if part != nil && part.Messages != nil {
				o.RequestResponsePairs = kept.Add(o.RequestResponsePairs, join(part.Messages.Request), join(part.Messages.Response))
			}
		}
	}
	return o
}

// join puts a message together.
func join(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		switch data, err := base64.StdEncoding.DecodeString(s.Data); {
		case s.Type == "SnipSegment":
			fmt.Fprintf(&b, "\n… %d bytes left out …\n", s.Length.N)
		case err != nil:
			b.WriteString(s.Data)
		default:
			b.Write(data)
		}
	}
	return b.String()
}
