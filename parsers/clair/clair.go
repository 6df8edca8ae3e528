// Package clair reads what Clair, the scanner of container images, says: the
// report of Clair 4 itself, and what clair-scanner or Klar make of older ones.
//
// Made by "clairctl report --out json IMAGE", or got from Clair's
// /matcher/api/v1/vulnerability_report/HASH, which writes
//
//	{"manifest_hash": "sha256:…", "packages": {"10": {"id": "10", "name": "zlib1g", "version": "1:1.2.13", "kind": "binary", "source": {…}}},
//	  "distributions": {"1": {"did": "debian", "version_id": "12", "pretty_name": "Debian GNU/Linux 12 (bookworm)"}},
//	  "environments": {"10": [{"package_db": "var/lib/dpkg/status", "introduced_in": "sha256:…", "distribution_id": "1"}]},
//	  "vulnerabilities": {"356835": {"id": "356835", "name": "CVE-2023-45853", "links": "https://… https://…", "issued": "…",
//	    "severity": "important", "normalized_severity": "High", "fixed_in_version": "1:1.2.13-1", "updater": "debian/updater"}},
//	  "package_vulnerabilities": {"10": ["356835"]},
//	  "enrichments": {"message/vnd.clair.map.vulnerability; enricher=clair.cvss …": [{"356835": [{"vectorString": "CVSS:3.1/…"}]}]}}
//
// for each image; by "clair-scanner --report clair.json IMAGE", which writes
//
//	{"image": "app:1", "unapproved": ["CVE-…"], "vulnerabilities": [{"featurename": "systemd", "featureversion": "237-3",
//	  "vulnerability": "CVE-2018-20839", "namespace": "ubuntu:18.04", "description": "…", "link": "https://…",
//	  "severity": "Medium", "fixedby": ""}]}
//
// or by "JSON_OUTPUT=true klar IMAGE > clair.json", which writes
//
//	{"LayerCount": 9, "Vulnerabilities": {"High": [{"Name": "RHSA-2019:0109", "NamespaceName": "centos:7", "Description": "…",
//	  "Link": "https://…", "Severity": "High", "FixedBy": "4:5.16", "FeatureName": "perl", "FeatureVersion": "4:5.15"}]}}
//
// Defcon1 is the severity of what threatens the whole internet. Unknown is what
// nobody rated yet: the worst is assumed of Klar's, as DefectDojo does.
package clair

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of Clair 4, of clair-scanner and of Klar.
var Parsers = []parsers.Parser{{
	Name:     "clair",
	ScanType: "Clair Scan",
	Files:    "JSON",
	Command:  "clairctl report --out json IMAGE > clair.json",
	URL:      "https://quay.github.io/clair/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("manifest_hash", "package_vulnerabilities"), s.Has("LayerCount", "Vulnerabilities"), s.Has("vulnerabilities[].featurename"), s.Has("image", "unapproved"):
		return parsers.Sure
	}
	return parsers.No
}

// klar's vulnerabilities and clair-scanner's differ in their keys alone.
type vulnerability struct {
	Name, Namespace, Description, Link, Severity, FixedBy, Feature, Version string
}

type ofScanner struct {
	Name        string `json:"vulnerability"`
	Namespace   string `json:"namespace"`
	Description string `json:"description"`
	Link        string `json:"link"`
	Severity    string `json:"severity"`
	FixedBy     string `json:"fixedby"`
	Feature     string `json:"featurename"`
	Version     string `json:"featureversion"`
}

type ofKlar struct {
	Name        string `json:"Name"`
	Namespace   string `json:"NamespaceName"`
	Description string `json:"Description"`
	Link        string `json:"Link"`
	Severity    string `json:"Severity"`
	FixedBy     string `json:"FixedBy"`
	Feature     string `json:"FeatureName"`
	Version     string `json:"FeatureVersion"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	all, err := readReports(in)
	known := slices.ContainsFunc(all, func(r *report) bool { return r.known })
	if known && err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if known {
		return emit(in, out, all)
	}
	return parseOld(in, out)
}

// parseOld reads what clair-scanner and Klar write.
func parseOld(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Clair"
	known := false
	err := stream.JSON(in, stream.Object(stream.Fields{
		"image": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"vulnerabilities": func(d *stream.Decoder) error {
			known = true
			return stream.Each(func(v ofScanner) error {
				o := vulnerability(v).observation()
				o.ComponentName, o.ComponentVersion = v.Feature, v.Version
				if v.FixedBy != "" {
					o.Mitigation = "Update " + v.Feature + " to " + v.FixedBy + "."
				}
				o.VulnerabilityIDs = []string{v.Name}
				out.Emit(o)
				return nil
			})(d)
		},
		"Vulnerabilities": func(d *stream.Decoder) error {
			known = true
			return stream.Entries(func(_ string, d *stream.Decoder) error {
				return stream.Each(func(v ofKlar) error {
					o := vulnerability(v).observation()
					o.CWE = vulnerableComponent
					if strings.EqualFold(v.Severity, "Unknown") {
						o.Severity = gate.Critical
					}
					if v.FixedBy != "" {
						o.Mitigation = "Update " + v.Feature + " to " + v.FixedBy + "."
					}
					if strings.HasPrefix(v.Name, "CVE-") {
						o.VulnerabilityIDs = []string{v.Name}
					}
					out.Emit(o)
					return nil
				})(d)
			})(d)
		},
	}))
	if err == nil && !known {
		return stream.Errorf(`there is neither "vulnerabilities" nor "Vulnerabilities"`)
	}
	return err
}

// vulnerableComponent is CWE-1035, "Using Components with Known Vulnerabilities".
const vulnerableComponent = 1035

func (v vulnerability) observation() gate.Observation {
	var about parsers.Text
	about.Add(v.Description).Fact("Vulnerability", v.Name).Fact("Package", v.Feature+" "+v.Version).
		Fact("Fixed version", v.FixedBy).Fact("Distribution", v.Namespace)
	severity := gate.ParseSeverity(v.Severity)
	if strings.EqualFold(v.Severity, "Defcon1") {
		severity = gate.Critical
	}
	return gate.Observation{
		Title:       v.Name + " - (" + v.Feature + ", " + v.Version + ")",
		Severity:    severity,
		Description: about.String(),
		Impact:      "The image holds " + v.Feature + " " + v.Version + ", which is vulnerable.",
		References:  v.Link,
		Check:       v.Name,
		Fix:         v.FixedBy,
	}
}
