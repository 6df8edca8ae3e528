// Package asff reads findings in the AWS Security Finding Format, which AWS's
// services and many scanners write.
//
// Made by "aws securityhub get-findings --query Findings > asff.json", or by a
// scanner: "prowler aws --output-formats json-asff". The report is an array:
//
//	[{"SchemaVersion": "2018-10-08", "Id": "arn:aws:…", "ProductArn": "…", "GeneratorId": "…", "AwsAccountId": "123456789012",
//	  "CreatedAt": "…", "UpdatedAt": "…", "Severity": {"Label": "HIGH"}, "Title": "…", "Description": "…",
//	  "Resources": [{"Type": "AwsEc2Instance", "Id": "arn:…", "Details": {"AwsEc2Instance": {"IpV4Addresses": ["192.0.2.1"]}}}],
//	  "Compliance": {"Status": "FAILED"}, "RecordState": "ACTIVE", "Remediation": {"Recommendation": {"Text": "…", "Url": "…"}}}]
//
// An archived record is not active, and neither is a check that passed.
package asff

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ASFF.
var Parsers = []parsers.Parser{{
	Name:     "asff",
	ScanType: "AWS Security Finding Format (ASFF) Scan",
	Files:    "JSON",
	Command:  "aws securityhub get-findings --query Findings > asff.json",
	URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].SchemaVersion", "[].ProductArn", "[].AwsAccountId"):
		return parsers.Sure
	case s.Has("Findings[].ProductArn"), s.Has("findings[].ProductArn"):
		return parsers.Likely // surer: AWS Security Hub's
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	each := stream.Each(func(f finding) error {
		if f.ID == "" {
			return stream.Errorf(`a finding has no "Id"`)
		}
		out.Run().Tool = parsers.First(f.ProductName, f.Product.Name, out.Run().Tool)
		out.Run().Version = parsers.First(f.Product.Version, out.Run().Version)
		out.Emit(f.observation())
		return nil
	})
	return stream.JSON(in, stream.ByKind(stream.Kinds{
		'[': each,
		'{': func(d *stream.Decoder) error {
			known := false
			is := func(d *stream.Decoder) error { known = true; return each(d) }
			err := stream.Object(stream.Fields{"Findings": is, "findings": is})(d)
			if err == nil && !known {
				return stream.Errorf(`want an array of findings, or "Findings"`)
			}
			return err
		},
	}))
}

type finding struct {
	ID          string `json:"Id"`
	ProductName string `json:"ProductName"`
	Product     struct {
		Name    string `json:"ProviderName"`
		Version string `json:"ProviderVersion"`
	} `json:"ProductFields"`
	Region      string                   `json:"Region"`
	GeneratorID string                   `json:"GeneratorId"`
	Account     stream.Text              `json:"AwsAccountId"`
	Types       stream.OneOrMany[string] `json:"Types"`
	CreatedAt   string                   `json:"CreatedAt"`
	Title       string                   `json:"Title"`
	Description string                   `json:"Description"`
	Severity    struct {
		Label      string       `json:"Label"`
		Normalized stream.Float `json:"Normalized"`
	} `json:"Severity"`
	Remediation struct {
		Recommendation struct {
			Text string `json:"Text"`
			URL  string `json:"Url"`
		} `json:"Recommendation"`
	} `json:"Remediation"`
	Resources  []resource `json:"Resources"`
	Compliance struct {
		Status string `json:"Status"`
	} `json:"Compliance"`
	Vulnerabilities []vulnerability `json:"Vulnerabilities"`
	RecordState     string          `json:"RecordState"`
	Workflow        struct {
		Status string `json:"Status"`
	} `json:"Workflow"`
}

type resource struct {
	Type    string `json:"Type"`
	ID      string `json:"Id"`
	Region  string `json:"Region"`
	Details struct {
		Instance struct {
			IPv4 []string `json:"IpV4Addresses"`
		} `json:"AwsEc2Instance"`
	} `json:"Details"`
}

type vulnerability struct {
	ID       string `json:"Id"`
	Packages []struct {
		Name    string `json:"Name"`
		Version string `json:"Version"`
		Fixed   string `json:"FixedInVersion"`
		Path    string `json:"FilePath"`
	} `json:"VulnerablePackages"`
	References []string `json:"ReferenceUrls"`
}

func (f finding) observation() gate.Observation {
	var ids, addresses []string
	for _, r := range f.Resources {
		ids = append(ids, r.ID)
		addresses = append(addresses, r.Details.Instance.IPv4...)
	}
	var about parsers.Text
	about.Add(f.Description).Facts("AWS resource", ids).Fact("Account", string(f.Account)).Fact("Region", f.region()).
		Facts("Addresses", addresses).Facts("Kind", f.Types).Fact("Generator", f.GeneratorID).
		Fact("Compliance", f.Compliance.Status).Fact("Workflow", f.Workflow.Status)
	refs := []string{f.Remediation.Recommendation.URL}
	for _, v := range f.Vulnerabilities {
		refs = append(refs, v.References...)
		for _, p := range v.Packages {
			fix := ""
			if p.Fixed != "" {
				fix = ", fixed in " + p.Fixed
			}
			about.Fact(v.ID, strings.TrimSpace(p.Name+" "+p.Version+fix+" "+p.Path))
		}
	}
	o := gate.Observation{
		Title:       f.Title,
		Severity:    f.severity(),
		Description: about.String(),
		Mitigation:  f.Remediation.Recommendation.Text,
		Impact:      "It concerns " + strings.Join(ids, ", "),
		References:  parsers.Lines(refs...),
		UniqueID:    f.ID,
		Check:       f.GeneratorID,
		Date:        parsers.ParseDate(f.CreatedAt),
	}
	if f.RecordState == "ARCHIVED" || f.Compliance.Status == "PASSED" {
		o.Active = new(false)
	}
	if n := len(addresses); n > 0 { // the last is the address inside the network
		o.Endpoints = []string{parsers.Endpoint(addresses[n-1])}
	}
	return o
}

func (f finding) region() string {
	if f.Region == "" && len(f.Resources) > 0 {
		return f.Resources[0].Region
	}
	return f.Region
}

// severity is the label, or by AWS's scale of 0 to 100 in old records
// (https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Severity).
func (f finding) severity() gate.Severity {
	if f.Severity.Label != "" {
		return gate.ParseSeverity(f.Severity.Label)
	}
	switch n := f.Severity.Normalized.F; {
	case n >= 90:
		return gate.Critical
	case n >= 70:
		return gate.High
	case n >= 40:
		return gate.Medium
	case n >= 1:
		return gate.Low
	}
	return gate.Info
}
