// Package rkhunter reads the log of Rootkit Hunter.
//
// Made by "rkhunter --check --sk --nocolors", which writes /var/log/rkhunter.log:
//
//	[05:10:38] Running Rootkit Hunter version 1.4.6 on host-1
//	[05:10:38] Info: Start date is Fri Jul 31 05:10:38 UTC 2026
//	[05:10:40]   Checking for a running system logging daemon    [ Warning ]
//	[05:10:40] Warning: No running system logging daemon has been found.
//	           File: /etc/x
//	[05:10:41] Info: End date is Fri Jul 31 05:10:41 UTC 2026
//
// A check whose result is "Warning" is a finding; the warnings below it say why.
package rkhunter

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Rootkit Hunter's log.
var Parsers = []parsers.Parser{{
	Name:     "rkhunter",
	ScanType: "rkhunter Scan",
	Files:    "text (rkhunter.log)",
	Command:  "rkhunter --check --sk --nocolors (/var/log/rkhunter.log)",
	URL:      "https://rkhunter.sourceforge.net",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Contains("Running Rootkit Hunter version") {
		return parsers.Sure
	}
	return parsers.No
}

var (
	stamp   = regexp.MustCompile(`^\[\d\d:\d\d:\d\d\] ?`)
	colours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
	started = regexp.MustCompile(`^Running Rootkit Hunter version (\S+) on (\S+)`)
	checked = regexp.MustCompile(`^\s*(.*?)\s*\[ (.*?) \]$`)
)

// reader is where the reading of a log stands.
type reader struct {
	out      *parsers.Report
	system   string
	check    string // of the open finding
	warnings []string
	open     bool
	warned   bool // the last line was a warning, which the next may go on
	known    bool
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Rootkit Hunter"
	r := reader{out: out}
	err := stream.Lines(in, func(_ int, line string) error {
		line = colours.ReplaceAllString(line, "")
		text := stamp.ReplaceAllString(line, "")
		r.line(text, len(text) < len(line))
		return nil
	})
	if err != nil {
		return err
	}
	r.flush()
	if !r.known {
		return stream.Errorf("no line says \"Running Rootkit Hunter version\"")
	}
	if out.Run().FinishedAt.IsZero() {
		return stream.Errorf("there is no \"End date\": the log is cut short")
	}
	return nil
}

// line reads a line without its time; one that had none goes on the last.
func (r *reader) line(text string, stamped bool) {
	switch {
	case r.header(text):
	case strings.HasPrefix(text, "Warning: "):
		r.warn(strings.TrimPrefix(text, "Warning: "))
		return
	case strings.HasPrefix(text, "Info: "):
	case strings.TrimSpace(text) == "":
	case r.warned && (!stamped || strings.HasPrefix(text, "         ")):
		last := len(r.warnings) - 1
		r.warnings[last] += "\n" + strings.TrimSpace(text)
		return
	default:
		if m := checked.FindStringSubmatch(text); m != nil {
			r.flush()
			r.check, r.open = m[1], strings.EqualFold(m[2], "warning")
		}
	}
	r.warned = false
}

// warn adds a warning to the check above it; one without a check is a finding itself.
func (r *reader) warn(text string) {
	if !r.open {
		r.check, r.open = text, true
	}
	r.warnings, r.warned = append(r.warnings, text), true
}

// header reads what the log says of the run.
func (r *reader) header(text string) bool {
	run := r.out.Run()
	if m := started.FindStringSubmatch(text); m != nil {
		run.Version, run.Target, r.known = m[1], m[2], true
		return true
	}
	if when, ok := strings.CutPrefix(text, "Info: Start date is "); ok {
		run.StartedAt = parsers.ParseTime(when)
		return true
	}
	if when, ok := strings.CutPrefix(text, "Info: End date is "); ok {
		run.FinishedAt, run.Outcome = parsers.ParseTime(when), gate.Succeeded
		return true
	}
	if system, ok := strings.CutPrefix(text, "Info: Found O/S name: "); ok {
		r.system = system
		return true
	}
	return false
}

// flush puts out the open finding.
func (r *reader) flush() {
	if r.open {
		run := r.out.Run()
		var text parsers.Text
		text.Fact("Check", r.check)
		for _, w := range r.warnings {
			text.Fact("Warning", w)
		}
		text.Fact("Host", run.Target).Fact("Operating system", r.system).Fact("Rootkit Hunter", run.Version)
		r.out.Emit(gate.Observation{Title: r.check, Severity: gate.Medium, Description: text.String()})
	}
	r.check, r.warnings, r.open, r.warned = "", nil, false, false
}
