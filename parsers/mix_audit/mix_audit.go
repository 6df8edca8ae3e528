// Package mix_audit reads the JSON report of mix_audit, which checks Elixir's dependencies for advisories.
//
// Made by "mix deps.audit --format json > mix_audit.json". The report is one object:
//
//	{"pass": false, "vulnerabilities": [{
//	  "dependency": {"package": "plug", "version": "1.5.0", "lockfile": "/src/mix.lock"},
//	  "advisory": {"id": "GHSA-…", "cve": "2018-1000883", "package": "plug", "title": "…", "description": "…", "severity": "high",
//	    "url": "https://github.com/advisories/GHSA-…", "disclosure_date": "2018-…",
//	    "vulnerable_version_ranges": ["< 1.5.1"], "first_patched_versions": ["1.5.1"]}}]}
package mix_audit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads mix_audit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "mix_audit",
	ScanType: "Mix Audit Scan",
	Files:    "JSON",
	Command:  "mix deps.audit --format json > mix_audit.json",
	URL:      "https://github.com/mirego/mix_audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("pass", "vulnerabilities[].advisory", "vulnerabilities[].dependency.lockfile"):
		return parsers.Sure
	case s.Has("pass", "vulnerabilities"):
		return parsers.Likely
	}
	return parsers.No
}

type vulnerability struct {
	Dependency struct {
		Package  stream.Text `json:"package"`
		Version  stream.Text `json:"version"`
		Lockfile stream.Text `json:"lockfile"`
	} `json:"dependency"`
	Advisory struct {
		ID          stream.Text                   `json:"id"`
		CVE         stream.Text                   `json:"cve"`
		Package     stream.Text                   `json:"package"`
		Title       stream.Text                   `json:"title"`
		Description stream.Text                   `json:"description"`
		Severity    stream.Text                   `json:"severity"`
		URL         stream.Text                   `json:"url"`
		Disclosed   stream.Text                   `json:"disclosure_date"`
		Ranges      stream.OneOrMany[stream.Text] `json:"vulnerable_version_ranges"`
		Patched     stream.OneOrMany[stream.Text] `json:"first_patched_versions"`
		Unaffected  stream.OneOrMany[stream.Text] `json:"unaffected_versions"`
	} `json:"advisory"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool, run.Outcome = "mix_audit", gate.Succeeded
	return stream.JSON(in, stream.Object(stream.Fields{
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			out.Emit(observation(v))
			return nil
		}),
	}, "vulnerabilities"))
}

func observation(v vulnerability) gate.Observation {
	a, patched := v.Advisory, stream.Strings(v.Advisory.Patched)
	name := parsers.First(string(v.Dependency.Package), string(a.Package))
	var text parsers.Text
	text.Add(string(a.Description)).Fact("Package", strings.TrimSpace(name+" "+string(v.Dependency.Version))).Fact("Lock file", string(v.Dependency.Lockfile)).
		Facts("Vulnerable versions", stream.Strings(a.Ranges)).Facts("Patched versions", patched).Facts("Unaffected versions", stream.Strings(a.Unaffected))
	o := gate.Observation{
		Title:            name + ": " + string(a.Title),
		Severity:         gate.ParseSeverity(string(a.Severity)),
		Description:      text.String(),
		References:       string(a.URL),
		RuleID:           string(a.ID),
		VulnerabilityIDs: []string{string(a.ID), cve(string(a.CVE))},
		ComponentName:    name,
		ComponentVersion: string(v.Dependency.Version),
		PURL:             parsers.PURL("hex", name, string(v.Dependency.Version)),
		PublishDate:      parsers.ParseDate(string(a.Disclosed)),
	}
	if list := strings.Join(patched, ", "); list != "" {
		o.Mitigation = "Upgrade " + name + " to one of the patched versions (" + list + ") or later."
	}
	return o
}

// cve completes an id, which some advisories have without its prefix.
func cve(id string) string {
	if id != "" && !strings.HasPrefix(strings.ToUpper(id), "CVE-") {
		return "CVE-" + id
	}
	return strings.ToUpper(id)
}
