// Package burp_suite_dast reads the HTML report of Burp Suite DAST, which was
// called Burp Suite Enterprise Edition.
//
// Made by a scan's Reporting & logs > Download report. It begins with a table of
// the issues, by type, with their severities, and goes on with the details:
//
//	<h1>Issues found on https://example.org</h1><table class='issue-table'>…
//	  <tr class="issue-type-row"><td colspan="4">SQL injection [1]</td></tr>
//	  <tr><td class="issue-path issue-link"><a href="https://…/issues/693">/items</a></td><td>High</td><td>Certain</td><td><a href="#693">…</td></tr>
//	<div class="section details"><h1>More details for https://example.org</h1></div>
//	<div class="issue-container"><a name="693"></a><h2>SQL injection</h2><a href="https://…/issues/693">/items</a>
//	  <h3>Issue detail:</h3><div>…</div><h3>Issue background</h3><div>…</div><h3>Issue remediation</h3><div>…</div>
//	  <h3>References</h3>…<h3>Vulnerability classifications</h3>…<h3>Request:</h3><div class="request-response">GET …</div><h3>Response:</h3>…</div>
//
// Issues of one title are one finding. Its endpoint is the site; the paths are
// in the text. Without details a report has no findings to read.
package burp_suite_dast

import (
	"bytes"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Burp's HTML under its present and its former name.
var Parsers = []parsers.Parser{{
	Name:     "burp_suite_dast",
	ScanType: "Burp Suite DAST Scan",
	Files:    "HTML",
	Command:  "Reporting & logs > Download report > Detailed",
	URL:      "https://portswigger.net/burp/documentation/dast/user-guide/work-with-scan-results/generate-reports",
	Analysis: gate.Dynamic,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Sure) },
	Parse:    parse,
}, {
	Name:     "burp_suite_dast",
	ScanType: "Burp Enterprise Scan",
	Files:    "HTML",
	Command:  "Reporting & logs > Download report > Detailed",
	URL:      "https://portswigger.net/burp/documentation/dast/user-guide/work-with-scan-results/generate-reports",
	Analysis: gate.Dynamic,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Likely) },
	Parse:    parse,
}}

func detect(s *parsers.Sample, likeness parsers.Likeness) parsers.Likeness {
	if s.Format != parsers.HTML {
		return parsers.No
	}
	if bytes.Contains(s.Head, []byte("issue-container")) || bytes.Contains(s.Head, []byte("issue-type-row")) && bytes.Contains(s.Head, []byte("issue-table")) {
		return likeness
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Burp Suite DAST"
	r := newReader(in)
	if err := r.read(); err != nil {
		return err
	}
	if !r.known {
		return stream.Errorf("the page is not a report of Burp Suite DAST: it has neither a table of issues nor their details")
	}
	out.Run().Target = r.site
	for _, f := range r.list {
		out.Emit(f.observation())
	}
	return nil
}
