// Package whatweb reads the JSON log of WhatWeb, which tells what a web site is made with.
//
// Made by "whatweb --log-json=whatweb.json https://example.org". The log is a list:
//
//	[{"target": "https://example.org/", "http_status": 200, "request_config": {"headers": {"User-Agent": "WhatWeb/0.5.5"}},
//	  "plugins": {"HTTPServer": {"string": ["nginx/1.27"]}, "nginx": {"version": ["1.27"]}, "IP": {"string": ["203.0.113.7"]}}},
//	 {}]
//
// Older versions end the list with an empty object. A site that is asked again
// comes again: it counts once.
package whatweb

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"

	"github.com/go-json-experiment/json/jsontext"
)

// Parsers reads WhatWeb's JSON.
var Parsers = []parsers.Parser{{
	Name:     "whatweb",
	ScanType: "WhatWeb Scan",
	Files:    "JSON",
	Command:  "whatweb --log-json=whatweb.json https://example.org",
	URL:      "https://github.com/urbanadventurer/WhatWeb",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].target", "[].plugins", "[].http_status"), s.Has("target", "plugins", "http_status"):
		return parsers.Sure
	case s.Is("[]"), s.Is("[{}]"):
		return parsers.Possible
	}
	return parsers.No
}

type site struct {
	Target  stream.Text                          `json:"target"`
	Status  stream.Text                          `json:"http_status"`
	Plugins map[string]map[string]jsontext.Value `json:"plugins"`
	Config  stream.Lenient[struct {
		Headers map[string]stream.Text `json:"headers"`
	}] `json:"request_config"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "WhatWeb"
	seen := map[string]bool{}
	read := stream.One(func(s site) error {
		if version, ok := strings.CutPrefix(string(s.Config.Value.Headers["User-Agent"]), "WhatWeb/"); ok {
			run.Version = version
		}
		switch {
		case s.Target == "" && s.Plugins == nil && s.Status == "":
			return nil // the last, empty one
		case s.Target == "":
			return errors.New("an entry without a target")
		case !seen[string(s.Target)]:
			seen[string(s.Target)] = true
			out.Emit(observation(s))
		}
		return nil
	})
	found := false
	err := stream.JSONs(in, func(d *stream.Decoder) error {
		found = true
		return stream.ByKind(stream.Kinds{'[': stream.Array(read), '{': stream.One(func(v jsontext.Value) error { return single(v, out) })})(d)
	})
	if err == nil && !found {
		return stream.Errorf("the report is empty")
	}
	return err
}

// single reads a line of --log-json-verbose, which is one site.
func single(v jsontext.Value, out *parsers.Report) error {
	var s site
	if err := stream.Unmarshal(v, &s); err != nil {
		return err
	}
	if s.Target == "" {
		return errors.New("an entry without a target")
	}
	out.Emit(observation(s))
	return nil
}

// network are the plugins that tell where a site is, not what it is made with.
var network = []string{"Country", "IP"}

func observation(s site) gate.Observation {
	var technologies, places []string
	for _, name := range slices.SortedFunc(maps.Keys(s.Plugins), compare) {
		if item := describe(name, s.Plugins[name]); slices.Contains(network, name) {
			places = append(places, item)
		} else {
			technologies = append(technologies, item)
		}
	}
	var text parsers.Text
	text.Fact("URL", string(s.Target)).Fact("Status", string(s.Status))
	if len(technologies) > 0 {
		text.Add("**Made with:**").List(technologies)
	}
	if len(places) > 0 {
		text.Add("**Network:**").List(places)
	}
	text.Fact("User agent", string(s.Config.Value.Headers["User-Agent"]))
	return gate.Observation{
		Title:       "Technologies identified: " + string(s.Target),
		Severity:    gate.Info,
		Description: text.String(),
		Endpoints:   []string{parsers.Endpoint(string(s.Target))},
	}
}

func compare(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }

// describe writes what a plugin found: "nginx: version 1.27".
func describe(name string, found map[string]jsontext.Value) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(found)) {
		var list stream.OneOrMany[stream.Text]
		if stream.Unmarshal(found[what], &list) == nil && len(list) > 0 {
			parts = append(parts, what+" "+strings.Join(stream.Strings(list), ", "))
		}
	}
	if len(parts) == 0 {
		return name
	}
	return name + ": " + strings.Join(parts, "; ")
}
