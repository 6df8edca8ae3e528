// Package pwn_sast reads the JSON report of pwn_sast, the static analysis of the PWN toolkit.
//
// Made by "pwn_sast --dir-path . --uri-source-root https://git.example.org/app/tree/main -s". The report is one object:
//
//	{"report_name": "app", "data": [{"timestamp": "2022-07-08 09:11:52.9 -0600",
//	  "security_references": {"sast_module": "PWN::SAST::Eval", "section": "MALICIOUS CODE PROTECTION",
//	    "nist_800_53_uri": "https://…", "cwe_id": "95", "cwe_uri": "https://…"},
//	  "filename": {"git_repo_root_uri": "https://git.example.org/app/tree/main", "entry": "request.php"},
//	  "line_no_and_contents": [{"line_no": "8414", "contents": "eval($x)", "author": "Author: A B <a@example.org>\n"}]}]}
//
// The same text in one file is one finding, at the last of its lines.
package pwn_sast

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads pwn_sast's JSON.
var Parsers = []parsers.Parser{{
	Name:     "pwn_sast",
	ScanType: "PWN SAST",
	Files:    "JSON",
	Command:  "pwn_sast --dir-path . --uri-source-root https://git.example.org/app/tree/main -s",
	URL:      "https://github.com/0dayinc/pwn",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("report_name", "data[].security_references"):
		return parsers.Sure
	case s.Has("report_name", "data"):
		return parsers.Likely
	}
	return parsers.No
}

type entry struct {
	References struct {
		Module  stream.Text `json:"sast_module"`
		Section stream.Text `json:"section"`
		NIST    stream.Text `json:"nist_800_53_uri"`
		CWE     stream.Text `json:"cwe_id"`
		CWEURI  stream.Text `json:"cwe_uri"`
	} `json:"security_references"`
	Filename struct {
		Root  stream.Text `json:"git_repo_root_uri"`
		Entry stream.Text `json:"entry"`
	} `json:"filename"`
	Lines []line `json:"line_no_and_contents"`
}

type line struct {
	Number   stream.Text `json:"line_no"`
	Contents stream.Text `json:"contents"`
	Author   stream.Text `json:"author"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.UniqueID }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		run := out.Run()
		run.Tool = "pwn_sast"
		return stream.JSON(in, stream.Object(stream.Fields{
			"report_name": stream.One(func(t stream.Text) error { run.Target = string(t); return nil }),
			"data": stream.Each(func(e entry) error {
				for _, l := range e.Lines {
					out.Emit(observation(e, l))
				}
				return nil
			}),
		}, "data"))
	})
}

func observation(e entry, l line) gate.Observation {
	r, root, file := e.References, string(e.Filename.Root), string(e.Filename.Entry)
	uri := root + "/" + file
	id := sha256.Sum256([]byte(uri + string(l.Contents)))
	var text parsers.Text
	text.Fact("Module", string(r.Module)).Fact("File", uri).Fact("Line", string(l.Number)).
		Fact("Committed by", strings.TrimPrefix(strings.TrimSpace(string(l.Author)), "Author: ")).Code("", string(l.Contents))
	var impact parsers.Text
	impact.Fact("Control that it weakens", string(r.Section)).Fact("Control", string(r.NIST)).Fact("Weakness", string(r.CWEURI))
	return gate.Observation{
		Title:            string(r.Module) + " Entry in " + file + " Line: " + string(l.Number),
		Severity:         gate.Info, // pwn_sast rates nothing
		Description:      text.String(),
		Impact:           impact.String(),
		Mitigation:       "Read the line as a reviewer. The control says what is asked for: " + string(r.NIST),
		References:       parsers.Lines(string(r.CWEURI), string(r.NIST)),
		StepsToReproduce: "Install PWN (https://github.com/0dayinc/pwn#installation), then run:\n\n```\npwn_sast --dir-path . --uri-source-root " + root + " -s\n```",
		CWE:              gate.ParseCWE(string(r.CWE)),
		Check:            string(r.Module),
		UniqueID:         hex.EncodeToString(id[:]),
		FilePath:         file,
		Snippet:          string(l.Contents),
		FixAvailable:     new(true),
	}
}
