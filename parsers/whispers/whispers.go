// Package whispers reads the JSON of Whispers, which looks for hard-coded
// secrets in structured text.
//
// Made by "whispers --output whispers.json DIR":
//
//	[{"key": "pip password", "value": "…", "file": "src/pip.conf", "line": 2, "rule_id": "pip", "message": "pip.conf Password", "severity": "High"}]
//
// Before version 2.2 the severity is one of INFO, MINOR, MAJOR, CRITICAL and
// BLOCKER, and there is no rule_id.
package whispers

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Whispers' JSON.
var Parsers = []parsers.Parser{{
	Name:     "whispers",
	ScanType: "Whispers Scan",
	Files:    "JSON",
	Command:  "whispers --output whispers.json .",
	URL:      "https://github.com/adeptex/whispers",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].key", "[].value", "[].file", "[].message"):
		return parsers.Sure
	case s.Is("[]"), s.Is("{}"):
		return parsers.Possible
	}
	return parsers.No
}

type secret struct {
	Key      stream.Text `json:"key"`
	Value    stream.Text `json:"value"`
	File     stream.Text `json:"file"`
	Line     stream.Int  `json:"line"`
	Rule     stream.Text `json:"rule_id"`
	Message  stream.Text `json:"message"`
	Severity stream.Text `json:"severity"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Whispers"
	nothing := stream.Entries(func(key string, _ *stream.Decoder) error {
		return stream.Errorf("want a list of secrets, got an object with %q", key)
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{'{': nothing, '[': stream.Each(func(s secret) error {
		if s.File == "" || s.Message == "" {
			return stream.Errorf(`an entry has no "file" or no "message": this is not Whispers' report`)
		}
		out.Emit(s.observation())
		return nil
	})}))
}

// severities are those of before 2.2, which are in capitals.
var severities = map[stream.Text]gate.Severity{"INFO": gate.Info, "MINOR": gate.Low, "MAJOR": gate.Medium, "CRITICAL": gate.High, "BLOCKER": gate.Critical}

func (s secret) observation() gate.Observation {
	severity, old := severities[s.Severity]
	if !old {
		severity = gate.ParseSeverity(string(s.Severity))
	}
	place := parsers.Place(string(s.File), s.Line.Ptr())
	title := "Hardcoded " + string(s.Message) + ` "` + string(s.Key) + `" in ` + place
	var text parsers.Text
	text.Add(title+".").Fact("Key", string(s.Key)).Fact("Value", parsers.Mask(string(s.Value))).Fact("Rule", string(s.Rule)).Fact("Place", place)
	return gate.Observation{
		Title:       title,
		Severity:    severity,
		Description: text.String(),
		Mitigation:  "Revoke the secret and make a new one. Put a placeholder in its place, and fill that from the environment or a secret store when the program runs.",
		References:  "https://cwe.mitre.org/data/definitions/798.html",
		RuleID:      string(s.Message),
		CWE:         798,
		FilePath:    string(s.File),
		Line:        s.Line.Ptr(),
	}
}
