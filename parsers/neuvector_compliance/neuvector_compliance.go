// Package neuvector_compliance reads the compliance checks of NeuVector, the container firewall.
//
// Made by NeuVector's API, "GET /v1/host/ID/compliance". The report is one object:
//
//	{"run_at": "2022-09-19T10:32:47Z", "kubernetes_cis_version": "1.6.0", "docker_cis_version": "1.2.0", "items": [
//	  {"test_number": "D.1.1.1", "category": "docker", "type": "host", "profile": "Level 1", "scored": true,
//	   "description": "…", "remediation": "…", "tags": ["GDPR"], "level": "WARN", "message": ["…"]}]}
//
// Checks that pass are findings of severity Info, as DefectDojo has them. Newer
// versions have the tags as an object.
package neuvector_compliance

import (
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads NeuVector's compliance checks.
var Parsers = []parsers.Parser{{
	Name:     "neuvector_compliance",
	ScanType: "NeuVector (compliance)",
	Files:    "JSON",
	Command:  "curl -H 'X-Auth-Token: TOKEN' https://neuvector.example.org:10443/v1/host/ID/compliance > compliance.json",
	URL:      "https://open-docs.neuvector.com/scanning/scanning/compliance",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("kubernetes_cis_version", "items"), s.Has("docker_cis_version", "items"):
		return parsers.Sure
	case s.Has("items[].test_number", "items[].level"):
		return parsers.Likely
	}
	return parsers.No
}

type item struct {
	Number      stream.Text                   `json:"test_number"`
	Category    stream.Text                   `json:"category"`
	Type        stream.Text                   `json:"type"`
	Profile     stream.Text                   `json:"profile"`
	Scored      stream.Text                   `json:"scored"`
	Description stream.Text                   `json:"description"`
	Remediation stream.Text                   `json:"remediation"`
	Tags        jsontext.Value                `json:"tags"`
	Level       stream.Text                   `json:"level"`
	Messages    stream.OneOrMany[stream.Text] `json:"message"`
	Group       stream.Text                   `json:"group"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "NeuVector"
	var versions [2]stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"run_at":                 stream.One(func(t stream.Text) error { run.FinishedAt = parsers.ParseTime(string(t)); return nil }),
		"kubernetes_cis_version": stream.Into(&versions[0]),
		"docker_cis_version":     stream.Into(&versions[1]),
		"items": stream.Each(func(i item) error {
			out.Emit(observation(i))
			return nil
		}),
	}, "items"))
	var names []string
	for i, name := range []string{"Kubernetes CIS ", "Docker CIS "} {
		if versions[i] != "" {
			names = append(names, name+string(versions[i]))
		}
	}
	run.Ruleset = strings.Join(names, ", ")
	return err
}

// levels are the severities of the outcomes of a check.
var levels = map[string]gate.Severity{"HIGH": gate.High, "WARN": gate.Medium, "ERROR": gate.Medium, "NOTE": gate.Low, "INFO": gate.Info, "PASS": gate.Info}

func observation(i item) gate.Observation {
	var text parsers.Text
	text.Add(string(i.Description)).Fact("Check", string(i.Number)+" ("+string(i.Category)+")").Fact("Outcome", string(i.Level)).
		Fact("Profile", string(i.Profile)).Fact("Applies to", string(i.Type)).Fact("Scored", string(i.Scored)).
		Facts("Standards", tags(i.Tags))
	if m := stream.Strings(i.Messages); len(m) > 0 {
		text.Add("**Messages:**").List(m)
	}
	if i.Remediation != "" {
		text.Section("What to do", string(i.Remediation))
	}
	return gate.Observation{
		Title:       string(i.Number) + " - " + string(i.Description),
		Severity:    levels[strings.ToUpper(string(i.Level))],
		Description: text.String(),
		Mitigation:  string(i.Remediation),
		RuleID:      string(i.Category) + "_" + string(i.Number),
	}
}

// tags are the standards that ask for the check: a list, or an object's keys.
func tags(v jsontext.Value) []string {
	var list []stream.Text
	if len(v) > 0 && stream.Unmarshal(v, &list) == nil {
		return stream.Strings(list)
	}
	var byName map[string]jsontext.Value
	if len(v) == 0 || stream.Unmarshal(v, &byName) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(byName))
}
