// Package jfrog_xray_unified reads the vulnerabilities report of JFrog Xray, as
// its unified platform exports it.
//
// Made by Xray: Reports, Generate Report, Vulnerabilities, Export as JSON, or
// "curl URL/xray/api/v1/reports/export/ID?format=json". The report is one object:
//
//	{"total_rows": 1, "rows": [{"cves": [{"cve": "CVE-2020-28493", "cvss_v2_vector": "CVSS:2.0/…",
//	   "cvss_v3_score": 5.3, "cvss_v3_vector": "CVSS:3.1/…"}], "summary": "…", "severity": "Medium",
//	   "vulnerable_component": "pypi://Jinja2:2.11.2", "impacted_artifact": "pypi://app:1", "path": "pypi-remote/…",
//	   "fixed_versions": ["2.11.3"], "published": "2021-02-02T22:43:02+11:00", "artifact_scan_time": "2021-01-15T15:39:25+11:00",
//	   "issue_id": "XRAY-139239", "package_type": "pypi", "provider": "JFrog", "description": "…", "references": ["https://…"]}]}
//
// An advisory of a distribution has several CVEs: that of the worst score is
// the finding's, the others are named in its description.
package jfrog_xray_unified

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Xray's vulnerabilities report.
var Parsers = []parsers.Parser{{
	Name:     "jfrog_xray_unified",
	ScanType: "JFrog Xray Unified Scan",
	Files:    "JSON",
	Command:  "JFrog Xray, Reports: a vulnerabilities report, Export as JSON",
	URL:      "https://jfrog.com/help/r/jfrog-security-documentation/xray-reports",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("total_rows", "rows[].issue_id", "rows[].vulnerable_component"):
		return parsers.Sure
	case s.Has("total_rows", "rows[]"):
		return parsers.Likely
	}
	return parsers.No
}

type row struct {
	CVEs       []cve                         `json:"cves"`
	Summary    string                        `json:"summary"`
	Severity   string                        `json:"severity"`
	Component  string                        `json:"vulnerable_component"`
	Artifact   string                        `json:"impacted_artifact"`
	ImpactPath stream.OneOrMany[stream.Text] `json:"impact_path"`
	Path       string                        `json:"path"`
	Fixed      []string                      `json:"fixed_versions"`
	Published  stream.Text                   `json:"published"`
	Scanned    stream.Text                   `json:"artifact_scan_time"`
	IssueID    string                        `json:"issue_id"`
	Type       stream.Text                   `json:"package_type"`
	Provider   stream.Text                   `json:"provider"`
	Details    stream.Text                   `json:"description"`
	References []string                      `json:"references"`
	Applicable stream.Text                   `json:"applicability_result"`
}

type cve struct {
	ID       string       `json:"cve"`
	V2Score  stream.Float `json:"cvss_v2_score"`
	V2Vector stream.Text  `json:"cvss_v2_vector"`
	V3Score  stream.Float `json:"cvss_v3_score"`
	V3Vector stream.Text  `json:"cvss_v3_vector"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "JFrog Xray"
	return stream.JSON(in, stream.Object(stream.Fields{
		"rows": stream.Each(func(r row) error {
			if r.IssueID == "" && r.Component == "" {
				return stream.Errorf("a row has neither an issue nor a component")
			}
			out.Emit(observation(r))
			return nil
		}),
	}, "rows"))
}

func observation(r row) gate.Observation {
	worst, all := r.worst()
	kind, name, version := split(r.Component)
	o := gate.Observation{
		Title:            strings.TrimPrefix(r.IssueID+" - "+r.Summary, " - "),
		Severity:         gate.ParseSeverity(r.Severity),
		Description:      describe(r, all),
		Impact:           r.impact(),
		References:       parsers.Lines(r.References...),
		UniqueID:         r.IssueID,
		FilePath:         r.Path,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             parsers.PURL(types[kind], name, version),
		FixAvailable:     new(len(r.Fixed) > 0),
		Fix:              parsers.Fixed(r.Fixed...),
		Date:             parsers.ParseDate(string(r.Scanned)),
		PublishDate:      parsers.ParseDate(string(r.Published)),
	}
	if worst.ID != "" {
		o.VulnerabilityIDs = []string{worst.ID}
	}
	parsers.SetCVSS(&o, string(worst.V3Vector))
	if o.CVSSv3 == "" && worst.V3Score.F > 0 {
		o.CVSSv3Score = worst.V3Score.Ptr()
	}
	var why parsers.Text
	why.Fact("Xray's severity", r.Severity).Fact("CVSS 3", string(worst.V3Vector)).Fact("CVSS 2", string(worst.V2Vector))
	o.SeverityJustification = why.String()
	if len(r.Fixed) > 0 {
		o.Mitigation = "Upgrade `" + name + "` to a version with the fix:\n- " + strings.Join(r.Fixed, "\n- ")
	}
	if r.Type != "" {
		o.Tags = []string{"packagetype_" + string(r.Type)}
	}
	return o
}

// worst returns the CVE of the greatest score by CVSS 3, the first of equals and
// where none has one, and all ids.
func (r row) worst() (cve, []string) {
	var worst cve
	var all []string
	for i, c := range r.CVEs {
		all = append(all, c.ID)
		if i == 0 || c.V3Score.F > worst.V3Score.F {
			worst = c
		}
	}
	return worst, all
}

// split reads "type://name:version".
func split(component string) (kind, name, version string) {
	kind, name, ok := strings.Cut(component, "://")
	if !ok {
		kind, name = "", component
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name, version = name[:i], name[i+1:]
	}
	return kind, name, version
}

// types are the package URL types of Xray's.
var types = map[string]string{"gav": "maven", "npm": "npm", "pypi": "pypi", "nuget": "nuget", "go": "golang", "composer": "composer", "gem": "gem", "cargo": "cargo"}

func (r row) impact() string {
	var path []string
	for _, p := range r.ImpactPath {
		path = append(path, string(p))
	}
	var text parsers.Text
	text.Fact("Impacted artifact", r.Artifact).Facts("Impact path", path).Fact("Applicability", strings.ReplaceAll(string(r.Applicable), "_", " "))
	return parsers.First(text.String(), r.Severity)
}

func describe(r row, all []string) string {
	var text parsers.Text
	text.Add(parsers.First(string(r.Details), r.Summary))
	text.Fact("Component", r.Component).Fact("Issue", r.IssueID).Facts("CVEs", all).Fact("Provider", string(r.Provider)).Fact("Artifact", r.Artifact).Fact("Path", r.Path)
	return text.String()
}
