// Package sslscan reads the XML report of sslscan, the lister of TLS ciphers.
//
// Made by "sslscan --xml=sslscan.xml example.org":
//
//	<document title="SSLScan Results" version="2.0.15" web="http://github.com/rbsec/sslscan">
//	  <ssltest host="example.org" sniname="example.org" port="443"><protocol type="tls" version="1.0" enabled="0"/>
//	    <heartbleed sslversion="TLSv1.2" vulnerable="0"/>
//	    <cipher status="accepted" sslversion="TLSv1.2" bits="256" cipher="AES256-SHA" id="0x35" strength="acceptable"/>
//	    <certificate>…</certificate></ssltest></document>
//
// A finding is Heartbleed, and each cipher that is neither strong nor
// acceptable. sslscan rates no severity: all are Info, as to DefectDojo.
package sslscan

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads sslscan's XML.
var Parsers = []parsers.Parser{{
	Name:     "sslscan",
	ScanType: "Sslscan",
	Files:    "XML",
	Command:  "sslscan --xml=sslscan.xml example.org",
	URL:      "https://github.com/rbsec/sslscan",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "document" && s.Attrs["title"] == "SSLScan Results":
		return parsers.Sure
	case s.Root == "document" && s.Elements["document/ssltest"]:
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "sslscan"
	known := false
	err := stream.XML(in, []string{"document"}, stream.Elements{
		"document": stream.Start(func(attr func(string) string) error {
			run.Version = attr("version")
			known = attr("title") == "SSLScan Results"
			return nil
		}),
		"document/error": stream.Record(func(n *stream.Node) error {
			out.Problem("%s", n.Text())
			return nil
		}),
		"document/ssltest": stream.Record(func(n *stream.Node) error {
			known = true
			run.Target = parsers.First(run.Target, n.Attr("host"))
			test(n, out)
			return nil
		}),
	})
	if err == nil && !known {
		return stream.Errorf("the document is not sslscan's: it has another title and no ssltest")
	}
	return err
}

func test(n *stream.Node, out *parsers.Report) {
	endpoints := []string{parsers.HostPort("", n.Attr("host"), n.Attr("port"))}
	for h := range n.Each("heartbleed") {
		if h.Attr("vulnerable") != "1" {
			continue
		}
		var text parsers.Text
		text.Add("The server is vulnerable to Heartbleed (CVE-2014-0160): its memory, with keys and passwords, can be read from outside.").Fact("Protocol", h.Attr("sslversion"))
		out.Emit(gate.Observation{Title: "heartbleed | " + h.Attr("sslversion"), Severity: gate.Info, Description: text.String(), Endpoints: endpoints})
	}
	for c := range n.Each("cipher") {
		if s := c.Attr("strength"); s == "" || s == "strong" || s == "acceptable" {
			continue
		}
		var text parsers.Text
		text.Add("The server was asked for a cipher that is not safe.").Fact("Cipher", c.Attr("cipher")).Fact("Status", c.Attr("status")).
			Fact("Strength", c.Attr("strength")).Fact("Bits", c.Attr("bits")).Fact("Protocol", c.Attr("sslversion"))
		out.Emit(gate.Observation{Title: "cipher | " + c.Attr("sslversion"), Severity: gate.Info, Description: text.String(), Endpoints: endpoints})
	}
}
