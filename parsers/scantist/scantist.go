// Package scantist reads the JSON report of Scantist's dependency scan.
//
// Made by Scantist's "Export report", or its REST API's issues of a scan, as a list:
//
//	[{"Public ID": "CVE-2018-12432", "Library": "net.bull.javamelody javamelody-core", "Library Version": "1.59.0", "Issue Source": "source_code",
//	  "Issue Type": "cve", "Description": "…", "File Path": "build.gradle", "Score": "Medium", "Priority": "", "Comments": "",
//	  "Patched Version": "1.73.0", "Latest Component Version": "1.86.0"}]
package scantist

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Scantist's JSON.
var Parsers = []parsers.Parser{{
	Name:     "scantist",
	ScanType: "Scantist Scan",
	Files:    "JSON",
	Command:  `Scantist: the scan's page, "Export report", JSON`,
	URL:      "https://scantist.com",
	Analysis: gate.ByParser,
	Detect:   detect,
	Parse:    parse,
}}

// vulnerableComponents is OWASP Top Ten 2017's A9, "Using Components with Known
// Vulnerabilities" (https://cwe.mitre.org/data/definitions/1035.html).
const vulnerableComponents = 1035

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].Public ID", "[].Library", "[].Library Version"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type issue struct {
	ID       *stream.Text `json:"Public ID"`
	Library  stream.Text  `json:"Library"`
	Version  stream.Text  `json:"Library Version"`
	Source   stream.Text  `json:"Issue Source"`
	Type     stream.Text  `json:"Issue Type"`
	Text     stream.Text  `json:"Description"`
	File     stream.Text  `json:"File Path"`
	Score    stream.Text  `json:"Score"`
	Priority stream.Text  `json:"Priority"`
	Comments stream.Text  `json:"Comments"`
	Patched  stream.Text  `json:"Patched Version"`
	Latest   stream.Text  `json:"Latest Component Version"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Scantist"
	seen := map[string]bool{}
	return stream.JSON(in, stream.Each(func(i issue) error {
		if i.ID == nil {
			return stream.Errorf(`an issue has no "Public ID"`)
		}
		if key := strings.Join([]string{string(*i.ID), string(i.Library), string(i.Version), string(i.File)}, "\x00"); !seen[key] {
			seen[key] = true
			out.Emit(observation(i))
		}
		return nil
	}))
}

func observation(i issue) gate.Observation {
	id := string(*i.ID)
	o := gate.Observation{
		Title:            id + "|" + string(i.Library),
		Severity:         gate.ParseSeverity(string(i.Score)),
		Description:      describe(i),
		Mitigation:       string(i.Patched),
		CWE:              vulnerableComponents,
		Check:            id,
		FilePath:         string(i.File),
		ComponentName:    string(i.Library),
		ComponentVersion: string(i.Version),
		Fix:              parsers.Fixed(string(i.Patched)),
	}
	if id != "" {
		o.VulnerabilityIDs = []string{id}
	}
	return o
}

func describe(i issue) string {
	var text parsers.Text
	text.Add(string(i.Text)).Fact("Library", strings.TrimSpace(string(i.Library+" "+i.Version))).Fact("Found in", string(i.File)).
		Fact("Kind", string(i.Type)).Fact("Source", strings.ReplaceAll(string(i.Source), "_", " ")).Fact("Priority", string(i.Priority)).
		Fact("Patched version", string(i.Patched)).Fact("Latest version", string(i.Latest)).Fact("Comments", string(i.Comments))
	return text.String()
}
