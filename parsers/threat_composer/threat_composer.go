// Package threat_composer reads the threat models of AWS Threat Composer.
//
// Made by "Export data" of the application, as JSON:
//
//	{"schema": 1, "applicationInfo": {"name": "Shop"}, "assumptions": [{"id": "a", "numericId": 1, "content": "…"}],
//	 "mitigations": [{"id": "m", "numericId": 2, "content": "…", "status": "mitigationResolved"}],
//	 "assumptionLinks": [{"type": "Threat", "assumptionId": "a", "linkedId": "t"}], "mitigationLinks": [{"mitigationId": "m", "linkedId": "t"}],
//	 "threats": [{"id": "t", "numericId": 3, "statement": "…", "threatAction": "…", "status": "threatIdentified", "tags": ["XSS"],
//	   "metadata": [{"key": "Priority", "value": "High"}, {"key": "STRIDE", "value": ["S"]}, {"key": "Comments", "value": "…"}]}]}
//
// A threat is a finding; what is resolved is mitigated, and what was found not
// to be useful is a false positive.
package threat_composer

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Threat Composer's JSON.
var Parsers = []parsers.Parser{{
	Name:     "threat_composer",
	ScanType: "ThreatComposer Scan",
	Files:    "JSON",
	Command:  "Threat Composer: Export data",
	URL:      "https://github.com/awslabs/threat-composer",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("threats[].threatAction"), s.Has("threats", "mitigationLinks"), s.Has("threats", "assumptionLinks"):
		return parsers.Sure
	case s.Has("threats", "schema"):
		return parsers.Likely
	}
	return parsers.No
}

type note struct {
	ID       stream.Text `json:"id"`
	Number   stream.Text `json:"numericId"`
	Content  stream.Text `json:"content"`
	Status   stream.Text `json:"status"`
	Metadata metadata    `json:"metadata"`
}

type link struct {
	Assumption stream.Text `json:"assumptionId"`
	Mitigation stream.Text `json:"mitigationId"`
	Linked     stream.Text `json:"linkedId"`
}

type metadata []struct {
	Key   stream.Text                   `json:"key"`
	Value stream.OneOrMany[stream.Text] `json:"value"`
}

// get returns the values of a key.
func (m metadata) get(key string) []string {
	for _, e := range m {
		if string(e.Key) == key {
			var list []string
			for _, v := range e.Value {
				list = append(list, string(v))
			}
			return list
		}
	}
	return nil
}

type threat struct {
	ID            stream.Text                   `json:"id"`
	Number        stream.Text                   `json:"numericId"`
	Statement     stream.Text                   `json:"statement"`
	Status        stream.Text                   `json:"status"`
	Source        stream.Text                   `json:"threatSource"`
	Prerequisites stream.Text                   `json:"prerequisites"`
	Action        stream.Text                   `json:"threatAction"`
	Impact        stream.Text                   `json:"threatImpact"`
	Goals         stream.OneOrMany[stream.Text] `json:"impactedGoal"`
	Assets        stream.OneOrMany[stream.Text] `json:"impactedAssets"`
	Tags          stream.OneOrMany[stream.Text] `json:"tags"`
	Metadata      metadata                      `json:"metadata"`
}

// model is what threats refer to, by its ids.
type model struct {
	assumptions, mitigations map[stream.Text]note
	assumes, mends           map[stream.Text][]stream.Text // of a threat or a mitigation
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Threat Composer"
	m := model{map[stream.Text]note{}, map[stream.Text]note{}, map[stream.Text][]stream.Text{}, map[stream.Text][]stream.Text{}}
	notes := func(into map[stream.Text]note) stream.Value {
		return stream.Each(func(n note) error {
			into[n.ID] = n
			return nil
		})
	}
	var application struct {
		Name stream.Text `json:"name"`
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"applicationInfo": stream.Into(&application),
		"assumptions":     notes(m.assumptions),
		"mitigations":     notes(m.mitigations),
		"assumptionLinks": stream.Each(func(l link) error {
			m.assumes[l.Linked] = append(m.assumes[l.Linked], l.Assumption)
			return nil
		}),
		"mitigationLinks": stream.Each(func(l link) error {
			m.mends[l.Linked] = append(m.mends[l.Linked], l.Mitigation)
			return nil
		}),
	}, "threats"))
	if err != nil {
		return err
	}
	run.Target = string(application.Name)
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"threats": stream.Each(func(t threat) error {
		out.Emit(m.observation(t))
		return nil
	})}))
}

// stride are the kinds of threat of the STRIDE model.
var stride = map[string]string{"S": "Spoofing", "T": "Tampering", "R": "Repudiation", "I": "Information Disclosure", "D": "Denial of Service", "E": "Elevation of Privilege"}

func (m model) observation(t threat) gate.Observation {
	o := gate.Observation{
		Title:       parsers.First(string(t.Action), string(t.Statement)),
		Severity:    gate.ParseSeverity(strings.Join(t.Metadata.get("Priority"), "")),
		Description: m.describe(t),
		Mitigation:  m.mitigation(t),
		RuleID:      string(t.Number),
		UniqueID:    string(t.ID),
		Tags:        texts(t.Tags),
	}
	var kinds []string
	for _, s := range t.Metadata.get("STRIDE") {
		kinds = append(kinds, parsers.First(stride[s], s))
	}
	o.Impact = parsers.First(strings.Join(kinds, ", "), string(t.Impact), "The model does not say.")
	switch t.Status {
	case "threatResolvedNotUseful":
		o.FalsePositive, o.Mitigated, o.Active = true, true, new(false)
	case "threatResolved":
		o.Mitigated, o.Active = true, new(false)
	}
	return o
}

func (m model) describe(t threat) string {
	var text parsers.Text
	text.Add(string(t.Statement)).Fact("Source", string(t.Source)).Fact("Prerequisites", string(t.Prerequisites)).Fact("Action", string(t.Action)).Fact("Impact", string(t.Impact))
	text.Facts("Goals at risk", texts(t.Goals)).Facts("Assets at risk", texts(t.Assets)).Fact("Status", string(t.Status)).Fact("Comments", strings.Join(t.Metadata.get("Comments"), "\n"))
	if list := lines(m.assumes[t.ID], m.assumptions); len(list) > 0 {
		text.Add("It is assumed that:").List(list)
	}
	return text.String()
}

func (m model) mitigation(t threat) string {
	var text parsers.Text
	text.List(lines(m.mends[t.ID], m.mitigations))
	for _, id := range m.mends[t.ID] {
		if list := lines(m.assumes[id], m.assumptions); len(list) > 0 {
			text.Add("Mitigation " + string(m.mitigations[id].Number) + " assumes that:").List(list)
		}
	}
	return text.String()
}

// lines writes notes by their ids; a link may lead nowhere.
func lines(ids []stream.Text, notes map[stream.Text]note) []string {
	var list []string
	for _, id := range ids {
		n, ok := notes[id]
		if !ok {
			continue
		}
		line := string(n.Number) + ": " + string(n.Content)
		if n.Status != "" {
			line += " (" + string(n.Status) + ")"
		}
		if c := n.Metadata.get("Comments"); len(c) > 0 {
			line += " " + strings.Join(c, " ")
		}
		list = append(list, line)
	}
	return list
}

func texts(list []stream.Text) []string {
	var all []string
	for _, s := range list {
		all = append(all, string(s))
	}
	return all
}
