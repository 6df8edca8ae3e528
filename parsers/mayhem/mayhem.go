// Package mayhem reads the SARIF of Mayhem, the fuzzer of programs and of web
// APIs.
//
// Made by "mayhem run . --sarif results.sarif", or "mapi run … --sarif mapi.sarif".
// A program's result is titled by its message, "TDID-2307883 - Double Free", and
// has its weakness among "taxa"; an API's is "Default Credentials Used in 'GET
// /info'. [Details](…)" and its rule's tags name weaknesses, the last of which is
// the most exact. The message in Markdown has the stack, or request and response.
// Package sarif describes the rest.
package mayhem

import (
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/sarif"
	"defectdojo/parsers/stream"
)

// Parsers reads Mayhem's SARIF.
var Parsers = []parsers.Parser{{
	Name:     "mayhem",
	ScanType: "Mayhem SARIF Report",
	Files:    "SARIF",
	Command:  "mayhem run . --sarif mayhem.sarif",
	URL:      "https://docs.mayhem.security/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	name := s.Value("runs[].tool.driver.name")
	if sarif.Is(s) && (strings.HasPrefix(name, "Mayhem") || name == "mAPI") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	return sarif.Walk(in, func(run *sarif.Run) error {
		sarif.Begin(out, run)
		return nil
	}, func(run *sarif.Run, result *sarif.Result) error {
		for o := range sarif.Observations(run, result) {
			adapt(&o, result)
			out.Emit(o)
		}
		return nil
	})
}

var (
	defect  = regexp.MustCompile(`^TDID-\d+\s*-\s*`)
	details = regexp.MustCompile(`\s*\[[^\]]*\]\([^)]*\)`)
)

func adapt(o *gate.Observation, result *sarif.Result) {
	message := string(result.Message.Text)
	if title := strings.TrimSpace(details.ReplaceAllString(defect.ReplaceAllString(message, ""), "")); title != "" {
		o.Title = strings.ReplaceAll(title, "'", "")
	}
	if more := string(result.Message.Markdown); more != "" && !strings.Contains(o.Description, more) {
		o.Description += "\n\n### Details\n\n" + escapeFrames(more)
	}
	o.Analysis = gate.Dynamic
	for _, t := range result.Taxa {
		if n := gate.ParseCWE(string(t.ID)); t.ToolComponent.Name == "CWE" && n > 0 && !slices.Contains(o.CWEs, n) {
			o.CWEs = append(o.CWEs, n)
			o.CWE = n
		}
	}
	if o.CWE == 0 {
		for _, t := range o.Tags {
			if n := gate.ParseCWE(t); n > 0 && strings.HasPrefix(strings.ToUpper(t), "CWE") && !slices.Contains(o.CWEs, n) {
				o.CWEs = append(o.CWEs, n)
				o.CWE = n
			}
		}
	}
}

// escapeFrames keeps a stack's "#0 0x…" from being headings.
func escapeFrames(s string) string {
	return frame.ReplaceAllString(s, "- $1")
}

var frame = regexp.MustCompile(`(?m)^#(\d+ 0x)`)
