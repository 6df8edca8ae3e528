// Package anchore_engine reads the vulnerabilities that Anchore Engine tells of
// an image.
//
// Made by "anchore-cli --json image vuln IMAGE all > vulns.json". The report is one object:
//
//	{"imageDigest": "sha256:…", "vulnerability_type": "all", "vulnerabilities": [{"vuln": "CVE-2011-3374", "severity": "Negligible",
//	  "feed": "vulnerabilities", "feed_group": "debian:9", "fix": "None", "package": "apt-1.4.9", "package_name": "apt",
//	  "package_version": "1.4.9", "package_type": "dpkg", "package_path": "None", "package_cpe": "None", "url": "https://…",
//	  "nvd_data": [{"id": "…", "cvss_v3": {"base_score": 7.5}}], "vendor_data": […]}]}
//
// Package anchore describes a vulnerability.
package anchore_engine

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/anchore"
	"defectdojo/parsers/stream"
)

// Parsers reads Anchore Engine's JSON.
var Parsers = []parsers.Parser{{
	Name:     "anchore_engine",
	ScanType: "Anchore Engine Scan",
	Files:    "JSON",
	Command:  "anchore-cli --json image vuln IMAGE all > vulns.json",
	URL:      "https://github.com/anchore/anchore-engine",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("imageDigest", "vulnerability_type"), s.Has("vulnerabilities[].package_cpe", "vulnerabilities[].feed_group"):
		return parsers.Sure
	case s.Has("vulnerabilities[].vuln", "vulnerabilities[].package_name"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Anchore Engine"
	return stream.JSON(in, stream.Object(stream.Fields{
		"imageDigest": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"vulnerabilities": stream.Each(func(v anchore.Vulnerability) error {
			out.Emit(v.Observation(run.Target))
			return nil
		}),
	}, "vulnerabilities"))
}
