// Package npm_audit_7_plus reads the JSON report of "npm audit" of npm 7 and
// later.
//
// Made by "npm audit --json > npm-audit.json". The report is one object:
//
//	{"auditReportVersion": 2, "vulnerabilities": {"debug": {"name": "debug", "severity": "high", "isDirect": true,
//	   "via": [{"source": 1094222, "title": "…", "url": "https://github.com/advisories/GHSA-…", "severity": "moderate",
//	     "cwe": ["CWE-400"], "cvss": {"score": 5.3, "vectorString": "CVSS:3.0/…"}, "range": "<2.6.9"}, "ms"],
//	   "effects": ["express"], "range": "<=2.6.8", "nodes": ["node_modules/debug"],
//	   "fixAvailable": {"name": "express", "version": "4.18.3", "isSemVerMajor": false}}},
//	 "metadata": {"vulnerabilities": {…}, "dependencies": {…}}}
//
// "via" holds the advisories of a package, or the names of the vulnerable
// packages that it depends on. "fixAvailable" is also true or false. Versions
// that are installed are not in the report.
package npm_audit_7_plus

import (
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads npm 7's JSON.
var Parsers = []parsers.Parser{{
	Name:     "npm_audit_7_plus",
	ScanType: "NPM Audit v7+ Scan",
	Files:    "JSON",
	Command:  "npm audit --json > npm-audit.json",
	URL:      "https://docs.npmjs.com/cli/commands/npm-audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("auditReportVersion", "vulnerabilities") {
		return parsers.Sure
	}
	return parsers.No
}

type pack struct {
	Name     string                `json:"name"`
	Severity string                `json:"severity"`
	Direct   bool                  `json:"isDirect"`
	Via      stream.OneOrMany[via] `json:"via"`
	Effects  []string              `json:"effects"`
	Range    stream.Text           `json:"range"`
	Nodes    []string              `json:"nodes"`
	Fix      stream.Lenient[fix]   `json:"fixAvailable"`
}

// via is an advisory, or the name of another package in the report.
type via struct {
	Package  string
	Advisory *advisory
}

// UnmarshalJSONFrom reads either.
func (v *via) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		var t stream.Text
		err := t.UnmarshalJSONFrom(d)
		v.Package = string(t)
		return err
	}
	v.Advisory = &advisory{}
	return json.UnmarshalDecode(d, v.Advisory)
}

type advisory struct {
	Source   stream.Text                   `json:"source"`
	Title    string                        `json:"title"`
	URL      string                        `json:"url"`
	Severity string                        `json:"severity"`
	CWE      stream.OneOrMany[stream.Text] `json:"cwe"`
	CVSS     struct {
		Vector stream.Text `json:"vectorString"`
	} `json:"cvss"`
	Range stream.Text `json:"range"`
}

// fix is the package to upgrade, or only whether there is a fix.
type fix struct {
	Name    string
	Version string
	Major   bool
	Some    bool
}

// UnmarshalJSONFrom reads an object or a boolean.
func (f *fix) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '{' {
		var o struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Major   bool   `json:"isSemVerMajor"`
		}
		err := json.UnmarshalDecode(d, &o)
		*f = fix{o.Name, o.Version, o.Major, true}
		return err
	}
	return json.UnmarshalDecode(d, &f.Some)
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "npm audit"
	return stream.JSON(in, stream.Object(stream.Fields{
		"error": stream.One(func(e struct {
			Code    stream.Text `json:"code"`
			Summary stream.Text `json:"summary"`
		},
		) error {
			return stream.Errorf("the audit failed: %s %s", e.Code, e.Summary)
		}),
		"vulnerabilities": stream.Entries(func(name string, d *stream.Decoder) error {
			return stream.One(func(p pack) error {
				p.Name = parsers.First(p.Name, name)
				out.Component(gate.Component{Name: p.Name, PURL: parsers.PURL("npm", p.Name, "")})
				out.Emit(observation(p))
				return nil
			})(d)
		}),
	}, "auditReportVersion", "vulnerabilities"))
}

// vulnerableComponent is the CWE of a package that has none of its own.
const vulnerableComponent = 1035

func observation(p pack) gate.Observation {
	o := gate.Observation{
		Title:         p.Name,
		Severity:      gate.ParseSeverity(p.Severity),
		Description:   describe(p),
		Mitigation:    p.mitigation(),
		Impact:        "Code that uses `" + p.Name + "` can be attacked through it.",
		CWE:           vulnerableComponent,
		ComponentName: p.Name,
		PURL:          parsers.PURL("npm", p.Name, ""),
	}
	if p.Fix.Value.Name == p.Name { // else it is of a package that brings this one in
		o.Fix = p.Fix.Value.Version
	}
	if len(p.Via) == 0 || p.Via[0].Advisory == nil {
		return o
	}
	first := p.Via[0].Advisory
	o.Title, o.RuleID, o.URL = first.Title, string(first.Source), first.URL
	if len(p.Nodes) > 0 {
		o.ComponentName = p.Nodes[0] // as DefectDojo has it: the place of the package
	}
	parsers.SetCWEs(&o, first.CWE...)
	if len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
	}
	parsers.SetCVSS(&o, string(first.CVSS.Vector))
	o.CVE = known.FindString(first.URL)
	var links []string
	for _, v := range p.Via {
		if v.Advisory != nil {
			links = append(links, v.Advisory.URL)
		}
	}
	o.References = parsers.Lines(links...)
	return o
}

// known finds the id in an advisory's address.
var known = regexp.MustCompile(`GHSA(-[0-9a-z]{4}){3}|CVE-\d{4}-\d{4,7}`)

func (p pack) mitigation() string {
	switch f := p.Fix.Value; {
	case f.Name != "" && f.Major:
		return "Upgrade " + f.Name + " to version " + f.Version + ", which is a new major version."
	case f.Name != "":
		return "Upgrade " + f.Name + " to version " + f.Version + "."
	case f.Some:
		return "Run \"npm audit fix\"."
	}
	return "npm knows no fix."
}

func describe(p pack) string {
	var text parsers.Text
	var advisories, through []string
	for _, v := range p.Via {
		if a := v.Advisory; a != nil {
			advisories = append(advisories, strings.TrimSpace(a.Title+" ("+a.Severity+", "+string(a.Range)+") "+a.URL))
		} else {
			through = append(through, v.Package)
		}
	}
	if len(advisories) > 0 {
		text.Add("The package `" + p.Name + "` is vulnerable:").List(advisories)
	}
	if len(through) > 0 {
		text.Add("The package `" + p.Name + "` depends on vulnerable versions of: " + strings.Join(through, ", "))
	}
	text.Fact("Vulnerable versions", string(p.Range)).Fact("Severity", p.Severity).Fact("Dependency", map[bool]string{true: "direct", false: "transitive"}[p.Direct])
	text.Facts("Makes vulnerable", p.Effects)
	if len(p.Nodes) > 0 {
		text.Add("Installed in:").List(p.Nodes[:min(len(p.Nodes), 50)])
	}
	return text.String()
}
