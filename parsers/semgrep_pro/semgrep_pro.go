// Package semgrep_pro reads findings of the Semgrep platform, as its API lists them.
//
// Made by "curl -H 'Authorization: Bearer …' https://semgrep.dev/api/v1/deployments/NAME/findings":
//
//	{"findings": [{"id": 1234567, "match_based_id": "0f8c…_1", "severity": "medium", "confidence": "high",
//	  "status": "open", "state": "unresolved", "triage_state": "untriaged", "created_at": "2026-01-05T10:00:00Z",
//	  "rule_name": "…", "rule_message": "…", "repository": {"name": "shop", "url": "…"},
//	  "location": {"file_path": "a.tsx", "line": 120, "end_line": 124},
//	  "rule": {"message": "…", "cwe_names": ["CWE-319: …"], "owasp_names": […], "vulnerability_classes": […]},
//	  "assistant": {"guidance": {}, "autofix": {}, "autotriage": {}, "component": {}}}]}
//
// https://semgrep.dev/api/v1/docs
package semgrep_pro

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the platform's findings.
var Parsers = []parsers.Parser{{
	Name:     "semgrep_pro",
	ScanType: "Semgrep Pro JSON Report",
	Files:    "JSON",
	Command:  `curl -H "Authorization: Bearer $TOKEN" https://semgrep.dev/api/v1/deployments/$NAME/findings`,
	URL:      "https://semgrep.dev/api/v1/docs",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("findings[].rule_name", "findings[].match_based_id"):
		return parsers.Sure
	case s.Has("findings[].rule_name", "findings[].location"):
		return parsers.Likely
	case s.Has("findings[]") && !s.Has("findings[].title"):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Semgrep"
	return stream.JSON(in, stream.Object(stream.Fields{
		"findings": stream.Each(func(f finding) error {
			out.Emit(f.observation())
			return nil
		}),
	}, "findings"))
}

type texts = stream.OneOrMany[stream.Text]

type finding struct {
	ID            stream.Text `json:"id"`
	MatchBasedID  stream.Text `json:"match_based_id"`
	Severity      stream.Text `json:"severity"`
	Confidence    stream.Text `json:"confidence"`
	Categories    texts       `json:"categories"`
	Created       stream.Text `json:"created_at"`
	Status        stream.Text `json:"status"`
	State         stream.Text `json:"state"`
	TriageState   stream.Text `json:"triage_state"`
	TriageComment stream.Text `json:"triage_comment"`
	TriageReason  stream.Text `json:"triage_reason"`
	RuleName      stream.Text `json:"rule_name"`
	RuleMessage   stream.Text `json:"rule_message"`
	LineURL       stream.Text `json:"line_of_code_url"`
	Repository    struct {
		Name stream.Text `json:"name"`
		URL  stream.Text `json:"url"`
	} `json:"repository"`
	Location struct {
		File    stream.Text `json:"file_path"`
		Line    stream.Int  `json:"line"`
		EndLine stream.Int  `json:"end_line"`
	} `json:"location"`
	Rule struct {
		Message    stream.Text `json:"message"`
		Confidence stream.Text `json:"confidence"`
		Category   stream.Text `json:"category"`
		Classes    texts       `json:"vulnerability_classes"`
		CWEs       texts       `json:"cwe_names"`
		OWASP      texts       `json:"owasp_names"`
	} `json:"rule"`
	Ticket struct {
		Slug stream.Text `json:"external_slug"`
		URL  stream.Text `json:"url"`
	} `json:"external_ticket"`
	Assistant assistant `json:"assistant"`
}

// assistant is what Semgrep's language model adds.
type assistant struct {
	Autofix struct {
		Code        stream.Text `json:"fix_code"`
		Explanation stream.Text `json:"explanation"`
	} `json:"autofix"`
	Guidance struct {
		Summary      stream.Text `json:"summary"`
		Instructions stream.Text `json:"instructions"`
	} `json:"guidance"`
	Autotriage struct {
		Verdict stream.Text `json:"verdict"`
		Reason  stream.Text `json:"reason"`
	} `json:"autotriage"`
	Component struct {
		Tag  stream.Text `json:"tag"`
		Risk stream.Text `json:"risk"`
	} `json:"component"`
}

func (f finding) observation() gate.Observation {
	o := gate.Observation{
		Title:         string(f.RuleName),
		Severity:      gate.ParseSeverity(string(f.Severity)),
		Description:   f.description(),
		Mitigation:    f.Assistant.mitigation(),
		Impact:        f.impact(),
		References:    parsers.Lines(append(append([]string{string(f.LineURL), string(f.Ticket.URL)}, words(f.Rule.OWASP)...), words(f.Rule.CWEs)...)...),
		RuleID:        string(f.RuleName),
		UniqueID:      parsers.First(string(f.MatchBasedID), string(f.ID)),
		FilePath:      string(f.Location.File),
		Line:          f.Location.Line.Ptr(),
		EndLine:       f.Location.EndLine.Ptr(),
		ComponentName: string(f.Assistant.Component.Tag),
		URL:           string(f.LineURL),
		Date:          parsers.ParseDate(string(f.Created)),
		Occurrences:   new(1),
	}
	if s := strings.ToLower(string(f.Status)); s == "fixed" || s == "ignored" || s == "removed" {
		o.Active = new(false)
	}
	parsers.SetCWEs(&o, f.Rule.CWEs...)
	return o
}

func (f finding) description() string {
	var t parsers.Text
	t.Add(string(f.RuleMessage))
	if f.Rule.Message != f.RuleMessage {
		t.Add(string(f.Rule.Message))
	}
	t.Fact("Rule", string(f.RuleName)).
		Fact("Place", parsers.Place(string(f.Location.File), f.Location.Line.Ptr())).
		Fact("Repository", string(f.Repository.Name)).
		Facts("Class", words(f.Rule.Classes)).
		Facts("Weakness", words(f.Rule.CWEs)).
		Facts("OWASP", words(f.Rule.OWASP)).
		Facts("Category", append(words(f.Categories), string(f.Rule.Category))).
		Fact("Confidence", parsers.First(string(f.Confidence), string(f.Rule.Confidence))).
		Fact("State", string(f.State)).
		Fact("Triage", parsers.First(string(f.TriageReason), string(f.TriageState))).
		Fact("Comment", string(f.TriageComment)).
		Fact("Ticket", string(f.Ticket.Slug))
	if v := f.Assistant.Autotriage; v.Verdict != "" {
		t.Fact("The assistant's verdict", strings.ReplaceAll(string(v.Verdict), "_", " ")+". "+string(v.Reason))
	}
	return t.String()
}

func (f finding) impact() string {
	var t parsers.Text
	c := f.Assistant.Component
	return t.Facts("Class", words(f.Rule.Classes)).
		Fact("Confidence", string(f.Confidence)).
		Fact("Repository", strings.TrimSpace(string(f.Repository.Name+" "+f.Repository.URL))).
		Fact("Component", string(c.Tag)).
		Fact("Risk of the component", string(c.Risk)).String()
}

func (a assistant) mitigation() string {
	var t parsers.Text
	t.Add(string(a.Guidance.Summary)).Add(string(a.Guidance.Instructions))
	if a.Autofix.Code != "" {
		t.Add("The assistant proposes this code:").Code("", string(a.Autofix.Code)).Add(string(a.Autofix.Explanation))
	}
	return t.String()
}

func words(list texts) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}
