// Package chkrootkit reads what chkrootkit prints, which looks for signs of
// rootkits on a host.
//
// Made by "chkrootkit > chkrootkit.txt", or "chkrootkit -q" for what is wrong
// only:
//
//	ROOTDIR is `/'
//	Checking `basename'...                                      not infected
//	Checking `bindshell'...                                     INFECTED PORTS: ( 465)
//	WARNING: chkdirs: Possible LKM Trojan installed (or chkdirs failed):
//	chkdirs: WARNING: Skipping unsupported filesystem (overlayfs): /tmp/
//
// What is infected is a finding of high severity, a warning one of medium.
package chkrootkit

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads chkrootkit's output.
var Parsers = []parsers.Parser{{
	Name:     "chkrootkit",
	ScanType: "chkrootkit Scan",
	Files:    "text",
	Command:  "chkrootkit > chkrootkit.txt",
	URL:      "https://www.chkrootkit.org/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Contains("ROOTDIR is `"), s.Contains("chkdirs: "), s.Contains("Checking `", "not infected"):
		return parsers.Sure
	case s.Format == parsers.Plain && s.Contains("WARNING: ") && s.Contains("INFECTED"):
		return parsers.Likely
	}
	return parsers.No
}

var (
	check    = regexp.MustCompile("^(?:Checking|Searching for) [`']?(.+?)'?\\.\\.\\.\\s*(.*)$")
	infected = regexp.MustCompile(`\bINFECTED\b`)
	warning  = regexp.MustCompile(`(?i)\bwarning: *(.*)$`)
)

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "chkrootkit"
	known := false
	err := stream.Lines(in, func(_ int, line string) error {
		line = strings.TrimSpace(line)
		m := check.FindStringSubmatch(line)
		if m != nil || strings.HasPrefix(line, "ROOTDIR is ") || strings.HasPrefix(line, "chkdirs: ") || strings.HasPrefix(line, "WARNING: chk") {
			known = true
		}
		w := warning.FindStringSubmatch(line)
		switch {
		case infected.MatchString(line) && m != nil:
			out.Emit(observation(m[1]+": "+m[2], line, gate.High))
		case infected.MatchString(line):
			out.Emit(observation(line, line, gate.High))
		case w != nil && w[1] != "":
			out.Emit(observation(w[1], line, gate.Medium))
		}
		return nil
	})
	if err == nil && !known {
		err = stream.Errorf("there is no check in it: this is not chkrootkit's output")
	}
	return err
}

func observation(title, line string, severity gate.Severity) gate.Observation {
	var text parsers.Text
	text.Add("chkrootkit says:").Code("", line)
	o := gate.Observation{
		Title:       title,
		Severity:    severity,
		Description: text.String(),
		Mitigation:  "See whether a program that you know explains it; chkrootkit is often wrong. If none does, take the host from the network, examine it from another system, and install it anew.",
		Check:       "warning",
	}
	if severity == gate.High {
		o.Check = "infected"
	}
	return o
}
