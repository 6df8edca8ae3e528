// Package meterian reads the JSON report of Meterian, the dependency scanner.
//
// Made by "meterian-client.jar --report-json=meterian.json". The report is one object:
//
//	{"url": "https://www.meterian.com/projects/?pid=…", "timestamp": "2021-06-08 08:31:11", "reports": {
//	  "security": {"reports": [{"language": "nodejs", "reports": [{
//	    "dependency": {"name": "axios", "version": "0.21.1", "locations": ["/package.json"]},
//	    "advices": [{"id": "…", "description": "…", "severity": "HIGH", "cvss": 7.5, "cve": "CVE-…", "cwe": "CWE-79",
//	      "versionRange": "[0,1.0)", "links": [{"type": "CVE", "url": "CVE-2020-1"}]}],
//	    "safeVersions": {"latestPatch": "…", "latestMinor": "…", "latestMajor": "…"}}]}]},
//	  "licensing": {"reports": [{"language": "nodejs", "results": [{"name": "…", "version": "…", "licenses": [{"id": "MIT"}]}]}]}}}
//
// "N/A" stands for what is not known. The licensing report lists all components.
package meterian

import (
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Meterian's JSON.
var Parsers = []parsers.Parser{{
	Name:     "meterian",
	ScanType: "Meterian Scan",
	Files:    "JSON",
	Command:  "java -jar meterian-client.jar --report-json=meterian.json",
	URL:      "https://docs.meterian.io",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("reports.security") && strings.Contains(s.Value("url"), "meterian"):
		return parsers.Sure
	case s.Has("reports.security.reports[].reports[].advices"):
		return parsers.Sure
	case s.Has("reports.security.reports"):
		return parsers.Likely
	}
	return parsers.No
}

type dependency struct {
	Dependency struct {
		Name      stream.Text                   `json:"name"`
		Version   stream.Text                   `json:"version"`
		Locations stream.OneOrMany[stream.Text] `json:"locations"`
	} `json:"dependency"`
	Advices   []advice                      `json:"advices"`
	Hierarchy stream.OneOrMany[stream.Text] `json:"hierarchy"`
	Locations stream.OneOrMany[stream.Text] `json:"locations"`
	Safe      struct {
		Patch stream.Text `json:"latestPatch"`
		Minor stream.Text `json:"latestMinor"`
		Major stream.Text `json:"latestMajor"`
	} `json:"safeVersions"`
	Transitive stream.Text `json:"transitive"`
}

type advice struct {
	ID          stream.Text  `json:"id"`
	Description stream.Text  `json:"description"`
	Severity    stream.Text  `json:"severity"`
	Type        stream.Text  `json:"type"`
	CVSS        stream.Float `json:"cvss"`
	Range       stream.Text  `json:"versionRange"`
	CVE         stream.Text  `json:"cve"`
	CWE         stream.Text  `json:"cwe"`
	Links       []struct {
		Type stream.Text `json:"type"`
		URL  stream.Text `json:"url"`
	} `json:"links"`
}

type licensed struct {
	Name     stream.Text `json:"name"`
	Version  stream.Text `json:"version"`
	Licenses []struct {
		ID stream.Text `json:"id"`
	} `json:"licenses"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Meterian"
	var date gate.Date
	return stream.JSON(in, stream.Object(stream.Fields{
		"url": stream.One(func(t stream.Text) error { run.Target = string(t); return nil }),
		"timestamp": stream.One(func(t stream.Text) error {
			run.FinishedAt = parsers.ParseTime(string(t))
			date = gate.DateOf(run.FinishedAt)
			return nil
		}),
		"reports": stream.Object(stream.Fields{
			"security": languages("reports", func(language string, d dependency) {
				for _, a := range d.Advices {
					out.Emit(observation(language, d, a, date))
				}
			}),
			"licensing": languages("results", func(language string, l licensed) { out.Component(component(language, l)) }),
		}, "security"),
	}, "reports"))
}

// languages walks {"reports": [{"language": "…", KEY: […]}]}.
func languages[T any](key string, f func(language string, v T)) stream.Value {
	language := ""
	return stream.Object(stream.Fields{"reports": stream.Array(stream.Object(stream.Fields{
		"language": stream.One(func(t stream.Text) error { language = string(t); return nil }),
		key:        stream.Each(func(v T) error { f(language, v); return nil }),
	}))})
}

func component(language string, l licensed) gate.Component {
	c := gate.Component{Name: string(l.Name), Version: string(l.Version), PURL: parsers.PURL(kinds[language], string(l.Name), string(l.Version))}
	for _, x := range l.Licenses {
		c.Licenses = append(c.Licenses, string(x.ID))
	}
	return c
}

// kinds are the package types of Meterian's languages, where a language has one.
var kinds = map[string]string{"nodejs": "npm", "ruby": "gem", "python": "pypi", "java": "maven", "php": "composer", "dotnet": "nuget", "golang": "golang", "rust": "cargo"}

func observation(language string, d dependency, a advice, date gate.Date) gate.Observation {
	name, version := string(d.Dependency.Name), string(d.Dependency.Version)
	severity := a.rating()
	o := gate.Observation{
		Title:            name + ":" + version,
		Severity:         severity,
		Description:      string(a.Description), // of DefectDojo's hash
		Impact:           impact(severity, d, a),
		References:       references(a),
		UniqueID:         string(a.ID),
		FilePath:         "Manifest file", // as DefectDojo names it when the report does not
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             parsers.PURL(kinds[language], name, version),
		CWE:              gate.ParseCWE(string(a.CWE)),
		Date:             date,
		Tags:             []string{language},
	}
	if a.CVE != "" && a.CVE != "N/A" {
		o.VulnerabilityIDs = []string{string(a.CVE)}
	}
	if places := append(stream.Strings(d.Dependency.Locations), stream.Strings(d.Locations)...); len(places) > 0 && places[0] != "" {
		o.FilePath = places[0]
	}
	if a.CVSS.OK {
		o.SeverityJustification = fmt.Sprintf("Meterian rates the issue %s, from a CVSS base score of %s.", severity, a.CVSS)
	}
	setFix(&o, d)
	return o
}

// rating is by the score where there is one: Meterian's words know no Critical.
func (a advice) rating() gate.Severity {
	if !a.CVSS.OK {
		return gate.ParseSeverity(string(a.Severity))
	}
	return max(gate.SeverityOfScore(a.CVSS.F), gate.Low)
}

// impact tells which versions are affected and how the component comes in.
func impact(severity gate.Severity, d dependency, a advice) string {
	var text parsers.Text
	text.Fact("Severity", severity.String()).Fact("Affected versions", string(a.Range)).Fact("Advice", string(a.Type))
	if path := stream.Strings(d.Hierarchy); len(path) > 1 {
		text.Fact("Comes in by", strings.Join(path, " → "))
	}
	return text.String()
}

// setFix takes the nearest safe version. A report names those that exist: the
// latest patch, minor and major one.
func setFix(o *gate.Observation, d dependency) {
	version := parsers.First(string(d.Safe.Patch), string(d.Safe.Minor), string(d.Safe.Major))
	if version == "" {
		o.Mitigation = "Meterian knows no safe version of " + o.ComponentName + ". Consider replacing the component with another."
		return
	}
	var text parsers.Text
	text.Add("Upgrade "+o.ComponentName+" to version "+version+" or higher.").
		Fact("Latest patch", string(d.Safe.Patch)).Fact("Latest minor", string(d.Safe.Minor)).Fact("Latest major", string(d.Safe.Major))
	o.Mitigation = text.String()
}

// references makes addresses of links, which can be ids of a database.
func references(a advice) string {
	var list []string
	for _, l := range a.Links {
		link := string(l.URL)
		switch {
		case strings.Contains(link, "://"):
		case l.Type == "CVE":
			link = "https://cve.mitre.org/cgi-bin/cvename.cgi?name=" + link
		case l.Type == "NVD":
			link = "https://nvd.nist.gov/vuln/detail/" + link
		}
		list = append(list, link)
	}
	return parsers.Lines(list...)
}
