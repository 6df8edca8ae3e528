// Package dirsearch reads the JSON report of dirsearch, which looks for paths that a web server answers.
//
// Made by "dirsearch -u https://example.org --format=json -o dirsearch.json". The report is one object:
//
//	{"info": {"args": "dirsearch -u …", "time": "Fri Jul 31 06:22:14 2026"},
//	 "results": [{"url": "https://example.org/admin", "status": 301, "content-length": 169,
//	   "content-type": "text/html", "redirect": "https://example.org/admin/"}]}
//
// Before version 0.4.3 a result was an object under the target's address:
// {"results": [{"https://example.org/": [{"status": 200, "path": "/admin", …}]}]}.
package dirsearch

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads dirsearch's JSON.
var Parsers = []parsers.Parser{{
	Name:     "dirsearch",
	ScanType: "Dirsearch Scan",
	Files:    "JSON",
	Command:  "dirsearch -u https://example.org --format=json -o dirsearch.json",
	URL:      "https://github.com/maurosoria/dirsearch",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("info.args", "info.time", "results"):
		return parsers.Sure
	case s.Has("results[].url", "results[].status", "results[].content-length"):
		return parsers.Likely
	}
	return parsers.No
}

type result struct {
	URL      stream.Text `json:"url"`
	Path     stream.Text `json:"path"`
	Status   stream.Text `json:"status"`
	Length   stream.Text `json:"content-length"`
	Type     stream.Text `json:"content-type"`
	Redirect stream.Text `json:"redirect"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "dirsearch"
	var info struct {
		Args stream.Text `json:"args"`
		Time stream.Text `json:"time"`
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"info": func(d *stream.Decoder) error {
			if err := stream.Into(&info)(d); err != nil {
				return err
			}
			run.Target, run.StartedAt = target(string(info.Args)), parsers.ParseTime(string(info.Time))
			return nil
		},
		"results": stream.Each(func(v jsontext.Value) error { return read(v, string(info.Args), out) }),
	}, "results"))
}

// read puts out one result, or those under each address in the old form.
func read(v jsontext.Value, args string, out *parsers.Report) error {
	var r result
	if err := stream.Unmarshal(v, &r); err != nil {
		return err
	}
	if r.URL != "" {
		out.Emit(observation(r, args))
		return nil
	}
	var old map[string]stream.Lenient[[]result]
	if err := stream.Unmarshal(v, &old); err != nil {
		return errors.New("a result without a URL")
	}
	for _, base := range slices.Sorted(maps.Keys(old)) {
		if !old[base].OK || !strings.Contains(base, "://") {
			return errors.New("a result without a URL")
		}
		for _, r := range old[base].Value {
			r.URL = stream.Text(strings.TrimSuffix(base, "/") + "/" + strings.TrimPrefix(string(r.Path), "/"))
			out.Emit(observation(r, args))
		}
	}
	return nil
}

func observation(r result, args string) gate.Observation {
	var text parsers.Text
	text.Add("The server answers a request for this address: look whether it should be reachable.").
		Fact("URL", string(r.URL)).Fact("Status", string(r.Status)).Fact("Redirects to", string(r.Redirect)).
		Fact("Content type", string(r.Type)).Fact("Content length", string(r.Length))
	if args != "" {
		text.Fact("Command", "`"+args+"`")
	}
	return gate.Observation{
		Title:       title(r),
		Severity:    gate.Info,
		Description: text.String(),
		Endpoints:   []string{parsers.Endpoint(string(r.URL))},
	}
}

func title(r result) string {
	if r.Status == "" {
		return "Discovered: " + path(string(r.URL))
	}
	return "HTTP " + string(r.Status) + ": " + path(string(r.URL))
}

// path is the part of an address after the host and before a query, as it is written.
func path(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = strings.TrimLeft(rest, "/")
		if i := strings.IndexAny(address, "/?#"); i >= 0 {
			address = address[i:]
		} else {
			address = ""
		}
	}
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		address = address[:i]
	}
	return parsers.First(address, "/")
}

// target is the address that the command names.
func target(args string) string {
	words := strings.Fields(args)
	for i, w := range words {
		if value, ok := strings.CutPrefix(w, "--url="); ok {
			return value
		}
		if (w == "-u" || w == "--url") && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}
