// Package cfn_nag reads the JSON report of cfn-nag, the checker of
// CloudFormation templates.
//
// Made by "cfn_nag_scan --input-path . --output-format json > cfn_nag.json". The
// report is an array with an object for each template:
//
//	[{"filename": "./app.yaml", "file_results": {"failure_count": 1, "violations": [{"id": "F38",
//	  "name": "IamRolePassRoleWildcardResourceRule", "type": "FAIL", "message": "IAM role should not …",
//	  "logical_resource_ids": ["Role"], "line_numbers": [18], "element_types": ["resource"]}]}}]
//
// The types are FAIL and WARN. Each resource of a violation is a finding. The
// violation FATAL says that the template could not be read.
package cfn_nag

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads cfn-nag's JSON.
var Parsers = []parsers.Parser{{
	Name:     "cfn_nag",
	ScanType: "cfn-nag Scan",
	Files:    "JSON",
	Command:  "cfn_nag_scan --input-path . --output-format json > cfn_nag.json",
	URL:      "https://github.com/stelligent/cfn_nag",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("[].filename", "[].file_results.violations") {
		return parsers.Sure
	}
	return parsers.No
}

type template struct {
	File    string `json:"filename"`
	Results *struct {
		Violations []violation `json:"violations"`
	} `json:"file_results"`
}

type violation struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Type      string       `json:"type"`
	Message   string       `json:"message"`
	Resources []string     `json:"logical_resource_ids"`
	Lines     []stream.Int `json:"line_numbers"`
	Elements  []string     `json:"element_types"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "cfn-nag"
	return stream.JSON(in, stream.Each(func(t template) error {
		if t.Results == nil {
			return stream.Errorf(`an element has no "file_results"`)
		}
		for _, v := range t.Results.Violations {
			if v.ID == "FATAL" {
				out.Problem("%s could not be read: %s", t.File, v.Message)
			}
			for i := range max(1, len(v.Resources), len(v.Lines)) {
				out.Emit(v.observation(t.File, i))
			}
		}
		return nil
	}))
}

// observation returns the finding of the violation's i-th resource.
func (v violation) observation(file string, i int) gate.Observation {
	o := gate.Observation{
		Title:    v.Message,
		Severity: gate.Medium,
		RuleID:   v.ID,
		FilePath: strings.TrimPrefix(file, "./"),
	}
	if v.Type == "FAIL" {
		o.Severity = gate.High
	}
	if i < len(v.Resources) {
		o.ComponentName = v.Resources[i]
	}
	if i < len(v.Lines) && v.Lines[i].N > 0 {
		o.Line = v.Lines[i].Ptr()
	}
	var elements []string
	if i < len(v.Elements) {
		elements = v.Elements[i : i+1]
	} else {
		elements = v.Elements
	}
	var about parsers.Text
	o.Description = about.Add(v.Message).Fact("Resource", o.ComponentName).Fact("Rule", strings.TrimSpace(v.ID+" "+v.Name)).
		Fact("Result", v.Type).Facts("Kind of element", elements).String()
	return o
}
