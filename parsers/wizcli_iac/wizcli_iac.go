// Package wizcli_iac reads the JSON report of Wiz's command for infrastructure as code.
//
// Made by "wizcli iac scan --path . --format json --output wiz.json". Package wizcli describes the format.
package wizcli_iac

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/wizcli"
)

// Parsers reads the report of "wizcli iac scan".
var Parsers = []parsers.Parser{{
	Name:     "wizcli_iac",
	ScanType: "Wizcli IaC Scan",
	Files:    "JSON",
	Command:  "wizcli iac scan --path . --format json --output wiz.json",
	URL:      "https://docs.wiz.io/wiz-docs/docs/wiz-cli-overview",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    wizcli.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch result, origin := wizcli.Kind(s); {
	case origin == "CICDScanOriginIAC", result == "CICDIACScanResult":
		return parsers.Sure
	}
	return parsers.No
}
