// Package retirejs reads the JSON report of Retire.js, which finds vulnerable
// JavaScript libraries in files.
//
// Made by "retire --outputformat json --outputpath retire.json". The report is
// an object since version 2, and was the array "data" alone before:
//
//	{"version": "2.2.4", "start": "2021-04-26T13:47:03.100Z", "errors": [], "data": [{"file": "/src/handlebars-v3.0.0.js",
//	   "results": [{"component": "handlebars", "version": "3.0.0", "detection": "filecontent", "vulnerabilities": [
//	     {"info": ["https://…"], "below": "4.0.0", "atOrAbove": "3.0.0", "severity": "medium", "cwe": ["CWE-79"],
//	      "identifiers": {"summary": "…", "CVE": ["CVE-2019-11358"], "githubID": "GHSA-…", "issue": "2432"}}]}]}]}
//
// Vulnerabilities of one file with one summary are one finding, which names
// the ids of them all.
package retirejs

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Retire.js's JSON.
var Parsers = []parsers.Parser{{
	Name:     "retirejs",
	ScanType: "Retire.js Scan",
	Files:    "JSON",
	Command:  "retire --outputformat json --outputpath retire.json",
	URL:      "https://retirejs.github.io/retire.js/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("data[].results[].component", "data[].file"), s.Has("[].results[].component", "[].file"), s.Has("data[]", "start", "errors[]"):
		return parsers.Sure
	case s.Has("data[].results[].vulnerabilities"), s.Has("[].results[].vulnerabilities"):
		return parsers.Likely
	}
	return parsers.No
}

type file struct {
	File    string   `json:"file"`
	Results []result `json:"results"`
}

type result struct {
	Component       string          `json:"component"`
	NPMName         string          `json:"npmname"`
	Version         stream.Text     `json:"version"`
	Detection       stream.Text     `json:"detection"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	Info     stream.OneOrMany[string] `json:"info"`
	Below    stream.Text              `json:"below"`
	From     stream.Text              `json:"atOrAbove"`
	Severity string                   `json:"severity"`
	CWE      stream.OneOrMany[string] `json:"cwe"`
	IDs      struct {
		Summary stream.Text                   `json:"summary"`
		CVE     stream.OneOrMany[stream.Text] `json:"CVE"`
		GHSA    stream.Text                   `json:"githubID"`
		OSVDB   stream.OneOrMany[stream.Text] `json:"osvdb"`
		Issue   stream.Text                   `json:"issue"`
		Bug     stream.Text                   `json:"bug"`
	} `json:"identifiers"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Retire.js"
	files := stream.Each(func(f file) error {
		for _, r := range f.Results {
			emit(f, r, out)
		}
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': files,
		'{': stream.Object(stream.Fields{
			"version": stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
			"start":   stream.One(func(t stream.Text) error { run.StartedAt = parsers.ParseTime(string(t)); return nil }),
			"errors": stream.Each(func(t stream.Text) error {
				out.Problem("%s", string(t))
				return nil
			}),
			"data": files,
		}, "data"),
	}))
}

// emit puts out the findings of one library, joined by their titles.
func emit(f file, r result, out *parsers.Report) {
	version := string(r.Version)
	purl := parsers.PURL("npm", parsers.First(r.NPMName, r.Component), version)
	out.Component(gate.Component{Name: r.Component, Version: version, PURL: purl, Path: f.File})
	var order []string
	byTitle := map[string][]vulnerability{}
	for _, v := range r.Vulnerabilities {
		t := v.title()
		if byTitle[t] == nil {
			order = append(order, t)
		}
		byTitle[t] = append(byTitle[t], v)
	}
	for _, t := range order {
		list := byTitle[t]
		o := gate.Observation{
			Title:            t + " (" + r.Component + ", " + version + ")",
			Severity:         gate.ParseSeverity(list[0].Severity),
			CWE:              1035, // Using Components with Known Vulnerabilities
			FilePath:         f.File,
			ComponentName:    r.Component,
			ComponentVersion: version,
			PURL:             purl,
		}
		var links, ids, ranges, weaknesses []string
		for _, v := range list {
			o.Severity = max(o.Severity, gate.ParseSeverity(v.Severity))
			links = append(links, v.Info...)
			ids = append(ids, v.ids()...)
			ranges = append(ranges, v.versions())
			weaknesses = append(weaknesses, v.CWE...)
		}
		if len(ids) > 0 {
			o.CVE = ids[0]
		}
		o.References = parsers.Lines(links...)
		var text parsers.Text
		text.Add(t).Add("Retire.js found `" + r.Component + "` " + version + " in `" + f.File + "`, which is vulnerable.")
		text.Facts("Ids", ids).Facts("Vulnerable versions", ranges).Facts("Weaknesses", weaknesses).Fact("Known by", string(r.Detection)).Fact("Issue", string(list[0].IDs.Issue)).Fact("Bug", string(list[0].IDs.Bug))
		o.Description = text.String()
		below := safe(list)
		o.Mitigation, o.Fix = todo(r.Component, below), strings.Join(below, ", ")
		out.Emit(o)
	}
}

func (v vulnerability) title() string {
	var parts []string
	for _, t := range slices.Concat(v.IDs.CVE, v.IDs.OSVDB) {
		parts = append(parts, string(t))
	}
	return parsers.First(append([]string{string(v.IDs.Summary)}, append(parts, string(v.IDs.GHSA), "Vulnerable library")...)...)
}

func (v vulnerability) ids() []string {
	var out []string
	for _, t := range v.IDs.CVE {
		out = append(out, string(t))
	}
	if v.IDs.GHSA != "" {
		out = append(out, string(v.IDs.GHSA))
	}
	return out
}

func (v vulnerability) versions() string {
	var parts []string
	if v.From != "" {
		parts = append(parts, "from "+string(v.From))
	}
	if v.Below != "" {
		parts = append(parts, "below "+string(v.Below))
	}
	return strings.Join(parts, " ")
}

// safe are the versions from which on the vulnerabilities are not there.
func safe(list []vulnerability) []string {
	var versions []string
	for _, v := range list {
		if b := string(v.Below); b != "" && !slices.Contains(versions, b) {
			versions = append(versions, b)
		}
	}
	return versions
}

func todo(component string, versions []string) string {
	if len(versions) == 0 {
		return "Replace `" + component + "`: no version without the vulnerability is known."
	}
	return "Upgrade `" + component + "` to " + strings.Join(versions, " and ") + " or later."
}
