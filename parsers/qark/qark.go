// Package qark reads the JSON report of QARK, which analyses Android apps.
//
// Made by "qark --apk app.apk --report-type json". The report is a list:
//
//	[{"category": "manifest", "severity": "WARNING", "name": "Backup is allowed in manifest", "description": "…",
//	  "line_number": [11, 0], "file_object": "/tmp/build/qark/AndroidManifest.xml", "apk_exploit_dict": null}]
//
// The file lies in the folder "qark" into which the app was unpacked.
package qark

import (
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads QARK's JSON.
var Parsers = []parsers.Parser{{
	Name:     "qark",
	ScanType: "QARK Scan",
	Files:    "JSON",
	Command:  "qark --apk app.apk --report-type json",
	URL:      "https://github.com/linkedin/qark",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].apk_exploit_dict", "[].file_object") && s.Contains("/qark/"):
		return parsers.Sure
	case s.Has("[].apk_exploit_dict", "[].file_object"): // MobSF can write the same
		return parsers.Likely
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type issue struct {
	Category    stream.Text                  `json:"category"`
	Severity    stream.Text                  `json:"severity"`
	Name        stream.Text                  `json:"name"`
	Description stream.Text                  `json:"description"`
	Line        stream.OneOrMany[stream.Int] `json:"line_number"`
	File        stream.Text                  `json:"file_object"`
	Exploit     stream.Text                  `json:"apk_exploit_dict"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "QARK"
	return stream.JSON(in, stream.Each(func(i issue) error {
		if i.Name == "" {
			return errors.New("an issue without a name")
		}
		out.Emit(observation(i))
		return nil
	}))
}

// severities are those of QARK's words.
var severities = map[string]gate.Severity{"VULNERABILITY": gate.High, "ERROR": gate.Medium, "WARNING": gate.Medium, "INFO": gate.Info}

// severity of a word that is none of QARK's is Medium, as DefectDojo has it.
func severity(word string) gate.Severity {
	if s, ok := severities[strings.ToUpper(word)]; ok {
		return s
	}
	return gate.Medium
}

func observation(i issue) gate.Observation {
	file := string(i.File)
	if at := strings.LastIndex(file, "/qark/"); at >= 0 {
		file = file[at+len("/qark/"):]
	}
	o := gate.Observation{
		Title:    string(i.Name),
		Severity: severity(string(i.Severity)),
		RuleID:   string(i.Name),
		FilePath: file,
	}
	var text parsers.Text
	text.Add(string(i.Description)).Fact("Category", string(i.Category)).Fact("File", file)
	if len(i.Line) > 0 {
		o.Line = i.Line[0].Ptr()
		text.Fact("Line", i.Line[0].String())
	}
	if len(i.Line) > 1 {
		text.Fact("Column", i.Line[1].String())
	}
	text.Code("json", string(i.Exploit))
	o.Description = text.String()
	return o
}
