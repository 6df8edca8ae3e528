package garak

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Weaknesses of language models.
const (
	unvalidatedOutput = 1426 // improper validation of generative AI output
	promptInjection   = 1427 // improper neutralization of input used for prompting
)

// weaknesses are those of probes' families that are not unvalidatedOutput.
var weaknesses = map[string]int{
	"promptinject": promptInjection, "latentinjection": promptInjection, "dan": promptInjection, "encoding": promptInjection, "suffix": promptInjection, "tap": promptInjection,
	"dra": promptInjection, "fitd": promptInjection, "goodside": promptInjection, "phrasing": promptInjection, "grandma": promptInjection, "smuggling": promptInjection, "sysprompt_extraction": promptInjection,
	"xss": 79, "web_injection": 79, "leakreplay": 200, "divergence": 200, "exploitation": 94, "ansiescape": 150,
}

// bases rate what a family of probes is after; others are of medium severity.
var bases = map[string]gate.Severity{
	"promptinject": gate.High, "latentinjection": gate.High, "dan": gate.High, "malwaregen": gate.High, "xss": gate.High, "web_injection": gate.High, "exploitation": gate.High,
	"continuation": gate.Low, "misleading": gate.Low, "snowball": gate.Low,
}

// severity is that of the family, one step up for a detector that is certain
// and one down for one that is in doubt.
func severity(family string, score float64) gate.Severity {
	s, ok := bases[family]
	if !ok {
		s = gate.Medium
	}
	switch {
	case score >= 0.9:
		s++
	case score < 0.7:
		s--
	}
	return max(gate.Info, min(gate.Critical, s))
}

// prompt is a conversation, or a text.
type prompt struct{ text string }

// UnmarshalJSONFrom reads a conversation's turns, or a text.
func (p *prompt) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		var t stream.Text
		err := t.UnmarshalJSONFrom(d)
		p.text = string(t)
		return err
	}
	var v stream.Lenient[struct {
		Turns []struct {
			Role    stream.Text `json:"role"`
			Content output      `json:"content"`
		} `json:"turns"`
		Text stream.Text `json:"text"`
	}]
	if err := v.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	lines := []string{}
	for _, t := range v.Value.Turns {
		lines = append(lines, strings.TrimPrefix(string(t.Role)+": "+t.Content.text, ": "))
	}
	p.text = strings.Join(append(lines, string(v.Value.Text)), "\n")
	return nil
}

// output is a message, or a text.
type output struct{ text string }

// UnmarshalJSONFrom reads a message's text, or a text.
func (o *output) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		var t stream.Text
		err := t.UnmarshalJSONFrom(d)
		o.text = string(t)
		return err
	}
	var v stream.Lenient[struct {
		Text stream.Text `json:"text"`
	}]
	err := v.UnmarshalJSONFrom(d)
	o.text = string(v.Value.Text)
	return err
}
