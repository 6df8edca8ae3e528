// Package polaris reads the JSON of Polaris, which checks workloads of Kubernetes.
//
// Made by "polaris audit --audit-path manifests --format json > polaris.json":
//
//	{"PolarisOutputVersion": "1.0", "AuditTime": "2026-01-05T10:00:00Z", "SourceType": "Path", "SourceName": "/manifests",
//	 "Results": [{"Name": "shop", "Namespace": "", "Kind": "Deployment", "Results": {"CHECK": {"ID": "CHECK",
//	     "Message": "…", "Details": null, "Success": false, "Severity": "warning", "Category": "Security"}},
//	   "PodResult": {"Results": {}, "ContainerResults": [{"Name": "server", "Results": {}}]}}]}
//
// A check is of the object, of its pods or of one container. Only those that
// failed are findings; severities are danger, warning and ignore.
package polaris

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Polaris's JSON.
var Parsers = []parsers.Parser{{
	Name:     "polaris",
	ScanType: "Polaris Scan",
	Files:    "JSON",
	Command:  "polaris audit --audit-path manifests --format json > polaris.json",
	URL:      "https://polaris.docs.fairwinds.com",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("PolarisOutputVersion") {
		return parsers.Sure
	}
	return parsers.No
}

// parse reads the head first, for the source of the findings.
func parse(in *stream.Input, out *parsers.Report) error {
	var source, audited stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"SourceName": stream.Into(&source),
		"AuditTime":  stream.Into(&audited),
	}, "PolarisOutputVersion", "Results"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run := out.Run()
	run.Tool, run.Target, run.FinishedAt = "Polaris", string(source), parsers.ParseTime(string(audited))
	return stream.JSON(in, stream.Object(stream.Fields{"Results": stream.Each(func(r object) error {
		r.emit(out, string(source))
		return nil
	})}))
}

type object struct {
	Name      stream.Text `json:"Name"`
	Namespace stream.Text `json:"Namespace"`
	Kind      stream.Text `json:"Kind"`
	Results   checks      `json:"Results"`
	Pod       struct {
		Results    checks `json:"Results"`
		Containers []struct {
			Name    stream.Text `json:"Name"`
			Results checks      `json:"Results"`
		} `json:"ContainerResults"`
	} `json:"PodResult"`
}

type checks map[string]check

type check struct {
	ID       stream.Text                   `json:"ID"`
	Message  stream.Text                   `json:"Message"`
	Details  stream.OneOrMany[stream.Text] `json:"Details"`
	Success  bool                          `json:"Success"`
	Severity stream.Text                   `json:"Severity"`
	Category stream.Text                   `json:"Category"`
}

// emit puts out the failed checks of the object, its pods and its containers.
func (r object) emit(out *parsers.Report, source string) {
	name := string(r.Kind + "/" + r.Name)
	if r.Namespace != "" {
		name = string(r.Kind + "/" + r.Namespace + "/" + r.Name)
	}
	level := func(list checks, kind, container string) {
		for _, id := range slices.Sorted(maps.Keys(list)) {
			c := list[id]
			if c.Success || strings.EqualFold(string(c.Severity), "ignore") {
				continue
			}
			c.ID = cmp.Or(c.ID, stream.Text(id))
			o := c.observation(name, kind, container)
			o.FilePath = source
			out.Emit(o)
		}
	}
	level(r.Results, "controller", "")
	level(r.Pod.Results, "pod", "")
	for _, c := range r.Pod.Containers {
		level(c.Results, "container", string(c.Name))
	}
}

func (c check) observation(object, kind, container string) gate.Observation {
	var text parsers.Text
	details := make([]string, len(c.Details))
	for i, d := range c.Details {
		details[i] = string(d)
	}
	text.Add(string(c.Message)).List(details).
		Fact("Check", string(c.ID)).
		Fact("Category", string(c.Category)).
		Fact("Polaris calls it", string(c.Severity)).
		Fact("Of the", kind).
		Fact("Object", object).
		Fact("Container", container)
	o := gate.Observation{
		Title:         string(c.Message),
		Severity:      gate.Low,
		Description:   text.String(),
		RuleID:        string(c.ID),
		ComponentName: object,
		References:    references(c.Category),
	}
	if container != "" {
		o.ComponentName += "/" + container
	}
	switch strings.ToLower(string(c.Severity)) {
	case "danger":
		o.Severity = gate.High
	case "warning":
		o.Severity = gate.Medium
	}
	return o
}

// references is the page of the checks of a category.
func references(category stream.Text) string {
	switch c := strings.ToLower(string(category)); c {
	case "security", "reliability", "efficiency":
		return "https://polaris.docs.fairwinds.com/checks/" + c + "/"
	}
	return ""
}
