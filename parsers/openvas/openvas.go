// Package openvas reads the reports of OpenVAS, Greenbone's scanner of networks,
// in XML and CSV.
//
// Made by "gvm-cli socket --xml '<get_reports report_id=\"ID\" details=\"1\" ignore_pagination=\"1\"/>'", or
// downloaded from the web interface. The XML report holds a report in a report:
//
//	<report id="…"><report id="…"><scan_start>…</scan_start><results><result id="…"><name>…</name>
//	  <host>192.0.2.1<hostname>web</hostname></host><port>443/tcp</port>
//	  <nvt oid="1.3.6.1.4.1.25623.1.0.836484"><tags>summary=…|impact=…|solution=…</tags><solution type="VendorFix">…</solution>
//	    <refs><ref type="cve" id="CVE-…"/></refs></nvt>
//	  <threat>High</threat><severity>9.8</severity><qod><value>80</value></qod><description>…</description></result>…
//
// and the CSV report says the same in columns:
//
//	IP,Hostname,Port,Port Protocol,CVSS,Severity,QoD,Solution Type,NVT Name,Summary,Specific Result,NVT OID,CVEs,Task ID,…
//
// "OpenVAS Parser v2" keeps the scanner's name of a check for the finding's
// title; the first parser puts the host into it, for XML. The threat Log is
// Info. A port of "general/tcp" is no port.
package openvas

import (
	"bytes"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads OpenVAS's XML and CSV.
var Parsers = []parsers.Parser{
	{
		Name:     "openvas",
		ScanType: "OpenVAS Parser",
		Files:    "XML or CSV",
		Command:  command,
		URL:      format,
		Detect:   func(s *parsers.Sample) parsers.Likeness { return min(detect(s), parsers.Likely) },
		Parse:    first,
	},
	{
		Name:     "openvas",
		ScanType: "OpenVAS Parser v2",
		Files:    "XML or CSV",
		Command:  command,
		URL:      format,
		Detect:   detect,
		Parse:    second,
	},
}

const (
	command = "gvm-cli socket --xml '<get_reports report_id=\"ID\" details=\"1\" ignore_pagination=\"1\"/>' > openvas.xml"
	format  = "https://docs.greenbone.net/GSM-Manual/gos-22.04/en/reports.html"
)

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("NVT Name", "NVT OID", "Specific Result"):
		return parsers.Sure
	case (s.Root == "report" || s.Root == "get_reports_response") && (s.Contains("<gmp>") || s.Contains("<omp>")),
		s.Elements["report/report/results/result/nvt"], s.Elements["report/results/result/nvt"]:
		return parsers.Sure
	case s.Root == "report" && s.Elements["report/report/results"]:
		return parsers.Likely
	}
	return parsers.No
}

// read reads the report in either format.
func read(in *stream.Input, out *parsers.Report, emit func(result)) error {
	out.Run().Tool = "OpenVAS"
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	if t := bytes.TrimSpace(head[:n]); len(t) == 0 || t[0] == '<' {
		return readXML(in, out, emit)
	}
	return readCSV(in, out, emit)
}

// result is what either format says of one result.
type result struct {
	name, oid, ip, host, port, protocol string
	severity, cvss, vector, qod         string
	summary, specific, impact, insight  string
	affected, detection, product        string
	solution, solutionType              string
	cves, refs                          []string
	epss, percentile                    string
	date                                string
	xml                                 bool
}

// endpoint is where the result was found: by host name if named and there is one.
func (r result) endpoint(named bool) string {
	host := r.ip
	if named || host == "" {
		host = parsers.First(r.host, r.ip)
	}
	if r.port == "" {
		return parsers.Endpoint(host)
	}
	return parsers.HostPort(r.protocol, host, r.port)
}

// rating is the scanner's word, or what the score says if there is none.
func (r result) rating() gate.Severity {
	if s, ok := gate.SeverityOf(r.severity); ok && r.severity != "" {
		return s
	}
	switch strings.ToLower(r.severity) {
	case "log", "debug", "false positive":
		return gate.Info
	}
	return gate.SeverityOfScore(stream.ParseFloat(r.cvss).F)
}

// describe tells what the result is, without what differs between scans.
func (r result) describe() *parsers.Text {
	var about parsers.Text
	about.Add(r.summary).Add(r.insight).Fact("Affected", r.affected).Fact("Found by", r.detection).Fact("Product", r.product).
		Fact("Quality of detection", r.qod).Fact("Check", r.oid).Fact("CVSS", strings.TrimSpace(r.cvss+" "+r.vector))
	return &about
}

// observation is what both parsers make of a result.
func (r result) observation() gate.Observation {
	return gate.Observation{
		Title:         r.name,
		Severity:      r.rating(),
		Mitigation:    r.solution,
		Impact:        strings.TrimSpace(r.impact + "\n\n" + r.insight),
		FalsePositive: strings.EqualFold(r.severity, "false positive"),
		Check:         r.oid,
	}
}

// first is the first parser's reading.
func first(in *stream.Input, out *parsers.Report) error {
	seen := map[string]bool{}
	return read(in, out, func(r result) {
		o := r.observation()
		o.Description = r.describe().Fact("IP", r.ip).Fact("Host", r.host).Fact("Port", strings.Trim(r.port+"/"+r.protocol, "/")).String()
		o.Endpoints = []string{r.endpoint(!r.xml)}
		o.References = parsers.Lines(append(r.refs, r.specific)...)
		if r.xml {
			port := r.protocol
			if r.port != "" {
				port = r.port + "/" + r.protocol
			} else if port != "" {
				port = "general/" + port
			}
			o.Title += "_" + r.ip + "_" + port
			o.RuleID = r.oid
		} else {
			o.Date = parsers.ParseDate(r.date)
			o.CVSSv3Score = stream.ParseFloat(r.cvss).Ptr()
			o.VulnerabilityIDs = r.cves
			if len(r.cves) == 0 && strings.HasPrefix(r.name, "CVE-") {
				o.VulnerabilityIDs = []string{r.name}
			}
		}
		key := o.Title + "\n" + o.Severity.String() + "\n" + o.Endpoints[0]
		if !seen[key] {
			seen[key] = true
			out.Emit(o)
		}
	})
}

// second is the second parser's reading.
func second(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string {
		return strings.Join([]string{o.Title, o.Severity.String(), o.RuleID, strings.Join(o.Endpoints, " ")}, "\n")
	}
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		return read(in, out, func(r result) {
			o := r.observation()
			var steps parsers.Text
			o.Description = r.describe().String()
			o.StepsToReproduce = steps.Fact("Endpoint", r.endpoint(true)).Code("", r.specific).String()
			o.Endpoints = []string{r.endpoint(true)}
			o.References = parsers.Lines(r.refs...)
			o.RuleID = r.oid
			o.NoCWE = true
			o.VulnerabilityIDs = r.cves
			parsers.SetCVSS(&o, r.vector)
			o.CVSSv3Score = gate.NonZero(stream.ParseFloat(r.cvss).F)
			if r.solutionType == "VendorFix" {
				o.FixAvailable = new(true)
			}
			if !r.xml {
				o.Date = parsers.ParseDate(r.date)
				o.EPSSScore, o.EPSSPercentile = stream.ParseFloat(r.epss).Ptr(), stream.ParseFloat(r.percentile).Ptr()
			}
			out.Emit(o)
		})
	})
}
