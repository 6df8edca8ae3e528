// Package promptfoo reads the JSON results of promptfoo, which tests and attacks applications of language models.
//
// Made by "promptfoo redteam eval --output results.json" or "promptfoo eval --output results.json". The report is one object:
//
//	{"evalId": "eval-…", "metadata": {"promptfooVersion": "0.118.0"}, "results": {"timestamp": "…", "results": [
//	  {"success": false, "error": "…", "failureReason": 1, "provider": {"id": "openai:gpt-4o", "label": ""},
//	   "gradingResult": {"pass": false, "reason": "…", "componentResults": [{"pass": false, "assertion": {"type": "contains"}}]},
//	   "response": {"output": "…"}, "vars": {"q": "…"},
//	   "metadata": {"pluginId": "harmful:hate", "severity": "critical", "harmCategory": "Hate", "goal": "…"}}]}}
//
// A test that failed is a finding; those of one plugin against one target are one. A
// test without a plugin is named by its assertion. failureReason 2 is an error of
// the run, not of the application.
package promptfoo

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads promptfoo's results.
var Parsers = []parsers.Parser{{
	Name:     "promptfoo",
	ScanType: "Promptfoo Scan",
	Files:    "JSON",
	Command:  "promptfoo redteam eval --output results.json",
	URL:      "https://www.promptfoo.dev",
	Analysis: gate.Static, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("evalId", "results"), s.Has("metadata.promptfooVersion"):
		return parsers.Sure
	case s.Has("results.results"):
		return parsers.Possible
	}
	return parsers.No
}

type result struct {
	Success  bool                     `json:"success"`
	Error    stream.Text              `json:"error"`
	Reason   stream.Int               `json:"failureReason"`
	Provider jsontext.Value           `json:"provider"`
	Vars     map[string]stream.Text   `json:"vars"`
	Meta     stream.Lenient[metadata] `json:"metadata"`
	Grading  stream.Lenient[grading]  `json:"gradingResult"`
	Response stream.Lenient[struct {
		Output stream.Text `json:"output"`
	}] `json:"response"`
	TestCase stream.Lenient[struct {
		Metadata stream.Lenient[metadata] `json:"metadata"`
	}] `json:"testCase"`
}

type metadata struct {
	Plugin   stream.Text `json:"pluginId"`
	Severity stream.Text `json:"severity"`
	Category stream.Text `json:"harmCategory"`
	Goal     stream.Text `json:"goal"`
	Strategy stream.Text `json:"strategyId"`
}

type grading struct {
	Reason     stream.Text `json:"reason"`
	Components []struct {
		Pass      bool        `json:"pass"`
		Reason    stream.Text `json:"reason"`
		Assertion stream.Lenient[struct {
			Type stream.Text `json:"type"`
		}] `json:"assertion"`
	} `json:"componentResults"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "promptfoo"
	key := func(o gate.Observation) string { return o.UniqueID }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		each := stream.Each(func(r result) error {
			switch {
			case r.Success:
			case r.Reason.N == 2:
				out.Problem("a test could not be run: %s", r.Error)
			default:
				out.Emit(observation(r))
			}
			return nil
		})
		return stream.JSON(in, stream.Object(stream.Fields{
			"metadata": stream.One(func(m struct {
				Version stream.Text `json:"promptfooVersion"`
			},
			) error {
				run.Version = string(m.Version)
				return nil
			}),
			"results": stream.ByKind(stream.Kinds{'[': each, '{': stream.Object(stream.Fields{
				"timestamp": stream.One(func(t stream.Text) error { run.StartedAt = parsers.ParseTime(string(t)); return nil }),
				"results":   each,
			}, "results")}),
		}, "results"))
	})
}

// plugin returns the metadata of the result, else of its test case.
func (r result) plugin() metadata {
	if m := r.Meta.Value; m.Plugin != "" {
		return m
	}
	return r.TestCase.Value.Metadata.Value
}

// assertion is the kind of the first assertion that failed, with its reason.
func (r result) assertion() (kind, reason string) {
	for _, c := range r.Grading.Value.Components {
		if !c.Pass {
			return string(c.Assertion.Value.Type), string(c.Reason)
		}
	}
	return "", ""
}

// target names the model or application that was tested.
func (r result) target() string {
	var name stream.Text
	var whole struct {
		ID    stream.Text `json:"id"`
		Label stream.Text `json:"label"`
	}
	if len(r.Provider) == 0 {
		return ""
	}
	if stream.Unmarshal(r.Provider, &whole) == nil {
		return parsers.First(string(whole.Label), string(whole.ID))
	}
	_ = stream.Unmarshal(r.Provider, &name)
	return string(name)
}

func observation(r result) gate.Observation {
	m, target := r.plugin(), r.target()
	kind, reason := r.assertion()
	id, title := string(m.Plugin), string(m.Plugin)
	tags := []string{"promptfoo"}
	severity := gate.Medium // of a test that does not say
	if s, known := gate.SeverityOf(string(m.Severity)); known && m.Severity != "" {
		severity = s
	}
	switch {
	case id == "":
		id = parsers.First(kind, "assertion")
		title = "Failed assertion: " + id
	case m.Category != "":
		title = string(m.Category) + " (" + id + ")"
	}
	if m.Plugin != "" {
		tags = append(tags, id, string(m.Category))
	}
	why := parsers.First(string(r.Grading.Value.Reason), reason, string(r.Error))
	return gate.Observation{
		Title:         title,
		Severity:      severity,
		Description:   description(r, m, target, why),
		Mitigation:    "Harden the prompt, filter what comes in and goes out, or take rights from the model; then run the test again.",
		References:    reference(string(m.Plugin)),
		CWE:           weakness(string(m.Plugin)),
		UniqueID:      id + "::" + target,
		RuleID:        id,
		ComponentName: target,
		Tags:          tags,
	}
}

func description(r result, m metadata, target, why string) string {
	var text parsers.Text
	text.Fact("Plugin", string(m.Plugin)).Fact("Harm", string(m.Category)).Fact("Goal of the attack", string(m.Goal)).
		Fact("Strategy", string(m.Strategy)).Fact("Target", target).Fact("Why it failed", why)
	var inputs []string
	for _, name := range slices.Sorted(maps.Keys(r.Vars)) {
		inputs = append(inputs, name+": "+string(r.Vars[name]))
	}
	if len(inputs) > 0 {
		text.Add("**Input:**").Code("", strings.Join(inputs, "\n"))
	}
	if output := string(r.Response.Value.Output); output != "" {
		text.Add("**Output:**").Code("", output)
	}
	return text.String()
}

func reference(plugin string) string {
	if plugin == "" {
		return ""
	}
	return "https://www.promptfoo.dev/docs/red-team/plugins/"
}

// weaknesses are the CWEs of plugins, by the words in their names: what a model
// puts out is not checked (1426), or its input is taken for instructions (1427).
var weaknesses = []struct {
	word string
	cwe  int
}{
	{"prompt-injection", 1427},
	{"prompt-extraction", 1427},
	{"hijacking", 1427},
	{"ascii-smuggling", 1427},
	{"system-prompt-override", 1427},
	{"pii", 200},
	{"cross-session-leak", 200},
	{"data-exfil", 200},
	{"privacy", 200},
	{"sql-injection", 89},
	{"shell-injection", 78},
	{"ssrf", 918},
	{"bola", 639},
	{"bfla", 285},
	{"rbac", 285},
	{"debug-access", 489},
	{"excessive-agency", 1426},
}

func weakness(plugin string) int {
	for _, w := range weaknesses {
		if strings.Contains(plugin, w.word) {
			return w.cwe
		}
	}
	return 1426
}
