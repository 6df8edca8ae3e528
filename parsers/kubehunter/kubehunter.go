// Package kubehunter reads the JSON report of kube-hunter, which hunts for
// weaknesses of Kubernetes clusters.
//
// Made by "kube-hunter --report json > kube-hunter.json". The report is one object:
//
//	{"nodes": [{"type": "Node/Master", "location": "10.0.1.1"}],
//	 "services": [{"service": "Kubelet API (readonly)", "location": "10.0.1.1:10255"}],
//	 "vulnerabilities": [{"location": "10.0.1.1:10255", "vid": "KHV044", "category": "Privilege Escalation // …",
//	   "severity": "high", "vulnerability": "Privileged Container", "description": "…", "evidence": "…",
//	   "avd_reference": "https://avd.aquasec.com/kube-hunter/khv044/", "hunter": "…"}]}
//
// A weakness without a number has the vid "None".
package kubehunter

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads kube-hunter's JSON.
var Parsers = []parsers.Parser{{
	Name:     "kubehunter",
	ScanType: "KubeHunter Scan",
	Files:    "JSON",
	Command:  "kube-hunter --report json > kube-hunter.json",
	URL:      "https://github.com/aquasecurity/kube-hunter",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("vulnerabilities[].vid", "vulnerabilities[].hunter"), s.Has("nodes", "services", "vulnerabilities"):
		return parsers.Sure
	case s.Has("vulnerabilities[].vid"):
		return parsers.Likely
	}
	return parsers.No
}

type vulnerability struct {
	Location    string      `json:"location"`
	VID         stream.Text `json:"vid"`
	Category    string      `json:"category"`
	Severity    string      `json:"severity"`
	Name        string      `json:"vulnerability"`
	Description string      `json:"description"`
	Evidence    stream.Text `json:"evidence"`
	Reference   string      `json:"avd_reference"`
	Hunter      string      `json:"hunter"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "kube-hunter"
	return stream.JSON(in, stream.Object(stream.Fields{
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			out.Emit(v.observation())
			return nil
		}),
	}, "vulnerabilities"))
}

func (v vulnerability) observation() gate.Observation {
	var about parsers.Text
	about.Add(v.Description).Fact("Category", v.Category).Fact("Location", v.Location).Fact("Hunter", v.Hunter)
	o := gate.Observation{
		Title:       v.Name,
		Severity:    gate.ParseSeverity(v.Severity),
		Description: about.String(),
		RuleID:      string(v.VID),
	}
	if v.Evidence != "" {
		o.StepsToReproduce = "kube-hunter saw: " + string(v.Evidence)
	}
	if v.Reference != "" && !strings.HasSuffix(v.Reference, "/none/") {
		o.References = v.Reference
		o.Mitigation = "What to do stands in Aqua's database of kube-hunter's checks: " + v.Reference
	}
	return o
}
