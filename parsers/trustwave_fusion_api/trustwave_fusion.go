// Package trustwave_fusion_api reads the findings of Trustwave Fusion, as its API gives them.
//
// Made by "curl https://api.fusion.trustwave.com/vulnerability-management/v1/findings > findings.json". The report is:
//
//	{"items": [{"id": "…", "createdOn": "2021-06-15T07:48:08.727+00:00", "severity": "INFO", "classification": "Information/…",
//	  "name": "Website Detected", "location": {"applicationCpe": "cpe:/a:nginx:nginx:1.20.0", "applicationName": "nginx:nginx",
//	    "applicationProtocol": "https", "domain": "example.org", "ip": "203.0.113.7", "port": 443, "url": "https://example.org/"},
//	  "job": {"jobEndTime": "…"}, "kb": {"cves": ["CVE-…"], "cvssV3BaseScore": 7.5, "id": "SLID-2018-0024"}}], "totalCount": 1}
//
// What is not known is the text "None" and "CVE-NO-MATCH". Items of one name,
// severity and classification are one finding of several endpoints.
package trustwave_fusion_api

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Trustwave Fusion's findings.
var Parsers = []parsers.Parser{{
	Name:     "trustwave_fusion_api",
	ScanType: "Trustwave Fusion API Scan",
	Files:    "JSON",
	Command:  "curl -H 'Authorization: TOKEN' https://api.fusion.trustwave.com/vulnerability-management/v1/findings > findings.json",
	URL:      "https://www.trustwave.com",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("items[].kb", "items[].location", "items[].classification"):
		return parsers.Sure
	case s.Has("items", "lastPageNumber", "pageNumber", "totalCount"):
		return parsers.Likely
	case s.Is(`{"items":[]}`):
		return parsers.Possible
	}
	return parsers.No
}

type item struct {
	ID             stream.Text `json:"id"`
	CreatedOn      stream.Text `json:"createdOn"`
	Severity       stream.Text `json:"severity"`
	Classification stream.Text `json:"classification"`
	Name           stream.Text `json:"name"`
	Location       struct {
		CPE      stream.Text `json:"applicationCpe"`
		Name     stream.Text `json:"applicationName"`
		Protocol stream.Text `json:"applicationProtocol"`
		Domain   stream.Text `json:"domain"`
		IP       stream.Text `json:"ip"`
		Port     stream.Text `json:"port"`
		URL      stream.Text `json:"url"`
	} `json:"location"`
	Job struct {
		Name stream.Text `json:"jobName"`
		End  stream.Text `json:"jobEndTime"`
	} `json:"job"`
	KB struct {
		ID   stream.Text                   `json:"id"`
		CVEs stream.OneOrMany[stream.Text] `json:"cves"`
		V2   stream.Text                   `json:"cvssV2BaseScore"`
		V3   stream.Text                   `json:"cvssV3BaseScore"`
	} `json:"kb"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Trustwave Fusion"
	var order []*gate.Observation
	byKey := map[[3]string]*gate.Observation{}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"items": stream.Each(func(i item) error {
			k := [3]string{string(i.Severity), string(i.Name), string(i.Classification)}
			o := observation(i)
			if same := byKey[k]; same != nil {
				*same.Occurrences++
				same.Endpoints = append(same.Endpoints, o.Endpoints...)
				return nil
			}
			byKey[k] = &o
			order = append(order, &o)
			return nil
		}),
	}, "items"))
	if err != nil {
		return err
	}
	for _, o := range order {
		out.Emit(*o)
	}
	return nil
}

func observation(i item) gate.Observation {
	name := known(i.Location.Name)
	o := gate.Observation{
		Title:            string(i.Name),
		Severity:         gate.ParseSeverity(string(i.Severity)),
		Description:      description(i),
		UniqueID:         string(i.ID),
		Check:            string(i.KB.ID),
		VulnerabilityIDs: cves(i),
		ComponentName:    name,
		Endpoints:        []string{endpoint(i)},
		Date:             parsers.ParseDate(string(i.CreatedOn)),
		Occurrences:      new(1),
	}
	if cpe := strings.Split(known(i.Location.CPE), ":"); len(cpe) > 4 {
		o.ComponentVersion = cpe[4]
	}
	return o
}

func description(i item) string {
	var text parsers.Text
	text.Add(string(i.Classification)).Fact("Knowledge base", string(i.KB.ID)).Fact("CVSS 3 base score", known(i.KB.V3)).
		Fact("CVSS 2 base score", known(i.KB.V2)).Fact("Application", known(i.Location.Name)).Fact("CPE", known(i.Location.CPE)).
		Fact("Job", known(i.Job.Name))
	return text.String()
}

// cves are those of the knowledge base, without the word for none.
func cves(i item) []string {
	return slices.DeleteFunc(stream.Strings(i.KB.CVEs), func(s string) bool { return s == "CVE-NO-MATCH" || s == "None" })
}

// endpoint is the address if there is one, else the host with the port.
func endpoint(i item) string {
	l := i.Location
	if u := known(l.URL); u != "" {
		return parsers.Endpoint(u)
	}
	return parsers.HostPort(known(l.Protocol), parsers.First(known(l.Domain), known(l.IP)), known(l.Port))
}

func known(t stream.Text) string {
	if t == "None" {
		return ""
	}
	return string(t)
}
