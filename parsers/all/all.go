// Package all lists every parser. It is the one place that imports them all.
package all

import (
	"slices"
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/acunetix"
	"defectdojo/parsers/anchore_engine"
	"defectdojo/parsers/anchore_enterprise"
	"defectdojo/parsers/anchore_grype"
	"defectdojo/parsers/anchorectl_policies"
	"defectdojo/parsers/anchorectl_vulns"
	"defectdojo/parsers/aqua"
	"defectdojo/parsers/auditjs"
	"defectdojo/parsers/bandit"
	"defectdojo/parsers/bearer_cli"
	"defectdojo/parsers/blackduck"
	"defectdojo/parsers/brakeman"
	"defectdojo/parsers/bundler_audit"
	"defectdojo/parsers/burp"
	"defectdojo/parsers/burp_api"
	"defectdojo/parsers/burp_dastardly"
	"defectdojo/parsers/burp_graphql"
	"defectdojo/parsers/cargo_audit"
	"defectdojo/parsers/cfn_nag"
	"defectdojo/parsers/checkov"
	"defectdojo/parsers/clair"
	"defectdojo/parsers/composer_audit"
	"defectdojo/parsers/conftest"
	"defectdojo/parsers/coverity_scan"
	"defectdojo/parsers/cppcheck"
	"defectdojo/parsers/csaf"
	"defectdojo/parsers/cyclonedx"
	"defectdojo/parsers/dependency_check"
	"defectdojo/parsers/dependency_track"
	"defectdojo/parsers/detect_secrets"
	"defectdojo/parsers/dockle"
	"defectdojo/parsers/dotnet_vulnerable"
	"defectdojo/parsers/eslint"
	"defectdojo/parsers/ffuf"
	"defectdojo/parsers/flawfinder"
	"defectdojo/parsers/generic"
	"defectdojo/parsers/ggshield"
	"defectdojo/parsers/github_sast"
	"defectdojo/parsers/github_secrets_detection_report"
	"defectdojo/parsers/github_vulnerability"
	"defectdojo/parsers/gitlab_api_fuzzing"
	"defectdojo/parsers/gitlab_container_scan"
	"defectdojo/parsers/gitlab_dast"
	"defectdojo/parsers/gitlab_dep_scan"
	"defectdojo/parsers/gitlab_sast"
	"defectdojo/parsers/gitlab_secret_detection_report"
	"defectdojo/parsers/gitleaks"
	"defectdojo/parsers/gosec"
	"defectdojo/parsers/govulncheck"
	"defectdojo/parsers/hadolint"
	"defectdojo/parsers/harbor_vulnerability"
	"defectdojo/parsers/horusec"
	"defectdojo/parsers/invicti"
	"defectdojo/parsers/jfrog_xray_unified"
	"defectdojo/parsers/jfrogxray"
	"defectdojo/parsers/kics"
	"defectdojo/parsers/kubebench"
	"defectdojo/parsers/kubehunter"
	"defectdojo/parsers/kubelinter"
	"defectdojo/parsers/kubescape"
	"defectdojo/parsers/mend"
	"defectdojo/parsers/nancy"
	"defectdojo/parsers/netsparker"
	"defectdojo/parsers/nmap"
	"defectdojo/parsers/npm_audit"
	"defectdojo/parsers/npm_audit_7_plus"
	"defectdojo/parsers/osv_scanner"
	"defectdojo/parsers/pmd"
	"defectdojo/parsers/polaris"
	"defectdojo/parsers/popeye"
	"defectdojo/parsers/rubocop"
	"defectdojo/parsers/sarif"
	"defectdojo/parsers/semgrep"
	"defectdojo/parsers/semgrep_pro"
	"defectdojo/parsers/snyk"
	"defectdojo/parsers/snyk_code"
	"defectdojo/parsers/spotbugs"
	"defectdojo/parsers/tenable"
	"defectdojo/parsers/terrascan"
	"defectdojo/parsers/tfsec"
	"defectdojo/parsers/trivy"
	"defectdojo/parsers/trivy_operator"
	"defectdojo/parsers/twistlock"
	"defectdojo/parsers/zap"
)

// Parsers are all parsers, a tool's together. Keep the list sorted.
var Parsers = slices.Concat(
	acunetix.Parsers,
	anchore_engine.Parsers,
	anchore_enterprise.Parsers,
	anchore_grype.Parsers,
	anchorectl_policies.Parsers,
	anchorectl_vulns.Parsers,
	aqua.Parsers,
	auditjs.Parsers,
	bandit.Parsers,
	bearer_cli.Parsers,
	blackduck.Parsers,
	brakeman.Parsers,
	bundler_audit.Parsers,
	burp.Parsers,
	burp_api.Parsers,
	burp_dastardly.Parsers,
	burp_graphql.Parsers,
	cargo_audit.Parsers,
	cfn_nag.Parsers,
	checkov.Parsers,
	clair.Parsers,
	composer_audit.Parsers,
	conftest.Parsers,
	coverity_scan.Parsers,
	cppcheck.Parsers,
	csaf.Parsers,
	cyclonedx.Parsers,
	dependency_check.Parsers,
	dependency_track.Parsers,
	detect_secrets.Parsers,
	dockle.Parsers,
	dotnet_vulnerable.Parsers,
	eslint.Parsers,
	ffuf.Parsers,
	flawfinder.Parsers,
	generic.Parsers,
	ggshield.Parsers,
	github_sast.Parsers,
	github_secrets_detection_report.Parsers,
	github_vulnerability.Parsers,
	gitlab_api_fuzzing.Parsers,
	gitlab_container_scan.Parsers,
	gitlab_dast.Parsers,
	gitlab_dep_scan.Parsers,
	gitlab_sast.Parsers,
	gitlab_secret_detection_report.Parsers,
	gitleaks.Parsers,
	gosec.Parsers,
	govulncheck.Parsers,
	hadolint.Parsers,
	harbor_vulnerability.Parsers,
	horusec.Parsers,
	invicti.Parsers,
	jfrog_xray_unified.Parsers,
	jfrogxray.Parsers,
	kics.Parsers,
	kubebench.Parsers,
	kubehunter.Parsers,
	kubelinter.Parsers,
	kubescape.Parsers,
	mend.Parsers,
	nancy.Parsers,
	netsparker.Parsers,
	nmap.Parsers,
	npm_audit.Parsers,
	npm_audit_7_plus.Parsers,
	osv_scanner.Parsers,
	pmd.Parsers,
	polaris.Parsers,
	popeye.Parsers,
	rubocop.Parsers,
	sarif.Parsers,
	semgrep.Parsers,
	semgrep_pro.Parsers,
	snyk.Parsers,
	snyk_code.Parsers,
	spotbugs.Parsers,
	tenable.Parsers,
	terrascan.Parsers,
	tfsec.Parsers,
	trivy.Parsers,
	trivy_operator.Parsers,
	twistlock.Parsers,
	zap.Parsers,
)

// ByScanType returns the parser for a scan type, in any letter case.
func ByScanType(scanType string) (parsers.Parser, bool) {
	p, ok := byScanType[strings.ToLower(strings.TrimSpace(scanType))]
	return p, ok
}

var byScanType = func() map[string]parsers.Parser {
	m := make(map[string]parsers.Parser, len(Parsers))
	for _, p := range Parsers {
		m[strings.ToLower(p.ScanType)] = p
	}
	return m
}()
