// Package testssl reads the CSV report of testssl.sh, the checker of TLS servers.
//
// Made by "testssl.sh --csvfile testssl.csv example.org":
//
//	"id","fqdn/ip","port","severity","finding","cve","cwe"
//	"SSLv2","example.org/192.0.2.7","443","OK","not offered","",""
//	"DROWN","example.org/192.0.2.7","443","HIGH","vulnerable …","CVE-2016-0800 CVE-2016-0703","CWE-310"
//
// OK is what is good and makes no finding. WARN and FATAL are about the scan: it
// could not test something. A row with several CVE ids is as many findings. What
// is the same on several addresses is one finding. testssl.sh ends its file with
// no header when it could not begin: that is an error here.
package testssl

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads testssl.sh's CSV.
var Parsers = []parsers.Parser{{
	Name:     "testssl",
	ScanType: "Testssl Scan",
	Files:    "CSV",
	Command:  "testssl.sh --csvfile testssl.csv example.org",
	URL:      "https://testssl.sh/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("id", "fqdn/ip", "port", "severity", "finding") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "testssl.sh"
	merged := parsers.Merge(out)
	err := stream.CSV(in, []string{"id", "fqdn/ip", "port", "severity", "finding"}, func(r stream.Row) error {
		host, ip, _ := strings.Cut(r.Get("fqdn/ip"), "/")
		host = parsers.First(host, ip)
		run.Target = parsers.First(run.Target, host)
		if rating(r.Get("id")) {
			if r.Get("id") == "overall_grade" {
				run.Description = "Overall grade: " + r.Get("finding")
			}
			return nil
		}
		switch strings.ToUpper(r.Get("severity")) {
		case "OK":
			return nil
		case "WARN", "FATAL":
			out.Problem("%s: %s", r.Get("id"), r.Get("finding"))
		}
		ids := strings.Fields(r.Get("cve"))
		if len(ids) == 0 {
			ids = []string{""}
		}
		for _, id := range ids {
			o := observation(r, id, ip)
			key := strings.Join([]string{o.Title, o.Severity.String(), r.Get("finding"), id, r.Get("cwe")}, "\x00")
			o = merged.Count(key, *o)
			o.Endpoints = append(o.Endpoints, parsers.HostPort("", host, r.Get("port")))
		}
		return nil
	})
	if err != nil {
		return err
	}
	merged.Emit()
	return nil
}

// rating tells whether a row is of the grade that the other rows amount to.
func rating(id string) bool {
	for _, part := range []string{"rating_", "grade_cap_reason", "overall_grade", "_score"} {
		if strings.Contains(id, part) {
			return true
		}
	}
	return false
}

// suites finds the IANA name of a cipher suite.
var suites = regexp.MustCompile(`\bTLS_[A-Z0-9_]+\b`)

func observation(r stream.Row, id, ip string) *gate.Observation {
	severity, known := gate.SeverityOf(r.Get("severity"))
	if !known || strings.EqualFold(r.Get("severity"), "FATAL") || strings.EqualFold(r.Get("severity"), "WARN") {
		severity = gate.Info
	}
	var text parsers.Text
	text.Add(r.Get("finding")).Fact("Check", r.Get("id")).Fact("Address", ip).Fact("Weakness", r.Get("cwe"))
	o := &gate.Observation{
		Title:       r.Get("id"),
		Severity:    severity,
		Description: text.String(),
		Check:       r.Get("id"),
		CWE:         gate.ParseCWE(r.Get("cwe")),
		Occurrences: new(1),
	}
	if id != "" {
		o.VulnerabilityIDs = []string{id}
		o.References = "https://nvd.nist.gov/vuln/detail/" + id
	}
	if name := suites.FindString(r.Get("finding")); name != "" && strings.HasPrefix(r.Get("id"), "cipher") {
		o.References = "What is known of the cipher suite: https://ciphersuite.info/cs/" + name + "/"
	}
	return o
}
