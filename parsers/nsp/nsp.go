// Package nsp reads the JSON report of the Node Security Platform's command, the forerunner of "npm audit".
//
// Made by "nsp check --reporter json > nsp.json". The report is a list:
//
//	[{"id": 521, "title": "Remote Code Execution", "module": "pg", "version": "5.1.0", "overview": "…", "recommendation": "…",
//	  "cvss_vector": "CVSS:3.0/…", "cvss_score": 8.3, "vulnerable_versions": "< 2.11.2", "patched_versions": ">= 2.11.2",
//	  "path": ["app@1.0.0", "pg@5.1.0"], "advisory": "https://nodesecurity.io/advisories/521", "publish_date": "…"}]
package nsp

import (
	"errors"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads nsp's JSON.
var Parsers = []parsers.Parser{{
	Name:     "nsp",
	ScanType: "Node Security Platform Scan",
	Files:    "JSON",
	Command:  "nsp check --reporter json > nsp.json",
	URL:      "https://github.com/nodesecurity/nsp",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("[].advisory", "[].module", "[].vulnerable_versions"):
		return parsers.Sure
	case s.Is("[]"):
		return parsers.Possible
	}
	return parsers.No
}

type advisory struct {
	ID             stream.Text                   `json:"id"`
	Title          stream.Text                   `json:"title"`
	Module         stream.Text                   `json:"module"`
	Version        stream.Text                   `json:"version"`
	Overview       stream.Text                   `json:"overview"`
	Recommendation stream.Text                   `json:"recommendation"`
	Vector         stream.Text                   `json:"cvss_vector"`
	Score          stream.Float                  `json:"cvss_score"`
	Vulnerable     stream.Text                   `json:"vulnerable_versions"`
	Patched        stream.Text                   `json:"patched_versions"`
	Path           stream.OneOrMany[stream.Text] `json:"path"`
	Advisory       stream.Text                   `json:"advisory"`
	Published      stream.Text                   `json:"publish_date"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "nsp"
	return stream.JSON(in, stream.Each(func(a advisory) error {
		if a.Title == "" || a.Module == "" {
			return errors.New("an advisory without a title or a module")
		}
		out.Emit(observation(a))
		return nil
	}))
}

func observation(a advisory) gate.Observation {
	var text parsers.Text
	text.Add(string(a.Overview)).Fact("Module", strings.TrimSpace(string(a.Module)+" "+string(a.Version))).Fact("Vulnerable versions", string(a.Vulnerable)).
		Fact("Patched versions", string(a.Patched)).Fact("Comes in by", strings.Join(stream.Strings(a.Path), " → ")).
		Fact("CVSS vector", string(a.Vector)).Fact("CVSS score", a.Score.String())
	return gate.Observation{
		Title:       string(a.Title) + " - (" + string(a.Module) + ", " + string(a.Version) + ")",
		Severity:    gate.SeverityOfScore(a.Score.F),
		Description: text.String(),
		Mitigation:  string(a.Recommendation),
		Impact:      impact(string(a.Vector)),
		References:  string(a.Advisory),
		Check:       string(a.ID),
		PURL:        parsers.PURL("npm", string(a.Module), string(a.Version)),
		PublishDate: parsers.ParseDate(string(a.Published)),
	}
}

// losses are what the metrics of a CVSS vector say is lost.
var losses = []struct{ metric, name string }{{"/C:", "confidentiality"}, {"/I:", "integrity"}, {"/A:", "availability"}}

// impact says in words what the vector says of the impact.
func impact(vector string) string {
	var lost []string
	for _, l := range losses {
		switch {
		case strings.Contains(vector, l.metric+"H"):
			lost = append(lost, l.name+" (high)")
		case strings.Contains(vector, l.metric+"L"):
			lost = append(lost, l.name+" (low)")
		}
	}
	if len(lost) == 0 {
		return "The report does not say."
	}
	return "Loss of " + strings.Join(lost, ", ")
}
