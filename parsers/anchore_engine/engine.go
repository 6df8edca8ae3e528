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
// What is unknown is the word "None". A score of -1 is none.
package anchore_engine

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
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

type vulnerability struct {
	Vuln           string `json:"vuln"`
	Severity       string `json:"severity"`
	Feed           string `json:"feed"`
	FeedGroup      string `json:"feed_group"`
	Fix            string `json:"fix"`
	Package        string `json:"package"`
	PackageName    string `json:"package_name"`
	PackageVersion string `json:"package_version"`
	PackageType    string `json:"package_type"`
	PackagePath    string `json:"package_path"`
	PackageCPE     string `json:"package_cpe"`
	URL            string `json:"url"`
	Description    string `json:"description"`
	NVD            []data `json:"nvd_data"`
	Vendor         []data `json:"vendor_data"`
}

type data struct {
	ID   string `json:"id"`
	CVSS struct {
		Base stream.Float `json:"base_score"`
	} `json:"cvss_v3"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Anchore Engine"
	return stream.JSON(in, stream.Object(stream.Fields{
		"imageDigest": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			out.Emit(v.observation(run.Target))
			return nil
		}),
	}, "vulnerabilities"))
}

func (v vulnerability) observation(image string) gate.Observation {
	var about parsers.Text
	about.Add(known(v.Description)).Fact("Package", v.Package).Fact("Type", v.PackageType).Fact("Path", known(v.PackagePath)).
		Fact("Image", known(image)).Fact("Feed", strings.Trim(v.Feed+"/"+v.FeedGroup, "/")).Fact("CPE", known(v.PackageCPE))
	o := gate.Observation{
		Title:            v.Vuln + " - " + v.Package + "(" + v.PackageType + ")",
		Severity:         gate.ParseSeverity(v.Severity),
		Description:      about.String(),
		Mitigation:       "No version that fixes it is known yet. See " + v.URL,
		References:       v.URL,
		VulnerabilityIDs: []string{v.Vuln},
		RuleID:           v.Vuln,
		FilePath:         v.PackagePath,
		ComponentName:    v.PackageName,
		ComponentVersion: v.PackageVersion,
		URL:              v.URL,
		FixAvailable:     new(known(v.Fix) != ""),
		Fix:              known(v.Fix),
	}
	if known(v.Fix) != "" {
		o.Mitigation = "Upgrade " + v.PackageName + " to " + v.Fix + ". See " + v.URL
	}
	for _, d := range append(v.NVD, v.Vendor...) {
		if d.CVSS.Base.OK && d.CVSS.Base.F > 0 {
			o.CVSSv3Score = d.CVSS.Base.Ptr()
			break
		}
	}
	return o
}

// known returns s unless it says that it is unknown.
func known(s string) string {
	if s == "None" {
		return ""
	}
	return s
}
