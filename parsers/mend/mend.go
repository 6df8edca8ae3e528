// Package mend reads the vulnerability reports of Mend (formerly WhiteSource),
// in three formats.
//
// Mend's API 1.x, "getProjectAlertsByType" or its user interface:
//
//	{"vulnerabilities": [{"name": "CVE-2019-9658", "severity": "medium", "cvss3_severity": "MEDIUM", "cvss3_score": "5.3",
//	   "scoreMetadataVector": "CVSS:3.0/…", "description": "…", "library": {"filename": "checkstyle-8.15.jar",
//	   "artifactId": "checkstyle", "version": "8.15"}, "topFix": {"fixResolution": "Upgrade To Version 8.18", "date": "…"}}]}
//
// The unified agent's report:
//
//	{"projectVitals": {"name": "…"}, "libraries": [{"name": "libsass-3.5.5", "version": "3.5.5", "licenses": [{"name": "MIT"}],
//	   "vulnerabilities": [{"name": "CVE-2018-11499", …, "allFixes": […], "references": […]}],
//	   "sourceFiles": […]}]}
//
// Mend's platform, API 3.0, "/projects/UUID/dependencies/findings/security":
//
//	{"supportToken": "…", "response": [{"name": "CVE-2024-51744", "component": {"name": "…", "artifactId": "…", "version": "…",
//	   "libraryType": "GO_PACKAGE", "dependencyType": "Direct", "path": "/source/go.mod"},
//	   "findingInfo": {"status": "ACTIVE"}, "vulnerability": {"description": "…", "score": 3.1, "severity": "LOW"},
//	   "topFix": {"message": "Upgrade to version", "fixResolution": "…"}, "exploitable": "False", "scoreMetadataVector": "CVSS:3.1/…"}]}
//
// Findings that are no longer active, of libraries that were removed, are left out.
package mend

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Mend's three formats.
var Parsers = []parsers.Parser{{
	Name:     "mend",
	ScanType: "Mend Scan",
	Files:    "JSON",
	Command:  "Mend, a project, Security alerts: export as JSON; or the unified agent with generateScanReport=true",
	URL:      "https://docs.mend.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("libraries[].keyUuid"), s.Has("vulnerabilities[].library.keyUuid"), s.Has("supportToken", "response"), s.Has("projectVitals", "libraries"), s.Has("vulnerabilities[].topFix", "vulnerabilities[].library"):
		return parsers.Sure
	case s.Has("vulnerabilities[].library"), s.Has("response[].findingInfo"):
		return parsers.Likely
	case s.Is(`{"vulnerabilities":[]}`):
		return parsers.Possible
	}
	return parsers.No
}

// vulnerability is an alert of API 1.x, or of a library in the agent's report.
type vulnerability struct {
	Name       string       `json:"name"`
	Type       string       `json:"type"`
	Severity   string       `json:"severity"`
	Score      stream.Float `json:"score"`
	Severity3  string       `json:"cvss3_severity"`
	Score3     stream.Float `json:"cvss3_score"`
	Vector     stream.Text  `json:"scoreMetadataVector"`
	Published  stream.Text  `json:"publishDate"`
	URL        stream.Text  `json:"url"`
	Details    string       `json:"description"`
	Project    string       `json:"project"`
	Product    string       `json:"product"`
	Library    *library     `json:"library"`
	TopFix     *fix         `json:"topFix"`
	Fixes      []fix        `json:"allFixes"`
	References []struct {
		URL string `json:"url"`
	} `json:"references"`
	SourceFiles []sourceFile `json:"sourceFiles"`
	Locations   []sourceFile `json:"locations"`
}

type sourceFile struct {
	Path  string `json:"path"`
	Local string `json:"localPath"`
}

type library struct {
	Filename    string `json:"filename"`
	Name        string `json:"name"`
	GroupID     string `json:"groupId"`
	ArtifactID  string `json:"artifactId"`
	Version     string `json:"version"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Licenses    []struct {
		Name string `json:"name"`
	} `json:"licenses"`
	Locations       []sourceFile    `json:"locations"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type fix struct {
	Type       string      `json:"type"`
	URL        stream.Text `json:"url"`
	Resolution stream.Text `json:"fixResolution"`
	Date       stream.Text `json:"date"`
	Message    stream.Text `json:"message"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run, known := out.Run(), false
	run.Tool = "Mend"
	saw := func(v stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return v(d) }
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"projectVitals": stream.One(func(p struct {
			Name    string `json:"name"`
			Product string `json:"productName"`
		},
		) error {
			run.Target = p.Name
			return nil
		}),
		"vulnerabilities": saw(stream.Each(func(v vulnerability) error {
			if v.Library != nil {
				component(out, *v.Library)
			}
			out.Emit(alert(v))
			return nil
		})),
		"libraries": saw(stream.Each(func(l library) error {
			component(out, l)
			for _, v := range l.Vulnerabilities {
				out.Emit(agent(l, v))
			}
			return nil
		})),
		"response": saw(stream.Each(func(f finding) error {
			if s := f.Info.Status; s == "" || s == "ACTIVE" {
				out.Component(gate.Component{Name: f.Component.ArtifactID, Version: f.Component.Version, PURL: f.Component.purl(), Path: f.Component.Path})
				out.Emit(platform(f))
			}
			return nil
		})),
	}))
	if err == nil && !known {
		err = stream.Errorf("there are no \"vulnerabilities\", \"libraries\" or \"response\"")
	}
	return err
}

func component(out *parsers.Report, l library) {
	c := gate.Component{Name: parsers.First(l.ArtifactID, l.Name), Version: l.Version, PURL: l.purl()}
	for _, license := range l.Licenses {
		c.Licenses = append(c.Licenses, license.Name)
	}
	out.Component(c)
}
