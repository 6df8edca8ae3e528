// Package qualys_webapp reads the XML report of Qualys Web Application Scanning.
//
// Made by Reports > New Report > Scan Report, as XML:
//
//	<WAS_SCAN_REPORT><HEADER><GENERATION_DATETIME>…</GENERATION_DATETIME></HEADER><RESULTS>
//	  <VULNERABILITY_LIST><VULNERABILITY><UNIQUE_ID>…</UNIQUE_ID><QID>150004</QID><URL>https://example.org/a</URL>
//	    <ACCESS_PATH><URL>…</URL></ACCESS_PATH><DETECTION_DATE>11 Mar 2020 01:07PM GMT-0400</DETECTION_DATE>
//	    <PAYLOADS><PAYLOAD><REQUEST><METHOD>GET</METHOD><URL>…</URL><HEADERS>…</HEADERS></REQUEST><RESPONSE><CONTENTS base64="true">…
//	  <INFORMATION_GATHERED_LIST><INFORMATION_GATHERED><QID>6</QID><DATA base64="true">…</DATA></INFORMATION_GATHERED>…
//	</RESULTS><GLOSSARY><QID_LIST><QID><QID>150004</QID><SEVERITY>2</SEVERITY><TITLE>…</TITLE><CWE>CWE-22</CWE>…
//
// A web application's report (WAS_WEBAPP_REPORT) holds the same lists. What a
// QID is stands at the end, so the report is read twice. A vulnerability's severity
// is 1 and 2 for Low to 5 for Critical. Results of one QID are one finding.
package qualys_webapp

import (
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Qualys WAS' XML.
var Parsers = []parsers.Parser{{
	Name:     "qualys_webapp",
	ScanType: "Qualys Webapp Scan",
	Files:    "XML",
	Command:  "Reports > New Report > Scan Report, as XML",
	URL:      "https://docs.qualys.com/en/was/latest/reports/reports.htm",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

var roots = []string{"WAS_SCAN_REPORT", "WAS_WEBAPP_REPORT"}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == roots[0] || s.Root == roots[1] {
		return parsers.Sure
	}
	return parsers.No
}

// details is what the glossary says of a QID.
type details struct {
	title, severity, category, group, description, impact, solution, cwe, vector string
}

// findings gathers what is met at several places.
type findings struct {
	glossary map[string]details
	merged   *parsers.Merged
	messages parsers.Messages
}

func parse(in *stream.Input, out *parsers.Report) error {
	f := findings{glossary: map[string]details{}, merged: parsers.Merge(out)}
	run := out.Run()
	run.Tool = "Qualys WAS"
	err := stream.XML(in, roots, stream.Elements{"*/QID_LIST": stream.RecordOf(stream.Parts{"QID": f.define}, func(*stream.Node) error { return nil })})
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	err = stream.XML(in, roots, stream.Elements{
		"*/GENERATION_DATETIME":       stream.CharData(func(s string) error { run.FinishedAt = detected(s); return nil }),
		"*/VULNERABILITY_LIST":        stream.RecordOf(stream.Parts{"VULNERABILITY": f.vulnerability}, ignore),
		"*/SENSITIVE_CONTENT_LIST":    stream.RecordOf(stream.Parts{"SENSITIVE_CONTENT": f.vulnerability}, ignore),
		"*/INFORMATION_GATHERED_LIST": stream.RecordOf(stream.Parts{"INFORMATION_GATHERED": f.information}, ignore),
	})
	if err != nil {
		return err
	}
	f.merged.Emit()
	return nil
}

func ignore(*stream.Node) error { return nil }

func (f *findings) define(n *stream.Node) error {
	f.glossary[n.Get("QID")] = details{n.Get("TITLE"), n.Get("SEVERITY"), n.Get("CATEGORY"), n.Get("GROUP"), n.Get("DESCRIPTION"), n.Get("IMPACT"), n.Get("SOLUTION"), n.Get("CWE"), n.Get("CVSS_V3/VECTOR_STRING")}
	return nil
}

// severities by Qualys' levels of a vulnerability. What was gathered is Info.
var severities = map[string]gate.Severity{"1": gate.Low, "2": gate.Low, "3": gate.Medium, "4": gate.High, "5": gate.Critical}

// at returns the finding of a QID, a new one if there is none.
func (f *findings) at(n *stream.Node, severity func(details) gate.Severity) *gate.Observation {
	id := n.Get("QID")
	o, _ := f.merged.At(id, func() *gate.Observation { return f.glossary[id].observation(id, severity) })
	return o
}

func (d details) observation(id string, severity func(details) gate.Severity) *gate.Observation {
	var text parsers.Text
	text.Add(parsers.Markdown(d.description)).Fact("Category", d.category).Fact("Group", d.group).Fact("QID", id)
	return &gate.Observation{
		Title:       parsers.First(d.title, "QID "+id),
		Severity:    severity(d),
		Description: text.String(),
		Impact:      parsers.Markdown(d.impact),
		Mitigation:  parsers.Markdown(d.solution),
		CWE:         gate.ParseCWE(d.cwe),
		RuleID:      id,
	}
}

func (f *findings) vulnerability(n *stream.Node) error {
	o := f.at(n, func(d details) gate.Severity { return severities[d.severity] })
	if t := detected(parsers.First(n.Get("DETECTION_DATE"), n.Get("LAST_TIME_DETECTED"))); !t.IsZero() {
		o.Date = gate.DateOf(t)
	}
	o.Endpoints = append(o.Endpoints, parsers.Endpoint(n.Get("URL")))
	for u := range n.Each("ACCESS_PATH/URL") {
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(u.Text()))
	}
	for p := range n.Each("PAYLOADS/PAYLOAD") {
		request := p.Get("REQUEST/METHOD") + " " + p.Get("REQUEST/URL") + "\n"
		var requestSb132 strings.Builder
		for h := range p.Each("REQUEST/HEADERS/HEADER") {
			requestSb132.WriteString(h.Get("key") + ": " + h.Get("value") + "\n")
		}
		request += requestSb132.String()
		if body := p.Get("REQUEST/BODY"); body != "" {
			request += "\n" + body
		}
		o.RequestResponsePairs = f.messages.Add(o.RequestResponsePairs, strings.TrimSpace(request), plain(p.At("RESPONSE/CONTENTS")))
	}
	return nil
}

// maxData is how much of the data of one QID is shown.
const maxData = 32 << 10

func (f *findings) information(n *stream.Node) error {
	o := f.at(n, func(details) gate.Severity { return gate.Info })
	if t := detected(parsers.First(n.Get("DETECTION_DATE"), n.Get("LAST_TIME_DETECTED"))); !t.IsZero() {
		o.Date = gate.DateOf(t)
	}
	if data := plain(n.At("DATA")); data != "" && len(o.Description) < maxData {
		var text parsers.Text
		o.Description = text.Add(o.Description).Add("What the scanner saw:").Code("", data[:min(len(data), maxData)]).String()
	}
	return nil
}

// plain returns a text that may be in base64.
func plain(n *stream.Node) string {
	if n.Attr("base64") == "true" {
		if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Text()), "")); err == nil {
			return string(b)
		}
	}
	return n.Text()
}

// zone is how Qualys writes a time zone: "GMT-0400".
var zone = regexp.MustCompile(`\s+GMT[+-]?\d*$`)

// detected reads "11 Mar 2020 01:07PM GMT-0400", of which the day counts.
func detected(s string) time.Time {
	s = zone.ReplaceAllString(strings.TrimSpace(s), "")
	if t, err := time.Parse("2 Jan 2006 03:04PM", s); err == nil {
		return t
	}
	return parsers.ParseTime(s)
}
