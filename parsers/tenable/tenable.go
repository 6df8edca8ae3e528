// Package tenable reads the reports of Tenable's scanners: Nessus, Tenable
// Vulnerability Management (io), Security Center (sc) and Web App Scanning.
//
// Made by Report or Export in each product, as ".nessus" (XML) or CSV.
//
// The XML lists hosts with the plugins that had something to say:
//
//	<NessusClientData_v2><Policy>…</Policy><Report name="…">
//	  <ReportHost name="a.example.org"><HostProperties><tag name="host-fqdn">a.example.org</tag>…</HostProperties>
//	    <ReportItem port="443" svc_name="www" protocol="tcp" severity="2" pluginID="42873" pluginName="…" pluginFamily="General">
//	      <synopsis>…</synopsis><description>…</description><solution>…</solution><plugin_output>…</plugin_output>
//	      <risk_factor>Medium</risk_factor><cvss3_vector>CVSS:3.0/…</cvss3_vector><cve>CVE-2016-2183</cve><cwe>200</cwe>
//	      <see_also>…</see_also><cpe>cpe:/a:…</cpe><xref>…</xref></ReportItem></ReportHost></Report></NessusClientData_v2>
//
// The same plugin on several hosts is one finding with several endpoints.
// Severity 0 to 4 is Info to Critical.
//
// CSV has one row for each plugin, host, port and CVE. The products call the
// same columns by different names: see columns. It is separated by commas,
// semicolons in some locales.
package tenable

import (
	"bytes"
	"io"
	"slices"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Tenable's XML and CSV.
var Parsers = []parsers.Parser{{
	Name:     "tenable",
	ScanType: "Tenable Scan",
	Files:    "Nessus XML or CSV",
	Command:  "Nessus: Scans > Export > Nessus, or Report > CSV with all columns",
	URL:      "https://docs.tenable.com/nessus/Content/ScanReportFormats.htm",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "NessusClientData_v2" || s.Root == "NessusClientData":
		return parsers.Sure
	case s.HasColumns("plugin id", "synopsis", "plugin output"), s.HasColumns("plugin", "plugin name", "plugin text"), s.HasColumns("definition.id", "definition.name", "asset.id"):
		return parsers.Sure
	case s.HasColumns("plugin id", "risk", "name"), s.HasColumns("plugin", "plugin name", "severity"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Nessus"
	head := make([]byte, 512)
	n, err := io.ReadFull(in, head)
	if n == 0 {
		return stream.Errorf("the report is empty")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	_ = err // a report shorter than head is for the reader to judge
	if b := bytes.TrimSpace(head[:n]); len(b) > 0 && b[0] == '<' {
		return parseXML(in, out)
	}
	return parseCSV(in, out)
}

// findings gathers what a report says several times.
type findings struct {
	list  []*finding
	byKey map[string]*finding
}

// finding is one plugin's, with its places.
type finding struct {
	o         gate.Observation
	synopsis  string
	places    parsers.Text
	size      int
	endpoints map[string]bool // those of o, once they are many
}

// Bounds of what is kept of one finding.
const (
	maxText      = 64 << 10
	maxEndpoints = 20_000
)

// at returns the finding with a key, or a new one.
func (f *findings) at(key string) (one *finding, isNew bool) {
	if one := f.byKey[key]; one != nil {
		return one, false
	}
	one = &finding{}
	f.byKey[key] = one
	f.list = append(f.list, one)
	return one, true
}

// see adds a place and what the plugin printed there.
func (f *finding) see(endpoint, place, output string) {
	if endpoint != "" && len(f.o.Endpoints) < maxEndpoints && !f.has(endpoint) {
		f.o.Endpoints = append(f.o.Endpoints, endpoint)
	}
	if output != "" && f.size < maxText {
		f.places.Add("What the plugin printed for `"+place+"`:").Code("", output)
		f.size += len(output)
	}
}

// has tells whether the endpoint was seen, and notes it.
func (f *finding) has(endpoint string) bool {
	if len(f.o.Endpoints) < 16 {
		return slices.Contains(f.o.Endpoints, endpoint)
	}
	if f.endpoints == nil {
		f.endpoints = map[string]bool{}
		for _, e := range f.o.Endpoints {
			f.endpoints[e] = true
		}
	}
	seen := f.endpoints[endpoint]
	f.endpoints[endpoint] = true
	return seen
}

func (f *findings) emit(out *parsers.Report) {
	for _, one := range f.list {
		out.Emit(one.observation())
	}
}

func (f *finding) observation() gate.Observation {
	var text parsers.Text
	text.Add(f.synopsis).Add(f.o.Description).Add(f.places.String())
	f.o.Description = text.String()
	return f.o
}
