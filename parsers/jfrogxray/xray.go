// Package jfrogxray reads the security export of JFrog Xray for a component or
// a build, as its older user interface writes it.
//
// Made by Xray: a component's page, Actions, Export, Security, JSON. The report
// is one object:
//
//	{"total_count": 1, "data": [{"id": "", "severity": "High", "summary": "…", "issue_type": "security", "provider": "JFrog",
//	   "component": "debian:stretch:libx11", "source_id": "deb://debian:stretch:libx11",
//	   "source_comp_id": "deb://debian:stretch:libx11:2:1.6.4-3",
//	   "component_versions": {"vulnerable_versions": ["< 2:1.6.4-3+deb9u1"], "fixed_versions": ["≥ 2:1.6.4-3+deb9u1"],
//	     "more_details": {"cves": [{"cve": "CVE-2018-14600", "cwe": ["CWE-787"], "cvss_v3": "9.8/CVSS:3.0/AV:N/…"}]}}}]}
//
// The version is what source_comp_id has after source_id. Scores stand before
// the vectors. An issue without a CVE has an entry in "cves" all the same.
package jfrogxray

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Xray's older export.
var Parsers = []parsers.Parser{{
	Name:     "jfrogxray",
	ScanType: "JFrog Xray Scan",
	Files:    "JSON",
	Command:  "JFrog Xray, a component, Actions: Export, Security, JSON",
	URL:      "https://jfrog.com/help/r/jfrog-security-documentation/xray",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("total_count", "data[].source_comp_id"):
		return parsers.Sure
	case s.Has("total_count", "data[]"):
		return parsers.Possible
	}
	return parsers.No
}

type issue struct {
	Severity  string      `json:"severity"`
	Summary   string      `json:"summary"`
	Type      string      `json:"issue_type"`
	Provider  string      `json:"provider"`
	Component string      `json:"component"`
	SourceID  string      `json:"source_id"`
	Source    string      `json:"source_comp_id"`
	Edited    stream.Text `json:"edited"`
	Versions  struct {
		Vulnerable []string `json:"vulnerable_versions"`
		Fixed      []string `json:"fixed_versions"`
		Details    struct {
			Description string `json:"description"`
			Provider    string `json:"provider"`
			CVEs        []struct {
				CVE string                        `json:"cve"`
				CWE stream.OneOrMany[stream.Text] `json:"cwe"`
				V2  stream.Text                   `json:"cvss_v2"`
				V3  stream.Text                   `json:"cvss_v3"`
			} `json:"cves"`
		} `json:"more_details"`
	} `json:"component_versions"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "JFrog Xray"
	return stream.JSON(in, stream.Object(stream.Fields{
		"data": stream.Each(func(i issue) error {
			if i.Component == "" && i.Source == "" {
				return stream.Errorf("an issue names no component")
			}
			out.Emit(observation(i))
			return nil
		}),
	}, "data"))
}

func observation(i issue) gate.Observation {
	v := i.Versions
	version := strings.TrimPrefix(strings.TrimPrefix(i.Source, i.SourceID), ":")
	o := gate.Observation{
		Severity:         gate.ParseSeverity(i.Severity),
		FilePath:         i.Source,
		ComponentName:    i.Component,
		ComponentVersion: version,
		PURL:             purl(i.SourceID, version),
		FixAvailable:     new(len(v.Fixed) > 0),
		Fix:              parsers.Fixed(v.Fixed...),
	}
	var vectors []string
	for _, c := range v.Details.CVEs {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, c.CVE)
		for _, w := range c.CWE {
			if n := gate.ParseCWE(string(w)); n > 0 && !slices.Contains(o.CWEs, n) {
				o.CWEs = append(o.CWEs, n)
			}
		}
		parsers.SetCVSS(&o, string(c.V3))
		vectors = append(vectors, string(c.V2), string(c.V3))
	}
	if o.NoCWE = len(o.CWEs) == 0; !o.NoCWE {
		o.CWE = o.CWEs[0]
	}
	o.Title = parsers.First(append(slices.Clone(o.VulnerabilityIDs), "No CVE")...) + " - " + i.Component + ":" + version
	if len(v.Fixed) > 0 {
		o.Mitigation = "Upgrade `" + i.Component + "` to a version with the fix:"
		for _, f := range v.Fixed {
			o.Mitigation += "\n- " + f
		}
	}
	var text parsers.Text
	text.Add(i.Summary)
	if v.Details.Description != i.Summary {
		text.Add(v.Details.Description)
	}
	text.Fact("Component", strings.TrimSpace(i.Component+" "+version)).Facts("Vulnerable versions", v.Vulnerable).Facts("CVSS", vectors)
	text.Fact("Kind", i.Type).Fact("Provider", parsers.First(i.Provider, v.Details.Provider)).Fact("Edited", string(i.Edited))
	o.Description = text.String()
	return o
}

// types are the package URL types of Xray's.
var types = map[string]string{"gav": "maven", "npm": "npm", "pypi": "pypi", "nuget": "nuget", "go": "golang", "composer": "composer", "gem": "gem", "cargo": "cargo"}

func purl(source, version string) string {
	kind, name, _ := strings.Cut(source, "://")
	return parsers.PURL(types[kind], name, version)
}
