// Package firmwalker reads the text of Firmwalker, which looks through the file
// system of a device's firmware.
//
// Made by "./firmwalker.sh /firmware/root firmwalker.txt":
//
//	***Firmware Directory***
//	/fw/
//	***Search for password files***
//	##################################### passwd
//	/etc/passwd
//
//	***Search for Unix-MD5 hashes***
//	/fw/etc/shadow:$1$…
//
//	***Search for patterns in files***
//	-------------------- admin --------------------
//	/etc/passwd
//
//	***Search for ip addresses***
//	##################################### ip addresses
//	203.0.113.20
//
// A thing found is one finding in each search, with all patterns that it fits.
// The list of etc/ssl is of names without a judgement, and is left out.
package firmwalker

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Firmwalker's text.
var Parsers = []parsers.Parser{{
	Name:     "firmwalker",
	ScanType: "Firmwalker Scan",
	Files:    "text",
	Command:  "./firmwalker.sh /firmware/root firmwalker.txt",
	URL:      "https://github.com/craigz28/firmwalker",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Contains("***Firmware Directory***") {
		return parsers.Sure
	}
	return parsers.No
}

// thing is what a search found.
type thing struct {
	search, name, matched string
	patterns              []string
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Firmwalker"
	known, directory := false, false
	search, pattern := "", ""
	things := map[string]*thing{}
	var order []*thing
	err := stream.Lines(in, func(_ int, line string) error {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "***") && strings.HasSuffix(line, "***"):
			title := strings.Trim(line, "* ")
			directory = title == "Firmware Directory"
			known = known || directory
			search, pattern = "", ""
			if s, ok := strings.CutPrefix(title, "Search for "); ok {
				search = s
			}
		case directory:
			run.Target, directory = line, false
		case strings.HasPrefix(line, "####"):
			pattern = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case strings.HasPrefix(line, "-----") && strings.HasSuffix(line, "-----"):
			pattern = strings.Trim(line, "- ")
		case search != "":
			if len(order) >= in.Limits().Observations {
				return gate.Errorf(gate.TooLarge, "the report holds more than %d findings", in.Limits().Observations)
			}
			order = note(things, order, search, line, pattern)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("there is no firmware directory: this is not Firmwalker's output")
	}
	for _, t := range order {
		out.Emit(t.observation())
	}
	return nil
}

// note adds a line that a search found, once for all its patterns.
func note(things map[string]*thing, order []*thing, search, line, pattern string) []*thing {
	name, matched := line, ""
	if strings.Contains(search, "hashes") {
		if at := strings.Index(line, ":$"); at > 0 {
			name, matched = line[:at], line[at+1:]
		}
	}
	t := things[search+"\x00"+line]
	if t == nil {
		t = &thing{search: search, name: name, matched: matched}
		things[search+"\x00"+line] = t
		order = append(order, t)
	}
	if pattern != "" {
		t.patterns = append(t.patterns, pattern)
	}
	return order
}

func (t *thing) observation() gate.Observation {
	var text parsers.Text
	text.Add("Firmwalker searched the firmware for "+t.search+" and found this.").Fact("Found", t.name).Facts("Fits the patterns", t.patterns)
	if t.matched != "" {
		text.Fact("Matched", parsers.Mask(t.matched))
	}
	o := gate.Observation{
		Title:       t.name + " (" + t.search + ")",
		Severity:    gate.Info,
		Description: text.String(),
		Check:       t.search,
	}
	if strings.HasPrefix(t.name, "/") || strings.HasPrefix(t.name, "./") {
		o.FilePath = t.name
	}
	return o
}
