// Package burp_graphql reads issues that were got from the GraphQL API of Burp
// Suite Enterprise (now DAST), gathered in one object by a script:
//
//	{"Issues": [{"issue_type": {"name": "SQL injection", "description_html": "<p>…", "remediation_html": "<p>…",
//	    "vulnerability_classifications_html": "<ul><li><a …>CWE-89: …", "references_html": "<ul>…"},
//	  "description_html": "…", "remediation_html": "…", "severity": "high", "path": "/items",
//	  "origin": "https://example.org", "serial_number": "…", "evidence": [
//	    {"request_index": 0, "request_segments": [{"data_html": "GET …"}, {"highlight_html": "id=1"}]},
//	    {"response_index": 0, "response_segments": [{"data_html": "HTTP/1.1 …"}]}]}]}
//
// Made by a query as "query { issue(…) { issue_type { … } … } }" for each issue
// of a scan. Issues of one name are one finding. A request without a response
// is a pair of its own. Any text may be null, but not the name.
package burp_graphql

import (
	"html"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the GraphQL API's JSON.
var Parsers = []parsers.Parser{{
	Name:     "burp_graphql",
	ScanType: "Burp GraphQL API",
	Files:    "JSON",
	Command:  "a script that gathers the API's issues under the key Issues",
	URL:      "https://portswigger.net/burp/extensibility/dast/graphql-api/issue.html",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("Issues[].issue_type", "Issues[].origin"):
		return parsers.Sure
	case s.Has("Issues[].issue_type") || s.Has("Issues[]") && s.Value("Issues[]") == "" && !s.Has("Golang errors") && !s.Has("Stats"):
		return parsers.Possible
	}
	return parsers.No
}

type issue struct {
	Type struct {
		Name            string `json:"name"`
		Description     string `json:"description_html"`
		Remediation     string `json:"remediation_html"`
		Classifications string `json:"vulnerability_classifications_html"`
		References      string `json:"references_html"`
	} `json:"issue_type"`
	Description  string      `json:"description_html"`
	Remediation  string      `json:"remediation_html"`
	Severity     string      `json:"severity"`
	Confidence   string      `json:"confidence"`
	Path         string      `json:"path"`
	Origin       string      `json:"origin"`
	SerialNumber stream.Text `json:"serial_number"`
	Evidence     []evidence  `json:"evidence"`
}

type evidence struct {
	Request       []segment  `json:"request_segments"`
	Response      []segment  `json:"response_segments"`
	RequestIndex  stream.Int `json:"request_index"`
	ResponseIndex stream.Int `json:"response_index"`
}

type segment struct {
	Data      string     `json:"data_html"`
	Highlight string     `json:"highlight_html"`
	Length    stream.Int `json:"length"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Burp Suite DAST"
	g := groups{byName: map[string]*group{}}
	err := stream.JSON(in, stream.Object(stream.Fields{"Issues": stream.Each(g.add)}, "Issues"))
	if err != nil {
		return err
	}
	for _, one := range g.list {
		one.o.Description = one.text.String()
		out.Emit(one.o)
	}
	return nil
}

type groups struct {
	list     []*group
	byName   map[string]*group
	messages parsers.Messages
}

// group is the issues of one name.
type group struct {
	o    gate.Observation
	text parsers.Text
	size int
}

// maxText is how much of the issues' details a finding keeps.
const maxText = 64 << 10

func (g *groups) add(i issue) error {
	if strings.TrimSpace(i.Type.Name) == "" {
		return stream.Errorf("an issue has no name in issue_type")
	}
	one := g.byName[i.Type.Name]
	if one == nil {
		one = &group{o: first(i)}
		g.byName[i.Type.Name] = one
		g.list = append(g.list, one)
	}
	place := i.Origin + i.Path
	one.o.Severity = max(one.o.Severity, gate.ParseSeverity(i.Severity))
	if e := parsers.Endpoint(place); e != "" {
		one.o.Endpoints = append(one.o.Endpoints, e)
	}
	one.o.RequestResponsePairs = g.pairs(one.o.RequestResponsePairs, i.Evidence, place)
	if one.size < maxText {
		one.text.Fact("Place", place).Add(parsers.Markdown(i.Description))
		one.size = len(one.text.String())
	}
	return nil
}

func first(i issue) gate.Observation {
	o := gate.Observation{
		Title:       i.Type.Name,
		Impact:      parsers.Markdown(i.Type.Description),
		Mitigation:  strings.TrimSpace(parsers.Markdown(i.Remediation) + "\n\n" + parsers.Markdown(i.Type.Remediation)),
		References:  strings.TrimSpace(parsers.Markdown(i.Type.References) + "\n\n" + parsers.Markdown(i.Type.Classifications)),
		Occurrences: new(1),
	}
	seen := map[int]bool{}
	for _, m := range cwes.FindAllString(i.Type.Classifications, 50) {
		if cwe := gate.ParseCWE(m); cwe > 0 && !seen[cwe] {
			seen[cwe] = true
			o.CWEs = append(o.CWEs, cwe)
		}
	}
	if len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
	}
	return o
}

var cwes = regexp.MustCompile(`CWE-\d{1,7}`)

// pairs adds the HTTP messages: each request, with the response if that follows.
func (g *groups) pairs(list []gate.Pair, evidence []evidence, place string) []gate.Pair {
	request, waiting := "", false
	flush := func(response string) {
		list = g.messages.Add(list, parsers.First(request, place), response)
		request, waiting = "", false
	}
	for _, e := range evidence {
		switch {
		case e.Request != nil || e.RequestIndex.OK:
			if waiting {
				flush("")
			}
			request, waiting = join(e.Request), true
		case e.Response != nil || e.ResponseIndex.OK:
			flush(join(e.Response))
		}
	}
	if waiting {
		flush("")
	}
	return list
}

// join puts a message together, whose parts are escaped as HTML.
func join(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(html.UnescapeString(s.Data + s.Highlight))
	}
	return b.String()
}
