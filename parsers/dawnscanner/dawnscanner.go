// Package dawnscanner reads the JSON report of dawnscanner, which reviews Ruby web applications.
//
// Made by "dawn --json . > dawn.json". The report is one object:
//
//	{"status": "OK", "dawn_version": "1.6.9", "scan_started": "2019-04-01 21:14:32 +0000", "target": "/code", "mvc": "rails",
//	 "vulnerabilities": [{"name": "CVE-2016-6316", "cve_link": "http://…", "severity": "medium", "cvss_score": 4.3,
//	   "message": "…", "remediation": "…"}]}
//
// A name is a CVE or that of a check of OWASP's cheat sheet.
package dawnscanner

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads dawnscanner's JSON.
var Parsers = []parsers.Parser{{
	Name:     "dawnscanner",
	ScanType: "DawnScanner Scan",
	Files:    "JSON",
	Command:  "dawn --json . > dawn.json",
	URL:      "https://github.com/thesp0nge/dawnscanner",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("dawn_version"):
		return parsers.Sure
	case s.Has("vulnerabilities[].cve_link", "vulnerabilities[].remediation"):
		return parsers.Likely
	}
	return parsers.No
}

type vulnerability struct {
	Name        stream.Text  `json:"name"`
	Link        stream.Text  `json:"cve_link"`
	Severity    stream.Text  `json:"severity"`
	Score       stream.Float `json:"cvss_score"`
	Message     stream.Text  `json:"message"`
	Remediation stream.Text  `json:"remediation"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "dawnscanner"
	return stream.JSON(in, stream.Object(stream.Fields{
		"status": stream.One(func(t stream.Text) error {
			if run.Outcome = gate.Succeeded; t != "OK" {
				run.Outcome = gate.Failed
			}
			return nil
		}),
		"dawn_version": stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
		"target":       stream.One(func(t stream.Text) error { run.Target = string(t); return nil }),
		"scan_started": stream.One(func(t stream.Text) error { run.StartedAt = parsers.ParseTime(string(t)); return nil }),
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			out.Emit(observation(v, gate.DateOf(run.StartedAt)))
			return nil
		}),
	}, "vulnerabilities"))
}

func observation(v vulnerability, date gate.Date) gate.Observation {
	var text parsers.Text
	text.Add(string(v.Message)).Fact("CVSS score", v.Score.String())
	o := gate.Observation{
		Title:        strings.ToUpper(string(v.Name)),
		Severity:     gate.ParseSeverity(string(v.Severity)),
		Description:  text.String(),
		Mitigation:   string(v.Remediation),
		References:   string(v.Link),
		Date:         date,
		FixAvailable: new(v.Remediation != ""),
	}
	if ids := parsers.CVEs(o.Title); len(ids) > 0 {
		o.VulnerabilityIDs = ids
	} else {
		o.Title = string(v.Name)
	}
	return o
}
