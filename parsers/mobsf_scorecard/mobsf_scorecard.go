// Package mobsf_scorecard reads the application security scorecard of MobSF.
//
// Made by "curl -X POST --url http://localhost:8000/api/v1/scorecard --data hash=… -H Authorization:…", or within the whole report of the API's report_json:
//
//	{"version": "v4.0.7", "app_name": "…", "package_name": "…", "timestamp": "2024-10-12T14:13:49.995Z",
//	 "appsec": {"high": [{"title": "…", "description": "…", "section": "network"}], "warning": […], "info": […], "secure": […], "hotspot": […],
//	   "trackers": 0, "security_score": 40, "hash": "…"}}
//
// The scorecard alone is what is within "appsec". What is secure is a finding for information.
package mobsf_scorecard

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads MobSF's scorecard.
var Parsers = []parsers.Parser{{
	Name:     "mobsf_scorecard",
	ScanType: "MobSF Scorecard Scan",
	Files:    "JSON",
	Command:  "curl -X POST --url http://localhost:8000/api/v1/scorecard --data hash=… -H Authorization:…",
	URL:      "https://mobsf.github.io/docs/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

// weaknesses names what DefectDojo names: "Weaknesses in Mobile Applications" (https://cwe.mitre.org/data/definitions/919.html).
const weaknesses = 919

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("security_score", "hotspot", "total_trackers") && !s.Has("appsec"):
		return parsers.Sure
	case s.Has("appsec.high", "appsec.hotspot"):
		return parsers.Likely // the whole report has it too
	}
	return parsers.No
}

// levels are the lists of a scorecard with the severity of what is in them.
var levels = map[string]gate.Severity{"high": gate.High, "warning": gate.Medium, "info": gate.Info, "secure": gate.Info, "hotspot": gate.Low}

type entry struct {
	Title   stream.Text `json:"title"`
	Text    stream.Text `json:"description"`
	Section stream.Text `json:"section"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "MobSF"
	date, lists, err := header(in, run)
	if err != nil {
		return err
	}
	if !lists {
		return stream.Errorf("there is no scorecard: neither \"appsec\" nor its \"high\", \"warning\" and so on")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	card := stream.Fields{}
	for level, severity := range levels {
		card[level] = stream.Each(func(e entry) error {
			o := observation(e, level)
			o.Severity, o.Date = severity, date
			out.Emit(o)
			return nil
		})
	}
	fields := stream.Fields{"appsec": stream.Object(card)}
	for level := range levels {
		fields[level] = stream.ByKind(stream.Kinds{'[': card[level], '{': stream.Skip, '"': stream.Skip, '0': stream.Skip, 'n': stream.Skip, 't': stream.Skip, 'f': stream.Skip})
	}
	return stream.JSON(in, stream.Object(fields))
}

// header reads what stands around the lists, and tells whether there are lists.
func header(in *stream.Input, run *gate.Run) (date gate.Date, lists bool, err error) {
	var version, name, hash, pack, file, stamp stream.Text
	there := func(d *stream.Decoder) error { lists = true; return stream.Skip(d) }
	fields := stream.Fields{
		"version": stream.Into(&version), "app_name": stream.Into(&name), "package_name": stream.Into(&pack),
		"file_name": stream.Into(&file), "timestamp": stream.Into(&stamp), "hash": stream.Into(&hash), "appsec": there,
	}
	for level := range levels {
		fields[level] = there
	}
	err = stream.JSON(in, stream.Object(fields))
	run.Version, run.FinishedAt = string(version), parsers.ParseTime(string(stamp))
	run.Target = parsers.First(string(pack), string(name), string(file))
	run.Revision = string(hash)
	return gate.DateOf(run.FinishedAt), lists, err
}

func observation(e entry, level string) gate.Observation {
	var text parsers.Text
	text.Add(string(e.Text)).Fact("Category", string(e.Section)).Fact("Rated by MobSF", level)
	return gate.Observation{
		Title:       string(e.Title),
		Description: text.String(),
		References:  links(string(e.Text)),
		CWE:         weaknesses,
		Occurrences: new(1),
	}
}

// links returns the web addresses of a text, one a line.
func links(text string) string {
	var list []string
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") {
			list = append(list, strings.TrimRight(word, ".,;)"))
		}
	}
	return parsers.Lines(list...)
}
