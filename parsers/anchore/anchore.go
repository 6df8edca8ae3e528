// Package anchore is the form in which Anchore's tools tell of a vulnerability: Anchore Engine with keys as "package_name", anchorectl with
// keys as "packageName". What is unknown is the word "None"; a score of -1 is none.
package anchore

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Vulnerability is a vulnerability of a package in an image. Its keys are read
// in either spelling.
type Vulnerability struct {
	Vuln           string `json:"vuln"`
	Severity       string `json:"severity"`
	Feed           string `json:"feed"`
	FeedGroup      string `json:"feed_group,case:ignore"`
	Fix            string `json:"fix"`
	Package        string `json:"package"`
	PackageName    string `json:"package_name,case:ignore"`
	PackageVersion string `json:"package_version,case:ignore"`
	PackageType    string `json:"package_type,case:ignore"`
	PackagePath    string `json:"package_path,case:ignore"`
	PackageCPE     string `json:"package_cpe,case:ignore"`
	URL            string `json:"url"`
	Description    string `json:"description"`
	NVD            []data `json:"nvd_data,case:ignore"`
	Vendor         []data `json:"vendor_data,case:ignore"`
}

type data struct {
	ID   string `json:"id"`
	CVSS struct {
		Base stream.Float `json:"base_score,case:ignore"`
	} `json:"cvss_v3,case:ignore"`
}

// Observation returns it as one, of an image by its digest.
func (v Vulnerability) Observation(image string) gate.Observation {
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
	o.CVSSv3Score = v.score()
	return o
}

// Key is what makes two records of a report one.
func (v Vulnerability) Key() string {
	return strings.Join([]string{v.Feed, v.FeedGroup, v.PackageName, v.PackageVersion, v.PackagePath, v.Vuln}, "|")
}

// score is the NVD's in the feeds that are made of it, else one of the vendor's
// first two, as DefectDojo has it.
func (v Vulnerability) score() *float64 {
	list := v.Vendor
	if v.Feed == "nvdv2" || v.Feed == "vulnerabilities" {
		list = v.NVD[:min(len(v.NVD), 1)]
	}
	for _, d := range list[:min(len(list), 2)] {
		if b := d.CVSS.Base; b.OK && b.F >= 0 && b.F <= 10 {
			return b.Ptr()
		}
	}
	return nil
}

// known returns s unless it says that it is unknown.
func known(s string) string {
	if s == "None" {
		return ""
	}
	return s
}
