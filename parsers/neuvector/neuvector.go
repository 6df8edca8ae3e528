// Package neuvector reads the JSON of NeuVector's REST API: the report of a
// scanned image.
//
// Made by "curl -H 'X-Auth-Token: …' https://controller:10443/v1/scan/workload/ID":
//
//	{"report": {"vulnerabilities": [{"name": "CVE-2017-18342", "score": 7.5, "severity": "High", "vectors": "AV:N/…", "description": "…",
//	   "package_name": "PyYAML", "package_version": "3.10", "fixed_version": "5.1", "link": "https://…", "score_v3": 9.8, "vectors_v3": "CVSS:3.1/…",
//	   "published_timestamp": 1638748800, "feed_rating": "Moderate", "in_base_image": true}],
//	  "modules": [{"name": "openssl", "version": "1.1.1"}], "checks": […], "secrets": […]}}
//
// As with DefectDojo, the findings are the vulnerabilities.
package neuvector

import (
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads NeuVector's JSON.
var Parsers = []parsers.Parser{{
	Name:     "neuvector",
	ScanType: "NeuVector (REST)",
	Files:    "JSON",
	Command:  "curl -H \"X-Auth-Token: $TOKEN\" https://controller.example.org:10443/v1/scan/workload/ID -o neuvector.json",
	URL:      "https://open-docs.neuvector.com/automation/automation",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("report.vulnerabilities[].package_name", "report.vulnerabilities[].vectors_v3"), s.Has("report.vulnerabilities[]", "report.setid_perms"):
		return parsers.Sure
	case s.Has("report.vulnerabilities[]", "report.modules"), s.Has("report.vulnerabilities[].package_name"):
		return parsers.Likely
	}
	return parsers.No
}

type vulnerability struct {
	Name        stream.Text  `json:"name"`
	Score       stream.Float `json:"score"`
	Severity    stream.Text  `json:"severity"`
	Vectors     stream.Text  `json:"vectors"`
	Description stream.Text  `json:"description"`
	Package     stream.Text  `json:"package_name"`
	Version     stream.Text  `json:"package_version"`
	Fixed       stream.Text  `json:"fixed_version"`
	Link        stream.Text  `json:"link"`
	Score3      stream.Float `json:"score_v3"`
	Vectors3    stream.Text  `json:"vectors_v3"`
	Published   stream.Float `json:"published_timestamp"`
	Rating      stream.Text  `json:"feed_rating"`
	BaseImage   bool         `json:"in_base_image"`
	File        stream.Text  `json:"file_name"`
}

type module struct {
	Name    stream.Text `json:"name"`
	Version stream.Text `json:"version"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "NeuVector"
	return stream.JSON(in, stream.Object(stream.Fields{"report": stream.Object(stream.Fields{
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			out.Emit(v.observation())
			return nil
		}),
		"modules": stream.Each(func(m module) error {
			if m.Name != "" {
				out.Component(gate.Component{Name: string(m.Name), Version: string(m.Version)})
			}
			return nil
		}),
	}, "vulnerabilities")}, "report"))
}

func (v vulnerability) observation() gate.Observation {
	var text, why parsers.Text
	text.Add(string(v.Description)).Fact("Package", string(v.Package+" "+v.Version)).Fact("Fixed in", string(v.Fixed)).Fact("File", string(v.File)).Fact("Rating of the source", string(v.Rating))
	if v.BaseImage {
		text.Add("It comes with the base image.")
	}
	if v.Score3.OK {
		why.Fact("CVSS 3", strings.TrimSpace(number(v.Score3)+" "+string(v.Vectors3)))
	}
	if v.Score.OK {
		why.Fact("CVSS 2", strings.TrimSpace(number(v.Score)+" "+string(v.Vectors)))
	}
	o := gate.Observation{
		Title:                 string(v.Name) + ": " + string(v.Package) + " - " + string(v.Version),
		Severity:              gate.ParseSeverity(string(v.Severity)),
		Description:           text.String(),
		Mitigation:            "NeuVector knows of no version of " + string(v.Package) + " that mends it. See what the source says.",
		Impact:                "NeuVector rates it " + string(v.Severity) + ".",
		SeverityJustification: why.String(),
		References:            string(v.Link),
		VulnerabilityIDs:      []string{string(v.Name)},
		Check:                 string(v.Name),
		ComponentName:         string(v.Package),
		ComponentVersion:      string(v.Version),
	}
	if v.Fixed != "" {
		o.Mitigation = "Update " + string(v.Package) + " to " + string(v.Fixed) + "."
	}
	if n := v.Published.F; n > 0 && n < 1e11 {
		o.PublishDate = gate.DateOf(time.Unix(int64(n), 0).UTC())
	}
	return o
}

func number(f stream.Float) string { return strconv.FormatFloat(f.F, 'f', -1, 64) }
