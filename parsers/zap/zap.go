// Package zap reads the XML report of ZAP, the web scanner: "traditional-xml"
// and "traditional-xml-plus", which holds the HTTP messages too.
//
// Made by "zap-baseline.py -t https://example.org -x zap.xml", by the automation
// framework's report job, or by Report > Generate Report. The report lists sites
// with their alerts, and each alert the places where it was met:
//
//	<OWASPZAPReport programName="ZAP" version="2.16.1" generated="Sun, 22 Jun 2025 04:04:14">
//	  <site name="https://example.org" host="example.org" port="443" ssl="true"><alerts><alertitem>
//	    <pluginid>10020</pluginid><alertRef>10020-1</alertRef><alert>…</alert><name>…</name>
//	    <riskcode>2</riskcode><confidence>2</confidence><riskdesc>Medium (Medium)</riskdesc><desc>&lt;p&gt;…</desc>
//	    <instances><instance><uri>https://example.org/</uri><method>GET</method><param>x</param>
//	      <attack></attack><evidence></evidence><requestheader>GET …</requestheader>…</instance></instances>
//	    <count>1</count><solution>…</solution><reference>…</reference><cweid>1021</cweid><wascid>15</wascid>
//	  </alertitem></alerts></site></OWASPZAPReport>
//
// Texts are HTML in escaped form. riskcode is 0 (informational) to 3 (high);
// confidence 0 (false positive) to 4 (confirmed). cweid is -1 or 0 for none. The
// date is written in the language of the machine; newer reports add "created".
package zap

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ZAP's XML.
var Parsers = []parsers.Parser{{
	Name:     "zap",
	ScanType: "ZAP Scan",
	Files:    "XML",
	Command:  "zap-baseline.py -t https://example.org -x zap.xml",
	URL:      "https://www.zaproxy.org/docs/desktop/addons/report-generation/report-traditional-xml/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "OWASPZAPReport" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "ZAP"
	a := alert{}
	return stream.XML(in, []string{"OWASPZAPReport"}, stream.Elements{
		"OWASPZAPReport": stream.Start(func(attr func(string) string) error {
			run.Version = attr("version")
			run.FinishedAt = parsers.ParseTime(parsers.First(attr("created"), attr("generated")))
			return nil
		}),
		"OWASPZAPReport/site": stream.Start(func(attr func(string) string) error {
			if run.Target == "" {
				run.Target = attr("name")
			}
			return nil
		}),
		"*/alertitem": stream.RecordOf(stream.Parts{"instances/instance": a.addInstance}, func(n *stream.Node) error {
			if n.Has("uri") { // the format before 2.5: an alert is one place
				_ = a.addInstance(n)
			}
			out.Emit(a.observation(n))
			a = alert{}
			return nil
		}),
	})
}

// alert is an alert of which the places were read.
type alert struct {
	endpoints []string
	seen      map[string]bool
	pairs     []gate.Pair
	messages  parsers.Messages
	count     int
	places    []string // the first ones, to show
}

// Bounds of what is kept of one alert's places.
const (
	maxEndpoints = 20_000
	maxPlaces    = 20
)

func (a *alert) addInstance(n *stream.Node) error {
	a.count++
	uri := n.Get("uri")
	if page := withoutQuery(uri); !a.seen[page] && len(a.endpoints) < maxEndpoints {
		if a.seen == nil {
			a.seen = map[string]bool{}
		}
		a.seen[page] = true
		a.endpoints = append(a.endpoints, parsers.Endpoint(page)) // Emit leaves out empty and equal ones
	}
	if len(a.places) < maxPlaces {
		a.places = append(a.places, place(n, uri))
	}
	request, response := n.Get("requestheader"), n.Get("responseheader")
	if request == "" {
		request, response = summary(n, uri)
	} else {
		request = join(request, n.Get("requestbody"))
		response = join(response, n.Get("responsebody"))
	}
	a.pairs = a.messages.Add(a.pairs, request, response)
	return nil
}

// withoutQuery cuts off what makes the same page another URL at each scan.
func withoutQuery(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		return uri[:i]
	}
	return uri
}

// join puts the headers and the body of a message together.
func join(headers, body string) string {
	if body == "" {
		return headers
	}
	return headers + "\n\n" + body
}

// place says in one line where an alert was met.
func place(n *stream.Node, uri string) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(n.Get("method") + " " + uri))
	add := func(before, text, after string) {
		if text != "" {
			b.WriteString(before)
			b.WriteString(short(text))
			b.WriteString(after)
		}
	}
	add(", parameter `", n.Get("param"), "`")
	add(", attack `", n.Get("attack"), "`")
	add(", evidence `", n.Get("evidence"), "`")
	if v := n.Get("otherinfo"); v != "" {
		b.WriteString(" (" + short(parsers.Markdown(v)) + ")")
	}
	return b.String()
}

// short cuts a text to what fits in a list.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= 200 {
		return s
	}
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// summary stands in for the HTTP messages where the report has none.
func summary(n *stream.Node, uri string) (request, response string) {
	var q, r parsers.Text
	q.Add(n.Get("method")+" "+uri).Fact("Parameter", n.Get("param")).Fact("Attack", n.Get("attack"))
	r.Fact("Evidence", n.Get("evidence")).Fact("Note", n.Get("otherinfo"))
	return q.String(), r.String()
}

// severities by riskcode.
var severities = map[string]gate.Severity{"0": gate.Info, "1": gate.Low, "2": gate.Medium, "3": gate.High}

// confidences by ZAP's: 1 low, 2 medium, 3 high, 4 confirmed by a person.
var confidences = map[string]*int{"1": new(7), "2": new(4), "3": new(1), "4": new(1)}

func (a *alert) observation(n *stream.Node) gate.Observation {
	severity, ok := severities[n.Get("riskcode")]
	if !ok {
		word, _, _ := strings.Cut(n.Get("riskdesc"), " ")
		severity = gate.ParseSeverity(word)
	}
	var text parsers.Text
	text.Add(parsers.Markdown(n.Get("desc")))
	if other := n.Get("otherinfo"); other != "" {
		text.Section("What else was seen", parsers.Markdown(other))
	}
	text.Section("Where", "- "+strings.Join(a.places, "\n- "))
	if a.count > len(a.places) {
		text.Add("… and more places.")
	}
	if w := n.Get("wascid"); w != "" && w != "0" && w != "-1" {
		text.Fact("WASC", w)
	}
	return gate.Observation{
		Title:                parsers.First(n.Get("alert"), n.Get("name")),
		Severity:             severity,
		Description:          text.String(),
		Mitigation:           parsers.Markdown(n.Get("solution")),
		References:           parsers.Markdown(n.Get("reference")),
		CWE:                  max(gate.ParseCWE(n.Get("cweid")), 0),
		RuleID:               n.Get("pluginid"),
		Endpoints:            a.endpoints,
		RequestResponsePairs: a.pairs,
		ScannerConfidence:    confidences[n.Get("confidence")],
		FalsePositive:        n.Get("confidence") == "0",
	}
}
