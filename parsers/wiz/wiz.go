// Package wiz reads the CSV reports of Wiz, which watches clouds.
//
// Made by "Reports, Create report, CSV" in Wiz. A report of issues has the columns
//
//	Created At,Title,Severity,Status,Description,Resource Type,Resource external ID,…,Issue ID,…,Remediation Recommendation,…
//
// and one of vulnerability findings
//
//	ID,WizURL,Name,CVSSSeverity,HasExploit,HasCisaKevExploit,FindingStatus,VendorSeverity,FirstDetected,…,DetailedName,Version,FixedVersion,…
//
// What is resolved is mitigated, what is ignored or rejected out of scope.
package wiz

import (
	"encoding/json"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Wiz's CSV.
var Parsers = []parsers.Parser{{
	Name:     "wiz",
	ScanType: "Wiz Scan",
	Files:    "CSV",
	Command:  "Wiz: Reports, Create report, CSV",
	URL:      "https://www.wiz.io/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Issue ID", "Control ID", "Title"), s.HasColumns("WizURL", "FindingStatus"):
		return parsers.Sure
	case s.HasColumns("DetailedName", "VendorSeverity", "FixedVersion"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Wiz"
	return stream.CSV(in, []string{"Status"}, func(r stream.Row) error {
		switch {
		case r.Has("Title") && r.Has("Issue ID"):
			if r.Get("Title") != "" {
				out.Emit(issue(r))
			}
		case r.Has("Name") && r.Has("DetailedName"):
			if r.Get("Name") != "" {
				out.Emit(finding(r))
			}
		default:
			return stream.Errorf(`it is neither a report of issues (columns "Title" and "Issue ID") nor of vulnerability findings ("Name" and "DetailedName")`)
		}
		return nil
	})
}

// issueFacts are the columns worth telling of an issue.
var issueFacts = []string{
	"Resource Type", "Resource external ID", "Resource Name", "Resource Region", "Resource Status", "Resource Platform", "Resource OS", "Resource Tags",
	"Subscription Name", "Subscription ID", "Project Names", "Kubernetes Cluster", "Kubernetes Namespace", "Container Service", "Control ID",
	"Status", "Resolution", "Ticket URLs", "Note", "Due At", "Wiz URL", "Cloud Provider URL", "Resource original JSON",
}

func issue(r stream.Row) gate.Observation {
	var about parsers.Text
	about.Add(r.Get("Description"))
	tell(&about, r, issueFacts)
	o := gate.Observation{
		Title:       r.Get("Title"),
		Severity:    gate.ParseSeverity(r.Get("Severity")),
		Description: about.String(),
		Mitigation:  r.Get("Remediation Recommendation"),
		UniqueID:    r.Get("Issue ID"),
		Check:       r.Get("Control ID"),
		Date:        parsers.ParseDate(r.Get("Created At")),
	}
	state(&o, r.Get("Status"), r.Get("Resolved Time"))
	return o
}

// findingFacts are the columns worth telling of a vulnerability.
var findingFacts = []string{
	"LocationPath", "Version", "FixedVersion", "DetectionMethod", "HasExploit", "HasCisaKevExploit", "Link", "WizURL", "Projects",
	"AssetName", "AssetID", "AssetRegion", "OperatingSystem", "IpAddresses", "ProviderUniqueId", "CloudPlatform", "CloudProviderURL",
	"SubscriptionName", "SubscriptionId", "SubscriptionExternalId", "ExecutionControllers", "FindingStatus", "ResolutionReason",
}

func finding(r stream.Row) gate.Observation {
	name, id := r.Get("DetailedName"), r.Get("Name")
	var about, how parsers.Text
	about.Add(id + " is in " + strings.TrimSpace(name+" "+r.Get("Version")) + " of " + r.Get("AssetName") + ".").Add(r.Get("Description"))
	tell(&about, r, findingFacts)
	how.Add(r.Get("Remediation")).Fact("Fixed version", r.Get("FixedVersion")).Fact("At", r.Get("LocationPath"))
	o := gate.Observation{
		Title:            name + ": " + id,
		Severity:         gate.ParseSeverity(parsers.First(r.Get("VendorSeverity"), r.Get("CVSSSeverity"))),
		Description:      about.String(),
		Mitigation:       how.String(),
		References:       parsers.Lines(r.Get("Link"), r.Get("WizURL")),
		VulnerabilityIDs: []string{id},
		UniqueID:         r.Get("ID"),
		Check:            id,
		ComponentName:    name,
		ComponentVersion: r.Get("Version"),
		Fix:              parsers.Fixed(r.Get("FixedVersion")),
		Exploited:        strings.EqualFold(r.Get("HasCisaKevExploit"), "true"),
		Analysis:         gate.Both,
		Date:             parsers.ParseDate(r.Get("FirstDetected")),
		Tags:             tags(r.Get("Tags")),
	}
	state(&o, r.Get("FindingStatus"), r.Get("ResolvedAt"))
	return o
}

// tell adds the columns that are not blank as facts.
func tell(t *parsers.Text, r stream.Row, columns []string) {
	for _, c := range columns {
		if v := r.Get(c); v != "{}" && v != "[]" {
			t.Fact(c, v)
		}
	}
}

// state takes over what Wiz says of a finding's state.
func state(o *gate.Observation, status, resolved string) {
	switch strings.ToUpper(status) {
	case "RESOLVED":
		o.Active, o.Mitigated, o.MitigatedAt = new(false), true, parsers.ParseTime(resolved)
	case "IGNORED", "REJECTED":
		o.Active, o.OutOfScope = new(false), true
	}
}

// tags reads the tags of a resource, {"name": "value"}, in their order.
func tags(object string) []string {
	d := json.NewDecoder(strings.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var list []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return list
		}
		var value string
		if d.Decode(&value) != nil {
			return list
		}
		list = append(list, fmt.Sprint(name, ": ", value))
	}
	return list
}
