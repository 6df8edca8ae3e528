// Package kiuwan_sca reads the JSON of Kiuwan Insights: vulnerabilities of
// components.
//
// Made by Kiuwan's REST API, "GET /insights/analysis/security":
//
//	[{"id": 158713, "cve": "CVE-2021-30468", "cwe": "CWE-835", "muted": false, "lastModified": "2021/06/16 14:15", "cVSSv3BaseScore": "7.5",
//	  "securityRisk": "HIGH", "description": "…", "epss_score": 0.1, "epss_percentile": 0.2,
//	  "components": [{"id": 1270458, "artifact": "org.apache.cxf:cxf-core", "version": "3.3.5", "description": "…"}]}]
//
// Each component is a finding; what is muted is none.
package kiuwan_sca

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Kiuwan Insights' JSON.
var Parsers = []parsers.Parser{{
	Name:     "kiuwan_sca",
	ScanType: "Kiuwan SCA Scan",
	Files:    "JSON",
	Command:  "curl -u NAME:PASSWORD 'https://api.kiuwan.com/insights/analysis/security?analysisCode=CODE' -o kiuwan.json",
	URL:      "https://www.kiuwan.com/docs/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].cve", "[].securityRisk"), s.Has("[].exploitabilitySubscore", "[].components[].artifact"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type vulnerability struct {
	ID             stream.Text  `json:"id"`
	CVE            stream.Text  `json:"cve"`
	CWE            stream.Text  `json:"cwe"`
	Muted          bool         `json:"muted"`
	Modified       stream.Text  `json:"lastModified"`
	Exploitability stream.Text  `json:"exploitabilitySubscore"`
	Impact         stream.Text  `json:"impactSubscore"`
	Score2         stream.Text  `json:"cVSSv2BaseScore"`
	Score          stream.Float `json:"cVSSv3BaseScore"`
	Risk           stream.Text  `json:"securityRisk"`
	Description    stream.Text  `json:"description"`
	EPSS           stream.Float `json:"epss_score"`
	Percentile     stream.Float `json:"epss_percentile"`
	Components     []component  `json:"components"`
}

type component struct {
	Artifact    stream.Text `json:"artifact"`
	Version     stream.Text `json:"version"`
	Description stream.Text `json:"description"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Kiuwan Insights"
	seen := map[string]bool{}
	return stream.JSON(in, stream.Array(stream.One(func(v vulnerability) error {
		if v.CVE == "" && v.Risk == "" {
			return stream.Errorf(`an entry has neither "cve" nor "securityRisk": this is not Kiuwan Insights' report`)
		}
		if v.Muted {
			return nil
		}
		for _, c := range v.Components {
			// One component may come several times, by different ways.
			key := string(v.CVE + "\x00" + c.Artifact + "\x00" + c.Version)
			if !seen[key] {
				seen[key] = true
				out.Emit(v.observation(c))
			}
		}
		return nil
	})))
}

func (v vulnerability) observation(c component) gate.Observation {
	// The description is part of a finding's identity: it is as the report has it.
	o := gate.Observation{
		Title:            string(c.Artifact) + " v" + string(c.Version),
		Severity:         gate.ParseSeverity(string(v.Risk)),
		Description:      string(v.Description),
		Mitigation:       "Update " + string(c.Artifact) + " to a version without this vulnerability; Kiuwan Insights shows which there are.",
		References:       "https://nvd.nist.gov/vuln/detail/" + string(v.CVE),
		RuleID:           string(v.ID),
		CVE:              string(v.CVE),
		CWE:              gate.ParseCWE(string(v.CWE)),
		ComponentName:    string(c.Artifact),
		ComponentVersion: string(c.Version),
		CVSSv3Score:      v.Score.Ptr(),
		EPSSScore:        v.EPSS.Ptr(),
		EPSSPercentile:   v.Percentile.Ptr(),
	}
	var impact parsers.Text
	impact.Fact("Component", string(c.Description)).Fact("CVE", string(v.CVE)).Fact("CVSS 2", string(v.Score2)).Fact("Exploitability", string(v.Exploitability)).Fact("Impact", string(v.Impact)).Fact("Last modified", string(v.Modified))
	if v.Score.OK {
		impact.Fact("CVSS 3", strconv.FormatFloat(v.Score.F, 'f', -1, 64))
	}
	o.Impact = impact.String()
	return o
}
