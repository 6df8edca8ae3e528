// Package wfuzz reads the JSON report of wfuzz, the web fuzzer.
//
// Made by "wfuzz -o json -f report.json -w words.txt https://example.org/FUZZ":
//
//	[{"chars": 2823, "code": 200, "payload": "/server-status | GET /server-status HTTP/1.1\nHost: …\n\n", "lines": 0,
//	  "location": "", "method": "GET", "post_data": [], "server": "", "url": "https://example.org/server-status", "words": 60}]
//
// The payload is the word and, with some printers, the request after a bar. What
// is found is an address that answers; how bad that is follows from the status.
package wfuzz

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads wfuzz's JSON.
var Parsers = []parsers.Parser{{
	Name:     "wfuzz",
	ScanType: "WFuzz JSON report",
	Files:    "JSON",
	Command:  "wfuzz -o json -f report.json -w words.txt https://example.org/FUZZ",
	URL:      "https://wfuzz.readthedocs.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].payload", "[].url", "[].words", "[].chars"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type hit struct {
	Code     stream.Int   `json:"code"`
	Payload  stream.Text  `json:"payload"`
	Method   stream.Text  `json:"method"`
	URL      *stream.Text `json:"url"`
	Location stream.Text  `json:"location"`
	Server   stream.Text  `json:"server"`
	Chars    stream.Text  `json:"chars"`
	Words    stream.Text  `json:"words"`
	Lines    stream.Text  `json:"lines"`
	Post     stream.Text  `json:"post_data"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.Title + " " + o.Severity.String() }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		out.Run().Tool = "wfuzz"
		return stream.JSON(in, stream.Each(func(h hit) error {
			if h.URL == nil {
				return stream.Errorf(`a result has no "url": this is not wfuzz's report`)
			}
			out.Emit(observation(h))
			return nil
		}))
	})
}

// severity rates an answer by its status: what opens is worse than what is
// refused, and that is worse than a redirection.
func severity(code stream.Int) gate.Severity {
	switch {
	case code.N >= 200 && code.N < 300:
		return gate.High
	case code.N >= 400 && code.N < 500:
		return gate.Medium
	}
	return gate.Low
}

func observation(h hit) gate.Observation {
	url := string(*h.URL)
	word, request, ok := strings.Cut(string(h.Payload), " | ")
	if !ok {
		request = ""
	}
	status := ""
	if h.Code.OK {
		status = strconv.Itoa(h.Code.N)
	}
	var text parsers.Text
	text.Add("The web server answers at an address that was guessed: "+url).Fact("Status", status).Fact("Method", string(h.Method)).Fact("Word", word).Fact("Redirects to", string(h.Location)).Fact("Server", string(h.Server))
	text.Fact("Answer", string(h.Chars)+" characters, "+string(h.Words)+" words, "+string(h.Lines)+" lines")
	if post := string(h.Post); post != "[]" {
		text.Fact("Sent data", post)
	}
	var messages parsers.Messages
	return gate.Observation{
		Title:                "Found " + url,
		Severity:             severity(h.Code),
		Description:          text.String(),
		Mitigation:           "Take it off the web server, or open it only to those who need it.",
		CWE:                  200,
		Check:                "status " + status,
		Endpoints:            []string{parsers.Endpoint(url)},
		RequestResponsePairs: messages.Add(nil, parsers.First(request, string(h.Payload), string(h.Method)+" "+url), ""),
	}
}
