// Package pnpm_audit reads the JSON report of "pnpm audit".
//
// Made by "pnpm audit --json > pnpm-audit.json". The report is one object:
//
//	{"actions": [], "advisories": {"1096465": {"findings": [{"version": "1.2.0", "paths": [".>minimist"]}],
//	   "id": 1096465, "title": "Prototype Pollution in minimist", "module_name": "minimist",
//	   "vulnerable_versions": ">=1.0.0 <1.2.3", "patched_versions": ">=1.2.3", "severity": "moderate",
//	   "cwe": "CWE-1321", "cves": ["CVE-2020-7598"], "github_advisory_id": "GHSA-vh95-rmgr-6w4m", "url": "https://…"}},
//	 "muted": [], "metadata": {"vulnerabilities": {…}, "dependencies": 1}}
//
// "cwe" is a text, which may hold several with commas between, or a list.
package pnpm_audit

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/npm"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of "pnpm audit".
var Parsers = []parsers.Parser{{
	Name:     "pnpm_audit",
	ScanType: "pnpm Audit Scan",
	Files:    "JSON",
	Command:  "pnpm audit --json > pnpm-audit.json",
	URL:      "https://pnpm.io/cli/audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("advisories", "metadata.dependencies") && !s.Has("runId") && !s.Has("muted") && !s.Has("abandoned"):
		return parsers.Likely
	case s.Has("advisories", "metadata"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "pnpm"
	return stream.JSON(in, stream.Object(stream.Fields{
		"error": stream.One(func(e struct {
			Code    stream.Text `json:"code"`
			Message stream.Text `json:"message"`
		},
		) error {
			return stream.Errorf("the audit failed: %s %s", e.Code, e.Message)
		}),
		"advisories": stream.Entries(func(_ string, d *stream.Decoder) error {
			return stream.One(func(a npm.Advisory) error {
				if a.Module == "" {
					return stream.Errorf("an advisory names no module")
				}
				a.Components(out)
				out.Emit(observation(a))
				return nil
			})(d)
		}),
	}, "advisories"))
}

func observation(a npm.Advisory) gate.Observation {
	version := a.Version()
	id := parsers.First(string(a.GHSA), string(a.ID))
	var text parsers.Text
	text.Add(a.Title).Add(string(a.Overview)).Fact("Package", a.Module).Fact("Installed version", version).Fact("Vulnerable versions", string(a.Vulnerable)).Fact("Patched versions", string(a.Patched)).Facts("CVEs", a.CVEs)
	if paths := a.Paths(); len(paths) > 0 {
		text.Add("It comes in by:").List(paths)
	}
	o := gate.Observation{
		Title:            a.Module + ": " + a.Title,
		Severity:         gate.ParseSeverity(a.Severity),
		Description:      text.String(),
		Mitigation:       string(a.Todo),
		References:       a.URL,
		VulnerabilityIDs: append([]string{string(a.GHSA)}, a.CVEs...),
		RuleID:           id,
		ComponentName:    a.Module,
		ComponentVersion: version,
		PURL:             parsers.PURL("npm", a.Module, version),
		URL:              a.URL,
		Fix:              parsers.Fixed(string(a.Patched)),
	}
	if p := string(a.Patched); o.Mitigation == "" && p != "" && p != "<0.0.0" {
		o.Mitigation = "Upgrade " + a.Module + " to a version " + p + "."
	} else if o.Mitigation == "" {
		o.Mitigation = "No patched version of " + a.Module + " is known: replace it."
	}
	o.CWEs = a.Weaknesses()
	if o.NoCWE = len(o.CWEs) != 1; !o.NoCWE { // of several none is the main one, as in DefectDojo
		o.CWE = o.CWEs[0]
	}
	return o
}
