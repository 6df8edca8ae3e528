// Package anchorectl_vulns reads the vulnerabilities that anchorectl, Anchore
// Enterprise's client, tells of an image.
//
// Made by "anchorectl image vulnerabilities IMAGE -o json > vulns.json". The report
// is an array, or an object that holds it:
//
//	[{"vuln": "CVE-2011-3374", "severity": "Negligible", "feed": "vulnerabilities", "feedGroup": "debian:9", "fix": "None",
//	  "package": "apt-1.4.9", "packageName": "apt", "packageVersion": "1.4.9", "packageType": "dpkg", "packagePath": "None",
//	  "packageCpe": "None", "url": "https://…", "nvdData": [{"cvssV3": {"baseScore": 7.5}}], "vendorData": […]}]
//
// Package anchore describes a vulnerability.
package anchorectl_vulns

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/anchore"
	"defectdojo/parsers/stream"
)

// Parsers reads anchorectl's JSON.
var Parsers = []parsers.Parser{{
	Name:     "anchorectl_vulns",
	ScanType: "AnchoreCTL Vuln Report",
	Files:    "JSON",
	Command:  "anchorectl image vulnerabilities IMAGE -o json > vulns.json",
	URL:      "https://docs.anchore.com/current/docs/deployment/anchorectl/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, at := range []string{"[].", "vulnerabilities[]."} {
		if s.Has(at+"vuln", at+"packageName", at+"packageType") {
			return parsers.Sure
		}
	}
	if s.Has("imageDigest", "vulnerabilityType") {
		return parsers.Sure
	}
	if s.Is("[]") {
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "anchorectl"
	seen := map[string]bool{} // a feed may hold a record twice
	each := stream.Each(func(v anchore.Vulnerability) error {
		if v.Vuln == "" {
			return stream.Errorf(`an element has no "vuln"`)
		}
		if k := v.Key(); !seen[k] {
			seen[k] = true
			out.Emit(v.Observation(run.Target))
		}
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': each,
		'{': stream.Object(stream.Fields{
			"imageDigest":     stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
			"vulnerabilities": each,
		}, "vulnerabilities"),
	}))
}
