// Package ibm_app reads the XML report of IBM's (HCL's) AppScan Standard, a DAST scanner.
//
// Made in AppScan by "Report, Security, Export to XML". The parts that count:
//
//	<xml-report name="AppScan Report" technology="DAST">
//	  <scan-information><scan-name>…</scan-name><product-version>9.0.3</product-version></scan-information>
//	  <issue-type-group><item id="OldTLS"><name>…</name><cve/><cwe>327</cwe></item></issue-type-group>
//	  <issue-group><item id="…"><severity>Low</severity><cwe>327</cwe><issue-type><ref>OldTLS</ref></issue-type>
//	    <url><ref>-19</ref></url></item></issue-group>
//	  <url-group><item id="-19"><name>https://example.org/</name></item></url-group>
//	  <advisory-group><item id="OldTLS"><advisory><testTechnicalDescription><text>…</text></testTechnicalDescription></advisory></item></advisory-group>
//	  <fix-recommendation-group><item id="OldTLS"><general><fixRecommendation><text>…</text><link target="https://…"/></fixRecommendation></general></item></fix-recommendation-group>
//	</xml-report>
//
// All issues of one type are one finding, at the address of the first. What they
// refer to stands before and after them.
package ibm_app

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AppScan's DAST report.
var Parsers = []parsers.Parser{{
	Name:     "ibm_app",
	ScanType: "IBM AppScan DAST",
	Files:    "XML",
	Command:  "AppScan Standard: Report, Security, Export to XML",
	URL:      "https://help.hcl-software.com/appscan/Standard",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root != "xml-report":
		return parsers.No
	case s.Attrs["technology"] == "DAST" && s.Contains("IBM Security AppScan"):
		return parsers.Sure
	case s.Attrs["technology"] == "DAST":
		return parsers.Likely
	}
	return parsers.Possible
}

// report is what issues refer to, and the types with issues in their order.
type report struct {
	types, fixes, advisories map[string]knowledge
	urls                     map[string]string
	found                    []*issues
	byType                   map[string]*issues
}

type knowledge struct {
	name, cve, text, links string
	cwe                    int
}

// issues are those of one type.
type issues struct {
	kind     string
	severity gate.Severity
	cwe      int
	urls     []string // refs, the first of them the finding's
	count    int
	reason   string
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "IBM AppScan"
	r := report{types: map[string]knowledge{}, fixes: map[string]knowledge{}, advisories: map[string]knowledge{}, urls: map[string]string{}, byType: map[string]*issues{}}
	known := false
	err := stream.XML(in, []string{"xml-report"}, stream.Elements{
		"xml-report": stream.Start(func(attr func(string) string) error {
			if t := attr("technology"); t != "" && !strings.EqualFold(t, "DAST") {
				return stream.Errorf("want a report of DAST, got one of %s", t)
			}
			return nil
		}),
		"xml-report/scan-information": stream.Record(func(n *stream.Node) error {
			run.Target, run.Version = n.Get("scan-name"), n.Get("product-version")
			run.StartedAt = parsers.ParseTime(n.Get("scan-date-and-time-iso"))
			return nil
		}),
		"xml-report/issue-group": stream.Start(func(func(string) string) error { known = true; return nil }),
		"xml-report/issue-type-group/item": stream.Record(func(n *stream.Node) error {
			r.types[n.Attr("id")] = knowledge{name: n.Get("name"), cve: n.Get("cve"), cwe: gate.ParseCWE(n.Get("cwe"))}
			return nil
		}),
		"xml-report/url-group/item": stream.Record(func(n *stream.Node) error {
			r.urls[n.Attr("id")] = n.Get("name")
			return nil
		}),
		"xml-report/advisory-group/item": stream.Record(func(n *stream.Node) error {
			r.advisories[n.Attr("id")] = advisory(n)
			return nil
		}),
		"xml-report/fix-recommendation-group/item": stream.Record(func(n *stream.Node) error {
			r.fixes[n.Attr("id")] = fix(n)
			return nil
		}),
		"xml-report/issue-group/item": stream.Record(func(n *stream.Node) error {
			r.add(n)
			return nil
		}),
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("there is no <issue-group>")
	}
	for _, i := range r.found {
		out.Emit(r.observation(i))
	}
	return nil
}

func (r *report) add(n *stream.Node) {
	kind := n.Get("issue-type/ref")
	i := r.byType[kind]
	if i == nil {
		i = &issues{kind: kind, severity: gate.ParseSeverity(n.Get("severity")), cwe: gate.ParseCWE(n.Get("cwe")), reason: n.Get("variant-group/item/reasoning")}
		r.byType[kind] = i
		r.found = append(r.found, i)
	}
	i.count++
	i.severity = max(i.severity, gate.ParseSeverity(n.Get("severity")))
	if len(i.urls) < 100 {
		i.urls = append(i.urls, n.Get("url/ref"))
	}
}

func advisory(n *stream.Node) knowledge {
	return knowledge{text: texts(n.At("advisory/testTechnicalDescription")), links: links(n.At("advisory/references"))}
}

func fix(n *stream.Node) knowledge {
	at := n.At("general/fixRecommendation")
	return knowledge{text: texts(at), links: links(at)}
}

// texts joins the paragraphs of an element.
func texts(n *stream.Node) string {
	var text parsers.Text
	for t := range n.Each("text") {
		text.Add(t.Whole())
	}
	return text.String()
}

func links(n *stream.Node) string {
	var list []string
	for l := range n.Each("link") {
		list = append(list, l.Attr("target"))
	}
	return parsers.Lines(list...)
}

func (r *report) observation(i *issues) gate.Observation {
	kind, fix, advisory := r.types[i.kind], r.fixes[i.kind], r.advisories[i.kind]
	var places []string
	for _, ref := range i.urls {
		places = append(places, r.urls[ref])
	}
	var text parsers.Text
	text.Add(advisory.text).Fact("Type", i.kind).Fact("Issues", stream.Int{N: i.count, OK: true}.String()).Fact("Why", i.reason)
	text.Add("**Found at:**").List(places)
	cwe := i.cwe
	if cwe == 0 {
		cwe = kind.cwe
	}
	o := gate.Observation{
		Title:            parsers.First(kind.name, i.kind),
		Severity:         i.severity,
		Description:      text.String(),
		Mitigation:       fix.text,
		References:       parsers.Lines(fix.links, advisory.links),
		CWE:              cwe,
		VulnerabilityIDs: parsers.CVEs(kind.cve),
		Check:            i.kind,
		FixAvailable:     new(fix.text != ""),
	}
	if len(places) > 0 {
		o.Endpoints = []string{parsers.Endpoint(places[0])}
	}
	return o
}
