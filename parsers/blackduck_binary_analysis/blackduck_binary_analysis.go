// Package blackduck_binary_analysis reads the CSV of Black Duck Binary Analysis, which finds known components in binaries.
//
// Made by "Export vulnerabilities as CSV" on a scan's page, or its REST API's /api/scan/ID/csv-vulns:
//
//	"Component","Version","Latest version","CVE","Matching type","CVSS","CVE publication date","Object compilation date","Object",
//	"Object full path","Object SHA1","CVSS3","CVSS vector (v2)","CVSS vector (v3)","Summary",…,"Vulnerability URL","Missing exploit mitigations","BDSA",…
//
// One record is one vulnerability of one component in one object (a DLL, an archive's member). A vector of CVSS 3 comes without its "CVSS:3.1/".
package blackduck_binary_analysis

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the CSV of Black Duck Binary Analysis.
var Parsers = []parsers.Parser{{
	Name:     "blackduck_binary_analysis",
	ScanType: "Blackduck Binary Analysis",
	Files:    "CSV",
	Command:  `Black Duck Binary Analysis: the scan's page, "Export vulnerabilities", CSV`,
	URL:      "https://www.blackduck.com/software-composition-analysis-tools/binary-analysis.html",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

// vulnerableComponents is "Dependency on Vulnerable Third-Party Component" (https://cwe.mitre.org/data/definitions/1357.html and 1395).
const vulnerableComponents = 1357

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("Component", "CVE", "Matching type", "Object full path", "Object SHA1") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Black Duck Binary Analysis"
	seen := map[string]bool{}
	return stream.CSV(in, []string{"Component", "CVE", "Object full path"}, func(r stream.Row) error {
		o := observation(r)
		if !seen[o.UniqueID] {
			seen[o.UniqueID] = true
			out.Emit(o)
		}
		return nil
	})
}

func observation(r stream.Row) gate.Observation {
	component, version, cve, file := r.Get("Component"), r.Get("Version"), r.Get("CVE"), r.Get("Object full path")
	title := r.Get("Object") + ": " + component + " " + version + " Vulnerable to " + cve
	o := gate.Observation{
		Title:                 title,
		Description:           describe(r),
		Impact:                impact(r),
		Mitigation:            mitigation(component, r.Get("Latest version")),
		References:            parsers.Lines(r.Get("Vulnerability URL"), r.Get("BDSA")),
		URL:                   r.Get("Vulnerability URL"),
		CWE:                   vulnerableComponents,
		RuleID:                cve,
		UniqueID:              parsers.Digest(file, r.Get("Object SHA1"), title),
		FilePath:              file,
		ComponentName:         component,
		ComponentVersion:      version,
		FixAvailable:          new(r.Get("Latest version") != ""),
		Occurrences:           new(1),
		SeverityJustification: vector(r),
	}
	if cve != "" {
		o.VulnerabilityIDs = []string{cve}
	}
	parsers.SetCVSS(&o, vector(r))
	o.Severity = gate.SeverityOfScore(score(r))
	if s := stream.ParseFloat(r.Get("CVSS3")); o.CVSSv3 != "" && s.OK {
		o.CVSSv3Score = s.Ptr()
	}
	return o
}

// vector returns the CVSS vector of the newest version that the record has.
func vector(r stream.Row) string {
	if v := r.Get("CVSS vector (v3)"); v != "" {
		if strings.HasPrefix(v, "CVSS:") {
			return v
		}
		return "CVSS:3.1/" + v
	}
	return r.Get("CVSS vector (v2)")
}

// score returns the CVSS score of the newest version that is not zero.
func score(r stream.Row) float64 {
	if s := stream.ParseFloat(r.Get("CVSS3")); s.F > 0 {
		return s.F
	}
	return stream.ParseFloat(r.Get("CVSS")).F
}

func describe(r stream.Row) string {
	var text parsers.Text
	text.Add(r.Get("Summary"))
	for _, f := range [][2]string{
		{"Component", "Component"},
		{"Version in use", "Version"},
		{"Latest version", "Latest version"},
		{"How it was recognised", "Matching type"},
		{"Object", "Object"},
		{"Path", "Object full path"},
		{"Compiled", "Object compilation date"},
		{"SHA-1", "Object SHA1"},
		{"Vulnerability", "CVE"},
		{"Published", "CVE publication date"},
		{"BDSA", "BDSA"},
		{"Package of the distribution", "Distribution package"},
		{"Exploit mitigations that the object lacks", "Missing exploit mitigations"},
		{"Note", "Note type"},
		{"Reason", "Note reason"},
		{"Triage vectors", "Triage vectors"},
		{"Unresolving triage vectors", "Unresolving triage vectors"},
		{"Version overridden", "Version override type"},
	} {
		text.Fact(f[0], r.Get(f[1]))
	}
	return text.String()
}

func impact(r stream.Row) string {
	var text parsers.Text
	text.Add("The binary contains a component with a known vulnerability: whoever reaches the code concerned can do what the vulnerability allows, " +
		"from reading data to running code in the process that loads " + parsers.First(r.Get("Object"), "the object") + ". " +
		"Known vulnerabilities are those that attackers look for first, since ready-made exploits and scanners exist for many of them.")
	return text.Fact("CVSS 3 score", r.Get("CVSS3")).Fact("CVSS 2 score", r.Get("CVSS")).
		Fact("CVSS 3 score by the distribution", r.Get("CVSS3 (Distribution)")).Fact("CVSS 2 score by the distribution", r.Get("CVSS (Distribution)")).String()
}

func mitigation(component, latest string) string {
	if latest == "" {
		return "No newer version of " + component + " is known."
	}
	return "Upgrade " + component + " to a version that is not affected; the latest is " + latest + "."
}
