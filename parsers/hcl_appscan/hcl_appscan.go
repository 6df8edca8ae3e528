// Package hcl_appscan reads the XML report of HCL AppScan, Standard or on Cloud.
//
// Made by Report > Security > XML:
//
//	<xml-report name="AppScan Report" technology="DAST" xmlExportVersion="2.7"><scan-information>…</scan-information><issue-group>
//	  <item id="4817056231027443712"><severity>low</severity><cvss-score>3.7</cvss-score><cvss-vector><vector>AV:N/…</vector></cvss-vector>
//	    <cwe>200</cwe><issue-type><ref>attUnnecessaryResponseHeaders</ref></issue-type><remediation><ref>fix_…</ref></remediation>
//	    <threat-class><ref>…</ref></threat-class><entity><ref>…</ref></entity><security-risks><ref>…</ref></security-risks>
//	    <cause-id><ref>…</ref></cause-id><variant-group><item><reasoning>…</reasoning><test-http-traffic>GET …</test-http-traffic></item></variant-group>
//	  </item></issue-group></xml-report>
//
// AppScan on Cloud adds issue-type-name, location, domain, element, path,
// scheme, host and port to each item. The groups of entities, remediations and
// so on stand before and after the issues and are not needed to tell them apart.
package hcl_appscan

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AppScan's XML.
var Parsers = []parsers.Parser{{
	Name:     "hcl_appscan",
	ScanType: "HCLAppScan XML",
	Files:    "XML",
	Command:  "Report > Security > XML",
	URL:      "https://help.hcl-software.com/appscan/Standard/10.7.0/r_ReportTypes.html",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "xml-report" && strings.EqualFold(s.Attrs["name"], "AppScan Report") && s.Attrs["technology"] != "SAST":
		return parsers.Likely
	case s.Root == "xml-report":
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "HCL AppScan"
	text := func(set func(string)) stream.Handler {
		return stream.CharData(func(s string) error { set(s); return nil })
	}
	return stream.XML(in, []string{"xml-report"}, stream.Elements{
		"xml-report/scan-information/product-version": text(func(s string) { run.Version = s }),
		"xml-report/scan-information/scan-name":       text(func(s string) { run.Description = s }),
		"xml-report/scan-configuration/starting-url":  text(func(s string) { run.Target = s }),
		"xml-report/issue-group/item":                 stream.Record(func(n *stream.Node) error { out.Emit(observation(n)); return nil }),
	})
}

// refs joins what an element refers to.
func refs(n *stream.Node, name string) string {
	var list []string
	for r := range n.Each(name + "/ref") {
		list = append(list, r.Text())
	}
	return strings.Join(list, " ")
}

func observation(n *stream.Node) gate.Observation {
	title := strings.Join([]string{refs(n, "issue-type"), refs(n, "entity"), refs(n, "cause-id")}, "_")
	if name := n.Get("issue-type-name"); name != "" {
		title = strings.Join([]string{name, n.Get("domain"), n.Get("path")}, "_")
	}
	o := gate.Observation{
		Title:       title,
		Severity:    gate.ParseSeverity(n.Get("severity")),
		Description: describe(n),
		CWE:         gate.ParseCWE(n.Get("cwe")),
		Check:       refs(n, "issue-type"),
		Param:       n.Get("element"),
	}
	var fix parsers.Text
	o.Mitigation = fix.Fact("Remediation", refs(n, "remediation")).Fact("Advisory", refs(n, "advisory")).String()
	if host := n.Get("host"); host != "" {
		o.Endpoints = []string{parsers.HostPort("", host, n.Get("port"))}
	}
	return o
}

// maxTraffic is how much of an HTTP exchange is shown.
const maxTraffic = 8 << 10

func describe(n *stream.Node) string {
	var text parsers.Text
	variant := n.At("variant-group/item")
	text.Add(variant.Get("reasoning"))
	for _, fact := range [][2]string{{"Issue type", "issue-type"}, {"Threat class", "threat-class"}, {"Entity", "entity"}, {"Security risks", "security-risks"}, {"Cause", "cause-id"}} {
		text.Fact(fact[0], refs(n, fact[1]))
	}
	for _, fact := range [][2]string{
		{"Location", "location"}, {"Element", "element"}, {"Kind of element", "element-type"}, {"Path", "path"}, {"Status", "status"}, {"Created", "date-created"}, {"CVSS score", "cvss-score"}, {"CVSS vector", "cvss-vector/vector"},
	} {
		text.Fact(fact[0], n.Get(fact[1]))
	}
	if traffic := variant.Get("test-http-traffic"); traffic != "" {
		traffic = marks.Replace(traffic)
		text.Add("The test:").Code("http", traffic[:min(len(traffic), maxTraffic)])
	}
	return text.String()
}

// marks are what AppScan puts around the part that matters.
var marks = strings.NewReplacer("--begin_highlight_tag--", "", "--end_highlight_tag--", "", "--begin_mark_tag--", "", "--end_mark_tag--", "")
