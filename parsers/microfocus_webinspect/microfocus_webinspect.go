// Package microfocus_webinspect reads the XML that OpenText (before: Micro Focus, HP) Fortify WebInspect exports of a scan.
//
// Made by File, Export, Scan Details, Full (XML):
//
//	<Sessions><Session requestId="…"><URL>https://www.example.org:443/home</URL><Scheme>https</Scheme><Host>…</Host><Port>443</Port>
//	  <AttackParamDescriptor>name</AttackParamDescriptor>
//	  <Issues><Issue id="59aa…"><CheckTypeID>Vulnerability</CheckTypeID><VulnerabilityID>10302</VulnerabilityID><Severity>2</Severity><Name>…</Name>
//	    <Classifications><Classification kind="CWE" identifier="CWE-200" href="…">CWE-200: Information Exposure</Classification></Classifications>
//	    <ReportSection><Name>Summary</Name><SectionText>…HTML…</SectionText></ReportSection>…</Issue></Issues><RawRequest>…</RawRequest>…</Session></Sessions>
//
// Severities are 0 (Info) to 4 (Critical). An issue at several URLs is one finding with several endpoints; of several weaknesses the last is the nearest.
package microfocus_webinspect

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads WebInspect's XML.
var Parsers = []parsers.Parser{{
	Name:     "microfocus_webinspect",
	ScanType: "Microfocus Webinspect Scan",
	Files:    "XML",
	Command:  "WebInspect: File, Export, Scan Details, Full, XML",
	URL:      "https://www.microfocus.com/documentation/fortify-webinspect/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "Sessions" && s.Elements["Sessions/Session/Issues"] && s.Elements["Sessions/Session/AttackParamDescriptor"]:
		return parsers.Sure
	case s.Root == "Sessions":
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Fortify WebInspect"
	merged := parsers.Merge(out)
	err := stream.XML(in, []string{"Sessions"}, stream.Elements{
		"Sessions/Session": stream.Record(func(session *stream.Node) error {
			for issue := range session.Each("Issues/Issue") {
				key := issue.Get("Name") + "\x00" + issue.Get("Severity") + "\x00" + weaknesses(issue)
				o := merged.Count(key, observation(session, issue))
				o.Endpoints = append(o.Endpoints, parsers.Endpoint(session.Get("URL")))
			}
			return nil
		}),
	})
	if err != nil {
		return err
	}
	merged.Emit()
	return nil
}

func observation(session, issue *stream.Node) gate.Observation {
	section := map[string]string{}
	for s := range issue.Each("ReportSection") {
		section[s.Get("Name")] = parsers.Markdown(s.Get("SectionText"))
	}
	o := gate.Observation{
		Title:            issue.Get("Name"),
		Severity:         parsers.Rank(issue.Get("Severity"), 0),
		Description:      describe(session, issue, section["Summary"]),
		Impact:           section["Implication"],
		StepsToReproduce: section["Execution"],
		Mitigation:       section["Fix"],
		References:       section["Reference Info"],
		Check:            issue.Get("VulnerabilityID"),
		UniqueID:         issue.Attr("id"),
		Param:            session.Get("AttackParamDescriptor"),
	}
	for c := range issue.Each("Classifications/Classification") {
		if c.Attr("kind") == "CWE" {
			parsers.SetCWEs(&o, c.Attr("identifier"))
		}
	}
	if n := len(o.CWEs); n > 0 {
		o.CWE = o.CWEs[n-1]
	}
	return o
}

// weaknesses joins the CWEs of an issue, which set two issues of one name apart.
func weaknesses(issue *stream.Node) string {
	var list []string
	for c := range issue.Each("Classifications/Classification") {
		if c.Attr("kind") == "CWE" {
			list = append(list, c.Text())
		}
	}
	return strings.Join(list, ", ")
}

func describe(session, issue *stream.Node, summary string) string {
	var text parsers.Text
	text.Add(summary).Fact("First seen at", session.Get("URL")).Fact("Parameter", session.Get("AttackParamDescriptor"))
	text.Fact("Weaknesses", weaknesses(issue))
	for c := range issue.Each("Classifications/Classification") {
		if kind := c.Attr("kind"); kind != "CWE" {
			text.Fact(parsers.First(kind, "Classification"), c.Text())
		}
	}
	text.Fact("Check", issue.Get("VulnerabilityID")).Fact("Kind of check", issue.Get("CheckTypeID"))
	return text.Fact("What the check saw", issue.Get("DetectionSelection")).String()
}
