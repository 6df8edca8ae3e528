// Package php_symfony_security_check reads the JSON of the Symfony security checker and of its successor,
// local-php-security-checker.
//
// Made by "symfony check:security --format=json" or "local-php-security-checker --format=json". The
// report is an object of the vulnerable packages of composer.lock:
//
//	{"symfony/cache": {"version": "v3.4.16", "time": "2018-…", "advisories": [
//	  {"title": "CVE-2019-10912: Prevent destructors …", "link": "https://symfony.com/cve-2019-10912", "cve": "CVE-2019-10912"}]}}
//
// Advisories are not rated. Nothing found is {} or [].
package php_symfony_security_check

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the Symfony security checker's JSON.
var Parsers = []parsers.Parser{{
	Name:     "php_symfony_security_check",
	ScanType: "PHP Symfony Security Check",
	Files:    "JSON",
	Command:  "local-php-security-checker --format=json > symfony.json",
	URL:      "https://github.com/fabpot/local-php-security-checker",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Format == parsers.JSON && s.Contains(`"advisories"`, `"version"`, `"link"`, `"cve"`, `/`) && !s.Has("advisories"):
		return parsers.Likely
	case s.Is("{}"), s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type pkg struct {
	Version    stream.Text `json:"version"`
	Time       stream.Text `json:"time"`
	Advisories []advisory  `json:"advisories"`
}

type advisory struct {
	Title stream.Text `json:"title"`
	Link  stream.Text `json:"link"`
	CVE   stream.Text `json:"cve"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Symfony security checker"
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': stream.Each(func(struct{}) error { return stream.Errorf("want an object of packages, got a list") }),
		'{': stream.Entries(func(name string, d *stream.Decoder) error {
			return stream.One(func(p pkg) error {
				for _, a := range p.Advisories {
					out.Emit(observation(name, p, a))
				}
				return nil
			})(d)
		}),
	}))
}

func observation(name string, p pkg, a advisory) gate.Observation {
	version := strings.TrimPrefix(string(p.Version), "v")
	var text parsers.Text
	text.Add(string(a.Title)).Fact("Package", strings.TrimSpace(name+" "+version)).Fact("Released", string(p.Time))
	return gate.Observation{
		Title:            name + " - (" + version + ", " + string(a.CVE) + ")",
		Severity:         gate.Info, // the checker rates nothing
		Description:      text.String(),
		Mitigation:       "Upgrade " + name + " to a version that the advisory names as fixed.",
		Impact:           "Not rated: see the advisory.",
		References:       string(a.Link),
		CWE:              1035,
		VulnerabilityIDs: []string{string(a.CVE)},
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             parsers.PURL("composer", name, version),
	}
}
