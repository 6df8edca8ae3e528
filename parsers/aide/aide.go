// Package aide reads the report of AIDE, which checks a host's files against a
// database of how they were.
//
// Made by "aide --check":
//
//	Start timestamp: 2026-07-31 06:03:55 +0000 (AIDE 0.19.1)
//	AIDE found differences between database and filesystem!!
//	…
//	---------------------------------------------------
//	Changed entries:
//	---------------------------------------------------
//
//	f > ... ....H      : /watched/a.txt
//
//	---------------------------------------------------
//	Detailed information about changes:
//	---------------------------------------------------
//
//	File: /watched/a.txt
//	 Size      : 13                               | 19
//
// What was added or removed has such a list, too. Versions before 0.16 write
// "changed: /watched/a.txt". The details follow the lists.
package aide

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AIDE's report.
var Parsers = []parsers.Parser{{
	Name:     "aide",
	ScanType: "AIDE Scan",
	Files:    "text",
	Command:  "aide --check > aide.txt",
	URL:      "https://aide.github.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Contains("AIDE found ") || s.Contains("(AIDE ") || s.Contains("AIDE, version") {
		return parsers.Sure
	}
	return parsers.No
}

var (
	start   = regexp.MustCompile(`^(?:Start|End) timestamp: ([-0-9: ]+[-+]\d{4})(?: \(AIDE ([^)]+)\))?`)
	entry   = regexp.MustCompile(`^([^/]*?)\s*: (/.*)$`)
	detail  = regexp.MustCompile(`^(File|Directory|Link|FIFO|Socket|Character device|Block device|Device): (/.*)$`)
	heading = map[string]string{"Added entries:": "added", "Removed entries:": "removed", "Changed entries:": "changed", "Added files:": "added", "Removed files:": "removed", "Changed files:": "changed"}
)

// change is a file that is not as it was.
type change struct {
	kind, path, mask string
	details          strings.Builder
}

// report is what is read so far.
type report struct {
	known   bool
	section string // "added", "removed", "changed", "details" or nothing
	list    []*change
	byPath  map[string]*change
	current *change
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "AIDE"
	r := report{byPath: map[string]*change{}}
	err := stream.Lines(in, func(_ int, line string) error {
		if m := start.FindStringSubmatch(line); m != nil {
			r.known = true
			run.Version = parsers.First(m[2], run.Version)
			if at := parsers.ParseTime(m[1]); run.StartedAt.IsZero() {
				run.StartedAt = at
			} else {
				run.FinishedAt = at
			}
			return nil
		}
		if len(r.list) > in.Limits().Observations {
			return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", in.Limits().Observations)
		}
		r.line(line)
		return nil
	})
	if err != nil {
		return err
	}
	if !r.known {
		return stream.Errorf("nothing in it says AIDE: this is not AIDE's report")
	}
	for _, c := range r.list {
		out.Emit(c.observation())
	}
	return nil
}

// line reads a line by the section in which it stands.
func (r *report) line(line string) {
	trimmed := strings.TrimSpace(line)
	switch kind := heading[trimmed]; {
	case strings.HasPrefix(trimmed, "AIDE "):
		r.known = true
	case kind != "":
		r.section, r.current = kind, nil
	case strings.HasPrefix(trimmed, "Detailed information"):
		r.section, r.current = "details", nil
	case strings.HasPrefix(trimmed, "The attributes of the"):
		r.section, r.current = "", nil
	case trimmed == "", strings.HasPrefix(trimmed, "-----"), r.section == "":
	case r.section != "details":
		if m := entry.FindStringSubmatch(line); m != nil {
			c := &change{kind: r.section, path: strings.TrimSpace(m[2]), mask: strings.TrimSpace(m[1])}
			r.list = append(r.list, c)
			r.byPath[c.path] = c
		}
	default:
		if m := detail.FindStringSubmatch(line); m != nil {
			r.current = r.byPath[strings.TrimSpace(m[2])]
		} else if r.current != nil && r.current.details.Len() < 16<<10 {
			r.current.details.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
}

func (c *change) observation() gate.Observation {
	var text parsers.Text
	text.Add("The file `"+c.path+"` was "+c.kind+" since AIDE's database was made.").Fact("Attributes", "`"+c.mask+"`").Code("", c.details.String())
	return gate.Observation{
		Title:       "File " + c.kind + ": " + c.path,
		Severity:    gate.Medium,
		Description: text.String(),
		Mitigation:  "Find out who or what did it. If it was meant to be, update the database (`aide --update`); if not, treat the host as broken into.",
		Check:       c.kind,
		FilePath:    c.path,
	}
}
