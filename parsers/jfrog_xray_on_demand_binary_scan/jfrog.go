// Package jfrog_xray_on_demand_binary_scan reads what JFrog's command finds in a binary or an image on demand.
//
// Made by "jf docker scan alpine:latest --format=json" or "jf scan app.jar --format=json". The report is a list of scans:
//
//	[{"scan_id": "…", "component_id": "docker://alpine:latest", "package_type": "Docker", "status": "completed", "vulnerabilities": [
//	  {"issue_id": "XRAY-526273", "summary": "Issue summary: …", "severity": "Unknown", "cves": [{"cve": "CVE-2023-3446",
//	    "cvss_v3_vector": "CVSS:3.1/…", "cvss_v3_score": "7.5"}], "references": ["https://…"],
//	   "components": {"alpine://3.18:libssl3:3.1.1-r1": {"fixed_versions": ["[3.1.1-r3]"],
//	     "impact_paths": [[{"component_id": "docker://alpine:latest"}, {"component_id": "…", "full_path": "…"}]]}}}]}]
//
// A vulnerability is one finding in each of its components.
package jfrog_xray_on_demand_binary_scan

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads JFrog's on-demand scans.
var Parsers = []parsers.Parser{{
	Name:     "jfrog_xray_on_demand_binary_scan",
	ScanType: "JFrog Xray On Demand Binary Scan",
	Files:    "JSON",
	Command:  "jf docker scan app:1.0 --format=json > xray.json",
	URL:      "https://docs.jfrog-applications.jfrog.io/jfrog-applications/jfrog-cli/cli-for-jfrog-security",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].scan_id", "[].component_id"), s.Has("[].vulnerabilities[].issue_id", "[].vulnerabilities[].components"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type vulnerability struct {
	Issue      stream.Text                   `json:"issue_id"`
	Summary    stream.Text                   `json:"summary"`
	Severity   stream.Text                   `json:"severity"`
	CVEs       []cve                         `json:"cves"`
	References stream.OneOrMany[stream.Text] `json:"references"`
	Components map[string]component          `json:"components"`
	Extended   stream.Lenient[struct {
		Short       stream.Text `json:"short_description"`
		Full        stream.Text `json:"full_description"`
		Remediation stream.Text `json:"remediation"`
	}] `json:"extended_information"`
}

type cve struct {
	ID     stream.Text                   `json:"cve"`
	Vector stream.Text                   `json:"cvss_v3_vector"`
	CWE    stream.OneOrMany[stream.Text] `json:"cwe"`
}

type component struct {
	Fixed []stream.Text `json:"fixed_versions"`
	Paths [][]struct {
		ID   stream.Text `json:"component_id"`
		Path stream.Text `json:"full_path"`
	} `json:"impact_paths"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "JFrog Xray"
	seen := map[string]bool{} // an image's scans may hold the same layers
	scan := stream.Object(stream.Fields{
		"component_id": stream.One(func(t stream.Text) error { run.Target = string(t); return nil }),
		"status": stream.One(func(t stream.Text) error {
			if run.Outcome == gate.Unsaid && t == "completed" {
				run.Outcome = gate.Succeeded
			}
			return nil
		}),
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			if v.Issue == "" {
				return errors.New("a vulnerability without an issue_id")
			}
			for _, name := range slices.Sorted(maps.Keys(v.Components)) {
				if key := string(v.Issue) + " " + name; !seen[key] {
					seen[key] = true
					out.Emit(observation(v, name, v.Components[name]))
				}
			}
			return nil
		}),
	}, "scan_id")
	return stream.JSON(in, stream.Array(scan))
}

func observation(v vulnerability, name string, c component) gate.Observation {
	full, version := split(name)
	o := gate.Observation{
		Title:            title(v),
		Severity:         gate.ParseSeverity(string(v.Severity)),
		Description:      parsers.First(string(v.Summary), string(v.Extended.Value.Full)),
		References:       parsers.Lines(stream.Strings(v.References)...),
		RuleID:           string(v.Issue),
		ComponentName:    full,
		ComponentVersion: version,
		Impact:           impact(name, c),
		FixAvailable:     new(len(c.Fixed) > 0),
	}
	for i, x := range v.CVEs {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(x.ID))
		if i == 0 {
			parsers.SetCVSS(&o, string(x.Vector))
		}
		for _, w := range x.CWE {
			if n := gate.ParseCWE(string(w)); n > 0 && !slices.Contains(o.CWEs, n) {
				o.CWEs = append(o.CWEs, n) // none is the main one: DefectDojo sets no cwe
			}
		}
	}
	if fixed := stream.Strings(c.Fixed); len(fixed) > 0 {
		var text parsers.Text
		text.Add("These versions have the vulnerability no more:").List(fixed)
		o.Mitigation = text.Add(string(v.Extended.Value.Remediation)).String()
	}
	return o
}

// split cuts the version off "alpine://3.18:libssl3:3.1.1-r1".
func split(name string) (component, version string) {
	if i := strings.LastIndexByte(name, ':'); i > 0 && !strings.HasPrefix(name[i:], "://") {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// title is the first line of a summary, without what OpenSSL puts before it.
func title(v vulnerability) string {
	text := parsers.First(string(v.Summary), string(v.Extended.Value.Short), string(v.Issue))
	text = strings.TrimPrefix(text, "Issue summary: ")
	first, _, _ := strings.Cut(text, "\n")
	return strings.Join(strings.Fields(first), " ")
}

func impact(name string, c component) string {
	var paths []string
	for _, path := range c.Paths {
		var steps []string
		for _, s := range path {
			steps = append(steps, parsers.First(string(s.ID), string(s.Path)))
		}
		paths = append(paths, strings.Join(steps, " → "))
	}
	var text parsers.Text
	text.Add("It comes in as " + name + " by:").List(paths)
	return text.String()
}
