// Package outpost24 reads the XML report of Outpost24's OUTSCAN and HIAB.
//
// Made in OUTSCAN by "Reporting, Export, XML". The parts that count:
//
//	<main>
//	  <reportinfo><reportdate>2019-10-04 19:00</reportdate></reportinfo>
//	  <detaillist><detail>
//	    <ip>203.0.113.7</ip><hostname/><virtualhost>…</virtualhost><id>1377090</id><name>…</name>
//	    <portinfo><portnumber>443</portnumber><protocol>TCP</protocol><service>http</service></portinfo>
//	    <cvss_score>5.1</cvss_score><cvss_vector_description>…</cvss_vector_description>
//	    <cvss_v3_score>7.5</cvss_v3_score><cvss_v3_vector>CVSS:3.0/…</cvss_v3_vector><risk>2</risk>
//	    <description>…</description><information>…</information><solution>…</solution>
//	    <cve><id>CVE-2008-10353</id></cve>
//	  </detail></detaillist>
//	</main>
package outpost24

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Outpost24's XML.
var Parsers = []parsers.Parser{{
	Name:     "outpost24",
	ScanType: "Outpost24 Scan",
	Files:    "XML",
	Command:  "OUTSCAN: Reporting, Export, XML",
	URL:      "https://outpost24.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "main" && (s.Contains("outpost24.com") || s.Elements["main/portlist/portlist-host"]):
		return parsers.Sure
	case s.Root == "main" && s.Elements["main/detaillist"]:
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run, known := out.Run(), false
	run.Tool = "Outpost24"
	err := stream.XML(in, []string{"main"}, stream.Elements{
		"main/reportinfo": stream.Record(func(n *stream.Node) error {
			known = true
			run.FinishedAt = parsers.ParseTime(n.Get("reportdate"))
			return nil
		}),
		"main/hostlist/host": stream.Record(func(n *stream.Node) error {
			if n.Get("completescan") == "false" {
				out.Problem("the scan of %s is not complete", n.Get("ip"))
			}
			return nil
		}),
		"main/detaillist/detail": stream.Record(func(n *stream.Node) error {
			known = true
			out.Emit(observation(n))
			return nil
		}),
	})
	if err == nil && !known {
		return stream.Errorf("there is neither <reportinfo> nor <detail>")
	}
	return err
}

func observation(n *stream.Node) gate.Observation {
	host := parsers.First(n.Get("ip"), n.Get("hostname"), n.Get("virtualhost"))
	score := stream.ParseFloat(n.Get("cvss_v3_score"))
	if !score.OK {
		score = stream.ParseFloat(n.Get("cvss_score"))
	}
	o := gate.Observation{
		Title:       n.Get("name"),
		Severity:    gate.SeverityOfScore(score.F),
		Description: description(n, host),
		Impact:      n.Get("information"),
		Mitigation:  parsers.First(n.Get("solution"), n.Get("solutiontitle")),
		Check:       n.Get("id"),
		Endpoints:   []string{endpoint(n, host)},
	}
	for id := range n.Each("cve/id") {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, id.Text())
	}
	var links []string
	for r := range n.Each("referencelist/reference/url") {
		links = append(links, r.Text())
	}
	o.References = parsers.Lines(links...)
	o.SeverityJustification = justification(n, score)
	if f := n.Get("falsepositive"); f == "1" || strings.EqualFold(f, "true") {
		o.FalsePositive, o.Active = true, new(false)
	}
	return o
}

// justification tells the score, the vectors and what they mean in words.
func justification(n *stream.Node, score stream.Float) string {
	var text parsers.Text
	text.Fact("CVSS score", score.String()).Fact("CVSS 3 vector", n.Get("cvss_v3_vector")).Fact("CVSS 2 vector", n.Get("cvss_vector")).
		Add(n.Get("cvss_vector_description"))
	return text.String()
}

func description(n *stream.Node, host string) string {
	var text parsers.Text
	text.Add(n.Get("description")).Fact("Host", host).Fact("Platform", n.Get("platform")).
		Fact("Product", n.Get("product")).Fact("Family", n.Get("family")).Fact("Category", n.Get("category")).
		Fact("Check", n.Get("id")).Fact("First seen", n.Get("history/firstseen")).Fact("Last seen", n.Get("history/lastseen"))
	return text.String()
}

// endpoint names the service by its URL's scheme if it has one, else by its transport.
func endpoint(n *stream.Node, host string) string {
	protocol := strings.ToLower(n.Get("portinfo/service"))
	if !parsers.IsScheme(protocol) {
		protocol = strings.ToLower(n.Get("portinfo/protocol"))
	}
	return parsers.HostPort(protocol, host, n.Get("portinfo/portnumber"))
}
