package evidence

import (
	"slices"
	"strings"

	"defectdojo/parsers/all"
	"defectdojo/policies"
)

// secretScanners look for secrets and for nothing else.
var secretScanners = map[string]bool{
	"gitleaks": true, "trufflehog": true, "trufflehog3": true, "detect_secrets": true, "ggshield": true, "talisman": true, "rusty_hog": true, "noseyparker": true,
	"whispers": true, "secretlint": true, "cred_scan": true, "n0s1": true, "github_secrets_detection_report": true, "gitlab_secret_detection_report": true,
}

// configScanners read infrastructure as code, images or clusters.
var configScanners = map[string]bool{
	"checkov": true, "kics": true, "tfsec": true, "terrascan": true, "cfn_nag": true, "cfn_lint": true, "hadolint": true, "dockle": true, "kubelinter": true,
	"kubescape": true, "kubebench": true, "kubeaudit": true, "kubehunter": true, "popeye": true, "conftest": true, "aws_prowler": true, "aws_prowler_v3plus": true,
	"prowler": true, "scout_suite": true, "awssecurityhub": true, "dockerbench": true, "krakend_audit": true, "cloudsploit": true, "wizcli_iac": true,
}

// networkScanners look at hosts and ports.
var networkScanners = map[string]bool{
	"nmap": true, "masscan": true, "naabu": true, "openvas": true, "tenable": true, "nexpose": true, "qualys": true, "sslyze": true, "sslscan": true, "testssl": true, "ssh_audit": true, "ssl_labs": true,
}

// categoryTags are tags by which scanners of many things say what a finding is.
var categoryTags = map[string]policies.Category{
	"secret": policies.Secret, "secrets": policies.Secret, "license": policies.License, "license-file": policies.License, "config": policies.Config,
	"misconfiguration": policies.Config, "os-pkgs": policies.Container, "lang-pkgs": policies.Dependency, "malware": policies.Malware,
}

// systemPackages are the package URL types of operating systems.
var systemPackages = []string{"pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/"}

// Category is what kind of weakness a finding is, as its scanner and its place tell.
func Category(scanType, scanner string, f *policies.Finding, hasEndpoint, static bool) policies.Category {
	for _, t := range f.Tags {
		if c, ok := categoryTags[t]; ok {
			return c
		}
	}
	switch {
	case secretScanners[scanner] || f.CWE == 798 && strings.Contains(strings.ToLower(f.Title), "secret"):
		return policies.Secret
	case configScanners[scanner]:
		return policies.Config
	case networkScanners[scanner]:
		return policies.Network
	case f.PURL != "" || f.Component != "":
		for _, prefix := range systemPackages {
			if strings.HasPrefix(f.PURL, prefix) {
				return policies.Container
			}
		}
		if strings.Contains(scanType, "Container") || strings.Contains(scanType, "Image") {
			return policies.Container
		}
		return policies.Dependency
	case f.Path != "":
		return policies.Code
	case hasEndpoint || !static:
		return policies.Web
	}
	return policies.Other
}

// writers are scanners that have no parser of their own: they write SARIF,
// CycloneDX or GitLab's reports.
var writers = []string{"codeql", "osv", "grype", "syft", "cdxgen", "semgrep", "gosec", "snyk-code", "secretlint", "njsscan", "zizmor", "actionlint", "opengrep"}

// Scanners lists the names of scanners that policies can use.
func Scanners() []string {
	var out []string
	for _, p := range all.Parsers {
		out = append(out, policies.ToolKey(p.Name))
	}
	out = append(out, writers...)
	slices.Sort(out)
	return slices.Compact(out)
}
