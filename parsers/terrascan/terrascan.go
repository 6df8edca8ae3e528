// Package terrascan reads the JSON report of Terrascan, the checker of
// infrastructure as code.
//
// Made by "terrascan scan -o json > terrascan.json". The report is one object:
//
//	{"results": {"scan_errors": [{"iac_type": "helm", "directory": "/src", "errMsg": "…"}],
//	  "violations": [{"rule_name": "gkeControlPlaneNotPublic", "description": "…", "rule_id": "AC_GCP_0025", "severity": "HIGH",
//	    "category": "Infrastructure Security", "resource_name": "main", "resource_type": "google_container_cluster",
//	    "module_name": "root", "file": "cluster.tf", "plan_root": "./", "line": 52}],
//	  "skipped_violations": null, "scan_summary": {"file/folder": "/src", "scanned_at": "2021-05-19 13:13:06.08 +0000 UTC", …}}}
//
// With -i all, its default, scan_errors also tells for each kind of code that
// there is none: that is no trouble.
package terrascan

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Terrascan's JSON.
var Parsers = []parsers.Parser{{
	Name:     "terrascan",
	ScanType: "Terrascan Scan",
	Files:    "JSON",
	Command:  "terrascan scan -o json > terrascan.json",
	URL:      "https://runterrascan.io/",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results.violations", "results.scan_summary"), s.Has("results.violations[].rule_name", "results.violations[].resource_type"):
		return parsers.Sure
	case s.Has("results.violations"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string {
		return strings.Join([]string{o.RuleID, o.Title, o.Severity.String(), o.FilePath, strconv.Itoa(*o.Line), o.ComponentName}, "\n")
	}
	return parsers.Once(in, out, key, read)
}

func read(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Terrascan"
	return stream.JSON(in, stream.Object(stream.Fields{"results": stream.Object(stream.Fields{
		"scan_errors": stream.Each(func(e scanError) error {
			if !e.nothingThere() {
				out.Problem("%s in %s: %s", e.Type, e.Directory, e.Message)
			}
			return nil
		}),
		"violations": stream.Each(func(v violation) error {
			out.Emit(v.observation())
			return nil
		}),
		"scan_summary": stream.One(func(s struct {
			Target stream.Text `json:"file/folder"`
			At     stream.Text `json:"scanned_at"`
		},
		) error {
			run.Target, run.StartedAt = string(s.Target), parsers.ParseTime(string(s.At))
			return nil
		}),
	}, "violations")}, "results"))
}

type scanError struct {
	Type      string `json:"iac_type"`
	Directory string `json:"directory"`
	Message   string `json:"errMsg"`
}

// nothingThere tells whether the error says only that there is no such code.
func (e scanError) nothingThere() bool {
	m := strings.ToLower(e.Message)
	return strings.Contains(m, "not found in") || strings.HasPrefix(m, "no ") && strings.Contains(m, "found") || strings.Contains(m, "has no ")
}

type violation struct {
	RuleName     string     `json:"rule_name"`
	Description  string     `json:"description"`
	RuleID       string     `json:"rule_id"`
	Severity     string     `json:"severity"`
	Category     string     `json:"category"`
	ResourceName string     `json:"resource_name"`
	ResourceType string     `json:"resource_type"`
	Module       string     `json:"module_name"`
	File         string     `json:"file"`
	PlanRoot     string     `json:"plan_root"`
	Line         stream.Int `json:"line"`
}

func (v violation) observation() gate.Observation {
	var about parsers.Text
	about.Add(v.Description).Fact("Rule", v.RuleName+" ("+v.RuleID+")").
		Fact("Resource", v.ResourceType+" "+v.ResourceName).Fact("Module", v.Module).Fact("Plan root", v.PlanRoot)
	return gate.Observation{
		Title:         v.Category + ": " + v.RuleName,
		Severity:      gate.ParseSeverity(v.Severity),
		Description:   about.String(),
		RuleID:        v.RuleID,
		FilePath:      v.File,
		Line:          &v.Line.N,
		ComponentName: v.ResourceType + "/" + v.ResourceName,
	}
}
