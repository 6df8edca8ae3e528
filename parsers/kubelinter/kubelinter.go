// Package kubelinter reads the JSON report of KubeLinter, the linter of
// Kubernetes manifests and Helm charts.
//
// Made by "kube-linter lint --format json . > kube-linter.json". The report is one object:
//
//	{"Checks": [{"name": "latest-tag", "description": "…", "remediation": "…", …}],
//	 "Reports": [{"Diagnostic": {"Message": "…"}, "Check": "latest-tag", "Remediation": "…",
//	   "Object": {"Metadata": {"FilePath": "/web.yaml"}, "K8sObject": {"Namespace": "", "Name": "web",
//	     "GroupVersionKind": {"Group": "apps", "Version": "v1", "Kind": "Deployment"}}}}],
//	 "Summary": {"ChecksStatus": "Failed", "CheckEndTime": "…", "KubeLinterVersion": "0.6.8"}}
//
// It knows no severities: all are Medium. Checks lists all checks that ran.
package kubelinter

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads KubeLinter's JSON.
var Parsers = []parsers.Parser{{
	Name:     "kubelinter",
	ScanType: "KubeLinter Scan",
	Files:    "JSON",
	Command:  "kube-linter lint --format json . > kube-linter.json",
	URL:      "https://docs.kubelinter.io/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("Summary.KubeLinterVersion"), s.Has("Reports[].Object.K8sObject"):
		return parsers.Sure
	case s.Has("Checks", "Reports", "Summary"):
		return parsers.Likely
	}
	return parsers.No
}

type report struct {
	Diagnostic struct {
		Message string `json:"Message"`
	} `json:"Diagnostic"`
	Check       string `json:"Check"`
	Remediation string `json:"Remediation"`
	Object      struct {
		Metadata struct {
			FilePath string `json:"FilePath"`
		} `json:"Metadata"`
		K8sObject struct {
			Namespace string `json:"Namespace"`
			Name      string `json:"Name"`
			Kind      struct {
				Group   string `json:"Group"`
				Version string `json:"Version"`
				Kind    string `json:"Kind"`
			} `json:"GroupVersionKind"`
		} `json:"K8sObject"`
	} `json:"Object"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "KubeLinter"
	return stream.JSON(in, stream.Object(stream.Fields{
		"Reports": stream.Each(func(r report) error {
			out.Emit(r.observation())
			return nil
		}),
		"Summary": stream.One(func(s struct {
			Ended   string      `json:"CheckEndTime"`
			Version stream.Text `json:"KubeLinterVersion"`
		},
		) error {
			run.Version, run.FinishedAt = string(s.Version), parsers.ParseTime(s.Ended)
			return nil
		}),
	}, "Reports"))
}

func (r report) observation() gate.Observation {
	object := r.Object.K8sObject
	api := strings.Trim(object.Kind.Group+"/"+object.Kind.Version, "/")
	if api != "" {
		api = " (" + api + ")"
	}
	var about parsers.Text
	about.Add(r.Diagnostic.Message).Fact("Check", r.Check).Fact("Object", object.Kind.Kind+" "+object.Name+api).
		Fact("Namespace", object.Namespace).Fact("Manifest", r.Object.Metadata.FilePath)
	return gate.Observation{
		Title:         r.Check,
		Severity:      gate.Medium,
		Description:   about.String(),
		Mitigation:    r.Remediation,
		RuleID:        r.Check,
		FilePath:      r.Object.Metadata.FilePath,
		ComponentName: strings.Trim(object.Kind.Kind+"/"+object.Name, "/"),
	}
}
