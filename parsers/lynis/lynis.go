// Package lynis reads the report of Lynis, which audits Unix hosts.
//
// Made by "lynis audit system", which writes /var/log/lynis-report.dat: a key
// with a value a line, lists with "[]".
//
//	# Lynis Report
//	report_datetime_start=2026-07-31 00:00:00
//	lynis_version=3.1.4
//	os_fullname=Debian GNU/Linux 13 (trixie)
//	hostname=web1
//	warning[]=LOGG-2138|klogd is not running|-|-|
//	suggestion[]=FILE-7524|Consider restricting file permissions|See screen output or log file|text:Use chmod to change file permissions|
//	hardening_index=57
//
// A warning or suggestion is the test, what it says, details and a solution; "-"
// is none.
package lynis

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Lynis' report.
var Parsers = []parsers.Parser{{
	Name:     "lynis",
	ScanType: "Lynis Scan",
	Files:    "dat",
	Command:  "lynis audit system --report-file lynis-report.dat",
	URL:      "https://cisofy.com/lynis/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Contains("# Lynis Report") || s.Contains("report_version_major=", "lynis_version=") {
		return parsers.Sure
	}
	return parsers.No
}

// host are the single values of the report, by their keys.
type host map[string]string

// keys are those that are used.
var keys = map[string]bool{"lynis_version": true, "hostname": true, "os_fullname": true, "os_name": true, "os_version": true, "report_datetime_start": true, "report_datetime_end": true, "hardening_index": true, "os": true, "report_version_major": true}

func parse(in *stream.Input, out *parsers.Report) error {
	h := host{}
	if err := lines(in, func(key, value string) {
		if keys[key] && len(value) < 1000 {
			h[key] = value
		}
	}); err != nil {
		return err
	}
	if h["lynis_version"] == "" && h["report_version_major"] == "" {
		return stream.Errorf(`there is neither "lynis_version" nor "report_version_major": this is not Lynis' report`)
	}
	run := out.Run()
	run.Tool, run.Version, run.Target = "Lynis", h["lynis_version"], h["hostname"]
	run.StartedAt, run.FinishedAt = parsers.ParseTime(h["report_datetime_start"]), parsers.ParseTime(h["report_datetime_end"])
	if err := in.Rewind(); err != nil {
		return err
	}
	return lines(in, func(key, value string) {
		switch key {
		case "warning[]":
			out.Emit(h.observation("warning", value, gate.Medium))
		case "suggestion[]":
			out.Emit(h.observation("suggestion", value, gate.Low))
		case "exception_event[]":
			out.Problem("%s", strings.TrimSuffix(strings.Replace(value, "|", ": ", 1), "|"))
		}
	})
}

// lines calls f with each line's key and value.
func lines(in *stream.Input, f func(key, value string)) error {
	return stream.Lines(in, func(_ int, line string) error {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			f(strings.TrimSpace(key), strings.TrimSpace(value))
		}
		return nil
	})
}

func (h host) observation(kind, value string, severity gate.Severity) gate.Observation {
	parts := append(strings.Split(value, "|"), "", "", "", "")
	for i := range parts {
		if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "-" {
			parts[i] = ""
		}
	}
	test, says, details, solution := parts[0], parts[1], parts[2], strings.TrimPrefix(parts[3], "text:")
	var text parsers.Text
	text.Add(says).Add(details).Fact("Test", test).Fact("Kind", kind).Fact("Host", h["hostname"]).Fact("Operating system", parsers.First(h["os_fullname"], h["os_name"]+" "+h["os_version"]))
	text.Fact("Lynis", h["lynis_version"]).Fact("Hardening index", h["hardening_index"])
	o := gate.Observation{
		Title:       parsers.First(says, test),
		Severity:    severity,
		Description: text.String(),
		Mitigation:  solution,
		RuleID:      test,
	}
	if strings.Contains(test, "-") {
		o.References = "https://cisofy.com/lynis/controls/" + test + "/"
	}
	return o
}
