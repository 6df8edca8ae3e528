// Package auditjs reads the JSON report of Sonatype's AuditJS, which asks OSS
// Index for the vulnerabilities of a project's npm packages.
//
// Made by "auditjs ossi --json > auditjs.json". The report is an array with an
// element for each package, vulnerable or not:
//
//	{"coordinates": "pkg:npm/mysql@2.0.0", "description": "A node.js driver for mysql.",
//	 "reference": "https://ossindex.sonatype.org/component/…",
//	 "vulnerabilities": [{"id": "da5a3b11-…", "title": "[CVE-2020-1] CWE-79: …", "description": "…",
//	   "cvssScore": 9.6, "cvssVector": "CVSS:3.1/…", "cve": "CVE-2020-1", "cwe": "CWE-79", "reference": "…"}]}
//
// Which CVE and CWE it is may stand in the title alone. A vulnerability of several
// packages is one finding by its id, as DefectDojo has it. Without --json the
// command writes a text for people, which is refused.
package auditjs

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AuditJS's JSON.
var Parsers = []parsers.Parser{{
	Name:     "auditjs",
	ScanType: "AuditJS Scan",
	Files:    "JSON",
	Command:  "auditjs ossi --json > auditjs.json",
	URL:      "https://github.com/sonatype-nexus-community/auditjs",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].coordinates", "[].reference") && s.Contains("utm_source=auditjs"):
		return parsers.Sure
	case s.Has("[].coordinates", "[].vulnerabilities"), s.Has("[].coordinates", "[].reference"):
		return parsers.Likely
	}
	return parsers.No
}

type pack struct {
	Coordinates     string          `json:"coordinates"`
	Description     string          `json:"description"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	ID          stream.Text  `json:"id"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Score       stream.Float `json:"cvssScore"`
	Vector      string       `json:"cvssVector"`
	CVE         string       `json:"cve"`
	CWE         stream.Text  `json:"cwe"`
	Reference   string       `json:"reference"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "AuditJS"
	found := parsers.Merge(out)
	err := stream.JSON(in, stream.Each(func(p pack) error {
		if p.Coordinates == "" {
			return stream.Errorf("a package has no coordinates")
		}
		_, name, version := parsers.SplitPURL(p.Coordinates)
		out.Component(gate.Component{Name: name, Version: version, PURL: p.Coordinates})
		for _, v := range p.Vulnerabilities {
			o, isNew := found.At(parsers.First(string(v.ID), p.Coordinates+v.Title), func() *gate.Observation { return new(observation(p, v)) })
			if !isNew {
				o.Description += "\n\n**Also in:** " + p.Coordinates
			}
		}
		return nil
	}))
	if err != nil {
		return err
	}
	found.Emit()
	return nil
}

// weakness finds the CWE with which a title begins.
var weakness = regexp.MustCompile(`^(?:\[CVE-[0-9-]+\]\s*)?CWE-[0-9]{1,5}`)

func observation(p pack, v vulnerability) gate.Observation {
	name, version := split(p.Coordinates)
	var text parsers.Text
	text.Add(v.Description).Fact("Package", p.Coordinates).Fact("What it is", p.Description).Fact("CVSS", v.Vector)
	o := gate.Observation{
		Title:            parsers.First(v.Title, string(v.ID)),
		Description:      text.String(),
		References:       v.Reference,
		UniqueID:         string(v.ID),
		FilePath:         p.Coordinates,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             p.Coordinates,
		URL:              v.Reference,
	}
	if m := weakness.FindString(v.Title); m != "" {
		before, number, _ := strings.Cut(m, "CWE-")
		if n := gate.ParseCWE(number); before == "" {
			o.CWE = n
		} else {
			o.CWEs = []int{n} // DefectDojo looks for it at the very beginning alone
		}
	} else if n := gate.ParseCWE(string(v.CWE)); n > 0 {
		o.CWEs = []int{n}
	}
	o.NoCWE = o.CWE == 0
	if v.CVE != "" {
		o.VulnerabilityIDs = []string{v.CVE}
	} else if ids := parsers.CVEs(v.Title); len(ids) > 0 {
		o.CVE = ids[0]
	}
	o.Severity = gate.Medium
	if c, ok := parsers.ParseCVSS(v.Vector); ok {
		o.Severity = gate.SeverityOfScore(c.Score)
	} else if v.Score.OK {
		o.Severity = gate.SeverityOfScore(v.Score.F)
	}
	parsers.SetCVSS(&o, v.Vector)
	return o
}

// split returns name and version as the coordinates write them, a scope's @
// escaped: DefectDojo compares findings by them.
func split(coordinates string) (name, version string) {
	rest := strings.TrimPrefix(coordinates, "pkg:")
	_, rest, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "?")
	if i := strings.LastIndexByte(rest, '@'); i > 0 {
		return rest[:i], rest[i+1:]
	}
	return rest, ""
}
