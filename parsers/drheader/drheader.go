// Package drheader reads the JSON report of Dr Header, which audits the
// security headers of web servers.
//
// Made by "drheader scan single https://example.org --output json":
//
//	[{"rule": "Strict-Transport-Security", "severity": "high", "message": "Header not included in response",
//	  "expected": ["max-age=31536000", "includesubdomains"], "delimiter": ";", "value": "…", "anomaly": ["…"]}]
//
// and of several addresses by "drheader scan bulk":
//
//	[{"url": "https://example.org", "report": [{…}]}]
//
// It writes nothing at all when nothing is wrong.
package drheader

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dr Header's JSON.
var Parsers = []parsers.Parser{{
	Name:     "drheader",
	ScanType: "DrHeader JSON Importer",
	Files:    "JSON",
	Command:  "drheader scan single https://example.org --output json > drheader.json",
	URL:      "https://github.com/Santandersecurityresearch/DrHeader",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].rule", "[].severity", "[].message", "[].expected"), s.Has("[].url", "[].report[].rule"):
		return parsers.Sure
	case s.Has("[].rule", "[].severity", "[].message"):
		return parsers.Likely
	case s.Format == parsers.Empty, s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type entry struct {
	issue
	URL    stream.Text `json:"url"`
	Report []issue     `json:"report"`
}

type issue struct {
	Rule      stream.Text                   `json:"rule"`
	Severity  stream.Text                   `json:"severity"`
	Message   stream.Text                   `json:"message"`
	Value     stream.Text                   `json:"value"`
	Expected  stream.OneOrMany[stream.Text] `json:"expected"`
	Avoid     stream.OneOrMany[stream.Text] `json:"avoid"`
	Anomalies stream.OneOrMany[stream.Text] `json:"anomalies"`
	Anomaly   stream.OneOrMany[stream.Text] `json:"anomaly"`
	Delimiter stream.Text                   `json:"delimiter"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Dr Header"
	return stream.JSONs(in, stream.Array(stream.One(func(e entry) error {
		if e.Rule == "" && e.Report == nil {
			return stream.Errorf(`an entry has neither "rule" nor "report": this is not Dr Header's report`)
		}
		if e.Rule != "" {
			out.Emit(e.observation(string(e.URL)))
		}
		for _, i := range e.Report {
			out.Emit(i.observation(string(e.URL)))
		}
		return nil
	})))
}

func (i issue) observation(url string) gate.Observation {
	var text parsers.Text
	text.Add(string(i.Message)).Fact("Header", string(i.Rule)).Fact("URL", url)
	text.Fact("Observed", code(string(i.Value))).Fact("Expected", code(i.join(i.Expected))).Fact("To avoid", code(i.join(i.Avoid))).Fact("At fault", code(i.join(append(i.Anomaly, i.Anomalies...))))
	o := gate.Observation{
		Title:       "Header : " + string(i.Rule),
		Severity:    gate.ParseSeverity(string(i.Severity)),
		Description: text.String(),
		Check:       string(i.Rule),
		Mitigation:  i.advice(),
	}
	if e := parsers.Endpoint(url); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

// join writes a header's directives as the header has them.
func (i issue) join(list []stream.Text) string {
	var all []string
	for _, s := range list {
		all = append(all, string(s))
	}
	return strings.Join(all, parsers.First(string(i.Delimiter), ";")+" ")
}

func (i issue) advice() string {
	switch expected := i.join(i.Expected); {
	case expected != "":
		return "Have the server send " + string(i.Rule) + " with " + code(expected) + "."
	case len(i.Avoid) > 0:
		return "Take " + code(i.join(i.Avoid)) + " out of " + string(i.Rule) + "."
	case strings.Contains(string(i.Message), "not included"):
		return "Have the server send the header " + string(i.Rule) + "."
	}
	return "Mend the header " + string(i.Rule) + ", or leave it out."
}

// code marks a text as code.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "`", "'") + "`"
}
