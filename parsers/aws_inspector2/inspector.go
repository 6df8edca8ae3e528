// Package aws_inspector2 reads the findings of Amazon Inspector, version 2.
//
// Made by "aws inspector2 list-findings > inspector.json". The report is one object:
//
//	{"findings": [{"findingArn": "arn:aws:inspector2:…", "type": "PACKAGE_VULNERABILITY", "status": "ACTIVE", "severity": "HIGH",
//	  "title": "CVE-… - zlib", "description": "…", "epss": {"score": 0.01}, "inspectorScore": 7.5, "fixAvailable": "YES",
//	  "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-…", "vulnerablePackages": [{"name": "zlib", "version": "1.2", …}], "cvss": […]},
//	  "resources": [{"type": "AWS_ECR_CONTAINER_IMAGE", "id": "arn:…", "details": {"awsEcrContainerImage": {…}}}]}]}
//
// The other types are CODE_VULNERABILITY, with codeVulnerabilityDetails, and
// NETWORK_REACHABILITY, with networkReachabilityDetails. A finding that is CLOSED
// is mitigated, one that is SUPPRESSED not active.
package aws_inspector2

import (
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Inspector's JSON.
var Parsers = []parsers.Parser{{
	Name:     "aws_inspector2",
	ScanType: "AWS Inspector2 Scan",
	Files:    "JSON",
	Command:  "aws inspector2 list-findings > inspector.json",
	URL:      "https://docs.aws.amazon.com/inspector/v2/APIReference/API_Finding.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("findings[].findingArn", "findings[].awsAccountId"):
		return parsers.Sure
	case s.Has("findings[].packageVulnerabilityDetails"):
		return parsers.Likely
	case s.Has("findings") && !s.Has("findings[].Id") && len(s.Head) < 200:
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Amazon Inspector"
	return stream.JSON(in, stream.Object(stream.Fields{
		"findings": stream.Each(func(f finding) error {
			if f.ARN == "" {
				return stream.Errorf(`a finding has no "findingArn"`)
			}
			out.Run().Target = f.Account
			out.Emit(f.observation())
			return nil
		}),
	}, "findings"))
}

type finding struct {
	ARN         string       `json:"findingArn"`
	Account     string       `json:"awsAccountId"`
	Type        string       `json:"type"`
	Status      string       `json:"status"`
	Severity    string       `json:"severity"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Last        stream.Text  `json:"lastObservedAt"`
	Exploit     string       `json:"exploitAvailable"`
	Fix         string       `json:"fixAvailable"`
	Score       stream.Float `json:"inspectorScore"`
	EPSS        struct {
		Score stream.Float `json:"score"`
	} `json:"epss"`
	ScoreDetails struct {
		Adjusted struct {
			Vector string `json:"scoringVector"`
		} `json:"adjustedCvss"`
	} `json:"inspectorScoreDetails"`
	Remediation struct {
		Recommendation struct {
			Text string `json:"text"`
			URL  string `json:"Url"`
		} `json:"recommendation"`
	} `json:"remediation"`
	Package   *packageDetails `json:"packageVulnerabilityDetails"`
	Code      *codeDetails    `json:"codeVulnerabilityDetails"`
	Network   *networkDetails `json:"networkReachabilityDetails"`
	Resources []resource      `json:"resources"`
}

type packageDetails struct {
	ID       string      `json:"vulnerabilityId"`
	Source   string      `json:"source"`
	URL      string      `json:"sourceUrl"`
	Created  stream.Text `json:"vendorCreatedAt"`
	Severity string      `json:"vendorSeverity"`
	Related  []string    `json:"relatedVulnerabilities"`
	CVSS     []struct {
		Vector string `json:"scoringVector"`
	} `json:"cvss"`
	References []string `json:"referenceUrls"`
	Packages   []struct {
		Name        string      `json:"name"`
		Version     stream.Text `json:"version"`
		Release     stream.Text `json:"release"`
		Manager     string      `json:"packageManager"`
		Path        string      `json:"filePath"`
		Fixed       string      `json:"fixedInVersion"`
		Remediation string      `json:"remediation"`
	} `json:"vulnerablePackages"`
}

type codeDetails struct {
	CWEs []string `json:"cwes"`
	File struct {
		Path  string     `json:"filePath"`
		Name  string     `json:"fileName"`
		Start stream.Int `json:"startLine"`
		End   stream.Int `json:"endLine"`
	} `json:"filePath"`
	Detector   string   `json:"detectorName"`
	DetectorID string   `json:"detectorId"`
	Rule       string   `json:"ruleId"`
	Tags       []string `json:"detectorTags"`
	References []string `json:"referenceUrls"`
}

type networkDetails struct {
	Protocol string `json:"protocol"`
	Ports    struct {
		Begin stream.Int `json:"begin"`
		End   stream.Int `json:"end"`
	} `json:"openPortRange"`
	Path struct {
		Steps []struct {
			ID   string `json:"componentId"`
			Type string `json:"componentType"`
		} `json:"steps"`
	} `json:"networkPath"`
}

// instant reads a time, which the first version of AWS's command line writes as
// seconds since 1970.
func instant(t stream.Text) time.Time {
	if s := stream.ParseFloat(string(t)); s.OK && s.F > 0 && s.F < 1e11 {
		return time.UnixMilli(int64(s.F * 1000)).UTC()
	}
	return parsers.ParseTime(string(t))
}
