// Package kubescape reads the JSON report of Kubescape, which checks Kubernetes
// clusters and manifests against security frameworks.
//
// Made by "kubescape scan --format json --format-version v2 --output results.json". The report is one object:
//
//	{"summaryDetails": {"controls": {"C-0017": {"name": "…", "scoreFactor": 3, "category": {"name": "Workload"}, "statusInfo": {…}}}},
//	 "resources": [{"resourceID": "path=1/api=apps/v1//Deployment/web", "object": {…}, "source": {"relativePath": "web.yaml"}}],
//	 "results": [{"resourceID": "…", "controls": [{"controlID": "C-0017", "name": "…", "status": {"status": "failed"},
//	   "rules": [{"name": "…", "status": "failed", "paths": [{"failedPath": "…", "fixPath": {"path": "…", "value": "true"}}]}]}]}]}
//
// Each failed rule of a failed control is a finding. Before version 3 a control
// had no status of its own. What a control weighs stands in the summary, which
// comes before the results or after them: the report is read twice.
package kubescape

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Kubescape's JSON.
var Parsers = []parsers.Parser{{
	Name:     "kubescape",
	ScanType: "Kubescape JSON Importer",
	Files:    "JSON",
	Command:  "kubescape scan --format json --format-version v2 --output results.json",
	URL:      "https://kubescape.io/docs/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("summaryDetails", "results"), s.Has("results[].resourceID", "results[].controls"):
		return parsers.Sure
	case s.Has("summaryDetails"):
		return parsers.Likely
	}
	return parsers.No
}

// summary is what the report says of a control as a whole.
type summary struct {
	ScoreFactor stream.Float `json:"scoreFactor"`
	Description string       `json:"description"`
	Remediation string       `json:"remediation"`
	Category    struct {
		Name string `json:"name"`
	} `json:"category"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Kubescape"
	controls := map[string]summary{}
	files := map[string]string{} // by resource
	err := stream.JSON(in, stream.Object(stream.Fields{
		"generationTime": stream.One(func(s stream.Text) error { run.FinishedAt = parsers.ParseTime(string(s)); return nil }),
		"clusterName":    stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"metadata": stream.One(func(m stream.Lenient[metadata]) error {
			run.Version = string(m.Value.Scan.Version)
			return nil
		}),
		"summaryDetails": stream.Object(stream.Fields{"controls": stream.Entries(func(id string, d *stream.Decoder) error {
			return stream.One(func(s summary) error { controls[id] = s; return nil })(d)
		})}),
		"resources": stream.Each(func(r struct {
			ID     string `json:"resourceID"`
			Source struct {
				Path string `json:"relativePath"`
			} `json:"source"`
		},
		) error {
			if r.Source.Path != "" {
				files[r.ID] = r.Source.Path
			}
			return nil
		}),
	}, "results"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{"results": stream.Each(func(r result) error {
		for _, c := range r.Controls {
			c.emit(out, r.ResourceID, files[r.ResourceID], controls[c.ID])
		}
		return nil
	})}))
}

type metadata struct {
	Scan struct {
		Version stream.Text `json:"kubescapeVersion"`
	} `json:"scanMetadata"`
}
