// Package ffuf reads the JSON report of ffuf, the web fuzzer: what answered.
//
// Made by "ffuf -u https://example.org/FUZZ -w words.txt -of json -o ffuf.json":
//
//	{"commandline": "ffuf …", "time": "2026-07-31T00:00:00Z", "results": [
//	  {"input": {"FFUFHASH": "6e2291", "FUZZ": "admin"}, "position": 1, "status": 301, "length": 169,
//	   "words": 5, "lines": 8, "content-type": "text/html", "redirectlocation": "https://example.org/admin/",
//	   "duration": 5331909, "url": "https://example.org/admin", "host": "example.org"}], "config": {…}}
//
// "ffuf -json" writes the results alone, one a line, with their inputs in base64.
package ffuf

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ffuf's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ffuf",
	ScanType: "ffuf Scan",
	Files:    "JSON",
	Command:  "ffuf -u https://example.org/FUZZ -w words.txt -of json -o ffuf.json",
	URL:      "https://github.com/ffuf/ffuf",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("commandline", "results", "config"), s.Has("results[].input.FFUFHASH"), s.Has("redirectlocation", "words", "input"):
		return parsers.Sure
	case s.Has("commandline", "results"):
		return parsers.Likely
	}
	return parsers.No
}

type result struct {
	Input       map[string]stream.Text `json:"input"`
	Status      stream.Text            `json:"status"`
	Length      stream.Text            `json:"length"`
	Words       stream.Text            `json:"words"`
	Lines       stream.Text            `json:"lines"`
	ContentType string                 `json:"content-type"`
	Redirect    string                 `json:"redirectlocation"`
	URL         string                 `json:"url"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "ffuf"
	seen := false
	err := stream.JSONs(in, func(d *stream.Decoder) error {
		seen = true
		whole, line := false, result{}
		err := stream.Object(stream.Fields{
			"commandline": stream.Into(&run.Description),
			"time":        stream.One(func(t stream.Text) error { run.FinishedAt = parsers.ParseTime(string(t)); return nil }),
			"config":      stream.One(func(c config) error { run.Target = c.Value.URL; return nil }),
			"results": func(d *stream.Decoder) error {
				whole = true
				return stream.Each(func(r result) error { out.Emit(observation(r)); return nil })(d)
			},
			"input":            stream.Into(&line.Input),
			"status":           stream.Into(&line.Status),
			"length":           stream.Into(&line.Length),
			"words":            stream.Into(&line.Words),
			"lines":            stream.Into(&line.Lines),
			"content-type":     stream.Into(&line.ContentType),
			"redirectlocation": stream.Into(&line.Redirect),
			"url":              stream.Into(&line.URL),
		})(d)
		switch {
		case err != nil || whole:
			return err
		case line.URL == "":
			return stream.Errorf("there is no \"results\", and no \"url\" of a single one")
		}
		line.decode()
		out.Emit(observation(line))
		return nil
	})
	if err == nil && !seen {
		return stream.Errorf("the report is empty")
	}
	return err
}

type config = stream.Lenient[struct {
	URL string `json:"url"`
}]

// decode reads the inputs of a result that stands alone, which are in base64.
func (r *result) decode() {
	for k, v := range r.Input {
		if b, err := base64.StdEncoding.DecodeString(string(v)); err == nil {
			r.Input[k] = stream.Text(b)
		}
	}
}

func observation(r result) gate.Observation {
	path := "/"
	if u, err := url.Parse(r.URL); err == nil && u.Path != "" {
		path = u.Path
	}
	var text parsers.Text
	text.Add("The server answers at a place that was guessed.").Fact("URL", r.URL).Fact("Status", string(r.Status))
	for _, keyword := range slices.Sorted(maps.Keys(r.Input)) {
		if keyword != "FFUFHASH" {
			text.Fact("Input "+keyword, string(r.Input[keyword]))
		}
	}
	text.Fact("Content type", r.ContentType).Fact("Leads to", r.Redirect).
		Fact("Length", string(r.Length)+" bytes, "+string(r.Words)+" words, "+string(r.Lines)+" lines")
	return gate.Observation{
		Title:       "HTTP " + string(r.Status) + ": " + path,
		Severity:    gate.Info,
		Description: text.String(),
		Payload:     strings.TrimSpace(string(r.Input["FUZZ"])),
		Endpoints:   []string{parsers.Endpoint(r.URL)},
	}
}
