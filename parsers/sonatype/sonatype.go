// Package sonatype reads the raw report of an application that Sonatype IQ
// Server (Nexus IQ, Lifecycle) makes.
//
// Made by "curl -u USER:TOKEN URL/api/v2/applications/APP/reports/ID/raw". The
// report is one object:
//
//	{"components": [{"packageUrl": "pkg:maven/…", "hash": "212387a39088ecd3daff",
//	   "componentIdentifier": {"format": "maven", "coordinates": {"artifactId": "okhttp", "groupId": "com.squareup.okhttp", "version": "2.6.0"}},
//	   "pathnames": ["WEB-INF/lib/okhttp-2.6.0.jar"], "licenseData": {…},
//	   "securityData": {"securityIssues": [{"source": "cve", "reference": "CVE-2016-2402", "severity": 5.9, "status": "Open",
//	     "url": "http://…", "threatCategory": "severe", "cwe": "295", "cvssVector": "CVSS:3.1/…"}]}}],
//	 "matchSummary": {"totalComponentCount": 1011, "knownComponentCount": 826}}
//
// A severity is a CVSS score. Components that are not known have no identifier.
package sonatype

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads IQ Server's raw report.
var Parsers = []parsers.Parser{{
	Name:     "sonatype",
	ScanType: "Sonatype Application Scan",
	Files:    "JSON",
	Command:  "curl -u $USER:$TOKEN -o report.json URL/api/v2/applications/APP/reports/ID/raw",
	URL:      "https://help.sonatype.com/en/report-rest-api.html",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("components[].componentIdentifier", "components[].securityData"), s.Has("components[]", "matchSummary"):
		return parsers.Sure
	case s.Has("components[].matchState"), s.Has("components[].pathnames"):
		return parsers.Likely
	}
	return parsers.No
}

type component struct {
	PURL       stream.Text `json:"packageUrl"`
	Hash       stream.Text `json:"hash"`
	Name       stream.Text `json:"displayName"`
	Identifier struct {
		Format      string                 `json:"format"`
		Coordinates map[string]stream.Text `json:"coordinates"`
	} `json:"componentIdentifier"`
	Paths   []string `json:"pathnames"`
	License struct {
		Declared []struct {
			ID string `json:"licenseId"`
		} `json:"declaredLicenses"`
	} `json:"licenseData"`
	Security struct {
		Issues []issue `json:"securityIssues"`
	} `json:"securityData"`
}

type issue struct {
	Source    stream.Text  `json:"source"`
	Reference string       `json:"reference"`
	Severity  stream.Float `json:"severity"`
	Status    stream.Text  `json:"status"`
	URL       stream.Text  `json:"url"`
	Threat    stream.Text  `json:"threatCategory"`
	CWE       stream.Text  `json:"cwe"`
	Vector    stream.Text  `json:"cvssVector"`
	VectorBy  stream.Text  `json:"cvssVectorSource"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Sonatype IQ Server"
	return stream.JSON(in, stream.Object(stream.Fields{
		"components": stream.Each(func(c component) error {
			i := c.identity()
			inventory := gate.Component{Name: i.name, Version: i.version, PURL: i.purl}
			for _, l := range c.License.Declared {
				inventory.Licenses = append(inventory.Licenses, l.ID)
			}
			if len(c.Paths) > 0 {
				inventory.Path = c.Paths[0]
			}
			if i.name != "" {
				out.Component(inventory)
			}
			for _, issue := range c.Security.Issues {
				out.Emit(observation(c, i, issue))
			}
			return nil
		}),
	}, "components"))
}

type identity struct{ name, full, version, purl string }

// identity reads the coordinates, whose names differ from format to format.
func (c component) identity() identity {
	get := func(names ...string) string {
		for _, n := range names {
			if v := string(c.Identifier.Coordinates[n]); v != "" {
				return v
			}
		}
		return ""
	}
	i := identity{name: get("artifactId", "packageId", "name"), version: get("version"), purl: string(c.PURL)}
	i.full = i.name
	if group := get("groupId"); group != "" {
		i.full += " " + group
		if i.purl == "" {
			i.purl = parsers.PURL("maven", group+":"+i.name, i.version)
		}
	}
	if i.name == "" {
		i.name, i.full = string(c.Name), parsers.First(string(c.Name), string(c.Hash))
	}
	i.full = strings.TrimSpace(i.full + " " + i.version)
	return i
}

// maxPath is DefectDojo's limit of a path, which is part of its comparison.
const maxPath = 1000

func observation(c component, i identity, v issue) gate.Observation {
	var text parsers.Text
	text.Add("`" + i.full + "` has the known vulnerability " + v.Reference + ".")
	text.Fact("Hash", string(c.Hash)).Fact("Package URL", i.purl).Fact("Source", string(v.Source)).Fact("CVSS score", number(v.Severity)).Fact("Vector from", string(v.VectorBy)).Fact("Status", string(v.Status))
	text.Facts("Files", c.Paths[:min(len(c.Paths), 20)])
	path := []rune(strings.Join(c.Paths, " "))
	o := gate.Observation{
		Title:            v.Reference + " - " + i.full,
		Severity:         gate.SeverityOfScore(v.Severity.F),
		Description:      text.String(),
		Impact:           "Sonatype's threat category: " + string(v.Threat),
		Mitigation:       "Upgrade or replace the component. Its status in IQ Server: " + string(v.Status),
		References:       string(v.URL),
		CWE:              gate.ParseCWE(string(v.CWE)),
		Check:            v.Reference,
		FilePath:         string(path[:min(len(path), maxPath)]),
		ComponentName:    i.name,
		ComponentVersion: i.version,
		PURL:             i.purl,
		URL:              string(v.URL),
	}
	if strings.HasPrefix(v.Reference, "CVE-") {
		o.VulnerabilityIDs = []string{v.Reference}
	}
	parsers.SetCVSS(&o, string(v.Vector))
	return o
}

func number(f stream.Float) string {
	if !f.OK {
		return ""
	}
	return strconv.FormatFloat(f.F, 'f', -1, 64)
}
