// Package bundler_audit reads the text report of bundler-audit, which checks a
// Gemfile.lock against the Ruby advisories.
//
// Made by "bundle-audit check > bundler-audit.txt". The report has a block for
// each advisory, with a blank line after it:
//
//	Name: rack
//	Version: 1.4.7
//	CVE: CVE-2018-16471
//	GHSA: GHSA-5r2p-j47h-mhpg
//	Criticality: Medium
//	URL: https://groups.google.com/…
//	Title: Possible XSS vulnerability in Rack
//	Solution: upgrade to '~> 1.6.11', '>= 2.0.6'
//
//	Vulnerabilities found!
//
// Up to version 0.6 there is "Advisory:" in place of CVE and GHSA. A criticality
// of "Unknown" is medium. "Insecure Source URI found: …" is a line of its own.
// Nothing found is "No vulnerabilities found".
package bundler_audit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads bundler-audit's text.
var Parsers = []parsers.Parser{{
	Name:     "bundler_audit",
	ScanType: "Bundler-Audit Scan",
	Files:    "text",
	Command:  "bundle-audit check > bundler-audit.txt",
	URL:      "https://github.com/rubysec/bundler-audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Contains("Name: ", "\nCriticality: ", "\nSolution: "), s.Contains("Insecure Source URI found:"):
		return parsers.Sure
	case s.Format == parsers.Plain && (s.Contains("No vulnerabilities found") || s.Contains("Vulnerabilities found!")):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "bundler-audit"
	block, known := map[string]string{}, false
	flush := func() {
		if block["Name"] != "" {
			out.Emit(observation(block))
			known = true
		}
		block = map[string]string{}
	}
	err := stream.Lines(in, func(_ int, line string) error {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, ": ")
		switch {
		case line == "":
			flush()
		case line == "No vulnerabilities found" || line == "Vulnerabilities found!":
			known = true
		case strings.HasPrefix(line, "Insecure Source URI found"):
			known = true
			out.Emit(source(value))
		case strings.HasPrefix(line, "ruby-advisory-db:"), strings.HasPrefix(line, "commit:"):
			out.Run().Ruleset = value
		case ok:
			if key == "Name" && block["Name"] != "" {
				flush()
			}
			block[key] = strings.TrimSpace(value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(block) > 0 && block["Name"] != "" && block["Solution"] == "" {
		return stream.Errorf("the report ends in the middle of the advisory for %q: it is cut short", block["Name"])
	}
	flush()
	if !known {
		return stream.Errorf("not a report of bundler-audit: neither an advisory nor its closing line")
	}
	return nil
}

func observation(b map[string]string) gate.Observation {
	name, version := b["Name"], b["Version"]
	id := parsers.First(b["Advisory"], b["CVE"], b["GHSA"])
	var text parsers.Text
	text.Add("The gem `" + name + "` " + version + " in Gemfile.lock has a known vulnerability: " + b["Title"])
	text.Fact("Gem", name).Fact("Version", version).Fact("Advisory", id).Fact("Criticality", b["Criticality"])
	severity, ok := gate.SeverityOf(b["Criticality"])
	if !ok || severity == gate.Info {
		severity = gate.Medium
	}
	return gate.Observation{
		Title:            "Gem " + name + ": " + b["Title"] + " [" + id + "]",
		Severity:         severity,
		Description:      text.String(),
		Mitigation:       b["Solution"],
		References:       b["URL"],
		VulnerabilityIDs: []string{b["Advisory"], b["CVE"], b["GHSA"]},
		Check:            id,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             parsers.PURL("gem", name, version),
		URL:              b["URL"],
		Fix:              parsers.FixedInWords(b["Solution"]),
	}
}

// source is the finding of a gem source without encryption.
func source(uri string) gate.Observation {
	return gate.Observation{
		Title:       "Insecure Source URI found: " + uri,
		Severity:    gate.Medium,
		Description: "Gemfile.lock fetches gems from `" + uri + "`, without encryption: whoever is on the way can replace them.",
		Mitigation:  "Use the https:// address of the source.",
		CWE:         319,
	}
}
