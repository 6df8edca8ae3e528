// Package burp reads the XML of issues that Burp Suite Professional exports:
// Target > Site map > Issues > Report selected issues > XML.
//
//	<!DOCTYPE issues [ … element declarations … ]>
//	<issues burpVersion="2021.4.2" exportTime="Fri Apr 30 11:45:49 IST 2021">
//	  <issue><serialNumber>7121655797013284864</serialNumber><type>1049088</type><name>SQL injection</name>
//	    <host ip="192.0.2.7">http://example.org</host><path><![CDATA[/basket]]></path>
//	    <location><![CDATA[/basket [b_id cookie]]]></location><severity>High</severity><confidence>Firm</confidence>
//	    <issueBackground>…</issueBackground><remediationBackground>…</remediationBackground><references>…</references>
//	    <vulnerabilityClassifications>…CWE-89…</vulnerabilityClassifications><issueDetail>…</issueDetail>
//	    <requestresponse><request method="GET" base64="true">…</request><response base64="true">…</response></requestresponse>
//	  </issue></issues>
//
// Texts are HTML. Issues of one type are one finding with several places, in the
// order in which the types first come. Extensions share one type, 134217728:
// there the name tells issues apart.
package burp

import (
	"encoding/base64"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Burp's XML.
var Parsers = []parsers.Parser{{
	Name:     "burp",
	ScanType: "Burp Scan",
	Files:    "XML",
	Command:  "Target > Site map > Issues > Report selected issues > XML",
	URL:      "https://portswigger.net/burp/documentation/desktop/running-scans/reporting",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "issues" && s.Attrs["burpVersion"] != "":
		return parsers.Sure
	case s.Root == "issues" && s.Elements["issues/issue/serialNumber"]:
		return parsers.Likely
	}
	return parsers.No
}

// extension is the type of all issues that extensions make.
const extension = "134217728"

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Burp Suite"
	g := groups{byKey: map[string]*group{}}
	err := stream.XML(in, []string{"issues"}, stream.Elements{
		"issues": stream.Start(func(attr func(string) string) error {
			run.Version = attr("burpVersion")
			run.FinishedAt = parsers.ParseTime(attr("exportTime"))
			return nil
		}),
		"issues/issue": stream.RecordOf(stream.Parts{
			"requestresponse":                   g.addMessages,
			"collaboratorEvent/requestresponse": g.addMessages,
		}, func(n *stream.Node) error {
			if run.Target == "" {
				run.Target = n.Get("host")
			}
			g.add(n)
			return nil
		}),
	})
	if err != nil {
		return err
	}
	for _, one := range g.list {
		out.Emit(one.observation())
	}
	return nil
}

// groups gathers issues into findings.
type groups struct {
	list     []*group
	byKey    map[string]*group
	pairs    []gate.Pair // of the issue that is being read
	messages parsers.Messages
}

func (g *groups) addMessages(n *stream.Node) error {
	g.pairs = g.messages.Add(g.pairs, message(n.At("request")), message(n.At("response")))
	return nil
}

// message returns an HTTP message, which may be in base64.
func message(n *stream.Node) string {
	text := n.Text()
	if n.Attr("base64") == "true" {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return string(b)
		}
	}
	return text
}

// add puts an issue to those of its type.
func (g *groups) add(n *stream.Node) {
	key := n.Get("type")
	if key == extension || key == "" {
		key += " " + n.Get("name")
	}
	one := g.byKey[key]
	if one == nil {
		one = newGroup(n)
		g.byKey[key] = one
		g.list = append(g.list, one)
	}
	one.add(n, g.pairs)
	g.pairs = nil
}

// group is the issues of one type: a finding.
type group struct {
	o           gate.Observation
	text        parsers.Text
	size, count int
	params      []string
	fixes       []string
	seen        map[string]bool
}

func newGroup(n *stream.Node) *group {
	g := &group{seen: map[string]bool{}, o: gate.Observation{
		Title:             n.Get("name"),
		RuleID:            n.Get("type"),
		UniqueID:          n.Get("serialNumber"),
		Impact:            parsers.Markdown(n.Get("issueBackground")),
		References:        parsers.Markdown(n.Get("references")),
		ScannerConfidence: confidences[strings.ToLower(n.Get("confidence"))],
	}}
	for _, id := range cwes.FindAllStringSubmatch(n.Get("vulnerabilityClassifications"), 50) {
		parsers.SetCWEs(&g.o, id[1])
	}
	g.fix(n.Get("remediationBackground"))
	return g
}

// cwes finds the names of weaknesses, which are links' texts.
var cwes = regexp.MustCompile(`CWE-(\d{1,7})\b`)

// confidences are Burp's words on DefectDojo's scale: 1 is certain, 7 tentative.
var confidences = map[string]*int{"certain": new(1), "firm": new(4), "tentative": new(7)}

// Bounds of what is kept of one finding.
const (
	maxText      = 64 << 10
	maxEndpoints = 20_000
	maxParams    = 50
)

// add adds an issue's place. The worst of the issues gives the severity.
func (g *group) add(n *stream.Node, pairs []gate.Pair) {
	g.count++
	g.o.Severity = max(g.o.Severity, gate.ParseSeverity(n.Get("severity")))
	g.o.FalsePositive = (g.o.FalsePositive || g.count == 1) && strings.EqualFold(n.Get("severity"), "false positive")
	g.o.RequestResponsePairs = append(g.o.RequestResponsePairs, pairs...)
	host := n.Get("host")
	if e := parsers.Endpoint(host); e != "" && !g.seen[e] && len(g.o.Endpoints) < maxEndpoints {
		g.seen[e] = true
		g.o.Endpoints = append(g.o.Endpoints, e)
	}
	if _, param, ok := strings.Cut(n.Get("location"), " ["); ok && len(g.params) < maxParams {
		g.params = append(g.params, strings.TrimSuffix(param, "]"))
	}
	g.fix(n.Get("remediationDetail"))
	if g.size > maxText {
		return
	}
	detail := parsers.Markdown(n.Get("issueDetail"))
	var items []string
	for item := range n.Each("issueDetailItems/issueDetailItem") {
		items = append(items, parsers.Markdown(item.Text()))
	}
	g.text.Fact("URL", host+n.Get("path")).Fact("Location", locationOf(n)).Add(detail).List(items)
	for e := range n.Each("collaboratorEvent") {
		g.text.Fact("Collaborator", strings.Join(strings.Fields(e.Get("interactionType")+" from "+e.Get("originIp")+" at "+e.Get("time")+" "+e.Get("lookupType")+" "+e.Get("lookupHost")), " "))
	}
	g.size = len(g.text.String())
}

// locationOf returns where in the URL's message the issue is, if that is not the path alone.
func locationOf(n *stream.Node) string {
	if l := n.Get("location"); l != n.Get("path") {
		return l
	}
	return ""
}

// fix adds what can be done, each advice once.
func (g *group) fix(html string) {
	advice := parsers.Markdown(html)
	if advice == "" || g.seen["fix "+advice] || len(g.fixes) > 50 {
		return
	}
	g.seen["fix "+advice] = true
	g.fixes = append(g.fixes, advice)
}

func (g *group) observation() gate.Observation {
	g.o.Description = g.text.String()
	g.o.Mitigation = strings.Join(g.fixes, "\n\n")
	g.o.Param = strings.Join(g.params, ", ")
	return g.o
}
