// Package talisman reads the JSON report of Talisman, which looks for secrets
// in Git repositories.
//
// Made by "talisman --scan", which writes talisman_report/talisman_reports/data/report.json:
//
//	{"summary": {"types": {"filecontent": 5, "filesize": 0, "filename": 0, "warnings": 0, "ignores": 0}},
//	 "results": [{"filename": "README.md", "failure_list": [{"type": "filecontent",
//	   "message": "Potential secret pattern : aws_secret=\"AKIA…\"", "commits": ["320de6…"], "severity": "low"}],
//	   "warning_list": [], "ignore_list": []}]}
//
// Each failure is a finding. What the user ignores is none.
package talisman

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Talisman's JSON.
var Parsers = []parsers.Parser{{
	Name:     "talisman",
	ScanType: "Talisman Scan",
	Files:    "JSON",
	Command:  "talisman --scan",
	URL:      "https://thoughtworks.github.io/talisman/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("summary.types.filecontent", "results"), s.Has("results[].failure_list"):
		return parsers.Sure
	}
	return parsers.No
}

type result struct {
	Filename string    `json:"filename"`
	Failures []failure `json:"failure_list"`
}

type failure struct {
	Type     string   `json:"type"`
	Message  string   `json:"message"`
	Commits  []string `json:"commits"`
	Severity string   `json:"severity"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Talisman"
	return stream.JSON(in, stream.Object(stream.Fields{
		"results": stream.Each(func(r result) error {
			if r.Filename == "" {
				return stream.Errorf("a result names no file")
			}
			for _, f := range r.Failures {
				out.Emit(observation(r.Filename, f))
			}
			return nil
		}),
	}, "results"))
}

func observation(file string, f failure) gate.Observation {
	what, secret, _ := strings.Cut(f.Message, ":")
	var text parsers.Text
	text.Add("Talisman found what looks like a secret in `" + file + "`. Whoever can read the repository or its history can use it.")
	text.Fact("File", file).Fact("Kind", f.Type).Fact("Severity", f.Severity).Fact("Message", strings.TrimSpace(what)).Facts("Commits", f.Commits[:min(len(f.Commits), 50)])
	text.Code("", conceal(strings.TrimSpace(secret)))
	return gate.Observation{
		Title:       "Secret pattern found in " + file + " file",
		Severity:    gate.ParseSeverity(f.Severity),
		Description: text.String(),
		Mitigation:  "Revoke the secret and issue a new one: it stays in the history even when the file is changed. If it is none, ignore it in .talismanrc.",
		CWE:         798,
		Check:       f.Type,
		FilePath:    file,
	}
}

// conceal masks the value after the first equals sign, or all of it.
func conceal(s string) string {
	if r := []rune(s); len(r) > 500 {
		s = string(r[:500]) + "…"
	}
	name, value, ok := strings.Cut(s, "=")
	if !ok || len(name) > 60 {
		return parsers.Mask(s)
	}
	return name + "=" + parsers.Mask(strings.Trim(value, `"'\ `))
}
