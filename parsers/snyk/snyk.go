// Package snyk reads the JSON of Snyk's command line: vulnerable dependencies of
// projects and of container images.
//
// Made by "snyk test --all-projects --json > snyk.json", or "snyk container test".
// The report is a project, or an array of them:
//
//	{"ok": false, "projectName": "shop", "displayTargetFile": "pom.xml", "path": "/src", "packageManager": "maven",
//	 "vulnerabilities": [{"id": "SNYK-JAVA-…", "title": "…", "description": "## Overview …", "severity": "high",
//	   "cvssScore": 9.1, "CVSSv3": "CVSS:3.1/…", "identifiers": {"CVE": ["…"], "CWE": ["CWE-89"]},
//	   "packageName": "org.example:a", "name": "org.example:a", "version": "1.0", "from": ["shop@1.0", "org.example:a@1.0"],
//	   "upgradePath": [false, "org.example:a@1.1"], "fixedIn": ["1.1"], "semver": {"vulnerable": ["<1.1"]},
//	   "references": [{"title": "…", "url": "…"}], "epssDetails": {"probability": "0.1", "percentile": "0.9"}}],
//	 "applications": [{"vulnerabilities": []}]}
//
// One vulnerability stands there once for each path to it. Of a container,
// "applications" are the projects found in it. What is said of a project stands
// behind its vulnerabilities, so a report is read twice. A project that Snyk could
// not test has an "error". The SARIF of Snyk Code is read too.
package snyk

import (
	"errors"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/snyksarif"
	"defectdojo/parsers/stream"
)

// Parsers reads Snyk's JSON.
var Parsers = []parsers.Parser{{
	Name:     "snyk",
	ScanType: "Snyk Scan",
	Files:    "JSON",
	Command:  "snyk test --all-projects --json > snyk.json",
	URL:      "https://docs.snyk.io/snyk-cli/commands/test",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	for _, p := range []string{"", "[]."} {
		if s.Has(p+"vulnerabilities") && (s.Has(p+"licensesPolicy") || s.Has(p+"filesystemPolicy") || s.Has(p+"displayTargetFile") || s.Has(p+"vulnerabilities[].semver", p+"vulnerabilities[].upgradePath")) {
			return parsers.Sure
		}
	}
	if snyksarif.Is(s) {
		return parsers.Likely // "Snyk Code Scan" is surer
	}
	return parsers.No
}

// project is what is said of a project beside its vulnerabilities.
type project struct {
	Name, File, Path, Error, Manager stream.Text
}

func parse(in *stream.Input, out *parsers.Report) error {
	code, projects, err := readProjects(in)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	if code {
		return snyksarif.Parse(in, out)
	}
	describe(out, projects)
	next := 0
	return stream.JSON(in, all(func(d *stream.Decoder, self stream.Value) error {
		if next == len(projects) {
			return errors.New("the report changed while it was read")
		}
		p := projects[next]
		next++
		return stream.Object(stream.Fields{
			"vulnerabilities": stream.Each(func(v vulnerability) error {
				out.Emit(v.observation(p))
				return nil
			}),
			"applications": stream.Array(self),
		})(d)
	}))
}

// readProjects reads what is said of each project, in the order of the report,
// and whether the report is Snyk Code's.
func readProjects(in *stream.Input) (code bool, projects []*project, err error) {
	known := false
	err = stream.JSON(in, all(func(d *stream.Decoder, self stream.Value) error {
		p := &project{}
		projects = append(projects, p)
		return stream.Object(stream.Fields{
			"projectName":       stream.Into(&p.Name),
			"displayTargetFile": stream.Into(&p.File),
			"path":              stream.Into(&p.Path),
			"packageManager":    stream.Into(&p.Manager),
			"error": func(d *stream.Decoder) error {
				known = true
				return stream.Into(&p.Error)(d)
			},
			"vulnerabilities": func(d *stream.Decoder) error {
				known = true
				return stream.Skip(d)
			},
			"runs": func(d *stream.Decoder) error {
				code = true
				return stream.Skip(d)
			},
			"applications": stream.Array(self),
		})(d)
	}))
	if err == nil && !known && !code && len(projects) > 0 {
		err = stream.Errorf(`there is no "vulnerabilities"`)
	}
	return code, projects, err
}

// all walks a project or an array of them; f reads one, and its applications with self.
func all(f func(d *stream.Decoder, self stream.Value) error) stream.Value {
	var self stream.Value
	self = func(d *stream.Decoder) error { return f(d, self) }
	return stream.ByKind(stream.Kinds{'{': self, '[': stream.Array(self)})
}

func describe(out *parsers.Report, projects []*project) {
	run := out.Run()
	run.Tool, run.Outcome = "Snyk", gate.Succeeded
	failed := 0
	for _, p := range projects {
		if run.Target == "" {
			run.Target = parsers.First(string(p.Path), string(p.Name))
		}
		if p.Error != "" {
			failed++
			out.Problem("%s: %s", parsers.First(string(p.Path), string(p.Name), "a project"), p.Error)
		}
	}
	if failed > 0 && failed == len(projects) {
		run.Outcome = gate.Failed
	}
}
