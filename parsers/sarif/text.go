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
	if x.Message != nil {
		if t := x.Message.expand(rule, run); strings.TrimSpace(t) != "" {
			return Shorten(t, titleWidth)
		}
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

func description(run *Run, x *Result, rule *Rule, l Location) string {
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
	for i, f := range x.CodeFlows {
		var steps []string
		for _, thread := range f.ThreadFlows {
			for _, s := range thread.Locations {
				if step := s.Location.step(run, rule); step != "" && len(steps) < maxSteps {
					steps = append(steps, strconv.Itoa(len(steps)+1)+". "+step)
				}
			}
		}
		heading := "Flow"
		if len(x.CodeFlows) > 1 {
			heading += " " + strconv.Itoa(i+1)
		}
		text := strings.Join(steps, "\n")
		if m := f.Message.expand(rule, run); m != "" {
			text = m + "\n\n" + text
		}
		t.Section(heading, text)
		if i == 4 {
			return
		}
	}
}

// related adds the places that the message speaks of.
func related(t *parsers.Text, run *Run, x *Result, rule *Rule) {
	var items []string
	for _, l := range x.Related {
		if step := l.step(run, rule); step != "" && len(items) < maxSteps {
			items = append(items, "- "+step)
		}
	}
	t.Section("Related places", strings.Join(items, "\n"))
}

// step tells a location in one line.
func (l Location) step(run *Run, rule *Rule) string {
	parts := []string{}
	if p := l.place(run); p != "" {
		parts = append(parts, "`"+p+"`")
	}
	if s := strings.Join(strings.Fields(l.snippet()), " "); s != "" && len(s) <= maxValue {
		parts = append(parts, "`"+strings.ReplaceAll(s, "`", "'")+"`")
	}
	if m := l.Message.rich(rule, run); m != "" {
		parts = append(parts, strings.Join(strings.Fields(m), " "))
	}
	return strings.Join(parts, " – ")
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
func (l Location) place(run *Run) string {
	file := l.file(run)
	if r := l.region(); file != "" && r != nil && r.StartLine.OK {
		return file + ":" + strconv.Itoa(r.StartLine.N)
	}
	return file
}

func (l Location) file(run *Run) string {
	if l.Physical == nil {
		return ""
	}
	a := l.Physical.Artifact
	if a.URI == "" && a.Index.OK && a.Index.N >= 0 && a.Index.N < len(run.artifacts) {
		return string(run.artifacts[a.Index.N])
	}
	return string(a.URI)
}

func (l Location) region() *Region {
	if l.Physical == nil || l.Physical.Region == nil || l.Physical.Region.ByteOffset.OK && !l.Physical.Region.StartLine.OK {
		return nil
	}
	return l.Physical.Region
}

func (l Location) snippet() string {
	if l.Physical == nil {
		return ""
	}
	for _, r := range []*Region{l.Physical.Region, l.Physical.Context} {
		if r != nil && r.Snippet.Text != "" {
			return string(r.Snippet.Text)
		}
	}
	return ""
}

// logical names the function or the like that the place is in.
func (l Location) logical() string {
	for _, p := range l.Logical {
		if n := first(p.FullyQualifiedName, p.Name); n != "" {
			return n
		}
	}
	return ""
}
