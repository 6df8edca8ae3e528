// Package osv_scanner reads the JSON report of OSV-Scanner, versions 1 and 2.
//
// Made by "osv-scanner scan source --format json --output osv.json -r .". The
// report is one object:
//
//	{"results": [{"source": {"path": "/src/go.mod", "type": "lockfile"}, "packages": [{
//	   "package": {"name": "golang.org/x/net", "version": "0.1.0", "ecosystem": "Go"},
//	   "licenses": ["BSD-3-Clause"],
//	   "vulnerabilities": [{"id": "GO-2023-1495", "aliases": ["CVE-2022-41721"], "summary": "…", "details": "…",
//	     "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/…"}], "affected": […], "references": […],
//	     "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-444"]}}],
//	   "groups": [{"ids": ["GO-2023-1495"], "aliases": […], "max_severity": "7.5",
//	     "experimental_analysis": {"GO-2023-1495": {"called": false}}}]}]}]}
//
// The vulnerabilities are records of https://ossf.github.io/osv-schema/. A
// severity in words is rarely there except in GitHub's: the CVSS vector counts
// then. A package of malicious code has neither and is critical. With
// --all-packages the packages without vulnerabilities are listed too.
package osv_scanner

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads OSV-Scanner's JSON, and records of OSV's databases alone.
var Parsers = []parsers.Parser{{
	Name:     "osv_scanner",
	ScanType: "OSV Scan",
	Files:    "JSON",
	Command:  "osv-scanner scan source --format json --output osv.json -r .",
	URL:      "https://google.github.io/osv-scanner/output/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}, records}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].packages[].package", "results[].source"), s.Has("results", "experimental_config"), s.Has("results[]", "experimental_config"):
		return parsers.Sure
	case s.Is(`{"results":[]}`):
		return parsers.Possible
	}
	return parsers.No
}

type source struct {
	Path string `json:"path"`
	Type string `json:"type"`
}

type pack struct {
	Package struct {
		Name      string `json:"name"`
		Version   string `json:"version"`
		Ecosystem string `json:"ecosystem"`
		Commit    string `json:"commit"`
	} `json:"package"`
	Licenses         []string        `json:"licenses"`
	DependencyGroups []string        `json:"dependency_groups"`
	Vulnerabilities  []vulnerability `json:"vulnerabilities"`
	Groups           []group         `json:"groups"`
}

type group struct {
	IDs         []string         `json:"ids"`
	Aliases     []string         `json:"aliases"`
	MaxSeverity stream.Text      `json:"max_severity"`
	Analysis    map[string]reach `json:"experimental_analysis"`
	Analysis2   map[string]reach `json:"experimentalAnalysis"`
}

// reach is what the analysis of calls says of one vulnerability.
type reach struct {
	Called      *bool `json:"called"`
	Unimportant bool  `json:"unimportant"`
}

type vulnerability struct {
	ID         string   `json:"id"`
	Aliases    []string `json:"aliases"`
	Summary    string   `json:"summary"`
	Details    string   `json:"details"`
	Published  string   `json:"published"`
	Modified   string   `json:"modified"`
	Withdrawn  string   `json:"withdrawn"`
	Severity   []rating `json:"severity"`
	References []struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"references"`
	Affected         []affected                `json:"affected"`
	DatabaseSpecific stream.Lenient[specifics] `json:"database_specific"`
}

type rating struct {
	Type  string      `json:"type"`
	Score stream.Text `json:"score"`
}

type affected struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
		PURL      string `json:"purl"`
	} `json:"package"`
	Severity []rating `json:"severity"`
	Ranges   []struct {
		Type   string   `json:"type"`
		Events []change `json:"events"`
	} `json:"ranges"`
	Versions          []stream.Text             `json:"versions"`
	DatabaseSpecific  stream.Lenient[specifics] `json:"database_specific"`
	EcosystemSpecific stream.Lenient[specifics] `json:"ecosystem_specific"`
}

// change is a version at which it begins or ends that a package is affected.
type change struct {
	Introduced stream.Text `json:"introduced"`
	Fixed      stream.Text `json:"fixed"`
	Last       stream.Text `json:"last_affected"`
}

// specifics are the keys that some databases add.
type specifics struct {
	Severity stream.Text `json:"severity"`
	CWEIDs   []string    `json:"cwe_ids"`
	CWEs     []struct {
		ID string `json:"cweId"`
	} `json:"cwes"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "OSV-Scanner"
	return stream.JSON(in, stream.Object(stream.Fields{
		"results": stream.Array(result(out)),
	}, "results"))
}

// result reads one source: "source" stands before "packages" in what the tool
// writes; a report where it does not has no path.
func result(out *parsers.Report) stream.Value {
	return func(d *stream.Decoder) error {
		var s source
		return stream.Object(stream.Fields{
			"source": stream.Into(&s),
			"packages": stream.Each(func(p pack) error {
				component(out, s, p)
				for _, v := range p.Vulnerabilities {
					out.Emit(observation(s, p, v))
				}
				return nil
			}),
		}, "packages")(d)
	}
}

func component(out *parsers.Report, s source, p pack) {
	if p.Package.Name == "" {
		return
	}
	out.Component(gate.Component{Name: p.Package.Name, Version: p.Package.Version, PURL: purl(p), Licenses: p.Licenses, Path: s.Path})
}
