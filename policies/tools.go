package policies

import (
	"slices"
	"strings"
)

// toolAliases are other names of scanners: of their makers' products, of the
// parsers that read them, and of what they call themselves in their reports.
var toolAliases = map[string]string{
	"anchore-grype": "grype", "osv-scanner": "osv", "semgrep-oss": "semgrep", "semgrep-pro": "semgrep", "opengrep": "semgrep", "snyk-open-source": "snyk",
	"snykcode": "snyk-code", "owasp-zap": "zap", "zaproxy": "zap", "nessus": "tenable", "dependency-check": "dependency-check", "owasp-dependency-check": "dependency-check",
	"dependencycheck": "dependency-check", "owasp-dependency-track": "dependency-track", "sonar": "sonarqube", "sonarcloud": "sonarqube", "checkmarx-one": "checkmarx",
	"checkmarx-cxflow-sast": "checkmarx", "github-codeql": "codeql", "trivy-operator": "trivy", "aqua-trivy": "trivy", "trufflehog3": "trufflehog",
	"github-secrets-detection-report": "github-secrets", "gitlab-secret-detection-report": "gitlab-secrets", "gitlab-dep-scan": "gitlab-dependencies",
	"snyk-cli": "snyk", "snyksarif": "snyk", "kics-scan": "kics", "black-duck": "blackduck",
}

// ToolKey is the one name of a scanner: in small letters, with hyphens.
func ToolKey(tool string) string {
	if i := strings.IndexFunc(tool, func(r rune) bool { return r == ' ' || r == '_' || r >= 'A' && r <= 'Z' }); i >= 0 {
		tool = strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(tool))
	}
	if own, ok := toolAliases[tool]; ok {
		return own
	}
	return tool
}

// sameTool tells whether two names are of one scanner.
func sameTool(a, b string) bool { return a == b || ToolKey(a) == ToolKey(b) }

// knownTool tells whether a scanner is among some.
func knownTool(tools []string, tool string) bool {
	return slices.ContainsFunc(tools, func(t string) bool { return sameTool(t, tool) })
}
