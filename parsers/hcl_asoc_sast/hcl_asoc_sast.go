// Package hcl_asoc_sast reads the XML report of HCL AppScan on Cloud's static analysis.
//
// Made by the application's Reports, Security report, XML:
//
//	<xml-report name="AppScan Report" AsocXmlExportVersion="1.7" technology="Mixed"><dictionary><item id="catCrossSiteScripting">Cross-site Scripting</item>…</dictionary>
//	  <issue-group total="1"><item filename="src/a.php" language="PHP" context="echo $x"><issue-type><ref>CrossSiteScripting</ref></issue-type>
//	    <variant-group><item><issue-information><method-signature>…</method-signature><call-trace><call-invocation><context>…</context></call-invocation></call-trace></issue-information></item></variant-group>
//	    <fix><item><remediation>…</remediation><general><text>…</text></general></item></fix><severity>High</severity><cwe><ref>79</ref></cwe>
//	    <threat-class><ref>catCrossSiteScripting</ref></threat-class><issue-type-name>Cross-Site Scripting</issue-type-name>
//	    <location>src/a.php:48</location><source-file>src/a.php</source-file><line>48</line>…
//
// References ("catCrossSiteScripting") stand for texts in the dictionary, which comes first.
package hcl_asoc_sast

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AppScan on Cloud's XML.
var Parsers = []parsers.Parser{{
	Name:     "hcl_asoc_sast",
	ScanType: "HCL AppScan on Cloud SAST XML",
	Files:    "XML",
	Command:  "AppScan on Cloud: Reports, Security report, XML",
	URL:      "https://help.hcl-software.com/appscan/ASoC/Reports.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	const static, dynamic = "<technology>SAST</technology>", "<technology>DAST</technology>"
	switch {
	case s.Root != "xml-report" || s.Attrs["AsocXmlExportVersion"] == "" || s.Attrs["technology"] == "DAST" || s.Contains(dynamic):
		return parsers.No
	case s.Contains(static) || s.Attrs["technology"] == "SAST":
		return parsers.Sure
	}
	return parsers.Likely // of mixed technologies; HCLAppScan XML reads the dynamic ones
}

// dictionary holds the texts that references stand for.
type dictionary map[string]string

// maxTexts bounds the dictionary; AppScan's has some six hundred texts.
const maxTexts = 5000

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "HCL AppScan on Cloud"
	words := dictionary{}
	return stream.XML(in, []string{"xml-report"}, stream.Elements{
		"xml-report/dictionary/item": stream.Record(func(n *stream.Node) error {
			if len(words) < maxTexts {
				words[n.Attr("id")] = n.Text()
			}
			return nil
		}),
		"xml-report/issue-group/item": stream.Record(func(n *stream.Node) error {
			out.Emit(observation(n, words))
			return nil
		}),
	})
}

func observation(n *stream.Node, words dictionary) gate.Observation {
	file, line := place(n)
	return gate.Observation{
		Title:       parsers.First(n.Get("issue-type-name"), n.Get("issue-type/ref")),
		Severity:    gate.ParseSeverity(n.Get("severity")),
		Description: describe(n, words),
		Mitigation:  mitigation(n),
		CWE:         gate.ParseCWE(n.Get("cwe/ref")),
		Check:       n.Get("issue-type/ref"),
		FilePath:    file,
		Line:        line.Ptr(),
		Snippet:     trace(n),
	}
}

// place returns the file and the line: of their own elements, else of the location "file:line".
func place(n *stream.Node) (string, stream.Int) {
	file, line := n.Get("source-file"), stream.ParseInt(n.Get("line"))
	location := n.Get("location")
	if i := strings.LastIndexByte(location, ':'); i > 0 && !line.OK {
		line = stream.ParseInt(location[i+1:])
	}
	if i := strings.LastIndexByte(location, ':'); i > 0 && file == "" && line.OK {
		location = location[:i]
	}
	return parsers.First(file, location, n.Attr("filename")), line
}

// trace returns the code that the calls lead through.
func trace(n *stream.Node) string {
	var lines []string
	for variant := range n.Each("variant-group/item") {
		for call := range variant.Each("issue-information/call-trace/call-invocation") {
			if code := strings.TrimSpace(call.At("context").Whole()); code != "" {
				lines = append(lines, code)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func describe(n *stream.Node, words dictionary) string {
	var text parsers.Text
	text.Add(n.Get("variant-group/item/issue-information/method-signature"))
	text.Code("", parsers.First(trace(n), n.Attr("context")))
	text.Fact("Kind of issue", n.Get("issue-type/ref")).Fact("Place", n.Get("location")).Fact("Language", n.Attr("language"))
	text.Fact("Source", n.Attr("source")).Fact("Sink", n.Attr("sink")).Fact("Caller", n.Attr("caller"))
	for _, f := range [][2]string{{"Threat class", "threat-class"}, {"Security risks", "security-risks"}, {"Causes", "cause-id"}} {
		text.Facts(f[0], words.all(n, f[1]))
	}
	return text.Fact("Status", n.Get("status")).Fact("First seen", n.Get("date-created")).Fact("Last changed", n.Get("last-updated")).
		Fact("Id in AppScan on Cloud", n.Get("asoc-issue-id")).String()
}

// all returns the texts of an element's references.
func (d dictionary) all(n *stream.Node, name string) []string {
	var list []string
	for ref := range n.Each(name + "/ref") {
		list = append(list, parsers.First(d[ref.Text()], ref.Text()))
	}
	return list
}

func mitigation(n *stream.Node) string {
	var list []string
	for fix := range n.Each("fix/item") {
		list = append(list, parsers.First(fix.Get("general/text"), fix.Get("remediation")))
	}
	return parsers.Lines(list...)
}
