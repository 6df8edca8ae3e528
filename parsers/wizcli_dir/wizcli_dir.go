// Package wizcli_dir reads the JSON report of Wiz's command for a directory.
//
// Made by "wizcli dir scan --path . --format json --output wiz.json". Package wizcli describes the format.
package wizcli_dir

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/wizcli"
)

// Parsers reads the report of "wizcli dir scan".
var Parsers = []parsers.Parser{{
	Name:     "wizcli_dir",
	ScanType: "Wizcli Dir Scan",
	Files:    "JSON",
	Command:  "wizcli dir scan --path . --format json --output wiz.json",
	URL:      "https://docs.wiz.io/wiz-docs/docs/wiz-cli-overview",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    wizcli.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch result, origin := wizcli.Kind(s); {
	case origin == "CICDScanOriginDirectory":
		return parsers.Sure
	case result == "CICDDiskScanResult":
		return parsers.Likely
	}
	return parsers.No
}
