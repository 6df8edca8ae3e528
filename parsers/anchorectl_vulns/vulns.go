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
// What is unknown is the word "None". A score of -1 is none.
package anchorectl_vulns

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
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

type vulnerability struct {
	Vuln           string `json:"vuln"`
	Severity       string `json:"severity"`
	Feed           string `json:"feed"`
	FeedGroup      string `json:"feedGroup"`
	Fix            string `json:"fix"`
	Package        string `json:"package"`
	PackageName    string `json:"packageName"`
	PackageVersion string `json:"packageVersion"`
	PackageType    string `json:"packageType"`
	PackagePath    string `json:"packagePath"`
	PackageCPE     string `json:"packageCpe"`
	URL            string `json:"url"`
	Description    string `json:"description"`
	NVD            []data `json:"nvdData"`
	Vendor         []data `json:"vendorData"`
}

type data struct {
	ID   string `json:"id"`
	CVSS struct {
		Base stream.Float `json:"baseScore"`
	} `json:"cvssV3"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "anchorectl"
	each := stream.Each(func(v vulnerability) error {
		if v.Vuln == "" {
			return stream.Errorf(`an element has no "vuln"`)
		}
		out.Emit(v.observation(run.Target))
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
