// Package secretlint reads the JSON report of Secretlint, which finds credentials in files.
//
// Made by "secretlint --format json '**/*' > secretlint.json". The report is a list of files:
//
//	[{"filePath": "/src/ci.env", "sourceContent": "…", "sourceContentType": "text", "messages": [
//	  {"type": "message", "ruleId": "@secretlint/secretlint-rule-aws", "ruleParentId": "@secretlint/…", "messageId": "AWSSecretAccessKey",
//	   "message": "found AWS Secret Access Key: ****", "range": [29, 69], "loc": {"start": {"line": 3, "column": 0}},
//	   "severity": "error", "docsUrl": "https://…", "data": {"KEY": "****"}}]}]
//
// "sourceContent" is the whole file, secrets and all: it is not kept. The same
// rule at the same line is one finding.
package secretlint

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Secretlint's JSON.
var Parsers = []parsers.Parser{{
	Name:     "secretlint",
	ScanType: "Secretlint Scan",
	Files:    "JSON",
	Command:  "secretlint --format json '**/*' > secretlint.json",
	URL:      "https://github.com/secretlint/secretlint",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].sourceContentType", "[].messages"), strings.HasPrefix(s.Value("[].messages[].ruleId"), "@secretlint/"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type message struct {
	Message   stream.Text            `json:"message"`
	Type      stream.Text            `json:"type"`
	RuleID    stream.Text            `json:"ruleId"`
	Parent    stream.Text            `json:"ruleParentId"`
	MessageID stream.Text            `json:"messageId"`
	Severity  stream.Text            `json:"severity"`
	Docs      stream.Text            `json:"docsUrl"`
	Data      map[string]stream.Text `json:"data"`
	Loc       struct {
		Start position `json:"start"`
		End   position `json:"end"`
	} `json:"loc"`
}

type position struct {
	Line   stream.Int `json:"line"`
	Column stream.Int `json:"column"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return parsers.Place(o.FilePath, o.Line) + " " + o.RuleID }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		out.Run().Tool = "Secretlint"
		return stream.JSON(in, stream.Array(file(out)))
	})
}

// file reads a file's messages; its content is skipped.
func file(out *parsers.Report) stream.Value {
	return func(d *stream.Decoder) error {
		var path stream.Text
		var early []message // that stand before the file's name
		err := stream.Object(stream.Fields{
			"filePath": stream.Into(&path),
			"messages": stream.Each(func(m message) error {
				if path == "" {
					early = append(early, m)
					return nil
				}
				emit(out, string(path), m)
				return nil
			}),
		}, "filePath", "messages")(d)
		for _, m := range early {
			emit(out, string(path), m)
		}
		return err
	}
}

// emit leaves out messages that rules are told to ignore.
func emit(out *parsers.Report, path string, m message) {
	if m.Type == "ignore" {
		return
	}
	out.Emit(observation(path, m))
}

func observation(path string, m message) gate.Observation {
	rule := string(m.RuleID)
	if at := strings.LastIndex(rule, "secretlint-rule-"); at >= 0 {
		rule = rule[at+len("secretlint-rule-"):]
	}
	id := string(m.MessageID)
	if id == "" {
		id = rule
	}
	said := string(m.Message)
	for _, secret := range m.Data {
		if strings.Trim(string(secret), "*") != "" {
			said = parsers.Redact(said, string(secret))
		}
	}
	severity, known := parsers.Level(string(m.Severity))
	if !known {
		severity = gate.High
	}
	var text parsers.Text
	text.Fact("Found", said).Fact("Place", parsers.Place(path, m.Loc.Start.Line.Ptr())).Fact("Rule", string(m.RuleID)).
		Fact("Message", string(m.MessageID)).Fact("Preset", string(m.Parent)).Fact("Documentation", string(m.Docs)).
		Add("Whoever can read the file can use the secret. Revoke it, and keep its successor out of the sources.")
	return gate.Observation{
		Title:       "Hard coded " + id + " found in " + path[strings.LastIndexAny(path, `/\`)+1:],
		Severity:    severity,
		Description: text.String(),
		References:  string(m.Docs),
		RuleID:      rule + "/" + id,
		CWE:         798,
		FilePath:    path,
		Line:        m.Loc.Start.Line.Ptr(),
		EndLine:     m.Loc.End.Line.Ptr(),
	}
}
