// Package rapplex reads the JSON report of Rapplex, a scanner of web applications.
//
// Made by the scan's page, Export, JSON:
//
//	{"ScanId": "a2afd6fe", "Target": "http://www.example.org", "CreatedDate": "05/03/2024 15:42:43", "StartedDate": "05/03/2024 15:42:43", "ScanTimeAsStr": "10m 30s",
//	 "Severities": {"High": {"Name": "High", "IssueGroups": [{"Group": "…", "Severity": "High",
//	   "Definition": {"Title": "…", "Sections": {"Summary": "…HTML…", "Remediation": "…"}, "References": [{"Title": "…", "Link": "https://…"}],
//	     "Classifications": [{"Foundation": "CWE", "Value": "79", "Formatted": "CWE 79"}]},
//	   "Issues": [{"Title": "…", "Severity": "High", "Url": "http://www.example.org/a?b=1", "HttpRequest": "GET …", "HttpResponse": "…", "Payload": "…",
//	     "InjectionPoint": {"Name": "b", "Type": "QueryString"}}]}], "Total": 1}}}
//
// Dates are month first: the responses in its reports have the same day in words.
package rapplex

import (
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Rapplex' JSON.
var Parsers = []parsers.Parser{{
	Name:     "rapplex",
	ScanType: "Rapplex Scan",
	Files:    "JSON",
	Command:  "Rapplex: the scan's page, Export, JSON",
	URL:      "https://rapplex.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("ScanId", "ScanPolicy", "Severities"):
		return parsers.Sure
	case s.Has("Severities", "Target"):
		return parsers.Likely
	}
	return parsers.No
}

type group struct {
	Definition struct {
		Title    stream.Text `json:"Title"`
		Sections stream.Lenient[struct {
			Summary     stream.Text `json:"Summary"`
			Impact      stream.Text `json:"Impact"`
			Remediation stream.Text `json:"Remediation"`
		}] `json:"Sections"`
		References      stream.OneOrMany[reference]      `json:"References"`
		Classifications stream.OneOrMany[classification] `json:"Classifications"`
	} `json:"Definition"`
	Severity stream.Text               `json:"Severity"`
	Issues   stream.OneOrMany[finding] `json:"Issues"`
}

type reference struct {
	Title stream.Text `json:"Title"`
	Link  stream.Text `json:"Link"`
}

type classification struct {
	Foundation stream.Text `json:"Foundation"`
	Value      stream.Text `json:"Value"`
	Formatted  stream.Text `json:"Formatted"`
}

type finding struct {
	Title     stream.Text `json:"Title"`
	Severity  stream.Text `json:"Severity"`
	URL       stream.Text `json:"Url"`
	Request   stream.Text `json:"HttpRequest"`
	Response  stream.Text `json:"HttpResponse"`
	Payload   stream.Text `json:"Payload"`
	Comment   stream.Text `json:"Comment"`
	Injection stream.Lenient[struct {
		Name stream.Text `json:"Name"`
		Type stream.Text `json:"Type"`
	}] `json:"InjectionPoint"`
	Comments stream.OneOrMany[struct {
		Name  stream.Text `json:"Name"`
		Items stream.OneOrMany[struct {
			Title stream.Text `json:"Title"`
			Text  stream.Text `json:"Text"`
		}] `json:"Items"`
	}] `json:"CommentGroups"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Rapplex"
	var target, started, created stream.Text
	return stream.JSON(in, stream.Object(stream.Fields{
		"Target":      stream.Into(&target),
		"CreatedDate": stream.Into(&created),
		"StartedDate": stream.Into(&started),
		"Severities": stream.Entries(func(_ string, d *stream.Decoder) error {
			run.Target, run.StartedAt = string(target), date(parsers.First(string(started), string(created)))
			return stream.Object(stream.Fields{"IssueGroups": stream.Each(func(g group) error {
				for _, f := range g.Issues {
					o := observation(g, f)
					o.Date = gate.DateOf(run.StartedAt)
					out.Emit(o)
				}
				return nil
			})})(d)
		}),
	}, "Severities"))
}

// date reads "05/13/2024 15:42:43".
func date(s string) time.Time {
	if t, err := time.Parse("01/02/2006 15:04:05", s); err == nil {
		return t
	}
	return parsers.ParseTime(s)
}

func observation(g group, f finding) gate.Observation {
	d := g.Definition
	o := gate.Observation{
		Title:            parsers.First(string(f.Title), string(d.Title)),
		Severity:         gate.ParseSeverity(parsers.First(string(f.Severity), string(g.Severity))),
		Description:      describe(g, f),
		Impact:           parsers.Markdown(string(d.Sections.Value.Impact)),
		Mitigation:       parsers.Markdown(string(d.Sections.Value.Remediation)),
		StepsToReproduce: steps(f),
		References:       references(d.References),
		Param:            string(f.Injection.Value.Name),
		Payload:          string(f.Payload),
		NoCWE:            true,
	}
	for _, c := range d.Classifications {
		if cwe := gate.ParseCWE(string(c.Value)); c.Foundation == "CWE" && cwe > 0 && o.CWE == 0 {
			o.CWE, o.NoCWE = cwe, false
		}
	}
	if e := parsers.Endpoint(string(f.URL)); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

func describe(g group, f finding) string {
	var text parsers.Text
	text.Add(parsers.Markdown(string(g.Definition.Sections.Value.Summary))).Fact("Address", string(f.URL))
	text.Fact("Parameter", string(f.Injection.Value.Name)).Fact("Kind of parameter", string(f.Injection.Value.Type))
	var list []string
	for _, c := range g.Definition.Classifications {
		list = append(list, parsers.First(string(c.Formatted), string(c.Foundation+" "+c.Value)))
	}
	text.Facts("Classified as", list).Fact("Comment", string(f.Comment))
	for _, c := range f.Comments {
		for _, item := range c.Items {
			text.Fact(parsers.First(string(item.Title), string(c.Name)), string(item.Text))
		}
	}
	return text.String()
}

// steps shows the request that the scanner sent and what came back.
func steps(f finding) string {
	if f.Request == "" {
		return ""
	}
	var text parsers.Text
	text.Add("Send this request:").Code("http", string(f.Request)).Fact("Payload", string(f.Payload))
	if f.Response != "" {
		text.Add("The answer was:").Code("http", string(f.Response))
	}
	return text.String()
}

func references(list []reference) string {
	var lines []string
	for _, r := range list {
		if r.Title != "" && r.Link != "" {
			lines = append(lines, "- ["+string(r.Title)+"]("+string(r.Link)+")")
		} else {
			lines = append(lines, parsers.First(string(r.Link), string(r.Title)))
		}
	}
	return parsers.Lines(lines...)
}
