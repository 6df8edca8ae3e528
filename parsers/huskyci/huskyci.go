// Package huskyci reads the JSON report of huskyCI, which runs several scanners
// of code in a pipeline.
//
// Made by "huskyci-client JSON", which keeps the API's answer:
//
//	{"RID": "…", "repositoryURL": "…", "repositoryBranch": "main", "status": "finished", "errorFound": "", "containers": [{"securityTest": {"name": "bandit"}, "cStatus": "finished"}],
//	 "huskyciresults": {"pythonresults": {"banditoutput": {"nosecvulns": [{…}], "lowvulns": [{"language": "Python", "securitytool": "Bandit",
//	   "severity": "LOW", "confidence": "MEDIUM", "file": "./main.py", "line": "1", "code": "…", "details": "…", "title": "…"}], "mediumvulns": […], "highvulns": […]},
//	   "safetyoutput": {…}}, "goresults": {"gosecoutput": {}}}}
//
// A finding's severity is its list's; "nosecvulns" are those that the code's
// authors silenced, which do not count.
package huskyci

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads huskyCI's JSON.
var Parsers = []parsers.Parser{{
	Name:     "huskyci",
	ScanType: "HuskyCI Report",
	Files:    "JSON",
	Command:  "huskyci-client JSON > huskyci.json",
	URL:      "https://huskyci.opensource.globo.com/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("huskyciresults") {
		return parsers.Sure
	}
	return parsers.No
}

type vulnerability struct {
	Language   stream.Text `json:"language"`
	Tool       stream.Text `json:"securitytool"`
	Confidence stream.Text `json:"confidence"`
	File       stream.Text `json:"file"`
	Line       stream.Text `json:"line"`
	Code       stream.Text `json:"code"`
	Details    stream.Text `json:"details"`
	Type       stream.Text `json:"type"`
	Title      stream.Text `json:"title"`
	Version    stream.Text `json:"version"`
	Below      stream.Text `json:"vulnerablebelow"`
	Occurs     stream.Int  `json:"occurrences"`
}

type container struct {
	Test struct {
		Name  stream.Text `json:"name"`
		Image stream.Text `json:"imageTag"`
	} `json:"securityTest"`
	Status stream.Text `json:"cStatus"`
	Info   stream.Text `json:"cInfo"`
}

// lists are the keys under which findings stand, with their severities.
var lists = map[string]gate.Severity{"infovulns": gate.Info, "lowvulns": gate.Low, "mediumvulns": gate.Medium, "highvulns": gate.High, "criticalvulns": gate.Critical}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "huskyCI"
	var target, branch, start, end, status, failure stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"repositoryURL": stream.Into(&target), "repositoryBranch": stream.Into(&branch), "startedAt": stream.Into(&start), "finishedAt": stream.Into(&end),
		"status": stream.Into(&status), "errorFound": stream.Into(&failure),
		"containers": stream.Each(func(c container) error {
			if c.Status != "" && c.Status != "finished" {
				out.Problem("%s did not finish: %s %s", c.Test.Name, c.Status, c.Info)
			}
			return nil
		}),
		"huskyciresults": stream.Entries(func(_ string, d *stream.Decoder) error {
			return stream.Entries(func(_ string, d *stream.Decoder) error { return output(d, out) })(d)
		}),
	}, "huskyciresults"))
	run.Target, run.Revision = string(target), string(branch)
	run.StartedAt, run.FinishedAt = parsers.ParseTime(string(start)), parsers.ParseTime(string(end))
	if failure != "" {
		out.Problem("%s", failure)
	}
	if status == "finished" && run.Outcome == gate.Unsaid {
		run.Outcome = gate.Succeeded
	}
	return err
}

// output reads what one scanner found.
func output(d *stream.Decoder, out *parsers.Report) error {
	return stream.Entries(func(list string, d *stream.Decoder) error {
		severity, ok := lists[list]
		if !ok {
			return stream.Skip(d)
		}
		return stream.Each(func(v vulnerability) error {
			out.Emit(v.observation(severity))
			return nil
		})(d)
	})(d)
}

func (v vulnerability) observation(severity gate.Severity) gate.Observation {
	code := string(v.Code)
	if strings.EqualFold(string(v.Tool), "gitleaks") {
		code = parsers.Mask(code)
	}
	var text parsers.Text
	text.Add(string(v.Title)).Add(string(v.Details)).Fact("Found by", string(v.Tool)).Fact("Type", string(v.Type)).Fact("Language", string(v.Language)).Fact("Confidence", string(v.Confidence))
	text.Fact("Version", string(v.Version)).Fact("Vulnerable below", string(v.Below))
	line := stream.ParseInt(string(v.Line))
	text.Fact("Place", parsers.Place(string(v.File), line.Ptr())).Code(strings.ToLower(string(v.Language)), code)
	o := gate.Observation{
		Title:       string(v.Title),
		Severity:    severity,
		Description: text.String(),
		Mitigation:  "See what " + parsers.First(string(v.Tool), "the scanner") + " says about it.",
		Impact:      "The report does not tell the impact.",
		Check:       string(v.Type),
		FilePath:    string(v.File),
		Line:        line.Ptr(),
		Snippet:     code,
	}
	if v.Below != "" {
		o.Mitigation = "Update to a version that is not " + string(v.Below) + "."
	}
	return o
}
