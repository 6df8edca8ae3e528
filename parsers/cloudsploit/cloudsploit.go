// Package cloudsploit reads the JSON of CloudSploit, which checks the settings
// of cloud accounts.
//
// Made by "./index.js --json=cloudsploit.json":
//
//	[{"plugin": "cloudtrailBucketDelete", "category": "CloudTrail", "title": "CloudTrail Bucket Delete Policy", "description": "Ensures …",
//	  "resource": "arn:aws:s3:::logs", "region": "eu-west-1", "status": "WARN", "message": "Bucket: logs has MFA delete disabled"}]
//
// There is no severity: as with DefectDojo, what fails is critical, a warning
// medium, and what is as it should be information.
package cloudsploit

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CloudSploit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "cloudsploit",
	ScanType: "Cloudsploit Scan",
	Files:    "JSON",
	Command:  "./index.js --config config.js --json=cloudsploit.json",
	URL:      "https://github.com/aquasecurity/cloudsploit",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].plugin", "[].category", "[].region", "[].status"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type result struct {
	Plugin      stream.Text `json:"plugin"`
	Category    stream.Text `json:"category"`
	Title       stream.Text `json:"title"`
	Description stream.Text `json:"description"`
	Resource    stream.Text `json:"resource"`
	Region      stream.Text `json:"region"`
	Status      stream.Text `json:"status"`
	Message     stream.Text `json:"message"`
	Compliance  stream.Text `json:"compliance"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "CloudSploit"
	return stream.JSON(in, stream.Array(stream.One(func(r result) error {
		if r.Status == "" || r.Title == "" {
			return stream.Errorf(`a result has no "status" or no "title": this is not CloudSploit's report`)
		}
		out.Emit(r.observation())
		return nil
	})))
}

var statuses = map[string]gate.Severity{"FAIL": gate.Critical, "WARN": gate.Medium, "UNKNOWN": gate.Low, "OK": gate.Info}

func (r result) observation() gate.Observation {
	var text parsers.Text
	text.Add(string(r.Message)).Fact("Resource", string(r.Resource)).Fact("Region", string(r.Region)).Fact("Category", string(r.Category)).Fact("Check", string(r.Plugin)).Fact("Status", string(r.Status)).Fact("Compliance", string(r.Compliance))
	o := gate.Observation{
		Title:         string(r.Title),
		Severity:      statuses[strings.ToUpper(string(r.Status))],
		Description:   text.String(),
		Impact:        string(r.Description),
		Check:         string(r.Plugin),
		ComponentName: string(r.Resource),
	}
	return o
}
