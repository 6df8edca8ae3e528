// Package checkmarx reads the reports of Checkmarx SAST (CxSAST) as XML, and the
// older JSON report of Checkmarx One.
//
// Made by "runCxConsole.sh Scan … -ReportXML report.xml":
//
//	<CxXMLResults ProjectName="shop" ScanStart="Sunday, February 25, 2018 11:35:52 AM" CheckmarxVersion="9.5">
//	  <Query id="595" cweId="79" name="Stored_XSS" categories="OWASP Top 10 2017;A7-…" Language="Java" group="…">
//	    <Result FileName="a.java" Line="39" FalsePositive="False" Severity="High" state="0" Remark="" DeepLink="…">
//	      <Path ResultId="1" PathId="28" SimilarityId="1574221060">
//	        <PathNode><FileName>a.java</FileName><Line>39</Line><Name>query</Name><Snippet><Line><Code>…</Code></Line></Snippet></PathNode>
//	      </Path>
//	    </Result>
//	  </Query>
//	</CxXMLResults>
//
// A path leads from a source, its first node, to a sink, its last. States are 0
// to verify, 1 not exploitable, 2 confirmed, 3 urgent, 4 proposed not exploitable.
// "Checkmarx Scan detailed" makes a finding of each path; "Checkmarx Scan" one of
// all in a file that have the same weakness and severity.
package checkmarx

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers read CxSAST's XML, together or one by one, and the JSON.
var Parsers = []parsers.Parser{{
	Name:     "checkmarx",
	ScanType: "Checkmarx Scan",
	Files:    "XML or JSON",
	Command:  "runCxConsole.sh Scan -v -CxServer URL -ProjectName shop -ReportXML report.xml",
	URL:      "https://docs.checkmarx.com",
	Analysis: gate.Both,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Sure) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, true) },
}, {
	Name:     "checkmarx",
	ScanType: "Checkmarx Scan detailed",
	Files:    "XML or JSON",
	Command:  "runCxConsole.sh Scan -v -CxServer URL -ProjectName shop -ReportXML report.xml",
	URL:      "https://docs.checkmarx.com",
	Analysis: gate.Both,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Likely) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, false) },
}}

func detect(s *parsers.Sample, best parsers.Likeness) parsers.Likeness {
	if s.Root == "CxXMLResults" || s.Has("reportHeader", "scanResults.sast") || s.Has("scanResults.kics", "scanResults.sca") {
		return best
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report, together bool) error {
	head := make([]byte, 1)
	for {
		if n, err := in.Read(head); n == 0 || err != nil {
			break
		}
		if head[0] > ' ' {
			break
		}
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if head[0] == '{' {
		return parseJSON(in, out)
	}
	return parseXML(in, out, together)
}
