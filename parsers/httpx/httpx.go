// Package httpx reads the JSON lines of ProjectDiscovery's httpx, which probes web servers.
//
// Made by "httpx -l hosts.txt -json -o httpx.json". Each line is one answer:
//
//	{"timestamp": "…", "url": "https://example.org/login", "input": "example.org", "host": "203.0.113.7", "port": "443",
//	 "title": "Log in", "scheme": "https", "webserver": "nginx/1.27", "tech": ["Nginx:1.27"], "method": "GET",
//	 "status_code": 200, "content_length": 1201, "content_type": "text/html", "a": ["203.0.113.7"], "failed": false}
//
// A probe that failed is no finding. Before version 1.2 keys had dashes:
// "status-code", "content-length". Nothing found is an empty file.
package httpx

import (
	"errors"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads httpx's JSON lines.
var Parsers = []parsers.Parser{{
	Name:     "httpx",
	ScanType: "httpx Scan",
	Files:    "JSON lines",
	Command:  "httpx -l hosts.txt -json -o httpx.json",
	URL:      "https://github.com/projectdiscovery/httpx",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("url", "input", "failed", "timestamp"), s.Has("url", "input", "status_code", "webserver"):
		return parsers.Sure
	case s.Has("url", "input", "status_code"), s.Has("url", "input", "status-code"):
		return parsers.Likely
	}
	return parsers.No
}

type probe struct {
	Timestamp     stream.Text                   `json:"timestamp"`
	URL           stream.Text                   `json:"url"`
	Input         stream.Text                   `json:"input"`
	Title         stream.Text                   `json:"title"`
	Server        stream.Text                   `json:"webserver"`
	Tech          stream.OneOrMany[stream.Text] `json:"tech"`
	Technologies  stream.OneOrMany[stream.Text] `json:"technologies"`
	Type          stream.Text                   `json:"content_type"`
	OldType       stream.Text                   `json:"content-type"`
	Method        stream.Text                   `json:"method"`
	Location      stream.Text                   `json:"location"`
	Status        stream.Text                   `json:"status_code"`
	OldStatus     stream.Text                   `json:"status-code"`
	Length        stream.Text                   `json:"content_length"`
	OldLength     stream.Text                   `json:"content-length"`
	Failed        stream.Text                   `json:"failed"`
	Error         stream.Text                   `json:"error"`
	A             stream.OneOrMany[stream.Text] `json:"a"`
	CNAME         stream.OneOrMany[stream.Text] `json:"cname"`
	CDN           stream.Text                   `json:"cdn_name"`
	Time          stream.Text                   `json:"time"`
	Knowledgebase stream.Lenient[struct {
		PageType stream.Text `json:"PageType"`
	}] `json:"knowledgebase"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "httpx"
	seen := map[string]bool{}
	read := stream.One(func(p probe) error {
		switch {
		case p.URL == "" && p.Input == "":
			return errors.New("an entry without a URL")
		case p.Failed == "true":
			return nil
		}
		if address := parsers.First(string(p.URL), string(p.Input)); !seen[address] {
			seen[address] = true // a list of targets may hold one twice
			out.Emit(observation(p))
		}
		return nil
	})
	return stream.JSONs(in, stream.ByKind(stream.Kinds{'{': read, '[': stream.Array(read)}))
}

func observation(p probe) gate.Observation {
	address := parsers.First(string(p.URL), string(p.Input))
	status := parsers.First(string(p.Status), string(p.OldStatus))
	title := address
	if status != "" {
		title += " (HTTP " + status + ")"
	}
	var text parsers.Text
	text.Add("A web server answers at this address.").
		Fact("URL", address).Fact("Input", string(p.Input)).Fact("Status", status).Fact("Page title", string(p.Title)).Fact("Server", string(p.Server)).
		Facts("Technologies", append(stream.Strings(p.Tech), stream.Strings(p.Technologies)...)).
		Fact("Method", string(p.Method)).Fact("Redirects to", string(p.Location)).
		Fact("Content type", parsers.First(string(p.Type), string(p.OldType))).Fact("Content length", parsers.First(string(p.Length), string(p.OldLength))).
		Fact("Page", string(p.Knowledgebase.Value.PageType)).
		Facts("Resolves to", stream.Strings(p.A)).Facts("CNAME", stream.Strings(p.CNAME)).Fact("CDN", string(p.CDN)).Fact("Seen", string(p.Timestamp))
	return gate.Observation{
		Title:       title,
		Severity:    gate.Info,
		Description: text.String(),
		Endpoints:   []string{parsers.Endpoint(address)},
	}
}
