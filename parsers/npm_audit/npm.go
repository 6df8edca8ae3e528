// Package npm_audit reads the JSON report of "npm audit" up to npm 6.
//
// Made by "npm audit --json > npm-audit.json". The report is one object:
//
//	{"actions": […], "advisories": {"146": {"findings": [{"version": "1.9.2", "paths": ["a>mocha>growl"]}],
//	   "id": 146, "title": "Command Injection", "module_name": "growl", "cves": ["CVE-2017-16042"],
//	   "vulnerable_versions": "<1.10.2", "patched_versions": ">=1.10.2", "overview": "…", "recommendation": "…",
//	   "severity": "critical", "cwe": "CWE-94", "access": "public", "url": "https://…"}},
//	 "muted": [], "metadata": {…}, "runId": "…"}
//
// "cwe" is one, a list, or a list in a text: "[\"CWE-400\"]". When the audit
// failed the report is {"error": {"code": "…", "summary": "…"}}. npm 7 and later
// write another format, which package npm_audit_7_plus reads.
package npm_audit

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/npm"
	"defectdojo/parsers/stream"
)

// Parsers reads npm 6's JSON.
var Parsers = []parsers.Parser{{
	Name:     "npm_audit",
	ScanType: "NPM Audit Scan",
	Files:    "JSON",
	Command:  "npm audit --json > npm-audit.json",
	URL:      "https://docs.npmjs.com/cli/v6/commands/npm-audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("advisories", "actions", "runId"):
		return parsers.Sure
	case s.Has("advisories", "actions", "muted"):
		return parsers.Possible // Yarn 2 writes the same without a runId
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "npm audit"
	return stream.JSON(in, stream.Object(stream.Fields{
		"error": stream.One(func(e struct {
			Code    stream.Text `json:"code"`
			Summary stream.Text `json:"summary"`
		},
		) error {
			return stream.Errorf("the audit failed: %s %s", e.Code, e.Summary)
		}),
		"auditReportVersion": stream.One(func(v stream.Int) error {
			return stream.Errorf("it is of npm 7 or later (auditReportVersion %d): use the scan type \"NPM Audit v7+ Scan\"", v.N)
		}),
		"advisories": stream.Entries(func(_ string, d *stream.Decoder) error {
			return stream.One(func(a npm.Advisory) error {
				a.Components(out)
				out.Emit(observation(a))
				return nil
			})(d)
		}),
	}, "advisories"))
}

func observation(a npm.Advisory) gate.Observation {
	o := gate.Observation{
		Title:            a.Title + " - (" + a.Module + ", " + string(a.Vulnerable) + ")",
		Severity:         gate.ParseSeverity(a.Severity),
		Description:      describe(a),
		Mitigation:       string(a.Todo),
		Impact:           "Code that uses `" + a.Module + "` can be attacked through it.",
		References:       parsers.Lines(a.URL, string(a.References)),
		VulnerabilityIDs: a.CVEs,
		Check:            string(a.ID),
		FilePath:         a.Path(),
		ComponentName:    a.Module,
		ComponentVersion: a.Version(),
		PURL:             parsers.PURL("npm", a.Module, a.Version()),
		URL:              a.URL,
		Fix:              parsers.Fixed(string(a.Patched)),
		PublishDate:      parsers.ParseDate(string(a.Created)),
	}
	if o.Mitigation == "" && a.Patched != "" {
		o.Mitigation = "Upgrade `" + a.Module + "` to " + string(a.Patched) + "."
	}
	if o.CWE, o.CWEs = npm.VulnerableComponent, a.Weaknesses(); len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
	}
	return o
}

func describe(a npm.Advisory) string {
	var text parsers.Text
	text.Add(string(a.Overview)).Fact("Package", a.Module).Fact("Vulnerable versions", string(a.Vulnerable)).Fact("Patched versions", string(a.Patched))
	text.Facts("CVEs", a.CVEs).Fact("GitHub's id", string(a.GHSA)).Fact("Access", string(a.Access)).Fact("Advisory", a.URL)
	if paths := a.Paths(); len(paths) > 0 {
		text.Add("It comes in by:").List(paths)
	}
	return text.String()
}
