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
	"regexp"
	"slices"
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
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

type advisory struct {
	ID       stream.Text `json:"id"`
	Findings []struct {
		Version string   `json:"version"`
		Paths   []string `json:"paths"`
	} `json:"findings"`
	Title      string                        `json:"title"`
	Module     string                        `json:"module_name"`
	CVEs       []string                      `json:"cves"`
	GHSA       stream.Text                   `json:"github_advisory_id"`
	Vulnerable stream.Text                   `json:"vulnerable_versions"`
	Patched    stream.Text                   `json:"patched_versions"`
	Overview   stream.Text                   `json:"overview"`
	Todo       stream.Text                   `json:"recommendation"`
	References stream.Text                   `json:"references"`
	Severity   string                        `json:"severity"`
	CWE        stream.OneOrMany[stream.Text] `json:"cwe"`
	Access     stream.Text                   `json:"access"`
	Created    stream.Text                   `json:"created"`
	URL        string                        `json:"url"`
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
			return stream.One(func(a advisory) error {
				for _, f := range a.Findings {
					out.Component(gate.Component{Name: a.Module, Version: f.Version, PURL: parsers.PURL("npm", a.Module, f.Version)})
				}
				out.Emit(observation(a))
				return nil
			})(d)
		}),
	}, "advisories"))
}

// vulnerableComponent is the CWE of an advisory that has none of its own.
const vulnerableComponent = 1035

func observation(a advisory) gate.Observation {
	var file, version string
	if len(a.Findings) > 0 {
		version = a.Findings[0].Version
		if len(a.Findings[0].Paths) > 0 {
			file = censor(a.Findings[0].Paths[0])
		}
	}
	o := gate.Observation{
		Title:            a.Title + " - (" + a.Module + ", " + string(a.Vulnerable) + ")",
		Severity:         gate.ParseSeverity(a.Severity),
		Description:      describe(a),
		Mitigation:       string(a.Todo),
		Impact:           "Code that uses `" + a.Module + "` can be attacked through it.",
		References:       parsers.Lines(a.URL, string(a.References)),
		VulnerabilityIDs: a.CVEs,
		Check:            string(a.ID),
		FilePath:         file,
		ComponentName:    a.Module,
		ComponentVersion: version,
		PURL:             parsers.PURL("npm", a.Module, version),
		URL:              a.URL,
		Fix:              parsers.Fixed(string(a.Patched)),
		PublishDate:      parsers.ParseDate(string(a.Created)),
	}
	if o.Mitigation == "" && a.Patched != "" {
		o.Mitigation = "Upgrade `" + a.Module + "` to " + string(a.Patched) + "."
	}
	o.CWE, o.CWEs = weaknesses(a.CWE)
	return o
}

// numbers finds the CWEs in whatever form they are written.
var numbers = regexp.MustCompile(`CWE-(\d{1,5})`)

func weaknesses(texts []stream.Text) (int, []int) {
	var all []int
	for _, t := range texts {
		for _, m := range numbers.FindAllStringSubmatch(string(t), 50) {
			if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	if len(all) == 0 {
		return vulnerableComponent, nil
	}
	return all[0], all
}

// hashes are what npm puts in place of the names of private packages; they
// change from run to run.
var hashes = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

func censor(path string) string { return hashes.ReplaceAllString(path, "censored_by_npm_audit") }

func describe(a advisory) string {
	var text parsers.Text
	text.Add(string(a.Overview)).Fact("Package", a.Module).Fact("Vulnerable versions", string(a.Vulnerable)).Fact("Patched versions", string(a.Patched))
	text.Facts("CVEs", a.CVEs).Fact("GitHub's id", string(a.GHSA)).Fact("Access", string(a.Access)).Fact("Advisory", a.URL)
	var paths []string
	for _, f := range a.Findings {
		for _, p := range f.Paths {
			if len(paths) == 50 {
				break
			}
			paths = append(paths, f.Version+": "+censor(p))
		}
	}
	if len(paths) > 0 {
		text.Add("It comes in by:").List(paths)
	}
	return text.String()
}
