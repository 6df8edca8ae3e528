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
// Package anchore describes a vulnerability. Anchore Enterprise's page of an image
// has another export, whose "package" is a name with its version:
//
//	{"metadata": {"imageDigest": "sha256:…", "tag": "…"}, "securityEvaluation": [{"vulnerabilityId": "CVE-2011-3374", "cves": "CVE-2011-3374",
//	  "package": "apt-1.4.9", "packageType": "dpkg", "path": "/var/lib/dpkg/status", "severity": "Low", "fixAvailable": "None",
//	  "link": "https://…", "nvdCvssBaseScore": "3.7"}]}
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
	case s.Has("metadata", "securityEvaluation[].vulnerabilityId"), s.Has("imageDigest", "vulnerability_type"), s.Has("vulnerabilities[].package_cpe", "vulnerabilities[].feed_group"):
		return parsers.Sure
	case s.Has("vulnerabilities[].vuln", "vulnerabilities[].package_name"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Anchore Engine"
	known, seen := false, map[string]bool{} // a feed may hold a record twice
	put := func(key string, o gate.Observation) {
		if !seen[key] {
			seen[key] = true
			out.Emit(o)
		}
	}
	list := func(each stream.Value) stream.Value {
		return func(d *stream.Decoder) error { known = true; return each(d) }
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"metadata": stream.One(func(m struct {
			Digest stream.Text `json:"image_digest,case:ignore"`
		},
		) error {
			run.Target = string(m.Digest)
			return nil
		}),
		"securityEvaluation": list(stream.Each(func(e evaluation) error { put(e.key(), e.observation(run.Target)); return nil })),
		"imageDigest":        stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"vulnerabilities":    list(stream.Each(func(v anchore.Vulnerability) error { put(v.Key(), v.Observation(run.Target)); return nil })),
	}))
	if err == nil && !known {
		err = stream.Errorf(`there is neither "vulnerabilities" nor "securityEvaluation"`)
	}
	return err
}
