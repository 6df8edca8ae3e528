// Package cargo_audit reads the JSON report of cargo-audit, which checks a
// Cargo.lock against the RustSec advisories.
//
// Made by "cargo audit --json > cargo-audit.json". The report is one object:
//
//	{"database": {"advisory-count": 302, "last-commit": "7e4cbf…", "last-updated": "2021-05-12T01:59:58Z"},
//	 "lockfile": {"dependency-count": 441},
//	 "vulnerabilities": {"found": true, "count": 1, "list": [{
//	   "advisory": {"id": "RUSTSEC-2020-0091", "title": "…", "description": "…", "date": "2020-12-10",
//	     "aliases": ["CVE-2020-35711"], "categories": ["memory-corruption"], "keywords": [], "cvss": "CVSS:3.1/…", "url": "…"},
//	   "versions": {"patched": [">=1.1.0"], "unaffected": ["<0.4.2"]},
//	   "affected": {"functions": {"arc_swap::access::MapGuard::deref": ["<1.1.0"]}},
//	   "package": {"name": "arc-swap", "version": "0.4.7", "source": "registry+https://…"}}]},
//	 "warnings": {"unmaintained": […], "yanked": […]}}
//
// RustSec has no severity words: a vulnerability without a CVSS vector is high.
// Warnings (unmaintained, unsound and yanked crates) are not vulnerabilities to
// cargo-audit either: they are named in the run's description.
package cargo_audit

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads cargo-audit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "cargo_audit",
	ScanType: "CargoAudit Scan",
	Files:    "JSON",
	Command:  "cargo audit --json > cargo-audit.json",
	URL:      "https://github.com/rustsec/rustsec/tree/main/cargo-audit",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("lockfile", "vulnerabilities.found") {
		return parsers.Sure
	}
	return parsers.No
}

type entry struct {
	Advisory struct {
		ID            string      `json:"id"`
		Title         string      `json:"title"`
		Description   string      `json:"description"`
		Date          stream.Text `json:"date"`
		Aliases       []string    `json:"aliases"`
		Categories    []string    `json:"categories"`
		Keywords      []string    `json:"keywords"`
		CVSS          stream.Text `json:"cvss"`
		Informational stream.Text `json:"informational"`
		URL           stream.Text `json:"url"`
		References    []string    `json:"references"`
	} `json:"advisory"`
	Versions struct {
		Patched    []string `json:"patched"`
		Unaffected []string `json:"unaffected"`
	} `json:"versions"`
	Affected struct {
		Arch      []string            `json:"arch"`
		OS        []string            `json:"os"`
		Functions map[string][]string `json:"functions"`
	} `json:"affected"`
	Package pack `json:"package"`
}

type pack struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Source  stream.Text `json:"source"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run, warnings := out.Run(), []string{}
	run.Tool = "cargo-audit"
	err := stream.JSON(in, stream.Object(stream.Fields{
		"database": stream.One(func(d struct {
			Commit  stream.Text `json:"last-commit"`
			Updated stream.Text `json:"last-updated"`
		},
		) error {
			run.Ruleset = strings.TrimSpace(string(d.Commit) + " " + string(d.Updated))
			return nil
		}),
		"vulnerabilities": stream.Object(stream.Fields{
			"list": stream.Each(func(e entry) error {
				out.Component(gate.Component{Name: e.Package.Name, Version: e.Package.Version, PURL: parsers.PURL("cargo", e.Package.Name, e.Package.Version)})
				out.Emit(observation(e))
				return nil
			}),
		}, "list"),
		"warnings": stream.ByKind(stream.Kinds{'[': stream.Skip, 'n': stream.Skip, '{': stream.Entries(func(kind string, d *stream.Decoder) error {
			return stream.Each(func(w struct {
				Package pack `json:"package"`
			},
			) error {
				if len(warnings) < 200 {
					warnings = append(warnings, fmt.Sprintf("%s: %s %s", kind, w.Package.Name, w.Package.Version))
				}
				return nil
			})(d)
		})}),
	}, "vulnerabilities"))
	if len(warnings) > 0 {
		run.Description = "Warnings: " + strings.Join(warnings, ", ")
	}
	return err
}

func observation(e entry) gate.Observation {
	a, name, version := e.Advisory, e.Package.Name, e.Package.Version
	o := gate.Observation{
		Title:            "[" + name + " " + version + "] " + a.Title,
		Severity:         gate.High,
		Description:      describe(e),
		References:       parsers.Lines(append([]string{string(a.URL)}, a.References...)...),
		VulnerabilityIDs: append([]string{a.ID}, a.Aliases...),
		RuleID:           a.ID,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             parsers.PURL("cargo", name, version),
		URL:              "https://rustsec.org/advisories/" + a.ID,
		PublishDate:      parsers.ParseDate(string(a.Date)),
		Tags:             a.Keywords,
		Occurrences:      new(1),
		Fix:              parsers.Fixed(e.Versions.Patched...),
	}
	parsers.SetCVSS(&o, string(a.CVSS))
	if c, ok := parsers.ParseCVSS(string(a.CVSS)); ok {
		o.Severity = gate.SeverityOfScore(c.Score)
	}
	switch patched := e.Versions.Patched; {
	case len(patched) > 0:
		o.Mitigation = "Update `" + name + "` to a version that is patched: " + strings.Join(patched, " or ") + "."
	default:
		o.Mitigation = "No patched version is known. Replace `" + name + "`, or do without what is affected."
	}
	return o
}

func describe(e entry) string {
	var text parsers.Text
	text.Add(e.Advisory.Description)
	text.Fact("Crate", e.Package.Name+" "+e.Package.Version).Fact("Source", string(e.Package.Source)).Facts("Categories", e.Advisory.Categories).Fact("Informational", string(e.Advisory.Informational))
	text.Facts("Not affected", e.Versions.Unaffected).Facts("Architectures", e.Affected.Arch).Facts("Operating systems", e.Affected.OS).Fact("CVSS", string(e.Advisory.CVSS))
	var functions []string
	for f, versions := range e.Affected.Functions {
		functions = append(functions, "`"+f+"` "+strings.Join(versions, ", "))
	}
	slices.Sort(functions)
	if len(functions) > 0 {
		text.Section("Affected functions", "").List(functions)
	}
	return text.String()
}
