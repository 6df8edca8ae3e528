// Package burp_dastardly reads the JUnit report of Dastardly, PortSwigger's web
// scanner for pipelines.
//
// Made by "docker run --rm -v $PWD:/dastardly -e BURP_START_URL=https://example.org
// -e BURP_REPORT_FILE_PATH=/dastardly/dastardly.xml public.ecr.aws/portswigger/dastardly:latest":
//
//	<testsuites failures="1" name="Dastardly scan results - have a vulnerability-free day!" tests="62">
//	  <testsuite failures="1" name="https://example.org:443/catalog?q=1" tests="1">
//	    <testcase name="Cross-site scripting (reflected)">
//	      <failure message="Cross-site scripting (reflected) found at https://example.org/catalog" type="High">
//	Severity: High
//	Confidence: Certain
//	Host: https://example.org
//	Path: /catalog
//	Issue Detail
//	… </failure></testcase></testsuite></testsuites>
//
// A page without a finding has the testcase "No issues were identified".
package burp_dastardly

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dastardly's XML.
var Parsers = []parsers.Parser{{
	Name:     "burp_dastardly",
	ScanType: "Burp Dastardly Scan",
	Files:    "XML",
	Command:  "docker run --rm -v $PWD:/dastardly -e BURP_START_URL=https://example.org -e BURP_REPORT_FILE_PATH=/dastardly/dastardly.xml public.ecr.aws/portswigger/dastardly:latest",
	URL:      "https://portswigger.net/burp/dastardly",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "testsuites" && strings.Contains(s.Attrs["name"], "Dastardly") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Dastardly"
	page := ""
	return stream.XML(in, []string{"testsuites"}, stream.Elements{
		"testsuites/testsuite": stream.Start(func(attr func(string) string) error {
			page = attr("name")
			if out.Run().Target == "" {
				out.Run().Target = page
			}
			return nil
		}),
		"testsuites/testsuite/testcase": stream.Record(func(n *stream.Node) error {
			for f := range n.Each("failure") {
				out.Emit(observation(page, n.Attr("name"), f))
			}
			return nil
		}),
	})
}

func observation(page, name string, f *stream.Node) gate.Observation {
	text := strings.TrimSpace(gaps.ReplaceAllString(f.Text(), "\n\n"))
	return gate.Observation{
		Title:       parsers.First(f.Attr("message"), name),
		Severity:    gate.ParseSeverity(f.Attr("type")),
		Description: headings.ReplaceAllString(text, "### $1\n"),
		URL:         page,
		Check:       name,
	}
}

// gaps are the empty lines that Dastardly puts between the parts.
var gaps = regexp.MustCompile(`\n\s*\n\s*`)

// headings are lines that name a part of the text.
var headings = regexp.MustCompile(`(?m)^(Issue Detail|Issue Background|Issue Remediation|Remediation Detail|Remediation Background|References|Vulnerability Classifications|Evidence|Request|Response)$`)
