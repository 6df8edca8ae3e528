// Package npm is an advisory as npm's registry gives it to "npm audit" up to version 6, and to Yarn and pnpm, whose reports hold it as it came:
//
//	{"findings": [{"version": "1.0.0", "paths": ["a>b"]}], "id": 577, "title": "…", "module_name": "b", "cves": ["CVE-2019-…"],
//	 "vulnerable_versions": "<1.0.1", "patched_versions": ">=1.0.1", "overview": "…", "recommendation": "…", "references": "…",
//	 "severity": "high", "cwe": "CWE-400", "github_advisory_id": "GHSA-…", "access": "public", "created": "…", "url": "https://…"}
package npm

import (
	"regexp"
	"slices"
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// VulnerableComponent is the CWE that DefectDojo gives to an advisory without
// one: "OWASP Top Ten 2017 A9" (https://cwe.mitre.org/data/definitions/1035.html).
const VulnerableComponent = 1035

// Advisory is what is known of a vulnerability in a module, and where that is
// installed.
type Advisory struct {
	ID       stream.Text `json:"id"`
	Findings []struct {
		Version string   `json:"version"`
		Paths   []string `json:"paths"`
	} `json:"findings"`
	Title      string                        `json:"title"`
	Module     string                        `json:"module_name"`
	CVEs       []string                      `json:"cves"`
	GHSA       stream.Text                   `json:"github_advisory_id"`
	Vulnerable stream.Text                   `json:"vulnerable_versions"`
	Patched    stream.Text                   `json:"patched_versions"`
	Overview   stream.Text                   `json:"overview"`
	Todo       stream.Text                   `json:"recommendation"`
	References stream.Text                   `json:"references"`
	Severity   string                        `json:"severity"`
	CWE        stream.OneOrMany[stream.Text] `json:"cwe"`
	Access     stream.Text                   `json:"access"`
	Created    stream.Text                   `json:"created"`
	URL        string                        `json:"url"`
}

// maxPaths is how many of the paths by which a module comes in are told.
const maxPaths = 50

// Version returns the installed version, the first of several.
func (a Advisory) Version() string {
	if len(a.Findings) == 0 {
		return ""
	}
	return a.Findings[0].Version
}

// Path returns the first path by which the module comes in.
func (a Advisory) Path() string {
	if len(a.Findings) == 0 || len(a.Findings[0].Paths) == 0 {
		return ""
	}
	return censor(a.Findings[0].Paths[0])
}

// Paths returns the paths by which the module comes in, with their versions.
func (a Advisory) Paths() []string {
	var paths []string
	for _, f := range a.Findings {
		for _, p := range f.Paths {
			if len(paths) < maxPaths {
				paths = append(paths, f.Version+": "+censor(p))
			}
		}
	}
	return paths
}

// hashes are what the registry puts in place of the names of private packages;
// they change from run to run.
var hashes = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

func censor(path string) string { return hashes.ReplaceAllString(path, "censored_by_npm_audit") }

// numbers finds the CWEs in whatever form they are written.
var numbers = regexp.MustCompile(`CWE-(\d{1,5})`)

// Weaknesses returns the advisory's CWEs.
func (a Advisory) Weaknesses() []int {
	var all []int
	for _, t := range a.CWE {
		for _, m := range numbers.FindAllStringSubmatch(string(t), 50) {
			if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

// Components puts the installed versions out into the inventory.
func (a Advisory) Components(out *parsers.Report) {
	for _, f := range a.Findings {
		out.Component(gate.Component{Name: a.Module, Version: f.Version, PURL: parsers.PURL("npm", a.Module, f.Version)})
	}
}
