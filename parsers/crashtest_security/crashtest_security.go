// Package crashtest_security reads the JSON report of Crashtest Security's web
// scanner, now Veracode DAST Essentials.
//
// Made by the scan's download as JSON:
//
//	{"findings": {"sqlinjection": [{"service_type": "sqlinjection", "finding_description_slug": "sql-injection",
//	    "information": "Found …", "details": {…}, "created_at": "…"}],
//	  "fingerprinting": [{…, "product": "PHP", "version": "5.5.9", "cve_findings": [{"cve_id": "CVE-2016-4072", "cvss": 7.5, "information": "…"}]}]},
//	 "descriptions": [{"slug": "sql-injection", "title": "SQL Injection", "baseScore": 9.8, "impact": 5.9, "exploitability": 3.9,
//	    "description": "…", "how_to_fix": "…", "reference_resolution": "…", "reference_owasp": "…"}]}
//
// What a finding is stands in the descriptions, which come after the findings;
// the report may also lie in a member "data". Both scan types read this JSON;
// DefectDojo's, too, has no reader of XML.
package crashtest_security

import (
	"maps"
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Crashtest Security's JSON, under both names.
var Parsers = []parsers.Parser{
	parser("Crashtest Security JSON File", parsers.Sure),
	parser("Crashtest Security XML File", parsers.Possible),
}

func parser(scanType string, best parsers.Likeness) parsers.Parser {
	return parsers.Parser{
		Name:     "crashtest_security",
		ScanType: scanType,
		Files:    "JSON",
		Command:  "Crashtest Security: the scan's download as JSON",
		URL:      "https://www.veracode.com/products/dynamic-analysis-dast",
		Analysis: gate.Dynamic,
		Detect: func(s *parsers.Sample) parsers.Likeness {
			if s.Has("findings", "descriptions[]") && (s.Has("findings.sqlinjection[]") || s.Has("findings.fingerprinting[]") || s.Has("findings.commandinjection[]")) ||
				s.Has("data.findings", "data.descriptions[]") {
				return best
			}
			return parsers.No
		},
		Parse: parse,
	}
}

type description struct {
	Slug           stream.Text  `json:"slug"`
	Title          stream.Text  `json:"title"`
	Description    stream.Text  `json:"description"`
	BaseScore      stream.Float `json:"baseScore"`
	Impact         stream.Float `json:"impact"`
	Exploitability stream.Float `json:"exploitability"`
	Resolution     stream.Text  `json:"reference_resolution"`
	HowToFix       stream.Text  `json:"how_to_fix"`
	OWASP          stream.Text  `json:"reference_owasp"`
}

type finding struct {
	Service     stream.Text `json:"service_type"`
	Slug        stream.Text `json:"finding_description_slug"`
	Information stream.Text `json:"information"`
	Product     stream.Text `json:"product"`
	Version     stream.Text `json:"version"`
	Created     stream.Text `json:"created_at"`
	CVEs        []cve       `json:"cve_findings"`
}

type cve struct {
	ID          stream.Text  `json:"cve_id"`
	Score       stream.Float `json:"cvss"`
	Information stream.Text  `json:"information"`
	Product     stream.Text  `json:"product"`
	Version     stream.Text  `json:"version"`
	Vector      stream.Text  `json:"vector"`
	Complexity  stream.Text  `json:"complexity"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Crashtest Security"
	known := map[stream.Text]description{}
	seen := false
	descriptions := stream.Fields{"descriptions": stream.Each(func(d description) error {
		known[d.Slug] = d
		return nil
	})}
	if err := stream.JSON(in, both(descriptions)); err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	findings := stream.Fields{"findings": func(d *stream.Decoder) error {
		seen = true
		return stream.Entries(func(_ string, d *stream.Decoder) error {
			return stream.Each(func(f finding) error {
				put(out, f, known[f.Slug])
				return nil
			})(d)
		})(d)
	}}
	if err := stream.JSON(in, both(findings)); err != nil {
		return err
	}
	if !seen {
		return stream.Errorf(`there is no "findings"`)
	}
	return nil
}

// both walks the report, which may lie in "data".
func both(fields stream.Fields) stream.Value {
	all := stream.Fields{"data": stream.ByKind(stream.Kinds{'{': stream.Object(fields), '[': stream.Skip, 'n': stream.Skip, '"': stream.Skip})}
	maps.Copy(all, fields)
	return stream.Object(all)
}

func put(out *parsers.Report, f finding, d description) {
	var text parsers.Text
	text.Add(string(f.Information)).Add(string(d.Description)).Fact("Found by", string(f.Service)).Fact("Product", string(f.Product+" "+f.Version)).Fact("Time", string(f.Created))
	o := gate.Observation{
		Title:       parsers.First(string(d.Title), string(f.Slug), string(f.Service)),
		Severity:    gate.SeverityOfScore(d.BaseScore.F),
		Description: text.String(),
		Mitigation:  string(d.HowToFix),
		References:  parsers.Lines(string(d.Resolution), string(d.OWASP)),
		Check:       string(f.Slug),
	}
	if d.Impact.OK {
		o.Impact = "CVSS scores: base " + number(d.BaseScore) + ", impact " + number(d.Impact) + ", exploitability " + number(d.Exploitability) + "."
	}
	out.Emit(o)
	for _, c := range f.CVEs {
		out.Emit(c.observation())
	}
}

func (c cve) observation() gate.Observation {
	var text parsers.Text
	text.Add(string(c.Information)).Fact("Product", string(c.Product+" "+c.Version)).Fact("CVSS", number(c.Score)).Fact("Attack vector", string(c.Vector)).Fact("Complexity", string(c.Complexity))
	return gate.Observation{
		Title:            string(c.ID),
		Severity:         gate.SeverityOfScore(c.Score.F),
		Description:      text.String(),
		References:       "https://nvd.nist.gov/vuln/detail/" + string(c.ID),
		VulnerabilityIDs: []string{string(c.ID)},
		Check:            string(c.ID),
	}
}

// number writes a score as the report has it, "5.9".
func number(f stream.Float) string {
	if !f.OK {
		return "unknown"
	}
	return strconv.FormatFloat(f.F, 'f', -1, 64)
}
