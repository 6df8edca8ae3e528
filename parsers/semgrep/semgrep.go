// Package semgrep reads the JSON of Semgrep and of Opengrep, which kept its
// format, and of the platform's list of vulnerable dependencies.
//
// Made by "semgrep scan --json --json-output=semgrep.json":
//
//	{"version": "1.97.0", "errors": [], "paths": {"scanned": ["app.py"]}, "results": [{
//	  "check_id": "python.lang.security.dangerous-call", "path": "app.py",
//	  "start": {"line": 31, "col": 5}, "end": {"line": 31, "col": 58},
//	  "extra": {"message": "…", "severity": "ERROR", "lines": "…", "fingerprint": "…_0", "fix": "…",
//	    "metadata": {"cwe": ["CWE-78: …"], "owasp": […], "references": […], "confidence": "HIGH"}}}]}
//
// Oddities: severities are ERROR, WARNING and INFO, or CRITICAL to LOW since 1.72;
// "cwe" is a text or a list; without a login "fingerprint" and "lines" hold
// "requires login". One check can match twice in a line: that is one finding.
// The platform's answer has "vulns" in place of "results".
package semgrep

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Semgrep's JSON.
var Parsers = []parsers.Parser{{
	Name:     "semgrep",
	ScanType: "Semgrep JSON Report",
	Files:    "JSON",
	Command:  "semgrep scan --json --json-output=semgrep.json",
	URL:      "https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].check_id", "results[].extra"), s.Has("vulns[].advisory", "vulns[].exposureType"):
		return parsers.Sure
	case s.Has("results[]", "errors", "paths", "version"):
		return parsers.Likely
	case s.Has("results[]", "errors"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	return parsers.Once(in, out, key, read)
}

// key is what makes two results one finding.
func key(o gate.Observation) string {
	line := ""
	if o.Line != nil {
		line = strconv.Itoa(*o.Line)
	}
	return o.Title + "\x00" + o.FilePath + "\x00" + line
}

func read(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Semgrep"
	known := false
	fields := stream.Fields{
		"version": stream.Into((*stream.Text)(&run.Version)),
		"errors":  stream.Each(func(e problem) error { e.note(out); return nil }),
		"paths":   stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Object(stream.Fields{"skipped": stream.Each(func(p skipped) error { p.note(out); return nil })})}),
		"results": func(d *stream.Decoder) error {
			known = true
			return stream.Each(func(r result) error { out.Emit(r.observation()); return nil })(d)
		},
		"vulns": func(d *stream.Decoder) error {
			known = true
			return stream.Each(func(v vuln) error { out.Emit(v.observation()); return nil })(d)
		},
	}
	if err := stream.JSON(in, stream.Object(fields)); err != nil {
		return err
	}
	if !known {
		return stream.Errorf(`there is neither "results" nor "vulns"`)
	}
	return nil
}

// problem is what Semgrep could not do: a file that it could not parse, a rule
// that does not load.
type problem struct {
	Level   stream.Text `json:"level"`
	Message stream.Text `json:"message"`
	Long    stream.Text `json:"long_msg"`
	Path    stream.Text `json:"path"`
	RuleID  stream.Text `json:"rule_id"`
}

func (p problem) note(out *parsers.Report) {
	if p.Level == "info" {
		return
	}
	text := parsers.First(string(p.Message), string(p.Long), "an error in rule "+string(p.RuleID))
	if p.Path != "" && !strings.Contains(text, string(p.Path)) {
		text = string(p.Path) + ": " + text
	}
	out.Problem("%s", strings.Join(strings.Fields(text), " "))
}

// skipped is a file that was not read. Most were left out on purpose.
type skipped struct {
	Path    stream.Text `json:"path"`
	Reason  stream.Text `json:"reason"`
	Details stream.Text `json:"details"`
}

func (s skipped) note(out *parsers.Report) {
	switch s.Reason {
	case "analysis_failed_parser_or_internal_error", "exceeded_size_limit", "too_many_matches", "insufficient_permissions":
		out.Problem("%s: %s", s.Path, parsers.First(string(s.Details), strings.ReplaceAll(string(s.Reason), "_", " ")))
	}
}

// severities are Semgrep's words, old and new.
var severities = map[string]gate.Severity{
	"ERROR": gate.High, "WARNING": gate.Medium, "INFO": gate.Low,
	"CRITICAL": gate.Critical, "HIGH": gate.High, "MEDIUM": gate.Medium, "LOW": gate.Low,
}

// severity is Info for what is no judgement, as INVENTORY and EXPERIMENT.
func severity(word stream.Text) gate.Severity {
	if s, ok := severities[strings.ToUpper(string(word))]; ok {
		return s
	}
	return gate.Info
}
