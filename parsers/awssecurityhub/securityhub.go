// Package awssecurityhub reads the findings of AWS Security Hub: those of its own
// controls, of Inspector and of GuardDuty.
//
// Made by "aws securityhub get-findings > findings.json". The report is an object
// that holds findings in the AWS Security Finding Format:
//
//	{"Findings": [{"SchemaVersion": "2018-10-08", "Id": "arn:aws:…", "ProductFields": {"aws/securityhub/ProductName": "Inspector"},
//	  "AwsAccountId": "123456789012", "Severity": {"Label": "HIGH"}, "Title": "…", "Description": "…", "Resources": [{"Type": "AwsEc2Instance",
//	  "Id": "arn:…"}], "Compliance": {"Status": "FAILED"}, "Vulnerabilities": [{"Id": "CVE-…", "VulnerablePackages": […]}],
//	  "RecordState": "ACTIVE", "Remediation": {"Recommendation": {"Text": "…", "Url": "…"}}}]}
//
// A control that passed and a record that is archived are mitigated. One finding
// can stand in several pages put together; it counts once.
package awssecurityhub

import (
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Security Hub's JSON.
var Parsers = []parsers.Parser{{
	Name:     "awssecurityhub",
	ScanType: "AWS Security Hub Scan",
	Files:    "JSON",
	Command:  "aws securityhub get-findings > findings.json",
	URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("Findings[].ProductArn", "Findings[].GeneratorId") || s.Has("findings[].ProductArn", "findings[].GeneratorId") {
		return parsers.Sure
	}
	if s.Has("Findings") && !s.Has("Findings[].Id") && len(s.Head) < 200 {
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	known := false
	seen, accounts, origins := map[string]bool{}, map[string]bool{}, map[string]bool{}
	each := func(d *stream.Decoder) error {
		known = true
		return stream.Each(func(f finding) error {
			if f.ID == "" {
				return stream.Errorf(`a finding has no "Id"`)
			}
			if !seen[f.ID] {
				seen[f.ID] = true
				accounts[string(f.Account)], origins[f.origin()] = true, true
				out.Emit(f.observation())
			}
			return nil
		})(d)
	}
	err := stream.JSON(in, stream.Object(stream.Fields{"Findings": each, "findings": each}))
	if err == nil && !known {
		return stream.Errorf(`there is no "Findings"`)
	}
	delete(accounts, "")
	run := out.Run()
	run.Tool, run.Type = "AWS Security Hub", "AWS Security Hub"
	run.Target = strings.Join(slices.Sorted(maps.Keys(accounts)), ", ")
	var about parsers.Text
	run.Description = about.Fact("AWS accounts", parsers.First(run.Target, "not told")).Facts("From", slices.Sorted(maps.Keys(origins))).String()
	return err
}

type finding struct {
	ID          string                   `json:"Id"`
	ProductName string                   `json:"ProductName"`
	Region      string                   `json:"Region"`
	GeneratorID string                   `json:"GeneratorId"`
	Account     stream.Text              `json:"AwsAccountId"`
	Types       stream.OneOrMany[string] `json:"Types"`
	LastSeen    string                   `json:"LastObservedAt"`
	UpdatedAt   string                   `json:"UpdatedAt"`
	Title       string                   `json:"Title"`
	Description string                   `json:"Description"`
	SourceURL   string                   `json:"SourceUrl"`
	Severity    struct {
		Label string `json:"Label"`
	} `json:"Severity"`
	Remediation struct {
		Recommendation struct {
			Text string `json:"Text"`
			URL  string `json:"Url"`
		} `json:"Recommendation"`
	} `json:"Remediation"`
	Product struct {
		Name            string `json:"aws/securityhub/ProductName"`
		InspectorStatus string `json:"aws/inspector/FindingStatus"`
	} `json:"ProductFields"`
	Resources  []resource `json:"Resources"`
	Compliance struct {
		Status  string `json:"Status"`
		Reasons []struct {
			Description string `json:"Description"`
		} `json:"StatusReasons"`
	} `json:"Compliance"`
	Vulnerabilities []vulnerability `json:"Vulnerabilities"`
	EPSS            stream.Float    `json:"EpssScore"`
	RecordState     string          `json:"RecordState"`
	Workflow        struct {
		Status string `json:"Status"`
	} `json:"Workflow"`
}

type resource struct {
	Type    string `json:"Type"`
	ID      string `json:"Id"`
	Details struct {
		Image struct {
			Registry   string `json:"RegistryId"`
			Repository string `json:"RepositoryName"`
			Digest     string `json:"ImageDigest"`
		} `json:"AwsEcrContainerImage"`
	} `json:"Details"`
}

type vulnerability struct {
	ID       string `json:"Id"`
	Packages []struct {
		Name        string `json:"Name"`
		Version     string `json:"Version"`
		Fixed       string `json:"FixedInVersion"`
		Path        string `json:"FilePath"`
		Remediation string `json:"Remediation"`
	} `json:"VulnerablePackages"`
	CVSS []struct {
		Vector string `json:"BaseVector"`
	} `json:"Cvss"`
	Vendor struct {
		URL string `json:"Url"`
	} `json:"Vendor"`
	References []string     `json:"ReferenceUrls"`
	EPSS       stream.Float `json:"EpssScore"`
	Exploit    string       `json:"ExploitAvailable"`
}

// The products whose findings are read in their own way.
const (
	inspector = "Inspector"
	guardDuty = "GuardDuty"
)

// origin names the product that a finding is from.
func (f finding) origin() string {
	name := parsers.First(f.Product.Name, f.ProductName, "Security Hub")
	if name == "Security Hub" {
		return "AWS Security Hub's controls"
	}
	return name
}
