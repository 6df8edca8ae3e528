package sarif

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// titleWidth is where DefectDojo cuts titles.
const titleWidth = 150

// title is the message, or the best that the rule says.
func title(run *Run, x *Result, rule *Rule) string {
	if t := x.Message.expand(rule, run); strings.TrimSpace(t) != "" {
		return Shorten(t, titleWidth)
	}
	if rule != nil {
		for _, t := range []string{rule.Short.expand(rule, run), rule.Full.expand(rule, run), string(rule.Name), string(rule.ID)} {
			if strings.TrimSpace(t) != "" {
				return Shorten(t, titleWidth)
			}
		}
	}
	if id := first(x.RuleID, x.Rule.ID); id != "" {
		return Shorten(id, titleWidth)
	}
	return "Result of " + string(run.Tool.Driver.Name)
}

// expand returns the message's text with its arguments in their places. It may
// be one of the rule's or the tool's texts, by name.
func (m *Message) expand(rule *Rule, run *Run) string {
	if m == nil {
		return ""
	}
	text := string(m.Text)
	if text == "" && m.ID != "" {
		text = named(m.ID, rule, run)
	}
	if text == "" {
		text = string(m.Markdown)
	}
	for i, a := range m.Arguments {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", string(a))
	}
	return text
}

func named(id stream.Text, rule *Rule, run *Run) string {
	if rule != nil {
		if m, ok := rule.Messages[id]; ok {
			return first(m.Text, m.Markdown)
		}
	}
	m := run.Tool.Driver.Messages[id]
	return first(m.Text, m.Markdown)
}

// rich returns the message's Markdown where it has some, else its text.
func (m *Message) rich(rule *Rule, run *Run) string {
	if m != nil && m.Markdown != "" {
		return string(m.Markdown)
	}
	return m.expand(rule, run)
}

func description(run *Run, x *Result, rule *Rule, l *Location) string {
	var t parsers.Text
	said := make([]string, 0, 4)
	add := func(s string) {
		if s = strings.TrimSpace(s); !slices.Contains(said, s) {
			said = append(said, s)
			t.Add(s)
		}
	}
	add(x.Message.expand(rule, run))
	if rule != nil {
		add(rule.Short.expand(rule, run))
		add(rule.Full.expand(rule, run))
	}
	if m := l.Message.expand(rule, run); m != "" {
		add(m)
	}
	t.Fact("Rule", ruleName(x, rule))
	t.Fact("Place", l.place(run))
	t.Fact("In", l.logical())
	for _, s := range x.Suppressions {
		t.Fact("Suppressed", string(s.Justification))
	}
	properties(&t, x.Properties)
	t.Code("", l.snippet())
	flows(&t, run, x, rule)
	related(&t, run, x, rule)
	return t.String()
}

func ruleName(x *Result, rule *Rule) string {
	id := first(x.RuleID, x.Rule.ID)
	if rule == nil || string(rule.Name) == id || rule.Name == "" {
		if id == "" && rule != nil {
			return string(rule.ID)
		}
		return id
	}
	if id == "" {
		id = string(rule.ID)
	}
	return string(rule.Name) + " (" + id + ")"
}

// Bounds of what a description tells.
const (
	maxProperties = 20
	maxFlows      = 5
	maxSteps      = 50
	maxValue      = 500
)

// properties adds what the tool says beyond the standard, in a fixed order.
func properties(t *parsers.Text, p Properties) {
	if len(p) == 0 {
		return
	}
	n := 0
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if name == "tags" || name == "cwe" {
			continue
		}
		v := p[name]
		if k := v.Kind(); k == '{' || k == '[' || k == 'n' {
			continue
		}
		text := strings.Join(strings.Fields(scalar(v)), " ")
		if text == "" || len(text) > maxValue {
			continue
		}
		if n++; n > maxProperties {
			return
		}
		t.Fact(name, text)
	}
}

// flows adds the steps that lead from a source to the place.
func flows(t *parsers.Text, run *Run, x *Result, rule *Rule) {
	for i := range x.CodeFlows[:min(len(x.CodeFlows), maxFlows)] {
		f := &x.CodeFlows[i]
		var room [512]byte
		b := room[:0]
		if m := f.Message.expand(rule, run); m != "" {
			b = append(append(b, m...), "\n\n"...)
		}
		n, from := 0, len(b)
		for _, thread := range f.ThreadFlows {
			for j := range thread.Locations {
				before := len(b)
				if before > from {
					b = append(b, '\n')
				}
				b = append(strconv.AppendInt(b, int64(n+1), 10), ". "...)
				var told bool
				if b, told = thread.Locations[j].Location.appendStep(b, run, rule); !told || n == maxSteps {
					b = b[:before]
				} else {
					n++
				}
			}
		}
		heading := "Flow"
		if len(x.CodeFlows) > 1 {
			heading += " " + strconv.Itoa(i+1)
		}
		t.Section(heading, string(b))
	}
}

// related adds the places that the message speaks of.
func related(t *parsers.Text, run *Run, x *Result, rule *Rule) {
	var room [512]byte
	b, n := room[:0], 0
	for i := range x.Related {
		before := len(b)
		if before > 0 {
			b = append(b, '\n')
		}
		var told bool
		if b, told = x.Related[i].appendStep(append(b, "- "...), run, rule); !told || n == maxSteps {
			b = b[:before]
		} else {
			n++
		}
	}
	t.Section("Related places", string(b))
}

// appendStep tells a location in one line, if there is something to tell.
func (l *Location) appendStep(b []byte, run *Run, rule *Rule) (line []byte, told bool) {
	from := len(b)
	part := func() {
		if len(b) > from {
			b = append(b, " – "...)
		}
	}
	if l.file(run) != "" {
		b = append(l.appendPlace(append(b, '`'), run), '`')
	}
	if s := oneLine(l.snippet()); s != "" && len(s) <= maxValue {
		part()
		b = append(append(append(b, '`'), strings.ReplaceAll(s, "`", "'")...), '`')
	}
	if m := oneLine(l.Message.rich(rule, run)); m != "" {
		part()
		b = append(b, m...)
	}
	return b, len(b) > from
}

func mitigation(run *Run, x *Result, rule *Rule) string {
	var t parsers.Text
	for _, f := range x.Fixes {
		t.Add(f.Description.expand(rule, run))
	}
	if rule != nil {
		if help := rule.Help.rich(rule, run); !strings.HasPrefix(help, "http") {
			t.Add(help)
		}
	}
	return t.String()
}

// place is "file:line", as far as the location says it.
func (l *Location) place(run *Run) string {
	var room [128]byte
	return string(l.appendPlace(room[:0], run))
}

func (l *Location) appendPlace(b []byte, run *Run) []byte {
	file := l.file(run)
	b = append(b, file...)
	if r := l.region(); file != "" && r != nil && r.StartLine.OK {
		b = strconv.AppendInt(append(b, ':'), int64(r.StartLine.N), 10)
	}
	return b
}

func (l *Location) file(run *Run) string {
	a := &l.Physical.Artifact
	if a.URI == "" && a.Index.OK && a.Index.N >= 0 && a.Index.N < len(run.artifacts) {
		return string(run.artifacts[a.Index.N])
	}
	return string(a.URI)
}

// region returns where in the file it is, or nil when that is not said in lines.
func (l *Location) region() *Region {
	if r := &l.Physical.Region; r.StartLine.OK || !r.ByteOffset.OK {
		return r
	}
	return nil
}

func (l *Location) snippet() string {
	if s := l.Physical.Region.Snippet.Text; s != "" || l.Physical.Context == nil {
		return string(s)
	}
	return string(l.Physical.Context.Snippet.Text)
}

// logical names the function or the like that the place is in.
func (l *Location) logical() string {
	for _, p := range l.Logical {
		if n := first(p.FullyQualifiedName, p.Name); n != "" {
			return n
		}
	}
	return ""
}
