// Package gcloud_artifact_scan reads Google Cloud's Artifact Analysis of a container image.
//
// Made by "gcloud artifacts docker images describe IMAGE --show-package-vulnerability --format=json > scan.json". The
// report is one object:
//
//	{"image_summary": {"fully_qualified_digest": "…"}, "discovery_summary": {"discovery": [{"discovery": {"analysisStatus": "FINISHED_SUCCESS",
//	  "lastScanTime": "…"}}]}, "package_vulnerability_summary": {"vulnerabilities": {"CRITICAL": [{"name": "projects/…/occurrences/…",
//	    "noteName": "projects/goog-vulnz/notes/CVE-2023-36665", "resourceUri": "…", "vulnerability": {"cvssv3": {"baseScore": 9.8},
//	      "effectiveSeverity": "CRITICAL", "fixAvailable": true, "shortDescription": "CVE-2023-36665", "longDescription": "NIST vectors: CVSS:3.1/…",
//	      "packageIssue": [{"affectedCpeUri": "…", "affectedPackage": "…", "affectedVersion": {"fullName": "7.0.0"},
//	        "fixedVersion": {"fullName": "7.2.5"}, "packageType": "NPM", "fileLocation": [{"filePath": "…"}]}],
//	      "relatedUrls": [{"url": "https://…"}]}}]}}}
//
// Vulnerabilities stand under their severity, of which MINIMAL and None are Info.
package gcloud_artifact_scan

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Artifact Analysis.
var Parsers = []parsers.Parser{{
	Name:     "gcloud_artifact_scan",
	ScanType: "Google Cloud Artifact Vulnerability Scan",
	Files:    "JSON",
	Command:  "gcloud artifacts docker images describe IMAGE --show-package-vulnerability --format=json > scan.json",
	URL:      "https://cloud.google.com/artifact-analysis/docs",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("package_vulnerability_summary") {
		return parsers.Sure
	}
	return parsers.No
}

type occurrence struct {
	Name          stream.Text `json:"name"`
	NoteName      stream.Text `json:"noteName"`
	Resource      stream.Text `json:"resourceUri"`
	Vulnerability struct {
		CVSS3 struct {
			Score stream.Float `json:"baseScore"`
		} `json:"cvssv3"`
		Severity stream.Text `json:"effectiveSeverity"`
		Fix      *bool       `json:"fixAvailable"`
		Short    stream.Text `json:"shortDescription"`
		Long     stream.Text `json:"longDescription"`
		Issues   []issue     `json:"packageIssue"`
		URLs     []struct {
			URL stream.Text `json:"url"`
		} `json:"relatedUrls"`
	} `json:"vulnerability"`
}

type issue struct {
	CPE      stream.Text `json:"affectedCpeUri"`
	Package  stream.Text `json:"affectedPackage"`
	Affected version     `json:"affectedVersion"`
	Fixed    version     `json:"fixedVersion"`
	Type     stream.Text `json:"packageType"`
	Files    []struct {
		Path stream.Text `json:"filePath"`
	} `json:"fileLocation"`
}

type version struct {
	FullName stream.Text `json:"fullName"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Google Cloud Artifact Analysis"
	list := stream.Entries(func(severity string, d *stream.Decoder) error {
		return stream.Each(func(o occurrence) error {
			out.Emit(observation(o, severity))
			return nil
		})(d)
	})
	return stream.JSON(in, stream.Object(stream.Fields{
		"image_summary": stream.One(func(i struct {
			Digest stream.Text `json:"fully_qualified_digest"`
		},
		) error {
			run.Target = string(i.Digest)
			return nil
		}),
		"discovery_summary": stream.Object(stream.Fields{"discovery": stream.Each(func(d struct {
			Discovery struct {
				Status stream.Text `json:"analysisStatus"`
				Last   stream.Text `json:"lastScanTime"`
			} `json:"discovery"`
		},
		) error {
			run.FinishedAt = parsers.ParseTime(string(d.Discovery.Last))
			switch d.Discovery.Status {
			case "FINISHED_SUCCESS":
				run.Outcome = gate.Succeeded
			case "FINISHED_FAILED", "FINISHED_UNSUPPORTED":
				run.Outcome = gate.Failed
			}
			return nil
		})}),
		"package_vulnerability_summary": stream.Object(stream.Fields{"vulnerabilities": list}),
	}, "package_vulnerability_summary"))
}

func observation(x occurrence, severity string) gate.Observation {
	v := x.Vulnerability
	o := gate.Observation{
		Title:            string(x.NoteName),
		Severity:         gate.ParseSeverity(parsers.First(string(v.Severity), severity)),
		VulnerabilityIDs: []string{parsers.First(string(v.Short), lastPart(string(x.NoteName)))},
		Check:            lastPart(string(x.NoteName)),
		FixAvailable:     v.Fix,
		CVSSv3Score:      v.CVSS3.Score.Ptr(),
	}
	var links []string
	for _, u := range v.URLs {
		links = append(links, string(u.URL))
	}
	o.References = parsers.Lines(links...)
	var text parsers.Text
	text.Add(string(v.Long)).Fact("Vulnerability", string(v.Short)).Fact("Image", string(x.Resource)).Fact("Occurrence", string(x.Name))
	var fixes []string
	for i, p := range v.Issues {
		if i == 0 {
			o.ComponentName = "affectedCPEUri: " + string(p.CPE) + " affectedPackage: " + string(p.Package) // as DefectDojo names it
			o.ComponentVersion = string(p.Affected.FullName)
		}
		p.tell(&text)
		if p.Fixed.FullName != "" {
			fixes = append(fixes, "Update "+string(p.Package)+" to version "+string(p.Fixed.FullName))
		}
	}
	o.Mitigation = parsers.Lines(fixes...)
	o.Description = text.String()
	return o
}

// tell adds what is known of an affected package.
func (p issue) tell(text *parsers.Text) {
	var files []string
	for _, f := range p.Files {
		files = append(files, string(f.Path))
	}
	text.Fact("Package", strings.TrimSpace(string(p.Package)+" "+string(p.Affected.FullName))).Fact("Fixed in", string(p.Fixed.FullName)).
		Fact("Package type", string(p.Type)).Fact("CPE", string(p.CPE)).Facts("Files", files)
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
