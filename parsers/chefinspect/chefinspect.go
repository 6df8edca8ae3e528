// Package chefinspect reads the log that Chef's audit cookbook and "inspec exec" with a JSON-lines reporter write of InSpec's controls.
//
// One line is one control:
//
//	{"status": "failed", "id": "cis-dil-benchmark-2.2.1.2", "title": "Ensure ntp is configured", "impact": 1.0, "description": "…",
//	 "control_tags": {"cis": "…"}, "platform": {"name": "redhat", "release": "8.5", "target_id": "host"}, "profile": {"name": "…", "version": "…"},
//	 "group": {"id": "…", "title": "…"}, "results": [{"status": "failed", "code_desc": "…", "message": "…", "start_time": "…"}], "batch_runtime": "2022-10-03"}
//
// The impact is InSpec's (https://docs.chef.io/inspec/dsl_inspec/): 0 is for information, from 0.01 low, 0.4 medium, 0.7 high, 0.9 critical.
// Controls that passed are in it too.
package chefinspect

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads InSpec's log.
var Parsers = []parsers.Parser{{
	Name:     "chefinspect",
	ScanType: "Chef Inspect Log",
	Files:    "JSON lines (.log)",
	Command:  "Chef InSpec's log of one control a line, by the audit cookbook or a custom reporter",
	URL:      "https://github.com/inspec/inspec",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("batch_runtime", "control_tags", "impact", "results[].code_desc") {
		return parsers.Sure
	}
	if s.Has("impact", "title", "results[].code_desc", "results[].status") {
		return parsers.Likely
	}
	return parsers.No
}

type control struct {
	Status       stream.Text                      `json:"status"`
	BatchRuntime stream.Text                      `json:"batch_runtime"`
	Application  stream.Text                      `json:"application_group"`
	Zone         stream.Text                      `json:"zone"`
	Office       stream.Text                      `json:"office"`
	Datacenter   stream.Text                      `json:"dc"`
	Environment  stream.Text                      `json:"environment"`
	ID           stream.Text                      `json:"id"`
	Title        *stream.Text                     `json:"title"`
	Impact       stream.Float                     `json:"impact"`
	Tags         stream.Lenient[tags]             `json:"control_tags"`
	Description  stream.Text                      `json:"description"`
	Platform     stream.Lenient[platform]         `json:"platform"`
	Profile      stream.Lenient[profile]          `json:"profile"`
	Group        stream.Lenient[group]            `json:"group"`
	Results      stream.OneOrMany[result]         `json:"results"`
	Refs         stream.OneOrMany[jsontext.Value] `json:"refs"`
}

type tags map[string]jsontext.Value

type platform struct {
	Name    stream.Text `json:"name"`
	Release stream.Text `json:"release"`
	Target  stream.Text `json:"target_id"`
}

type profile struct {
	Name    stream.Text `json:"name"`
	Title   stream.Text `json:"title"`
	Version stream.Text `json:"version"`
}

type group struct {
	ID    stream.Text `json:"id"`
	Title stream.Text `json:"title"`
}

type result struct {
	Status    stream.Text `json:"status"`
	CodeDesc  stream.Text `json:"code_desc"`
	Message   stream.Text `json:"message"`
	Skipped   stream.Text `json:"skip_message"`
	StartTime stream.Text `json:"start_time"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Chef InSpec"
	return stream.JSONs(in, stream.One(func(c control) error {
		if c.Title == nil {
			return stream.Errorf("a line is no InSpec control: it has no title")
		}
		if run.Target == "" {
			run.Target = string(c.Platform.Value.Target)
			run.Ruleset = strings.TrimSpace(string(c.Profile.Value.Name + " " + c.Profile.Value.Version))
		}
		out.Emit(observation(c))
		return nil
	}))
}

func observation(c control) gate.Observation {
	return gate.Observation{
		Title:       string(*c.Title),
		Severity:    severity(c.Impact.F),
		Description: describe(c),
		Active:      active(c),
		Check:       string(c.ID),
	}
}

// active says that a control with an impact that passed is no finding to act on.
// One without impact only informs, passed or not.
func active(c control) *bool {
	if strings.EqualFold(string(c.Status), "passed") && c.Impact.F > 0 {
		return new(false)
	}
	return nil
}

func severity(impact float64) gate.Severity {
	switch {
	case impact >= 0.9:
		return gate.Critical
	case impact >= 0.7:
		return gate.High
	case impact >= 0.4:
		return gate.Medium
	case impact > 0:
		return gate.Low
	}
	return gate.Info
}

func describe(c control) string {
	var text parsers.Text
	text.Add(string(c.Description)).Fact("Status", string(c.Status)).Fact("Control", string(c.ID)).Fact("Impact", c.Impact.String())
	text.Fact("Platform", strings.TrimSpace(string(c.Platform.Value.Name+" "+c.Platform.Value.Release))).Fact("Node", string(c.Platform.Value.Target))
	text.Fact("Profile", strings.TrimSpace(parsers.First(string(c.Profile.Value.Title), string(c.Profile.Value.Name))+" "+string(c.Profile.Value.Version)))
	text.Fact("Group", strings.TrimSpace(string(c.Group.Value.ID+" "+c.Group.Value.Title)))
	text.Fact("Application", string(c.Application)).Fact("Environment", string(c.Environment)).Fact("Zone", string(c.Zone)).Fact("Office", string(c.Office)).
		Fact("Data centre", string(c.Datacenter)).Fact("Run", string(c.BatchRuntime))
	var list []string
	for name, value := range c.Tags.Value {
		list = append(list, name+": "+strings.Trim(string(value), `"`))
	}
	slices.Sort(list)
	text.Facts("Tags", list)
	list = nil
	for _, r := range c.Results {
		list = append(list, strings.TrimSpace(string(r.Status)+": "+string(r.CodeDesc)+" "+parsers.First(string(r.Message), string(r.Skipped))))
	}
	if len(list) > 0 {
		text.Add("**Results:**").List(list)
	}
	return text.String()
}
