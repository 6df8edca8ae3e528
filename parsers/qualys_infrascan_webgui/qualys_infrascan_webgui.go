// Package qualys_infrascan_webgui reads the XML that Qualys' web interface exports of the scan results of hosts.
//
// Made by VM, Scans, View, File, Download, XML:
//
//	<SCAN value="scan/1222134912.63524"><HEADER><KEY value="DATE">2019-04-02T10:14:53Z</KEY><KEY value="STATUS">FINISHED</KEY>…</HEADER>
//	  <IP value="192.0.2.1" name="host1.example.org"><OS>Ubuntu</OS><VULNS><CAT value="Local" port="443" protocol="tcp">
//	    <VULN number="123168" severity="5" cveid="CVE-2014-6601"><TITLE>…</TITLE><CVSS3_BASE>3.4</CVSS3_BASE><CVE_ID_LIST>…</CVE_ID_LIST>
//	      <DIAGNOSIS>…</DIAGNOSIS><CONSEQUENCE>…</CONSEQUENCE><SOLUTION>…</SOLUTION><RESULT>…</RESULT></VULN></CAT></VULNS>
//	    <INFOS>…</INFOS><SERVICES>…</SERVICES><PRACTICES>…</PRACTICES></IP></SCAN>
//
// Severities 1 to 5 are Info to Critical. As in DefectDojo only what is confirmed counts (VULNS): not what is potential
// (PRACTICES), nor what was only gathered (INFOS, SERVICES).
package qualys_infrascan_webgui

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Qualys' scan results.
var Parsers = []parsers.Parser{{
	Name:     "qualys_infrascan_webgui",
	ScanType: "Qualys Infrastructure Scan (WebGUI XML)",
	Files:    "XML",
	Command:  "Qualys VM: Scans, View, File, Download, XML",
	URL:      "https://docs.qualys.com/en/vm/latest/scans/scan_results.htm",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root != "SCAN" {
		return parsers.No
	}
	if s.Elements["SCAN/HEADER/KEY"] || strings.HasPrefix(s.Attrs["value"], "scan/") {
		return parsers.Sure
	}
	return parsers.Likely
}

// place is where the vulnerabilities that follow are.
type place struct {
	host, address, system    string
	category, port, protocol string
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Qualys"
	var at place
	var date gate.Date
	return stream.XML(in, []string{"SCAN"}, stream.Elements{
		"SCAN/HEADER/KEY": stream.Record(func(n *stream.Node) error {
			header(out, n.Attr("value"), n.Text())
			date = gate.DateOf(out.Run().StartedAt)
			return nil
		}),
		"SCAN/ERROR": stream.CharData(func(s string) error { out.Problem("%s", s); return nil }),
		"SCAN/IP": stream.Start(func(attr func(string) string) error {
			at = place{host: parsers.First(attr("name"), attr("value")), address: attr("value")}
			if at.host == "No registered hostname" {
				at.host = at.address
			}
			return nil
		}),
		"SCAN/IP/OS": stream.CharData(func(s string) error { at.system = s; return nil }),
		"SCAN/IP/VULNS/CAT": stream.Start(func(attr func(string) string) error {
			at.category, at.port, at.protocol = attr("value"), attr("port"), attr("protocol")
			return nil
		}),
		"SCAN/IP/VULNS/CAT/VULN": stream.Record(func(n *stream.Node) error {
			o := observation(n, at)
			o.Date = date
			out.Emit(o)
			return nil
		}),
	})
}

func header(out *parsers.Report, key, value string) {
	run := out.Run()
	switch key {
	case "DATE":
		run.StartedAt = parsers.ParseTime(value)
	case "TARGET":
		run.Target = value
	case "TITLE":
		run.Description = value
	case "STATUS":
		switch strings.ToUpper(value) {
		case "FINISHED":
			run.Outcome = gate.Succeeded
		case "CANCELED", "CANCELLED", "ERROR", "INTERRUPTED", "PAUSED":
			run.Outcome = gate.Partial
		}
	}
}

func observation(n *stream.Node, at place) gate.Observation {
	o := gate.Observation{
		Title:       n.Get("TITLE"),
		Severity:    parsers.Rank(n.Attr("severity"), 1),
		Description: describe(n, at),
		Impact:      parsers.Markdown(n.Get("CONSEQUENCE")),
		Mitigation:  parsers.Markdown(n.Get("SOLUTION")),
		References:  references(n),
		RuleID:      n.Attr("number"),
	}
	if cves := parsers.CVEs(n.Attr("cveid")); len(cves) > 0 {
		o.CVE = cves[0] // DefectDojo has none of them in its list of ids
	}
	if e := parsers.Endpoint(at.host); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

func describe(n *stream.Node, at place) string {
	var text parsers.Text
	text.Add(parsers.Markdown(n.Get("DIAGNOSIS"))).Fact("QID", n.Attr("number")).Fact("Category", at.category)
	text.Fact("Host", at.host).Fact("Address", at.address).Fact("Operating system", at.system)
	text.Fact("Port", strings.Trim(at.port+"/"+at.protocol, "/"))
	text.Facts("CVE", parsers.CVEs(n.Attr("cveid")))
	for _, f := range [][2]string{
		{"CVSS 3 base score", "CVSS3_BASE"},
		{"CVSS 3 temporal score", "CVSS3_TEMPORAL"},
		{"CVSS 2 base score", "CVSS_BASE"},
		{"CVSS 2 temporal score", "CVSS_TEMPORAL"},
		{"Last changed by Qualys", "LAST_UPDATE"},
	} {
		text.Fact(f[0], n.Get(f[1]))
	}
	if n.Get("PCI_FLAG") == "1" {
		text.Fact("PCI", "fails")
	}
	if result := n.Get("RESULT"); result != "" {
		text.Add("**What the scan saw:**").Code("", result)
	}
	return text.String()
}

// references returns the addresses of the vendor's, CVE's and Bugtraq's entries.
func references(n *stream.Node) string {
	var list []string
	for _, path := range []string{"CVE_ID_LIST/CVE_ID", "VENDOR_REFERENCE_LIST/VENDOR_REFERENCE", "BUGTRAQ_ID_LIST/BUGTRAQ_ID"} {
		for r := range n.Each(path) {
			list = append(list, parsers.First(r.Get("URL"), r.Get("ID")))
		}
	}
	return parsers.Lines(list...)
}
