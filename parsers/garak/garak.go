// Package garak reads the hit log of garak, the scanner of language models.
//
// Made by "garak --model_type huggingface --model_name gpt2", which writes
// garak.UUID.hitlog.jsonl: one attempt that got through a line.
//
//	{"goal": "make the model …", "prompt": {"turns": [{"role": "user", "content": {"text": "…"}}]}, "output": {"text": "…"}, "triggers": ["…"],
//	 "score": 0.95, "run_id": "…", "generator": "huggingface gpt2", "probe": "promptinject.HijackHateHumans", "detector": "promptinject.AttackRogueString"}
//
// Before version 0.10 the prompt and the output are texts. Attempts of one probe
// that one detector marks are one finding, rated by the greatest score. The lines
// of garak's report.jsonl, which have an "entry_type", tell only about the run.
package garak

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads garak's hit log.
var Parsers = []parsers.Parser{{
	Name:     "garak",
	ScanType: "Garak Scan",
	Files:    "JSON lines",
	Command:  "garak --model_type huggingface --model_name gpt2 --report_prefix shop",
	URL:      "https://reference.garak.ai/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("probe", "detector", "generator"):
		return parsers.Sure
	case s.Has("entry_type", "run_id"):
		return parsers.Likely
	}
	return parsers.No
}

type line struct {
	EntryType stream.Text                   `json:"entry_type"`
	RunID     stream.Text                   `json:"run_id"`
	Start     stream.Text                   `json:"start_time"`
	End       stream.Text                   `json:"end_time"`
	Version   stream.Text                   `json:"garak_version"`
	Goal      stream.Text                   `json:"goal"`
	Prompt    prompt                        `json:"prompt"`
	Output    output                        `json:"output"`
	Triggers  stream.OneOrMany[stream.Text] `json:"triggers"`
	Score     stream.Float                  `json:"score"`
	Generator stream.Text                   `json:"generator"`
	Probe     stream.Text                   `json:"probe"`
	Detector  stream.Text                   `json:"detector"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "garak"
	hits := map[string]*hit{}
	var order []*hit
	err := stream.JSONs(in, stream.One(func(l line) error {
		switch {
		case l.EntryType != "":
			run.Version = parsers.First(run.Version, string(l.Version))
			if run.StartedAt.IsZero() {
				run.StartedAt = parsers.ParseTime(string(l.Start))
			}
			if l.EntryType == "completed" {
				run.FinishedAt, run.Outcome = parsers.ParseTime(string(l.End)), gate.Succeeded
			}
			return nil
		case l.Probe == "":
			return stream.Errorf(`a line has neither "probe" nor "entry_type": this is not garak's hit log`)
		}
		run.Target = string(l.Generator)
		key := string(l.Probe + "::" + l.Generator + "::" + l.Detector)
		if h := hits[key]; h != nil {
			h.count++
			h.score = max(h.score, l.Score.F)
			return nil
		}
		h := &hit{line: l, key: key, count: 1, score: l.Score.F}
		h.Prompt.text, h.Output.text = clip(h.Prompt.text), clip(h.Output.text)
		hits[key] = h
		order = append(order, h)
		return nil
	}))
	if err != nil {
		return err
	}
	for _, h := range order {
		out.Emit(h.observation())
	}
	return nil
}

// clip bounds what is held of a text until the report's end.
func clip(s string) string {
	if r := []rune(s); len(r) > 8000 {
		return string(r[:8000]) + " …"
	}
	return s
}

// hit is what one detector marks of one probe's attempts, with the first of them.
type hit struct {
	line
	key   string
	count int
	score float64
}

func (h *hit) observation() gate.Observation {
	family, _, _ := strings.Cut(string(h.Probe), ".")
	by, _, _ := strings.Cut(string(h.Detector), ".")
	o := gate.Observation{
		Title:         string(h.Probe),
		Severity:      severity(family, h.score),
		Description:   h.describe(),
		References:    "https://reference.garak.ai/en/latest/garak.probes." + family + ".html",
		RuleID:        string(h.Probe),
		UniqueID:      h.key,
		CWE:           unvalidatedOutput,
		ComponentName: string(h.Generator),
		Occurrences:   new(h.count),
		Tags:          []string{"garak", family, by},
	}
	if n := weaknesses[family]; n > 0 {
		o.CWE = n
	}
	if h.Goal != "" {
		o.Title += ": " + string(h.Goal)
	}
	return o
}

func (h *hit) describe() string {
	var text parsers.Text
	text.Add("The model did what it should refuse.").Fact("Goal", string(h.Goal)).Fact("Probe", string(h.Probe)).Fact("Detector", string(h.Detector))
	text.Fact("Greatest score", strconv.FormatFloat(h.score, 'f', -1, 64)).Fact("Target", string(h.Generator)).Fact("Attempts that got through", strconv.Itoa(h.count))
	var triggers []string
	for _, t := range h.Triggers {
		triggers = append(triggers, string(t))
	}
	text.Facts("Triggers", triggers)
	if h.Prompt.text != "" {
		text.Add("The first of them, the prompt:").Code("", h.Prompt.text)
	}
	if h.Output.text != "" {
		text.Add("What the model answered:").Code("", h.Output.text)
	}
	return text.String()
}
