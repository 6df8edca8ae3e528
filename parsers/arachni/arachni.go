// Package arachni reads the JSON report of Arachni, the web application scanner.
//
// Made by "arachni_reporter report.afr --reporter=json:outfile=arachni.json":
//
//	{"version": "1.5.1", "options": {"url": "https://example.org/"}, "start_datetime": "2021-03-17 19:37:24 +0100", "issues": [
//	  {"name": "SQL Injection", "description": "…", "references": {"OWASP": "https://…"}, "cwe": 89, "severity": "high",
//	   "remedy_guidance": "…", "check": {"shortname": "sql_injection"}, "vector": {"type": "form", "url": "https://example.org/login",
//	   "affected_input_name": "user"}, "proof": "…", "tags": ["sql"], "digest": 3254960792, "trusted": true,
//	   "request": {"url": "…", "headers_string": "GET / …", "body": null}, "response": {"url": "…", "headers_string": "…", "body": "…"}}]}
//
// Issues of one name are one finding, which has the first one's digest.
package arachni

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Arachni's JSON.
var Parsers = []parsers.Parser{{
	Name:     "arachni",
	ScanType: "Arachni Scan",
	Files:    "JSON",
	Command:  "arachni_reporter report.afr --reporter=json:outfile=arachni.json",
	URL:      "https://github.com/Arachni/arachni",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("issues[].remedy_guidance", "issues[].digest"), s.Has("issues", "sitemap", "seed"), s.Has("issues[]", "sitemap", "seed"):
		return parsers.Sure
	case s.Has("issues[].vector", "issues[].check"):
		return parsers.Likely
	}
	return parsers.No
}

type issue struct {
	Name        string                                 `json:"name"`
	Description string                                 `json:"description"`
	References  stream.Lenient[map[string]stream.Text] `json:"references"`
	CWE         stream.Text                            `json:"cwe"`
	Severity    string                                 `json:"severity"`
	Remedy      string                                 `json:"remedy_guidance"`
	Check       struct {
		Shortname string `json:"shortname"`
	} `json:"check"`
	Vector struct {
		Type   string      `json:"type"`
		URL    string      `json:"url"`
		Action string      `json:"action"`
		Input  stream.Text `json:"affected_input_name"`
		Source stream.Text `json:"source"`
	} `json:"vector"`
	Proof    stream.Text                   `json:"proof"`
	Tags     stream.OneOrMany[stream.Text] `json:"tags"`
	Digest   stream.Text                   `json:"digest"`
	Request  message                       `json:"request"`
	Response message                       `json:"response"`
}

type message struct {
	URL     string      `json:"url"`
	Headers string      `json:"headers_string"`
	Body    stream.Text `json:"body"`
}

// findings gathers the issues of one name.
type findings struct {
	merged   *parsers.Merged
	messages parsers.Messages
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Arachni"
	f := findings{merged: parsers.Merge(out)}
	text := func(set func(string)) stream.Value {
		return stream.One(func(t stream.Text) error { set(string(t)); return nil })
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"version":         text(func(s string) { run.Version = s }),
		"start_datetime":  text(func(s string) { run.StartedAt = parsers.ParseTime(s) }),
		"finish_datetime": text(func(s string) { run.FinishedAt = parsers.ParseTime(s) }),
		"options": stream.One(func(o stream.Lenient[struct {
			URL string `json:"url"`
		}],
		) error {
			run.Target = o.Value.URL
			return nil
		}),
		"issues": stream.Each(func(i issue) error {
			f.add(i)
			return nil
		}),
	}, "issues"))
	if err != nil {
		return err
	}
	for _, o := range f.merged.All() {
		o.Date = gate.DateOf(run.StartedAt)
	}
	f.merged.Emit()
	return nil
}

func (f *findings) add(i issue) {
	o, isNew := f.merged.At(i.Name, i.observation)
	if !isNew {
		*o.Occurrences++
		o.Severity = max(o.Severity, gate.ParseSeverity(i.Severity))
	}
	o.Endpoints = append(o.Endpoints, parsers.Endpoint(i.place()))
	o.RequestResponsePairs = f.messages.Add(o.RequestResponsePairs, parsers.First(i.Request.Headers+string(i.Request.Body), i.place()), i.Response.Headers+string(i.Response.Body))
}

func (i issue) place() string {
	place := parsers.First(i.Vector.Action, i.Vector.URL, i.Response.URL, i.Request.URL)
	if plain, err := url.PathUnescape(place); err == nil {
		return plain
	}
	return place
}

func (i issue) observation() *gate.Observation {
	var text parsers.Text
	text.Add(i.Description).Fact("First place", i.place()).Fact("Kind of input", i.Vector.Type).Fact("Input", string(i.Vector.Input)).Fact("Check", i.Check.Shortname)
	if i.Proof != "" {
		text.Add("The proof:").Code("", string(i.Proof))
	}
	o := &gate.Observation{
		Title:       i.Name,
		Severity:    gate.ParseSeverity(i.Severity),
		Description: text.String(),
		Mitigation:  parsers.First(i.Remedy, "The report names no remedy."),
		Impact:      "The report tells no impact.",
		CWE:         gate.ParseCWE(string(i.CWE)),
		RuleID:      string(i.Digest),
		Check:       i.Check.Shortname,
		Param:       string(i.Vector.Input),
		Occurrences: new(1),
	}
	var refs []string
	for _, name := range slices.Sorted(maps.Keys(i.References.Value)) {
		refs = append(refs, "- ["+name+"]("+string(i.References.Value[name])+")")
	}
	o.References = strings.Join(refs, "\n")
	for _, t := range i.Tags {
		o.Tags = append(o.Tags, string(t))
	}
	return o
}
