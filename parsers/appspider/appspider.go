// Package appspider reads the XML summary of Rapid7's AppSpider, the web scanner.
//
// Made by a scan's report "VulnerabilitiesSummary.xml":
//
//	<VulnSummary><AppVersion>7.0</AppVersion><ScanName>Shop</ScanName><ScanStarted>2017-11-15 14:05:42</ScanStarted><VulnList>
//	  <Vuln><DbId>…</DbId><VulnType>SQL Injection</VulnType><VulnUrl>https://example.org/items</VulnUrl><ParameterName>id</ParameterName>
//	    <AttackType>…</AttackType><AttackScore>4-High</AttackScore><AttackValue>'</AttackValue><Description>&lt;p&gt;…</Description>
//	    <Recommendation>…</Recommendation><CweId>89</CweId><AttackList><Attack><AttackDescription>…</AttackDescription>
//	      <AttackRequest>…</AttackRequest><TrafficList>…</TrafficList></Attack></AttackList></Vuln></VulnList></VulnSummary>
//
// The score goes from 0-Safe to 4-High, which is Info to Critical. Traffic is in
// base64. What is the same at several places is one finding.
package appspider

import (
	"encoding/base64"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads AppSpider's XML.
var Parsers = []parsers.Parser{{
	Name:     "appspider",
	ScanType: "AppSpider Scan",
	Files:    "XML",
	Command:  "Reports > VulnerabilitiesSummary.xml",
	URL:      "https://docs.rapid7.com/appspider/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "VulnSummary" {
		return parsers.Sure
	}
	return parsers.No
}

// findings gathers what is met at several places.
type findings struct {
	merged   *parsers.Merged
	messages parsers.Messages
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "AppSpider"
	f := findings{merged: parsers.Merge(out)}
	err := stream.XML(in, []string{"VulnSummary"}, stream.Elements{
		"VulnSummary/AppVersion":  stream.CharData(func(s string) error { run.Version = s; return nil }),
		"VulnSummary/ScanName":    stream.CharData(func(s string) error { run.Target = s; return nil }),
		"VulnSummary/ScanStarted": stream.CharData(func(s string) error { run.StartedAt = parsers.ParseTime(s); return nil }),
		"VulnSummary/ScanEnded":   stream.CharData(func(s string) error { run.FinishedAt = parsers.ParseTime(s); return nil }),
		"*/Vuln": stream.Record(func(n *stream.Node) error {
			f.add(n)
			return nil
		}),
	})
	if err != nil {
		return err
	}
	f.merged.Emit()
	return nil
}

func (f *findings) add(n *stream.Node) {
	score, _, _ := strings.Cut(n.Get("AttackScore"), "-")
	place := parsers.First(n.Get("VulnUrl"), n.Get("Url"), n.Get("WebSite"))
	key := strings.Join([]string{score, n.Get("VulnType"), n.Get("CweId")}, "\x00")
	o, _ := f.merged.At(key, func() *gate.Observation {
		var text parsers.Text
		text.Add(parsers.Markdown(n.Get("Description"))).Fact("Place", strings.TrimSpace(value(n, "Method")+" "+place)).Fact("Parameter", value(n, "ParameterName")).
			Fact("Attack", value(n, "AttackType")).Fact("Attack value", value(n, "AttackValue")).Fact("Seen", value(n, "MatchedString")).
			Fact("Confidence", value(n, "Confidence")).Fact("CAPEC", value(n, "CAPEC"))
		return &gate.Observation{
			Title:       n.Get("VulnType"),
			Severity:    parsers.Rank(score, 0),
			Description: text.String(),
			Mitigation:  parsers.Markdown(n.Get("Recommendation")),
			Impact:      "The report tells no impact.",
			CWE:         gate.ParseCWE(n.Get("CweId")),
			Param:       value(n, "ParameterName"),
		}
	})
	o.Endpoints = append(o.Endpoints, parsers.Endpoint(place))
	for a := range n.Each("AttackList/Attack") {
		for t := range a.Each("TrafficList/Traffic") {
			o.RequestResponsePairs = f.messages.Add(o.RequestResponsePairs, plain(t.Get("Request")), plain(t.Get("Response")))
		}
		if !a.Has("TrafficList/Traffic") {
			o.RequestResponsePairs = f.messages.Add(o.RequestResponsePairs, plain(a.Get("AttackRequest")), plain(a.Get("AttackResponse")))
		}
	}
}

// value returns what an element says, if that is something.
func value(n *stream.Node, name string) string {
	if s := n.Get(name); s != "N/A" && s != "0" {
		return s
	}
	return ""
}

// plain returns a text that may be in base64.
func plain(s string) string {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) > 0 {
		return string(b)
	}
	return s
}
