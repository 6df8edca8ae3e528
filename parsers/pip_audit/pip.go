// Package pip_audit reads the JSON report of pip-audit, which checks Python
// environments and requirements.
//
// Made by "pip-audit --format json --output pip-audit.json". The report is an
// object since version 2.4, and was the array alone before:
//
//	{"dependencies": [{"name": "aiohttp", "version": "3.6.2", "vulns": [{"id": "PYSEC-2021-76",
//	   "fix_versions": ["3.7.4"], "aliases": ["CVE-2021-21330"], "description": "…"}]},
//	  {"name": "azure-devops", "skip_reason": "Dependency not found on PyPI and could not be audited"}],
//	 "fixes": []}
//
// There is no severity in it: every vulnerability is medium, as in DefectDojo.
package pip_audit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads pip-audit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "pip_audit",
	ScanType: "pip-audit Scan",
	Files:    "JSON",
	Command:  "pip-audit --format json --output pip-audit.json",
	URL:      "https://github.com/pypa/pip-audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("dependencies[].vulns"), s.Has("dependencies[].skip_reason"), s.Has("[].name", "[].version", "[].vulns"):
		return parsers.Sure
	case s.Has("dependencies[]", "fixes"), s.Is(`{"dependencies":[]}`):
		return parsers.Likely
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type dependency struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Skip    string `json:"skip_reason"`
	Vulns   []struct {
		ID          string   `json:"id"`
		Fixes       []string `json:"fix_versions"`
		Aliases     []string `json:"aliases"`
		Description string   `json:"description"`
	} `json:"vulns"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "pip-audit"
	list := stream.Each(func(d dependency) error {
		if d.Name == "" {
			return stream.Errorf("a dependency has no name")
		}
		emit(d, out)
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': list,
		'{': stream.Object(stream.Fields{"dependencies": list}, "dependencies"),
	}))
}

func emit(d dependency, out *parsers.Report) {
	if d.Skip != "" {
		out.Problem("%s was not audited: %s", d.Name, d.Skip)
	}
	purl := parsers.PURL("pypi", d.Name, d.Version)
	out.Component(gate.Component{Name: d.Name, Version: d.Version, PURL: purl})
	for _, v := range d.Vulns {
		var text parsers.Text
		text.Add(v.Description).Fact("Package", d.Name+" "+d.Version).Fact("Advisory", v.ID).Facts("Also known as", v.Aliases).Facts("Fixed in", v.Fixes)
		o := gate.Observation{
			Title:            v.ID + " in " + d.Name + ":" + d.Version,
			Severity:         gate.Medium,
			Description:      text.String(),
			CWE:              1395, // Dependency on Vulnerable Third-Party Component
			VulnerabilityIDs: append([]string{v.ID}, v.Aliases...),
			RuleID:           v.ID,
			ComponentName:    d.Name,
			ComponentVersion: d.Version,
			PURL:             purl,
			Fix:              strings.Join(v.Fixes, ", "),
			URL:              "https://osv.dev/vulnerability/" + v.ID,
		}
		if len(v.Fixes) > 0 {
			o.Mitigation = "Upgrade " + d.Name + " to a fixed version: " + strings.Join(v.Fixes, ", ") + "."
		}
		out.Emit(o)
	}
}
