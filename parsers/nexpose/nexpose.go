// Package nexpose reads the "XML Export 2.0" of Rapid7's Nexpose and InsightVM.
//
// Made by Reports > Create > Export > XML Export 2.0:
//
//	<NexposeReport version="2.0"><scans><scan id="1" name="Weekly" startTime="20131127T050242739" endTime="…" status="finished"/></scans>
//	  <nodes><node address="192.0.2.7" status="alive"><names><name>a.example.org</name></names>
//	    <tests><test id="tcp-seq-num-approximation" status="vulnerable-exploited"><Paragraph>…</Paragraph></test></tests>
//	    <endpoints><endpoint protocol="tcp" port="22" status="open"><services><service name="SSH"><tests>…</tests></service></services></endpoint></endpoints>
//	  </node></nodes>
//	  <VulnerabilityDefinitions><vulnerability id="…" title="…" severity="7" cvssScore="7.1" cvssVector="(AV:N/…)">
//	    <description>…</description><references><reference source="CVE">CVE-…</reference></references><tags><tag>Web</tag></tags>
//	    <solution>…</solution></vulnerability></VulnerabilityDefinitions></NexposeReport>
//
// What a vulnerability is stands at the end, so the report is read twice. A
// vulnerability, an open port and a host that is up are one finding each, with
// the places where they are. Severity goes from 1 to 10.
package nexpose

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nexpose's XML.
var Parsers = []parsers.Parser{{
	Name:     "nexpose",
	ScanType: "Nexpose Scan",
	Files:    "XML",
	Command:  "Reports > Create > Export > XML Export 2.0",
	URL:      "https://docs.rapid7.com/insightvm/working-with-report-formats/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "NexposeReport" {
		return parsers.Sure
	}
	return parsers.No
}

// findings gathers what is met at several places.
type findings struct {
	definitions map[string]gate.Observation // by id in lower case
	address     string                      // of the node that is being read
	merged      *parsers.Merged
}

func parse(in *stream.Input, out *parsers.Report) error {
	f := findings{definitions: map[string]gate.Observation{}, merged: parsers.Merge(out)}
	if err := stream.XML(in, []string{"NexposeReport"}, stream.Elements{"*/vulnerability": stream.Record(f.define)}); err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run := out.Run()
	run.Tool = "Nexpose"
	err := stream.XML(in, []string{"NexposeReport"}, stream.Elements{
		"NexposeReport/scans/scan": stream.Start(func(attr func(string) string) error {
			run.Target = parsers.First(run.Target, attr("name"))
			run.StartedAt, run.FinishedAt = instant(attr("startTime")), instant(attr("endTime"))
			if s := attr("status"); s != "finished" && s != "" {
				out.Problem("the scan %s is %s", attr("name"), s)
			}
			return nil
		}),
		"NexposeReport/nodes/node": stream.Start(func(attr func(string) string) error {
			f.address = attr("address")
			if attr("status") == "alive" {
				f.see("Host Up", f.address, func() *gate.Observation {
					return &gate.Observation{Title: "Host Up", Description: "The host is up: it answered to an ICMP request, or on a TCP or UDP port."}
				})
			}
			return nil
		}),
		"NexposeReport/nodes/node/tests/test":         stream.Record(func(n *stream.Node) error { f.test(n, f.address, ""); return nil }),
		"NexposeReport/nodes/node/endpoints/endpoint": stream.Record(f.endpoint),
	})
	if err != nil {
		return err
	}
	f.merged.Emit()
	return nil
}

// instant reads "20131127T050242739".
func instant(s string) time.Time {
	if len(s) > 15 {
		s = s[:15]
	}
	t, _ := time.Parse("20060102T150405", s)
	return t
}

// define reads a vulnerability's definition.
func (f *findings) define(n *stream.Node) error {
	var refs, ids, tags []string
	for r := range n.Each("references/reference") {
		text := r.Text()
		switch r.Attr("source") {
		case "CVE":
			ids = append(ids, text)
			refs = append(refs, "- https://nvd.nist.gov/vuln/detail/"+text)
		case "URL":
			refs = append(refs, "- "+text)
		default:
			refs = append(refs, "- "+r.Attr("source")+": "+text)
		}
	}
	for t := range n.Each("tags/tag") {
		tags = append(tags, strings.ToLower(t.Text()))
	}
	f.definitions[strings.ToLower(n.Attr("id"))] = gate.Observation{
		Title:            n.Attr("title"),
		Severity:         severityOf(n.Attr("severity")),
		Description:      prose(n.At("description")),
		Mitigation:       prose(n.At("solution")),
		Impact:           n.Attr("cvssVector"),
		References:       strings.Join(refs, "\n"),
		VulnerabilityIDs: ids,
		Tags:             tags,
		Check:            n.Attr("id"),
		PublishDate:      gate.DateOf(instant(n.Attr("published"))),
	}
	return nil
}

func severityOf(s string) gate.Severity {
	switch n := stream.ParseInt(s).N; {
	case n >= 9:
		return gate.Critical
	case n >= 7:
		return gate.High
	case n >= 4:
		return gate.Medium
	case n >= 1:
		return gate.Low
	}
	return gate.Info
}

// see adds a place to the finding with a key.
func (f *findings) see(key, endpoint string, begin func() *gate.Observation) *gate.Observation {
	o, _ := f.merged.At(key, begin)
	o.Endpoints = append(o.Endpoints, endpoint)
	return o
}

// maxText is how much of what was seen a finding shows.
const maxText = 16 << 10

// test reads the result of a check, of a host or of a service.
func (f *findings) test(n *stream.Node, endpoint, where string) {
	id := strings.ToLower(n.Attr("id"))
	definition, known := f.definitions[id]
	if !known || !strings.HasPrefix(n.Attr("status"), "vulnerable") {
		return
	}
	o := f.see("test "+id, endpoint, func() *gate.Observation { return &definition })
	if proof := prose(n); proof != "" && len(o.Description) < maxText {
		var text parsers.Text
		o.Description = text.Add(o.Description).Fact("Seen at "+f.address+where, proof).String()
	}
}

// endpoint reads a port with its services.
func (f *findings) endpoint(n *stream.Node) error {
	protocol, port := strings.ToLower(n.Attr("protocol")), n.Attr("port")
	service := n.At("services/service").Attr("name")
	scheme := protocol
	if s := strings.ToLower(service); parsers.IsScheme(s) {
		scheme = s
	}
	endpoint := parsers.HostPort(scheme, f.address, port)
	if n.Attr("status") == "open" {
		f.port(protocol, port, service, endpoint, n)
	}
	for s := range n.Each("services/service") {
		for t := range s.Each("tests/test") {
			f.test(t, endpoint, ":"+port)
		}
	}
	return nil
}

func (f *findings) port(protocol, port, service, endpoint string, n *stream.Node) {
	title := "Open port " + strings.ToUpper(protocol) + "/" + port
	o := f.see(title, endpoint, func() *gate.Observation {
		var text parsers.Text
		text.Add("The port is open.").Fact("Service", service)
		settings := map[string]string{}
		for c := range n.Each("services/service/configuration/config") {
			settings[c.Attr("name")] = c.Text()
		}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			text.Fact(name, settings[name])
		}
		return &gate.Observation{Title: title, Description: text.String()}
	})
	if service != "" && service != "<unknown>" { // the last host's, as DefectDojo
		o.Tags = []string{strings.Trim(slug.ReplaceAllString(strings.ToLower(service), "-"), "-")}
	}
}

// slug finds what a tag is better without.
var slug = regexp.MustCompile(`[^a-z0-9]+`)

// prose returns the paragraphs, lists and links in a text.
func prose(n *stream.Node) string {
	var b strings.Builder
	write(&b, n)
	return strings.TrimSpace(gaps.ReplaceAllString(b.String(), "\n\n"))
}

var gaps = regexp.MustCompile(`[ \t]*\n\s*\n\s*`)

func write(b *strings.Builder, n *stream.Node) {
	switch n.Name {
	case "Paragraph", "ContainerBlockElement", "UnorderedList", "OrderedList", "Table":
		b.WriteString("\n\n")
	case "ListItem":
		b.WriteString("\n\n- ")
	}
	for text, child := range n.All {
		if t := strings.Join(strings.Fields(text), " "); t != "" {
			b.WriteString(t + " ")
		}
		if child != nil {
			write(b, child)
		}
	}
	if n.Name == "URLLink" {
		b.WriteString("(" + n.Attr("LinkURL") + ") ")
	}
	if n.Name == "Paragraph" || n.Name == "ListItem" {
		b.WriteString("\n\n")
	}
}
