// Package nancy reads the JSON report of Sonatype's Nancy, which asks OSS Index
// for the vulnerabilities of a Go program's modules.
//
// Made by "go list -json -deps ./... | nancy sleuth --output=json > nancy.json".
// The report is one object:
//
//	{"audited": […], "exclusions": [], "invalid": [{"Coordinates": "…", "InvalidSemVer": true}],
//	 "num_audited": 10, "num_vulnerable": 1, "version": "1.0.0",
//	 "vulnerable": [{"Coordinates": "pkg:golang/github.com/bitly/oauth2_proxy@0.1", "Reference": "https://…",
//	   "Vulnerabilities": [{"Id": "9eb9a5bc-…", "Title": "[CVE-2017-1000070] …", "Description": "…", "CvssScore": "6.1",
//	     "CvssVector": "CVSS:3.0/…", "Cve": "CVE-2017-1000070", "Reference": "https://…", "Excluded": false}]}]}
//
// "audited" repeats the vulnerable ones. A vulnerability that the user excluded
// is an accepted risk. Modules in "invalid" could not be audited.
package nancy

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nancy's JSON.
var Parsers = []parsers.Parser{{
	Name:     "nancy",
	ScanType: "Nancy Scan",
	Files:    "JSON",
	Command:  "go list -json -deps ./... | nancy sleuth --output=json > nancy.json",
	URL:      "https://github.com/sonatype-nexus-community/nancy",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("num_audited", "num_vulnerable", "vulnerable"):
		return parsers.Sure
	case s.Has("vulnerable", "audited"):
		return parsers.Likely
	}
	return parsers.No
}

type module struct {
	Coordinates     string          `json:"Coordinates"`
	Reference       string          `json:"Reference"`
	Vulnerabilities []vulnerability `json:"Vulnerabilities"`
}

type vulnerability struct {
	ID          string       `json:"Id"`
	Title       string       `json:"Title"`
	Description string       `json:"Description"`
	Score       stream.Float `json:"CvssScore"`
	Vector      string       `json:"CvssVector"`
	CVE         string       `json:"Cve"`
	CWE         stream.Text  `json:"Cwe"`
	Reference   string       `json:"Reference"`
	Excluded    bool         `json:"Excluded"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Nancy"
	type coordinates struct {
		Coordinates string `json:"Coordinates"`
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"version": stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
		"audited": stream.Each(func(m coordinates) error {
			_, name, version := parsers.SplitPURL(m.Coordinates)
			out.Component(gate.Component{Name: name, Version: version, PURL: m.Coordinates})
			return nil
		}),
		"invalid": stream.Each(func(m coordinates) error {
			out.Problem("%s was not audited: its version is not a valid one", m.Coordinates)
			return nil
		}),
		"vulnerable": stream.Each(func(m module) error {
			for _, v := range m.Vulnerabilities {
				out.Emit(observation(m, v))
			}
			return nil
		}),
	}, "vulnerable"))
}

func observation(m module, v vulnerability) gate.Observation {
	name, version := strings.TrimPrefix(m.Coordinates, "pkg:"), ""
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		name, version = name[:i], name[i+1:]
	}
	var text parsers.Text
	text.Add(v.Description).Fact("Module", m.Coordinates).Fact("CVSS", v.Vector).Fact("OSS Index", v.ID)
	o := gate.Observation{
		Title:            v.Title,
		Severity:         gate.Medium,
		Description:      text.String(),
		References:       parsers.Lines(m.Reference, v.Reference),
		CWE:              gate.ParseCWE(string(v.CWE)),
		VulnerabilityIDs: []string{v.CVE},
		RuleID:           v.ID,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             m.Coordinates,
		URL:              v.Reference,
	}
	if strings.HasPrefix(v.Title, "CWE-") && o.CWE == 0 {
		o.CWE = gate.ParseCWE(v.Title)
	}
	if c, ok := parsers.ParseCVSS(v.Vector); ok {
		o.Severity = gate.SeverityOfScore(c.Score)
	}
	if v.Score.OK {
		o.Severity = gate.SeverityOfScore(v.Score.F)
	}
	parsers.SetCVSS(&o, v.Vector)
	if v.Excluded {
		o.Active, o.RiskAccepted = new(false), true
	}
	return o
}
