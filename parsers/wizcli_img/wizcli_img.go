// Package wizcli_img reads the JSON report of Wiz's command for a container image.
//
// Made by "wizcli docker scan --image app:1.0 --format json --output wiz.json". Package wizcli describes the format.
package wizcli_img

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/wizcli"
)

// Parsers reads the report of "wizcli docker scan".
var Parsers = []parsers.Parser{{
	Name:     "wizcli_img",
	ScanType: "Wizcli Img Scan",
	Files:    "JSON",
	Command:  "wizcli docker scan --image app:1.0 --format json --output wiz.json",
	URL:      "https://docs.wiz.io/wiz-docs/docs/wiz-cli-overview",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    wizcli.Parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch result, origin := wizcli.Kind(s); {
	case origin == "CICDScanOriginContainerImage":
		return parsers.Sure
	case result == "CICDDiskScanResult":
		return parsers.Likely
	}
	return parsers.No
}
