// Package fortify reads the reports of Fortify: projects of its static analyser
// (FPR), the XML of its report generator, and the XML of WebInspect.
//
// Made by "sourceanalyzer -b shop -scan -f shop.fpr". An FPR is a zip archive
// with audit.fvdl, the analyser's results, and audit.xml, what people said of them:
//
//	<FVDL><Build><BuildID>shop</BuildID></Build>
//	  <Vulnerabilities><Vulnerability>
//	    <ClassInfo><ClassID>720E…</ClassID><Kingdom>…</Kingdom><Type>Password Management</Type><Subtype>…</Subtype></ClassInfo>
//	    <InstanceInfo><InstanceID>A533…</InstanceID><InstanceSeverity>2.0</InstanceSeverity><Confidence>5.0</Confidence></InstanceInfo>
//	    <AnalysisInfo><Unified><ReplacementDefinitions><Def key="…" value="…"/></ReplacementDefinitions>
//	      <Trace><Primary><Entry><Node isDefault="true"><SourceLocation path="a.java" line="8" snippet="ID"/></Node></Entry></Primary></Trace>
//	  </Unified></AnalysisInfo></Vulnerability></Vulnerabilities>
//	  <Description classID="720E…"><Abstract>…</Abstract><Explanation>…</Explanation><Recommendations>…</Recommendations></Description>
//	  <Snippets><Snippet id="ID"><File>a.java</File><StartLine>5</StartLine><Text>…</Text></Snippet></Snippets>
//	  <EngineData><RuleInfo><Rule id="720E…"><MetaInfo><Group name="Impact">2.0</Group></MetaInfo></Rule></RuleInfo></EngineData></FVDL>
//
// A finding's severity is Fortify's priority order, of the rule's impact and of
// how likely it is. "Fortify Scan" takes the first line of the snippet for the
// line, "Fortify Scan v2" the line itself.
package fortify

import (
	"errors"
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers read Fortify's reports, with the line of the snippet or of the finding.
var Parsers = []parsers.Parser{{
	Name:     "fortify",
	ScanType: "Fortify Scan",
	Files:    "FPR or XML",
	Command:  "sourceanalyzer -b shop -scan -f shop.fpr",
	URL:      "https://www.microfocus.com/documentation/fortify-static-code-analyzer-and-tools/",
	Analysis: gate.Both,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Sure) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, true) },
}, {
	Name:     "fortify",
	ScanType: "Fortify Scan v2",
	Files:    "FPR or XML",
	Command:  "sourceanalyzer -b shop -scan -f shop.fpr",
	URL:      "https://www.microfocus.com/documentation/fortify-static-code-analyzer-and-tools/",
	Analysis: gate.Both,
	Detect:   func(s *parsers.Sample) parsers.Likeness { return detect(s, parsers.Likely) },
	Parse:    func(in *stream.Input, out *parsers.Report) error { return parse(in, out, false) },
}}

func detect(s *parsers.Sample, best parsers.Likeness) parsers.Likeness {
	for _, m := range s.Members {
		if path.Base(m) == "audit.fvdl" {
			return best
		}
	}
	switch {
	case s.Root == "ReportDefinition" && (s.Elements["ReportDefinition/ReportSection"] || s.Elements["ReportDefinition/TemplateName"]):
		return best
	case s.Root == "Scan" && s.Elements["Scan/Issues/Issue/VulnerableSession"]:
		return best
	case s.Root == "Scan" && s.Elements["Scan/PolicyName"]:
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report, snippetLine bool) error {
	magic := make([]byte, 2)
	n, err := in.Read(magic)
	if err != nil && n == 0 {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if string(magic[:n]) == "PK" {
		return parseFPR(in, out, snippetLine)
	}
	return parseXML(in, out)
}

func parseFPR(in *stream.Input, out *parsers.Report, snippetLine bool) error {
	var fvdl *stream.Member
	audits := audit{}
	err := stream.Zip(in, func(m stream.Member) error {
		switch path.Base(m.Name) {
		case "audit.fvdl":
			fvdl = &m
		case "audit.xml":
			a, err := m.Open()
			if err != nil {
				return err
			}
			return audits.read(a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if fvdl == nil {
		return errors.New("the archive holds no audit.fvdl")
	}
	results, err := fvdl.Open()
	if err != nil {
		return err
	}
	return parseFVDL(results, out, audits, snippetLine)
}

// baseName is the last part of a path of any system.
func baseName(file string) string { return path.Base(strings.ReplaceAll(file, `\`, "/")) }
