// Package aws_prowler_v3plus reads the JSON reports of Prowler 3 and 4 on AWS accounts.
//
// Made by "prowler aws -M json" with version 3:
//
//	[{"AssessmentStartTime": "2023-04-25T23:49:42.7", "FindingUniqueId": "prowler-aws-…", "Provider": "aws", "CheckID": "acm_…", "CheckTitle": "…",
//	  "Status": "FAIL", "StatusExtended": "…", "Severity": "high", "ResourceArn": "arn:…", "Risk": "…", "Remediation": {"Recommendation": {…}}, …}]
//
// and by "prowler aws -M json-ocsf" with version 4, in the Open Cybersecurity
// Schema Framework:
//
//	[{"metadata": {"event_code": "iam_…", "product": {"name": "Prowler", "version": "4.2.1"}}, "severity": "High", "status": "New", "status_code": "FAIL",
//	  "status_detail": "…", "finding_info": {"uid": "prowler-aws-…", "title": "…", "desc": "…"}, "resources": [{"uid": "arn:…"}], "time_dt": "…", …}]
//
// What passed or is muted (Suppressed) is not a finding.
package aws_prowler_v3plus

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the JSON of Prowler 3 and 4.
var Parsers = []parsers.Parser{{
	Name:     "aws_prowler_v3plus",
	ScanType: "AWS Prowler V3",
	Files:    "JSON",
	Command:  "prowler aws -M json-ocsf",
	URL:      "https://docs.prowler.com/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].FindingUniqueId", "[].StatusExtended"), s.Value("[].metadata.product.name") == "Prowler" && s.Value("[].cloud.provider") == "aws":
		return parsers.Sure
	case s.Value("[].metadata.product.name") == "Prowler", s.Has("[].CheckID", "[].StatusExtended"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.UniqueID }
	return parsers.Once(in, out, key, read)
}

func read(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Prowler"
	return stream.JSON(in, stream.Each(func(r record) error {
		switch {
		case r.FindingUniqueID != "":
			run.Target = r.AccountID
			if strings.EqualFold(r.Status, "FAIL") {
				out.Emit(r.native())
			}
		case r.Info.UID != "":
			run.Target, run.Version = r.Cloud.Account.UID, r.Metadata.Product.Version
			if r.StatusCode == "FAIL" && r.OCSFStatus != "Suppressed" {
				out.Emit(r.ocsf())
			}
		default:
			return stream.Errorf(`a finding has neither "FindingUniqueId" nor "finding_info"`)
		}
		return nil
	}))
}

// record is a finding in either format: no key is in both.
type record struct {
	native3
	ocsf4
}

type native3 struct {
	Start           string                   `json:"AssessmentStartTime"`
	FindingUniqueID string                   `json:"FindingUniqueId"`
	CheckID         string                   `json:"CheckID"`
	CheckTitle      string                   `json:"CheckTitle"`
	CheckType       stream.OneOrMany[string] `json:"CheckType"`
	ServiceName     string                   `json:"ServiceName"`
	Status          string                   `json:"Status"`
	StatusExtended  string                   `json:"StatusExtended"`
	Severity        string                   `json:"Severity"`
	ResourceType    string                   `json:"ResourceType"`
	Description     string                   `json:"Description"`
	Risk            string                   `json:"Risk"`
	RelatedURL      string                   `json:"RelatedUrl"`
	AccountID       string                   `json:"AccountId"`
	Region          string                   `json:"Region"`
	ResourceID      string                   `json:"ResourceId"`
	ResourceARN     string                   `json:"ResourceArn"`
	Notes           string                   `json:"Notes"`
	Remediation     struct {
		Code           map[string]string `json:"Code"`
		Recommendation struct {
			Text string `json:"Text"`
			URL  string `json:"Url"`
		} `json:"Recommendation"`
	} `json:"Remediation"`
	Compliance stream.Lenient[compliance] `json:"Compliance"`
}

type ocsf4 struct {
	Metadata struct {
		Code    string `json:"event_code"`
		Product struct {
			Version string `json:"version"`
		} `json:"product"`
	} `json:"metadata"`
	OCSFSeverity string `json:"severity"`
	OCSFStatus   string `json:"status"`
	StatusCode   string `json:"status_code"`
	StatusDetail string `json:"status_detail"`
	Unmapped     struct {
		RelatedURL string                     `json:"related_url"`
		Notes      string                     `json:"notes"`
		Compliance stream.Lenient[compliance] `json:"compliance"`
	} `json:"unmapped"`
	Info struct {
		Title   string      `json:"title"`
		Desc    string      `json:"desc"`
		UID     string      `json:"uid"`
		Created stream.Text `json:"created_time"`
	} `json:"finding_info"`
	Resources []struct {
		UID    string `json:"uid"`
		Name   string `json:"name"`
		Type   string `json:"type"`
		Region string `json:"region"`
		Group  struct {
			Name string `json:"name"`
		} `json:"group"`
	} `json:"resources"`
	Cloud struct {
		Account struct {
			UID string `json:"uid"`
		} `json:"account"`
		Region string `json:"region"`
	} `json:"cloud"`
	TimeDT    string      `json:"time_dt"`
	EventTime stream.Text `json:"event_time"`
	Fix       struct {
		Desc       string   `json:"desc"`
		References []string `json:"references"`
	} `json:"remediation"`
	RiskDetails string `json:"risk_details"`
}

// compliance lists the requirements that a check is for, by standard.
type compliance map[string]stream.OneOrMany[string]

func (c compliance) list() []string {
	var list []string
	for standard, requirements := range c {
		list = append(list, standard+": "+strings.Join(requirements, ", "))
	}
	slices.Sort(list)
	return list
}

// configuration is CWE-1032, the category of security misconfiguration.
const configuration = 1032

func (r record) native() gate.Observation {
	var about, how parsers.Text
	about.Add(r.StatusExtended).Add(r.Description).Fact("Check", strings.TrimSpace(r.CheckID+" "+r.CheckTitle)).
		Fact("AWS account", r.AccountID).Fact("Region", r.Region).Fact("AWS service", r.ServiceName).
		Fact("Resource", parsers.First(r.ResourceARN, r.ResourceID)).Fact("Kind of resource", r.ResourceType).
		Facts("Kind of check", r.CheckType).Add(r.Notes)
	if list := r.Compliance.Value.list(); len(list) > 0 {
		about.Add("Compliance:").List(list)
	}
	how.Add(r.Remediation.Recommendation.Text)
	for _, k := range []string{"CLI", "NativeIaC", "Terraform", "Other"} {
		how.Fact(k, r.Remediation.Code[k])
	}
	return gate.Observation{
		Title:         r.StatusExtended,
		Severity:      severity(r.Severity),
		Description:   about.String(),
		Mitigation:    how.String(),
		Impact:        r.Risk,
		References:    parsers.Lines(r.RelatedURL, r.Remediation.Recommendation.URL),
		CWE:           configuration,
		Check:         r.CheckID,
		UniqueID:      r.FindingUniqueID,
		ComponentName: r.ResourceARN,
		Date:          parsers.ParseDate(r.Start),
	}
}

func (r record) ocsf() gate.Observation {
	var about parsers.Text
	about.Add(r.StatusDetail).Add(r.Info.Desc).Fact("Check", strings.TrimSpace(r.Metadata.Code+" "+r.Info.Title)).
		Fact("AWS account", r.Cloud.Account.UID).Fact("Region", r.Cloud.Region)
	o := gate.Observation{
		Title:      r.StatusDetail,
		Severity:   severity(r.OCSFSeverity),
		Mitigation: r.Fix.Desc,
		Impact:     r.RiskDetails,
		References: parsers.Lines(append(r.Fix.References, r.Unmapped.RelatedURL)...),
		CWE:        configuration,
		Check:      r.Metadata.Code,
		UniqueID:   r.Info.UID,
		Date:       parsers.ParseDate(parsers.First(r.TimeDT, string(r.EventTime), string(r.Info.Created))),
	}
	if len(r.Resources) > 0 {
		k := r.Resources[0]
		o.ComponentName = k.UID
		about.Fact("AWS service", k.Group.Name).Fact("Resource", k.UID).Fact("Kind of resource", k.Type)
	}
	about.Add(r.Unmapped.Notes)
	if list := r.Unmapped.Compliance.Value.list(); len(list) > 0 {
		about.Add("Compliance:").List(list)
	}
	o.Description = about.String()
	return o
}

// severity rates what failed: Prowler's informational counts as Low.
func severity(word string) gate.Severity { return max(gate.ParseSeverity(word), gate.Low) }
