// Package humble reads the JSON report of humble, which analyses HTTP response headers.
//
// Made by "python3 humble.py -u https://example.org -b -o json". The report is one object, whose
// keys are numbered headings in the language of the report:
//
//	{"[0. Info]": {"Date": "2023/11/13 - 09:20:17", "URL": "https://example.org"},
//	 "[HTTP Response Headers]": {"Server": "nginx"},
//	 "[1. Missing HTTP Security Headers]": ["Clear-Site-Data"],
//	 "[2. Fingerprint HTTP Response Headers]": ["Server"],
//	 "[3. Deprecated HTTP Response Headers/Protocols and Insecure Values]": ["Pragma (Deprecated Header)"],
//	 "[4. Empty HTTP Response Headers Values]": ["Nothing to report, all seems OK!"],
//	 "[5. Browser Compatibility for Enabled HTTP Security Headers]": {"…": "https://caniuse.com/…"}}
//
// Newer versions say in brackets what the old ones said in words, and have more
// headings ("[1. Enabled HTTP Security Headers]"): a heading counts by its
// words, not by its number. A list of nothing holds one sentence.
package humble

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads humble's JSON.
var Parsers = []parsers.Parser{{
	Name:     "humble",
	ScanType: "Humble Json Importer",
	Files:    "JSON",
	Command:  "python3 humble.py -u https://example.org -b -o json",
	URL:      "https://github.com/rfc-st/humble",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("[0. Info]") || s.Format == parsers.JSON && s.Contains("[0. Info]") {
		return parsers.Sure
	}
	return parsers.No
}

// section is a kind of finding, told by a word of the heading.
type section struct {
	word, title, what, todo string
	severity                gate.Severity
}

var sections = []section{
	{"missing", "Missing header: ", "The server does not send the security header %s.", "Send the header with a value that suits the site.", gate.Medium},
	{"fingerprint", "Available fingerprint:", "The response header %s tells which software the server runs, which helps to find its vulnerabilities.", "Remove the header, or the version from it.", gate.Medium},
	{"deprecated", "Deprecated header: ", "A header or a value is deprecated or insecure: %s.", "Remove the header, or give it a value that is recommended today.", gate.Medium},
	{"empty", "Empty HTTP response header: ", "The response header %s is empty: browsers do as if it were not there.", "Give the header a value, or remove it.", gate.Medium},
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "humble"
	known := false
	err := stream.JSON(in, stream.Entries(func(heading string, d *stream.Decoder) error {
		lower := strings.ToLower(heading)
		if strings.HasPrefix(lower, "[0.") {
			known = true
			return info(d, run)
		}
		for _, s := range sections {
			if strings.HasPrefix(lower, "[") && strings.Contains(lower, s.word) {
				return list(d, func(header string) { out.Emit(observation(s, header, run.Target)) })
			}
		}
		return stream.Skip(d)
	}))
	if err == nil && !known {
		return stream.Errorf("there is no \"[0. Info]\"")
	}
	return err
}

func info(d *stream.Decoder, run *gate.Run) error {
	var v struct {
		Date    stream.Text `json:"Date"`
		URL     stream.Text `json:"URL"`
		Version stream.Text `json:"Humble Version"`
	}
	if err := stream.Into(&v)(d); err != nil {
		return err
	}
	run.Target, run.Version = string(v.URL), string(v.Version)
	run.StartedAt = parsers.ParseTime(strings.Replace(string(v.Date), " - ", " ", 1))
	return nil
}

// list calls f with each header of a list; an object has them as its keys.
func list(d *stream.Decoder, f func(header string)) error {
	return stream.ByKind(stream.Kinds{
		'n': stream.Skip,
		'"': stream.One(func(t stream.Text) error { named(string(t), f); return nil }),
		'[': stream.Each(func(t stream.Text) error { named(string(t), f); return nil }),
		'{': stream.Entries(func(key string, d *stream.Decoder) error {
			var v jsontext.Value
			named(key, f)
			return stream.Into(&v)(d)
		}),
	})(d)
}

// named leaves out the sentence that stands for nothing found.
func named(header string, f func(string)) {
	if header = strings.TrimSpace(header); header != "" && !strings.HasPrefix(header, "Nothing to report") && !strings.HasPrefix(header, "Nada que") {
		f(header)
	}
}

func observation(s section, header, target string) gate.Observation {
	var text parsers.Text
	text.Add(strings.Replace(s.what, "%s", header, 1)).Fact("URL", target)
	return gate.Observation{
		Title:       s.title + header,
		Severity:    s.severity,
		Description: text.String(),
		Mitigation:  s.todo,
		Endpoints:   []string{parsers.Endpoint(target)},
	}
}
