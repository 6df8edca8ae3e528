// Package xanitizer reads the XML findings list of RIGS IT's Xanitizer.
//
// Made in Xanitizer by "Report, Findings List (XML)", or headless with "-findingsListReport". The parts that count:
//
//	<XanitizerFindingsList xanitizerVersionShort="5.1.3" timeStamp="2019-11-21 13:31:08">
//	  <finding id="365" kind="PATH">
//	    <problemType>Injection: OS Command Injection</problemType><problemTypeId>ci:OSCommandInjection</problemTypeId>
//	    <rating>10.00</rating><classification>Warning</classification><date>2019-11-21 13:31:08 - new</date>
//	    <package>org.example</package><class>Exec</class><file>Exec.java</file><line>108</line><cweNumber>CWE-78</cweNumber>
//	    <description>…</description>
//	    <startNode lineNo="5" classFQN="org.example.Parser" relativePath="…"/><endNode lineNo="108" classFQN="…" relativePath="…"/>
//	  </finding>
//	</XanitizerFindingsList>
//
// The rating, up to 10, is the severity. A weakness may be written "CWE-1,035". A
// line below 1 is none.
package xanitizer

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Xanitizer's XML.
var Parsers = []parsers.Parser{{
	Name:     "xanitizer",
	ScanType: "Xanitizer Scan",
	Files:    "XML",
	Command:  "Xanitizer: Report, Findings List (XML)",
	URL:      "https://www.rigs-it.com/xanitizer/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "XanitizerFindingsList" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Xanitizer"
	return stream.XML(in, []string{"XanitizerFindingsList"}, stream.Elements{
		"XanitizerFindingsList": stream.Start(func(attr func(string) string) error {
			run.Version, run.FinishedAt = attr("xanitizerVersionShort"), parsers.ParseTime(attr("timeStamp"))
			return nil
		}),
		"XanitizerFindingsList/finding": stream.Record(func(n *stream.Node) error {
			o := observation(n)
			if o.Date.IsZero() {
				o.Date = gate.DateOf(run.FinishedAt)
			}
			out.Emit(o)
			return nil
		}),
	})
}

func observation(n *stream.Node) gate.Observation {
	line := stream.ParseInt(n.Get("line"))
	if line.N <= 0 {
		line = stream.Int{}
	}
	date, _, _ := strings.Cut(n.Get("date"), " - ")
	o := gate.Observation{
		Title:       title(n, line),
		Severity:    severity(n),
		Description: description(n),
		CWE:         gate.ParseCWE(strings.ReplaceAll(n.Get("cweNumber"), ",", "")),
		Check:       n.Get("problemTypeId"),
		FilePath:    file(n),
		Line:        line.Ptr(),
		Date:        parsers.ParseDate(date),
	}
	if ids := parsers.CVEs(n.Get("description")); len(ids) > 0 {
		o.VulnerabilityIDs = ids[:1]
	}
	return o
}

// title names the problem and its place: the class or the file, with the line.
func title(n *stream.Node, line stream.Int) string {
	place := n.Get("file")
	if p, class := n.Get("package"), n.Get("class"); p != "" && class != "" {
		place = p + "." + class
	}
	if place == "" {
		return n.Get("problemType")
	}
	return n.Get("problemType") + " (" + parsers.Place(place, line.Ptr()) + ")"
}

// severity is by the rating, whose scale is that of CVSS.
func severity(n *stream.Node) gate.Severity {
	return gate.SeverityOfScore(stream.ParseFloat(n.Get("rating")).F)
}

// file is the path of the node that ends the path, or the only one, else of the
// class, else the file's name.
func file(n *stream.Node) string {
	for _, node := range []string{"endNode", "node"} {
		if p := n.At(node).Attr("relativePath"); p != "" {
			return p
		}
	}
	if name := n.Get("file"); name != "" && n.Get("package") != "" {
		return strings.ReplaceAll(n.Get("package"), ".", "/") + "/" + name
	}
	return n.Get("file")
}

func description(n *stream.Node) string {
	var text parsers.Text
	text.Add(n.Get("description")).Fact("From", node(n.At("startNode"))).Fact("To", node(n.At("endNode"))).
		Fact("Problem", n.Get("problemTypeId")).Fact("Category", n.Get("category")).Fact("Producer", n.Get("producer")).
		Fact("Rating", n.Get("rating")).Fact("Classification", n.Get("classification")).Fact("Reviewed", n.Get("reviewed"))
	return text.String()
}

func node(n *stream.Node) string {
	return parsers.Place(n.Attr("classFQN"), stream.ParseInt(n.Attr("lineNo")).Ptr())
}
