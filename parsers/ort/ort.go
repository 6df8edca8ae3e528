// Package ort reads the evaluated model of the OSS Review Toolkit (ORT): what
// its rules say of a project's dependencies and licenses.
//
// Made by "ort report -f EvaluatedModel -i evaluation-result.yml -o out". The
// report is one object whose parts name each other by number:
//
//	{"licenses": [{"_id": 10, "id": "EPL-1.0"}],
//	 "packages": [{"_id": 2, "id": "Ant:junit:junit:4.12", "is_project": false, "purl": "pkg:ant/junit/junit@4.12"}],
//	 "paths": [{"_id": 0, "pkg": 2, "project": 0, "scope": 0, "path": []}],
//	 "issues": [{"type": "SCANNER", "source": "…", "message": "…", "severity": "ERROR"}],
//	 "rule_violations": [{"_id": 0, "rule": "rule 1", "pkg": 2, "license": 10, "license_source": "DETECTED",
//	   "severity": "ERROR", "message": "…", "how_to_fix": "…", "resolutions": [0]}],
//	 "vulnerabilities": [{"pkg": 2, "id": "CVE-2020-15250", "summary": "…", "references": [{"url": "…", "severity": "5.5", "scoring_system": "CVSS:3.1", "vector": "…"}]}]}
//
// A violation or a vulnerability with a resolution is settled, and left out.
package ort

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ORT's evaluated model.
var Parsers = []parsers.Parser{{
	Name:     "ort",
	ScanType: "ORT evaluated model Importer",
	Files:    "JSON",
	Command:  "ort report -f EvaluatedModel -i evaluation-result.yml -o out",
	URL:      "https://oss-review-toolkit.org/ort/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("rule_violations", "rule_violation_resolutions"), s.Has("rule_violations", "dependency_trees"):
		return parsers.Sure
	case s.Has("rule_violations"):
		return parsers.Likely
	}
	return parsers.No
}

type violation struct {
	Rule        string      `json:"rule"`
	Package     stream.Int  `json:"pkg"`
	License     stream.Int  `json:"license"`
	Source      stream.Text `json:"license_source"`
	Severity    string      `json:"severity"`
	Message     stream.Text `json:"message"`
	HowToFix    stream.Text `json:"how_to_fix"`
	Resolutions []int       `json:"resolutions"`
}

type vulnerability struct {
	Package     stream.Int  `json:"pkg"`
	ID          string      `json:"id"`
	Summary     stream.Text `json:"summary"`
	Description stream.Text `json:"description"`
	Resolutions []int       `json:"resolutions"`
	References  []struct {
		URL      string      `json:"url"`
		System   stream.Text `json:"scoring_system"`
		Severity stream.Text `json:"severity"`
		Vector   stream.Text `json:"vector"`
	} `json:"references"`
}

type pack struct {
	Number  int    `json:"_id"`
	ID      string `json:"id"`
	PURL    string `json:"purl"`
	Project bool   `json:"is_project"`
}

// model is what violations refer to by number.
type model struct {
	licenses map[int]string
	packages map[int]pack
	projects map[int][]string // of a package
}

// parse reads what has numbers first, wherever it stands.
func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "OSS Review Toolkit"
	m := model{map[int]string{}, map[int]pack{}, map[int][]string{}}
	paths := map[int][]int{}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"licenses": stream.Each(func(l struct {
			Number int    `json:"_id"`
			ID     string `json:"id"`
		},
		) error {
			m.licenses[l.Number] = l.ID
			return nil
		}),
		"packages": stream.Each(func(p pack) error {
			m.packages[p.Number] = p
			name, version := split(p.ID)
			out.Component(gate.Component{Name: name, Version: version, PURL: p.PURL})
			return nil
		}),
		"paths": stream.Each(func(p struct {
			Package int `json:"pkg"`
			Project int `json:"project"`
		},
		) error {
			if list := paths[p.Package]; !slices.Contains(list, p.Project) && len(list) < 20 {
				paths[p.Package] = append(list, p.Project)
			}
			return nil
		}),
		"issues": stream.Each(func(i struct {
			Source   stream.Text `json:"source"`
			Message  stream.Text `json:"message"`
			Severity string      `json:"severity"`
		},
		) error {
			if i.Severity == "ERROR" {
				out.Problem("%s: %s", i.Source, i.Message)
			}
			return nil
		}),
	}, "rule_violations"))
	if err != nil {
		return err
	}
	for p, list := range paths {
		for _, project := range list {
			m.projects[p] = append(m.projects[p], m.packages[project].ID)
		}
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"rule_violations": stream.Each(func(v violation) error {
			if len(v.Resolutions) == 0 {
				out.Emit(m.violation(v))
			}
			return nil
		}),
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			if len(v.Resolutions) == 0 {
				out.Emit(m.vulnerability(v))
			}
			return nil
		}),
	}))
}

// severities are ORT's; a hint is for whoever looks for it.
var severities = map[string]gate.Severity{"ERROR": gate.High, "WARNING": gate.Medium, "HINT": gate.Info}

func (m model) violation(v violation) gate.Observation {
	p := m.packages[v.Package.N]
	if !v.Package.OK {
		p = pack{}
	}
	license := ""
	if v.License.OK {
		license = m.licenses[v.License.N]
	}
	var text parsers.Text
	text.Add(string(v.Message)).Fact("Rule", v.Rule).Fact("Package", p.ID).Fact("License", license).Fact("License found as", strings.ToLower(string(v.Source))).Facts("In the projects", m.projects[p.Number])
	text.Section("How to fix", string(v.HowToFix))
	return gate.Observation{
		Title:       v.Rule,
		Severity:    severities[v.Severity],
		Description: text.String(),
		Mitigation:  string(v.HowToFix),
		References:  string(v.Message),
		Check:       v.Rule,
		PURL:        p.PURL,
	}
}

func (m model) vulnerability(v vulnerability) gate.Observation {
	p := m.packages[v.Package.N]
	name, version := split(p.ID)
	var text parsers.Text
	text.Add(string(v.Summary)).Add(string(v.Description)).Fact("Package", p.ID).Facts("In the projects", m.projects[p.Number])
	o := gate.Observation{
		Title: v.ID + " in " + strings.TrimSuffix(name+":"+version, ":"), Severity: gate.Medium, Description: text.String(), Mitigation: "Upgrade `" + name + "` to a version with a fix; the references may name it.",
		VulnerabilityIDs: []string{v.ID}, Check: v.ID, ComponentName: name, ComponentVersion: version, PURL: p.PURL,
	}
	var links []string
	rated := false
	for _, r := range v.References {
		links = append(links, r.URL)
		parsers.SetCVSS(&o, string(r.Vector))
		var severity gate.Severity
		if f := stream.ParseFloat(string(r.Severity)); f.OK {
			severity = gate.SeverityOfScore(f.F)
		} else if word, ok := gate.SeverityOf(string(r.Severity)); ok && r.Severity != "" {
			severity = word
		} else {
			continue
		}
		if !rated || severity > o.Severity {
			o.Severity, rated = severity, true
		}
	}
	o.References = parsers.Lines(links...)
	return o
}

// split reads ORT's id of a package: type:namespace:name:version.
func split(id string) (name, version string) {
	parts := strings.SplitN(id, ":", 4)
	if len(parts) < 4 {
		return id, ""
	}
	if parts[1] != "" {
		return parts[1] + ":" + parts[2], parts[3]
	}
	return parts[2], parts[3]
}
