// Package alertlogic reads the CSV of vulnerabilities that Alert Logic finds in
// networks.
//
// Made by "Exposures, Export":
//
//	Vulnerability,CVSS Score,Severity,Deployment Name,Asset Name,IP Address,Protocol/Port,First Seen,Last Scanned,Asset Type,Customer Account,CVE,Service,VPC/Network,Category,Asset Key,Description,Evidence,Operating System,Resolution,Vulnerability ID,Vulnerability Span ID,Vulnerability Key,Age (days),CISA Known Exploited,Published Date
//	TCP Timestamp Response,2.6,Low,Production,router.example.org,192.0.2.40,TCP/0, …
//
// An asset may have several addresses. Port 0 is none.
package alertlogic

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Alert Logic's CSV.
var Parsers = []parsers.Parser{{
	Name:     "alertlogic",
	ScanType: "Alert Logic Scan",
	Files:    "CSV",
	Command:  "Alert Logic: Exposures, Export as CSV",
	URL:      "https://docs.alertlogic.com/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("Vulnerability", "Deployment Name", "Vulnerability Span ID") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Alert Logic"
	return stream.CSV(in, []string{"Vulnerability", "Severity", "Asset Name", "Description"}, func(r stream.Row) error {
		out.Emit(observation(r))
		return nil
	})
}

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"CVE", "CVE"},
	{"Category", "Category"},
	{"Service", "Service"},
	{"Protocol/Port", "Port"},
	{"Asset Type", "Kind of asset"},
	{"IP Address", "Address"},
	{"Deployment Name", "Deployment"},
	{"VPC/Network", "Network"},
	{"Customer Account", "Account"},
	{"Operating System", "Operating system"},
	{"First Seen", "First seen"},
	{"Last Scanned", "Last scanned"},
	{"Age (days)", "Age in days"},
	{"Published Date", "Published"},
	{"CISA Known Exploited", "Known to be exploited (CISA)"},
	{"Asset Key", "Asset key"},
	{"Vulnerability Key", "Vulnerability key"},
	{"Vulnerability Span ID", "Span"},
}

// maxTitle is how long a title may be that is part of a finding's identity, with
// DefectDojo's mark for the rest.
const maxTitle = 500

func shorten(title string) string {
	if r := []rune(title); len(r) > maxTitle {
		return string(r[:maxTitle-3]) + "..."
	}
	return title
}

func observation(r stream.Row) gate.Observation {
	var text parsers.Text
	text.Add(r.Get("Description"))
	if evidence := r.Get("Evidence"); evidence != "" {
		text.Add("**Evidence:**").Code("", evidence)
	}
	for _, f := range facts {
		text.Fact(f[1], r.Get(f[0]))
	}
	o := gate.Observation{
		Title:            shorten(r.Get("Vulnerability")),
		Severity:         gate.ParseSeverity(r.Get("Severity")),
		Description:      text.String(),
		Mitigation:       r.Get("Resolution"),
		Check:            r.Get("Vulnerability ID"),
		UniqueID:         r.Get("Vulnerability ID"),
		ComponentName:    r.Get("Asset Name"),
		VulnerabilityIDs: parsers.CVEs(r.Get("CVE")),
		CVSSv3Score:      stream.ParseFloat(r.Get("CVSS Score")).Ptr(),
	}
	if strings.EqualFold(r.Get("CISA Known Exploited"), "yes") || strings.EqualFold(r.Get("CISA Known Exploited"), "true") {
		o.Tags = []string{"cisa-known-exploited"}
	}
	protocol, port, _ := strings.Cut(r.Get("Protocol/Port"), "/")
	for a := range strings.FieldsFuncSeq(r.Get("IP Address"), func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\n' }) {
		o.Endpoints = append(o.Endpoints, parsers.HostPort(protocol, a, port))
	}
	return o
}
