// Package contrast reads the CSV of vulnerabilities that Contrast Assess exports.
//
// Made in Contrast by "Vulnerabilities, Export to CSV". The columns:
//
//	Vulnerability Name,Vulnerability ID,Category,Rule Name,Severity,Status,Number of Events,First Seen,First Seen Datetime,
//	Last Seen,Last Seen Datetime,Application Name,Application ID,Application Code,CWE ID,Request Method,Request Port,
//	Request Protocol,Request Version,Request URI,Request Qs,Request Body
//
// A name says what and where: `LDAP Injection from "username" Parameter`; the
// part before "from" is the title. "First Seen" is in milliseconds. The host is
// not told: the endpoint's is 0.0.0.0.
package contrast

import (
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Contrast's CSV.
var Parsers = []parsers.Parser{{
	Name:     "contrast",
	ScanType: "Contrast Scan",
	Files:    "CSV",
	Command:  "Contrast: Vulnerabilities, Export to CSV",
	URL:      "https://docs.contrastsecurity.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("Vulnerability Name", "Vulnerability ID", "Rule Name", "Request URI") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Contrast Assess"
	return stream.CSV(in, []string{"Vulnerability Name", "Vulnerability ID", "Rule Name", "Severity"}, func(r stream.Row) error {
		if r.Get("Vulnerability Name") != "" {
			out.Emit(observation(r))
		}
		return nil
	})
}

// statuses are those that close a vulnerability.
var statuses = map[string]bool{"remediated": true, "fixed": true, "not a problem": true, "remediated - auto-verified": true}

func observation(r stream.Row) gate.Observation {
	name := r.Get("Vulnerability Name")
	var text parsers.Text
	text.Add(name).Fact("Rule", r.Get("Rule Name")).Fact("Vulnerability ID", r.Get("Vulnerability ID")).Fact("Category", r.Get("Category")).
		Fact("Status", r.Get("Status")).Fact("Application", r.Get("Application Name")).Fact("Request", request(r)).
		Fact("First seen", r.Get("First Seen Datetime")).Fact("Last seen", r.Get("Last Seen Datetime")).Fact("Events", r.Get("Number of Events"))
	o := gate.Observation{
		Title:       title(name),
		Severity:    severity(r.Get("Severity")),
		Description: text.String(),
		CWE:         gate.ParseCWE(lastPart(r.Get("CWE ID"))),
		References:  r.Get("CWE ID"),
		UniqueID:    r.Get("Vulnerability ID"),
		RuleID:      r.Get("Rule Name"),
		Endpoints:   []string{endpoint(r)},
		Date:        date(r),
		Occurrences: new(1),
	}
	if body := r.Get("Request Body"); body != "" || r.Get("Request Method") != "" {
		o.StepsToReproduce = strings.TrimSpace(request(r) + "\n\n" + body)
	}
	if qs, body := r.Get("Request Qs"), r.Get("Request Body"); qs != "" && body != "" {
		o.RequestResponsePairs = []gate.Pair{{Request: qs + "\n" + body}}
	}
	if statuses[strings.ToLower(r.Get("Status"))] {
		o.Active = new(false)
	}
	return o
}

func title(name string) string {
	what, _, _ := strings.Cut(name, " from")
	return what
}

func severity(word string) gate.Severity {
	if strings.EqualFold(word, "note") {
		return gate.Info
	}
	return gate.ParseSeverity(word)
}

// lastPart is the number in ".../definitions/90.html".
func lastPart(link string) string {
	return strings.TrimSuffix(link[strings.LastIndexByte(link, '/')+1:], ".html")
}

func request(r stream.Row) string {
	uri := r.Get("Request URI")
	if q := r.Get("Request Qs"); q != "" {
		uri += "?" + q
	}
	return strings.TrimSpace(r.Get("Request Method") + " " + uri + " " + r.Get("Request Version"))
}

func endpoint(r stream.Row) string {
	uri := r.Get("Request URI")
	if uri == "" {
		return ""
	}
	if strings.Contains(uri, "://") {
		return parsers.Endpoint(uri)
	}
	return parsers.Endpoint(parsers.First(strings.ToLower(r.Get("Request Protocol")), "http") + "://0.0.0.0/" + strings.TrimPrefix(uri, "/"))
}

// date is that of "First Seen", in milliseconds or in words.
func date(r stream.Row) gate.Date {
	if ms := stream.ParseFloat(r.Get("First Seen")); ms.OK && ms.F > 0 && ms.F < 1e14 {
		return gate.DateOf(time.UnixMilli(int64(ms.F)).UTC())
	}
	return parsers.ParseDate(r.Get("First Seen Datetime", "First Seen"))
}
