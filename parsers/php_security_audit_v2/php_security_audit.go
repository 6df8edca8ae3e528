// Package php_security_audit_v2 reads the JSON report of PHP_CodeSniffer with the rules of phpcs-security-audit.
//
// Made by "phpcs --standard=Security --report=json src > phpcs.json". The report is one object:
//
//	{"totals": {"errors": 2, "warnings": 0, "fixable": 0}, "files": {"/src/index.php": {"errors": 1, "warnings": 0, "messages": [
//	  {"message": "Easy XSS detected …", "source": "PHPCS_SecurityAudit.BadFunctions.EasyXSS.EasyXSSerr", "severity": 5,
//	   "fixable": false, "type": "ERROR", "line": 35, "column": 22}]}}}
//
// A severity is a number from 0 to 10 that says which rules to run, 5 by default.
package php_security_audit_v2

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of phpcs-security-audit.
var Parsers = []parsers.Parser{{
	Name:     "php_security_audit_v2",
	ScanType: "PHP Security Audit v2",
	Files:    "JSON",
	Command:  "phpcs --standard=Security --report=json src > phpcs.json",
	URL:      "https://github.com/FloeDesignTechnologies/phpcs-security-audit",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("totals", "files") && s.Contains("PHPCS_SecurityAudit"):
		return parsers.Sure
	case s.Has("totals.errors", "totals.fixable", "files"):
		return parsers.Likely
	}
	return parsers.No
}

type message struct {
	Message  stream.Text `json:"message"`
	Source   stream.Text `json:"source"`
	Severity stream.Int  `json:"severity"`
	Type     stream.Text `json:"type"`
	Line     stream.Int  `json:"line"`
	Column   stream.Int  `json:"column"`
	Fixable  bool        `json:"fixable"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "phpcs-security-audit"
	type place struct {
		file, source stream.Text
		line, column int
	}
	seen := map[place]bool{} // two standards may both hold a rule, which then says the same twice
	files := stream.Entries(func(file string, d *stream.Decoder) error {
		return stream.Object(stream.Fields{"messages": stream.Each(func(m message) error {
			if at := (place{stream.Text(file), m.Source, m.Line.N, m.Column.N}); !seen[at] {
				seen[at] = true
				out.Emit(observation(file, m))
			}
			return nil
		})})(d)
	})
	return stream.JSON(in, stream.Object(stream.Fields{
		"files": stream.ByKind(stream.Kinds{'{': files, '[': stream.Array(stream.Skip), 'n': stream.Skip}), // PHP writes no files as []
	}, "files"))
}

func observation(file string, m message) gate.Observation {
	var text parsers.Text
	text.Add(string(m.Message)).Fact("Rule", string(m.Source)).Fact("Place", parsers.Place(file, m.Line.Ptr())).Fact("Column", m.Column.String()).
		Fact("Type", string(m.Type)).Fact("Severity of the rule", m.Severity.String())
	if m.Fixable {
		text.Fact("Can be fixed by phpcbf", strconv.FormatBool(m.Fixable))
	}
	return gate.Observation{
		Title:       string(m.Source),
		Severity:    severity(m.Severity.N),
		Description: text.String(),
		Check:       string(m.Source),
		FilePath:    file,
		Line:        m.Line.Ptr(),
	}
}

func severity(n int) gate.Severity {
	switch {
	case n >= 9:
		return gate.Critical
	case n >= 7:
		return gate.High
	case n >= 5:
		return gate.Medium
	}
	return gate.Low
}
