// Package sarif reads SARIF 2.x, the exchange format of static analysis, which
// many tools write. Other parsers may import it as a shared format.
//
// Made by "codeql database analyze --format=sarif-latest", "semgrep --sarif",
// "trivy --format sarif" and many more. A log holds runs, a run its tool, the
// tool's rules and the results:
//
//	{"version": "2.1.0", "runs": [{
//	  "tool": {"driver": {"name": "CodeQL", "version": "2.20.1", "rules": [{"id": "py/xss", "shortDescription": {"text": "…"},
//	    "defaultConfiguration": {"level": "error"}, "properties": {"tags": ["external/cwe/cwe-079"], "security-severity": "6.1"}}]}},
//	  "invocations": [{"executionSuccessful": true, "endTimeUtc": "…", "toolExecutionNotifications": []}],
//	  "results": [{"ruleId": "py/xss", "ruleIndex": 0, "message": {"text": "…"}, "partialFingerprints": {"primaryLocationLineHash": "…"},
//	    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": 7}}}]}]}]}
//
// Oddities: rules may stand after the results, so a log is read twice. Rules are
// named by ruleId, by an index, or by both, and may belong to an extension of
// the tool. A result of several locations is one finding at each. Only results of
// kind "fail" (the default) are findings.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
package sarif

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads SARIF of any tool.
var Parsers = []parsers.Parser{{
	Name:     "sarif",
	ScanType: "SARIF",
	Files:    "JSON (SARIF 2.x)",
	Command:  "semgrep scan --sarif --sarif-output=report.sarif",
	URL:      "https://sarifweb.azurewebsites.net",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    Parse,
}}

// Parse reads a log: a run for each of its runs, and the observations of their results.
func Parse(in *stream.Input, out *parsers.Report) error {
	return Walk(in, func(run *Run) error {
		Begin(out, run)
		return nil
	}, func(run *Run, result *Result) error {
		for o := range Observations(run, result) {
			out.Emit(o)
		}
		return nil
	})
}

// Is tells whether a report is a SARIF log.
func Is(s *parsers.Sample) bool {
	return s.Format == parsers.JSON && s.Has("runs") && (s.Has("runs[].tool.driver") || s.Has("version") && strings.Contains(strings.ToLower(s.Value("$schema")), "sarif"))
}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case Is(s):
		return parsers.Likely // a parser of one tool's SARIF is surer of it
	case s.Has("runs[].tool", "runs[].results"):
		return parsers.Possible
	}
	return parsers.No
}

// Begin starts a run of out with what run says of the tool and its invocations.
func Begin(out *parsers.Report, run *Run) {
	r := out.Begin(gate.Run{
		Tool:    string(run.Tool.Driver.Name),
		Version: first(run.Tool.Driver.Version, run.Tool.Driver.SemanticVersion, run.Tool.Driver.DottedQuadFileVersion),
		Type:    string(run.Tool.Driver.Name),
		Ruleset: ruleset(run.Tool),
	})
	if len(run.Provenance) > 0 {
		p := run.Provenance[0]
		r.Target, r.Revision = string(p.RepositoryURI), string(p.RevisionID)
	}
	failed, succeeded := 0, 0
	for _, i := range run.Invocations {
		if t := parsers.ParseTime(string(i.StartTimeUTC)); r.StartedAt.IsZero() || !t.IsZero() && t.Before(r.StartedAt) {
			r.StartedAt = t
		}
		if t := parsers.ParseTime(string(i.EndTimeUTC)); t.After(r.FinishedAt) {
			r.FinishedAt = t
		}
		switch i.ExecutionSuccessful {
		case "true":
			succeeded++
		case "false":
			failed++
		}
	}
	switch {
	case failed > 0 && succeeded > 0:
		r.Outcome = gate.Partial
	case failed > 0:
		r.Outcome = gate.Failed
	case succeeded > 0:
		r.Outcome = gate.Succeeded
	}
	problems(out, run)
}

// problems notes what the tool says it could not do.
func problems(out *parsers.Report, run *Run) {
	for _, i := range run.Invocations {
		if i.ExecutionSuccessful == "false" {
			reason := first(i.ExitCodeDescription, i.ExitSignalName, i.ProcessStartFailureMessage)
			switch {
			case reason != "":
				out.Problem("it ended with %s", reason)
			case i.ExitCode != "":
				out.Problem("it ended with exit code %s", i.ExitCode)
			}
		}
		for _, n := range append(i.ExecutionNotifications, i.ConfigurationNotifications...) {
			if !strings.EqualFold(string(n.Level), "error") {
				continue
			}
			text := n.Message.expand(nil, run)
			if text == "" {
				text = string(n.Exception.Message)
			}
			if text == "" {
				text = string(n.Descriptor.ID)
			}
			if len(n.Locations) > 0 {
				if place := n.Locations[0].place(run); place != "" {
					text = place + ": " + text
				}
			}
			out.Problem("%s", text)
		}
	}
	if run.External.Results {
		out.Problem("some of the results are in other files, which are not part of this report")
	}
}

// ruleset names the tool's extensions and their versions.
func ruleset(t Tool) string {
	var names []string
	for _, e := range t.Extensions {
		if v := first(e.SemanticVersion, e.Version); e.Name != "" && v != "" && len(names) < 10 {
			names = append(names, string(e.Name)+" "+v)
		}
	}
	return strings.Join(names, ", ")
}

func first(texts ...stream.Text) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}
