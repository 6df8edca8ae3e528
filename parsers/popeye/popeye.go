// Package popeye reads the JSON report of Popeye, which looks for what is wrong
// with the resources of a Kubernetes cluster.
//
// Made by "popeye --out json > popeye.json". The report is one object:
//
//	{"popeye": {"score": 80, "grade": "B", "sanitizers": [{"sanitizer": "pods", "gvr": "v1/pods", "tally": {…},
//	   "issues": {"default/web": [{"group": "nginx", "gvr": "containers", "level": 2, "message": "[POP-106] No resources requests/limits defined"}]}}]},
//	 "ClusterName": "…", "ContextName": "…"}
//
// Since 0.20 sanitizers are sections and a sanitizer is a linter. The levels
// are 0 ok, which is no finding, 1 info, 2 warning and 3 error.
package popeye

import (
	"regexp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Popeye's JSON.
var Parsers = []parsers.Parser{{
	Name:     "popeye",
	ScanType: "Popeye Scan",
	Files:    "JSON",
	Command:  "popeye --out json > popeye.json",
	URL:      "https://popeyecli.io/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("popeye.sanitizers") || s.Has("popeye.sections") || s.Has("popeye.grade") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Popeye"
	sections := stream.Array(section(out))
	return stream.JSON(in, stream.Object(stream.Fields{
		"ClusterName": stream.One(func(s stream.Text) error { run.Target = string(s); return nil }),
		"popeye": stream.Object(stream.Fields{
			"report_time": stream.One(func(s stream.Text) error { run.FinishedAt = parsers.ParseTime(string(s)); return nil }),
			"sanitizers":  sections,
			"sections":    sections,
			"errors": stream.One(func(list stream.OneOrMany[stream.Text]) error {
				for _, e := range list {
					out.Problem("%s", e)
				}
				return nil
			}),
		}),
	}, "popeye"))
}

// section reads what was found about one kind of resource. Its name comes
// before the issues.
func section(out *parsers.Report) stream.Value {
	return func(d *stream.Decoder) error {
		linter := ""
		return stream.Object(stream.Fields{
			"sanitizer": stream.Into(&linter),
			"linter":    stream.Into(&linter),
			"issues": stream.Entries(func(resource string, d *stream.Decoder) error {
				return stream.Each(func(i issue) error {
					if i.Level.N > 0 {
						out.Emit(i.observation(linter, resource))
					}
					return nil
				})(d)
			}),
		})(d)
	}
}

type issue struct {
	Group   string     `json:"group"`
	GVR     string     `json:"gvr"`
	Level   stream.Int `json:"level"`
	Message string     `json:"message"`
}

// code finds the number of a check: "POP-106" in "[POP-106] No resources …".
var code = regexp.MustCompile(`\[(POP-\d+)\]`)

var levels = map[int]struct {
	severity gate.Severity
	name     string
}{1: {gate.Info, "info"}, 2: {gate.Low, "warning"}, 3: {gate.High, "error"}}

func (i issue) observation(linter, resource string) gate.Observation {
	level := levels[min(i.Level.N, 3)]
	group := i.Group
	if group == "__root__" { // of the resource itself
		group = ""
	}
	var about parsers.Text
	about.Add(i.Message).Fact("Linter", linter).Fact("Resource", resource).Fact("Container or group", group).
		Fact("Kind", i.GVR).Fact("Level", level.name)
	o := gate.Observation{
		Title:       linter + " " + resource + " " + i.Message,
		Severity:    level.severity,
		Description: about.String(),
	}
	if m := code.FindStringSubmatch(i.Message); m != nil {
		o.RuleID = m[1]
	}
	return o
}
