// Package wapiti reads the XML report of Wapiti, the web scanner.
//
// Made by "wapiti -u https://example.org -f xml -o wapiti.xml":
//
//	<report type="security"><report_infos><info name="generatorVersion">Wapiti 3.0.4</info><info name="target">https://example.org/</info>…
//	  <vulnerabilities><vulnerability name="Backup file"><description>…</description><solution>…</solution>
//	    <references><reference><title>CWE-530: …</title><url>…</url></reference></references>
//	    <entries><entry><method>GET</method><path>/a</path><level>1</level><parameter></parameter><info>…</info>
//	      <http_request>GET /a HTTP/1.1…</http_request><curl_command>curl "…"</curl_command></entry></entries>
//
// Every kind of vulnerability is listed, with or without entries. Entries that
// say the same are one finding. The level is 1 for low to 3 for high; newer
// versions go from 0 for information to 4 for critical. Anomalies and additional
// facts follow in lists of their own, which DefectDojo does not read either. A
// finding's endpoint is the target; its paths are in the text.
package wapiti

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Wapiti's XML.
var Parsers = []parsers.Parser{{
	Name:     "wapiti",
	ScanType: "Wapiti Scan",
	Files:    "XML",
	Command:  "wapiti -u https://example.org -f xml -o wapiti.xml",
	URL:      "https://wapiti-scanner.github.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "report" && s.Attrs["type"] == "security" && s.Elements["report/report_infos"]:
		return parsers.Sure
	case s.Root == "report" && s.Elements["report/vulnerabilities/vulnerability"]:
		return parsers.Possible
	}
	return parsers.No
}

// findings gathers what is met at several places.
type findings struct {
	target   string
	merged   *parsers.Merged
	messages parsers.Messages
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Wapiti"
	f := findings{merged: parsers.Merge(out)}
	known := false
	err := stream.XML(in, []string{"report"}, stream.Elements{
		"report/report_infos/info": stream.Record(func(n *stream.Node) error {
			known = true
			switch n.Attr("name") {
			case "generatorVersion":
				run.Version = strings.TrimPrefix(n.Text(), "Wapiti ")
			case "dateOfScan":
				run.StartedAt = parsers.ParseTime(n.Text())
			case "target":
				f.target = n.Text()
				run.Target = f.target
			}
			return nil
		}),
		"report/vulnerabilities/vulnerability": stream.Record(func(n *stream.Node) error {
			known = true
			for e := range n.Each("entries/entry") {
				f.add(n, e)
			}
			return nil
		}),
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("the report is not Wapiti's: it has no report_infos and no vulnerability")
	}
	f.merged.Emit()
	return nil
}

func (f *findings) add(v, e *stream.Node) {
	title := v.Attr("name") + ": " + e.Get("info")
	key := title + "\x00" + e.Get("level")
	o, _ := f.merged.At(key, func() *gate.Observation {
		o := &gate.Observation{
			Title:       title,
			Severity:    parsers.Rank(e.Get("level"), 0),
			Description: describe(v, e),
			Mitigation:  v.Get("solution"),
			Check:       v.Attr("name"),
			Param:       e.Get("parameter"),
			Occurrences: new(0),
		}
		for r := range v.Each("references/reference") {
			o.References += "- [" + r.Get("title") + "](" + r.Get("url") + ")\n"
			parsers.SetCWEs(o, cwe.FindString(r.Get("title")))
		}
		return o
	})
	*o.Occurrences++
	o.Endpoints = append(o.Endpoints, parsers.Endpoint(f.target))
	o.RequestResponsePairs = f.messages.Add(o.RequestResponsePairs, parsers.First(e.Get("http_request"), e.Get("path")), "")
}

var cwe = regexp.MustCompile(`^CWE-\d+`)

func describe(v, e *stream.Node) string {
	var text parsers.Text
	text.Add(v.Get("description")).Fact("First place", e.Get("method")+" "+e.Get("path")).Fact("Parameter", e.Get("parameter")).Fact("Module", e.Get("module"))
	if curl := e.Get("curl_command"); curl != "" {
		text.Add("Send the request again:").Code("sh", curl)
	}
	return text.String()
}
