// Package dockerbench reads the JSON report of Docker Bench for Security.
//
// Made by "docker-bench-security.sh -b -l docker-bench", which writes docker-bench.json. The report is one object:
//
//	{"dockerbenchsecurity": "1.3.6", "start": 1659371395, "tests": [{"id": "1", "desc": "Host Configuration", "results": [
//	  {"id": "1.1.2", "desc": "Ensure only trusted users …", "result": "INFO", "details": "doubtfulusers: x", "items": ["x"],
//	   "remediation": "…", "remediation-impact": "…"}]}], "checks": 117, "score": 6, "end": 1659371409}
//
// PASS is no finding, and a check that people must do ("(Manual)") has no result
// that is worth more than a note.
package dockerbench

import (
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Docker Bench's JSON.
var Parsers = []parsers.Parser{{
	Name:     "dockerbench",
	ScanType: "docker-bench-security Scan",
	Files:    "JSON",
	Command:  "docker-bench-security.sh -b -l docker-bench (docker-bench.json)",
	URL:      "https://github.com/docker/docker-bench-security",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("dockerbenchsecurity") {
		return parsers.Sure
	}
	return parsers.No
}

type result struct {
	ID          stream.Text                   `json:"id"`
	Desc        stream.Text                   `json:"desc"`
	Result      stream.Text                   `json:"result"`
	Details     stream.Text                   `json:"details"`
	Items       stream.OneOrMany[stream.Text] `json:"items"`
	Remediation stream.Text                   `json:"remediation"`
	Impact      stream.Text                   `json:"remediation-impact"`
}

// parse reads the report twice: its end, by which findings are dated, comes last.
func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Docker Bench for Security"
	seconds := func(t *time.Time) stream.Value {
		return stream.One(func(f stream.Float) error {
			if f.F > 0 && f.F < 1e11 {
				*t = time.Unix(int64(f.F), 0).UTC()
			}
			return nil
		})
	}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"dockerbenchsecurity": stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
		"start":               seconds(&run.StartedAt),
		"end":                 seconds(&run.FinishedAt),
	}, "dockerbenchsecurity", "tests"))
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	section := ""
	return stream.JSON(in, stream.Object(stream.Fields{"tests": stream.Array(stream.Object(stream.Fields{
		"desc": stream.One(func(t stream.Text) error { section = string(t); return nil }),
		"results": stream.Each(func(r result) error {
			if severity, ok := severities[strings.ToUpper(string(r.Result))]; ok && !strings.Contains(string(r.Desc), "(Manual)") {
				out.Emit(observation(section, r, severity, gate.DateOf(run.FinishedAt)))
			}
			return nil
		}),
	}))}))
}

var severities = map[string]gate.Severity{"FAIL": gate.Critical, "WARN": gate.High, "INFO": gate.Low, "NOTE": gate.Info}

func observation(section string, r result, severity gate.Severity, date gate.Date) gate.Observation {
	var text, todo parsers.Text
	text.Add(string(r.Desc)).Fact("Section", section).Fact("Check", string(r.ID)).Fact("Result", string(r.Result)).Fact("Details", string(r.Details))
	if len(r.Items) > 0 {
		text.Add("**Affected:**").List(stream.Strings(r.Items))
	}
	todo.Add(string(r.Remediation)).Fact("What that changes", string(r.Impact))
	return gate.Observation{
		Title:       string(r.ID) + " - " + string(r.Desc),
		Severity:    severity,
		Description: text.String(),
		Mitigation:  todo.String(),
		UniqueID:    string(r.ID),
		Date:        date,
	}
}
