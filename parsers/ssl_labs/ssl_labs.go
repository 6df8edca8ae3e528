// Package ssl_labs reads the JSON of ssllabs-scan, the client of Qualys SSL Labs.
//
// Made by "ssllabs-scan shop.example.org > ssllabs.json", one host after the other:
//
//	[{"host": "shop.example.org", "port": 443, "protocol": "http", "status": "READY", "startTime": 1634250781167, "testTime": …,
//	  "engineVersion": "2.1.8", "criteriaVersion": "2009q",
//	  "endpoints": [{"ipAddress": "192.0.2.1", "serverName": "…", "grade": "C", "details": {"protocols": […], "suites": […], "heartbleed": false, …}}],
//	  "certs": [{"subject": "…", "issuerSubject": "…", "sigAlg": "…", "notAfter": …}]}]
//
// A finding is the grade of one address. Version 2 of the API has the certificate
// and the chain in the details.
package ssl_labs

import (
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ssllabs-scan's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ssl_labs",
	ScanType: "SSL Labs Scan",
	Files:    "JSON",
	Command:  "ssllabs-scan shop.example.org > ssllabs.json",
	URL:      "https://github.com/ssllabs/ssllabs-scan",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].host", "[].criteriaVersion"), s.Has("[].endpoints[].grade", "[].endpoints[].ipAddress"), s.Has("criteriaVersion", "endpoints"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type host struct {
	Host      stream.Text   `json:"host"`
	Port      stream.Text   `json:"port"`
	Status    stream.Text   `json:"status"`
	Message   stream.Text   `json:"statusMessage"`
	Started   stream.Float  `json:"startTime"`
	Tested    stream.Float  `json:"testTime"`
	Engine    stream.Text   `json:"engineVersion"`
	Criteria  stream.Text   `json:"criteriaVersion"`
	Endpoints []endpoint    `json:"endpoints"`
	Certs     []certificate `json:"certs"`
}

type endpoint struct {
	IP      stream.Text `json:"ipAddress"`
	Server  stream.Text `json:"serverName"`
	Message stream.Text `json:"statusMessage"`
	Grade   stream.Text `json:"grade"`
	Trusted stream.Text `json:"gradeTrustIgnored"`
	Warned  bool        `json:"hasWarnings"`
	Details details     `json:"details"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	known := stream.One(func(h host) error { return put(out, h) })
	return stream.JSON(in, stream.ByKind(stream.Kinds{'[': stream.Array(known), '{': known}))
}

func put(out *parsers.Report, h host) error {
	if h.Host == "" {
		return stream.Errorf(`there is no "host": this is not a report of SSL Labs`)
	}
	run := out.Run()
	run.Tool, run.Version, run.Ruleset = "SSL Labs", string(h.Engine), string(h.Criteria)
	run.Target = string(h.Host)
	if at := milliseconds(h.Started); run.StartedAt.IsZero() || at.Before(run.StartedAt) {
		run.StartedAt = at
	}
	if at := milliseconds(h.Tested); at.After(run.FinishedAt) {
		run.FinishedAt = at
	}
	if h.Status == "ERROR" {
		out.Problem("%s: %s", h.Host, parsers.First(string(h.Message), "the test failed"))
	}
	for _, e := range h.Endpoints {
		if e.Grade == "" {
			out.Problem("%s (%s) got no grade: %s", h.Host, e.IP, parsers.First(string(e.Message), "the report does not say why"))
			continue
		}
		out.Emit(observation(h, e))
	}
	return nil
}

func milliseconds(f stream.Float) time.Time {
	if f.F <= 0 || f.F > 1e14 {
		return time.Time{}
	}
	return time.UnixMilli(int64(f.F)).UTC()
}

// severity rates a grade: A is as it should be; T means that the certificate is
// not trusted, M that it is for another name.
func severity(grade string) gate.Severity {
	switch grade[:1] {
	case "A":
		return gate.Info
	case "B":
		return gate.Medium
	case "C":
		return gate.High
	}
	return gate.Critical
}

func observation(h host, e endpoint) gate.Observation {
	d := e.Details
	o := gate.Observation{
		Title:       "TLS Grade '" + string(e.Grade) + "' for " + string(h.Host),
		Severity:    severity(string(e.Grade)),
		Description: describe(h, e),
		CWE:         310,
		Check:       "grade " + string(e.Grade),
		Mitigation:  "Mend what is listed as a weakness first; then follow SSL Labs' [deployment practices](https://github.com/ssllabs/research/wiki/SSL-and-TLS-Deployment-Best-Practices) until the grade is A.",
		Impact:      "The worse the grade, the easier it is to read or change what goes over this connection.",
		References:  "https://www.ssllabs.com/ssltest/analyze.html?d=" + string(h.Host),
		Endpoints:   []string{parsers.HostPort("https", string(h.Host), string(h.Port)), parsers.HostPort("https", string(e.IP), string(h.Port))},
	}
	if o.Severity == gate.Info {
		o.Mitigation = "Nothing needs to be done."
	}
	for _, t := range d.Transactions {
		o.Endpoints = append(o.Endpoints, parsers.Endpoint(string(t.URL)))
	}
	return o
}
