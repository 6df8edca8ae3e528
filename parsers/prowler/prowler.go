// Package prowler reads the reports of Prowler, the checker of AWS, Azure, GCP,
// Kubernetes and other clouds, in OCSF JSON and in CSV.
//
// Made by "prowler azure --output-formats json-ocsf csv". The JSON report is an array:
//
//	[{"message": "…", "metadata": {"event_code": "appinsights_…", "product": {"name": "Prowler", "version": "5.4.0"}}, "severity": "Low",
//	  "status": "New", "status_code": "FAIL", "status_detail": "…", "unmapped": {"related_url": "…", "compliance": {"CIS-2.1": ["5.3.1"]}},
//	  "finding_info": {"title": "…", "desc": "…", "uid": "…"}, "resources": [{"name": "…", "uid": "…", "region": "global"}],
//	  "cloud": {"provider": "azure", "account": {…}}, "remediation": {"desc": "…", "references": […]}, "risk_details": "…"}]
//
// The CSV report has semicolons between its columns:
//
//	AUTH_METHOD;TIMESTAMP;ACCOUNT_UID;…;FINDING_UID;PROVIDER;CHECK_ID;CHECK_TITLE;CHECK_TYPE;STATUS;STATUS_EXTENDED;MUTED;…
//
// What passed is not a finding; what a person must check (MANUAL) is, and what is
// muted is one that is not active.
package prowler

import (
	"bytes"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Prowler's JSON and CSV.
var Parsers = []parsers.Parser{{
	Name:     "prowler",
	ScanType: "Prowler Scan",
	Files:    "JSON or CSV",
	Command:  "prowler azure --output-formats json-ocsf csv",
	URL:      "https://docs.prowler.com/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch provider := s.Value("[].cloud.provider"); {
	case s.HasColumns("CHECK_ID", "CHECK_TITLE", "STATUS_EXTENDED", "FINDING_UID"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	case s.Value("[].metadata.product.name") != "Prowler":
		return parsers.No
	case provider == "aws":
		return parsers.Likely // surer: AWS Prowler V3
	}
	return parsers.Sure
}

func parse(in *stream.Input, out *parsers.Report) error {
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	out.Run().Tool = "Prowler"
	seen := map[string]bool{}
	emit := func(c check) {
		if key := strings.Join([]string{c.id, c.title, c.detail, c.resource, c.region}, "\n"); !seen[key] {
			seen[key] = true
			out.Emit(c.observation())
		}
	}
	if t := bytes.TrimSpace(head[:n]); len(t) == 0 || t[0] == '[' || t[0] == '{' {
		return parseJSON(in, out, emit)
	}
	return parseCSV(in, out, emit)
}

// check is what either format says of a check.
type check struct {
	id, title, detail, description, severity string
	provider, account, service, region       string
	resource, resourceType                   string
	created, notes                           string
	risk                                     string
	fix                                      []fact
	links, compliance                        []string
	muted, manual                            bool
}

// fact is a way to repair it, with its name.
type fact struct{ name, value string }

func (c check) observation() gate.Observation {
	var about, how, refs parsers.Text
	about.Add(c.detail).Add(c.description).Fact("Check", c.id).Fact("Cloud", strings.ToUpper(c.provider)).Fact("Account", c.account).
		Fact("Service", c.service).Fact("Region", c.region).Fact("Resource", strings.TrimSpace(c.resource+" "+c.resourceType)).
		Fact("Found", c.created).Fact("Notes", c.notes)
	if c.manual {
		about.Add("Prowler cannot check this by itself: a person must.")
	}
	for _, f := range c.fix {
		how.Fact(f.name, f.value)
	}
	refs.Add(parsers.Lines(c.links...)).List(c.compliance)
	o := gate.Observation{
		Title:       c.title,
		Severity:    gate.ParseSeverity(c.severity),
		Description: about.String(),
		Mitigation:  how.String(),
		Impact:      c.risk,
		References:  refs.String(),
		Check:       c.id,
	}
	if c.muted {
		o.Active = new(false)
	}
	return o
}
