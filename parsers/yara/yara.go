// Package yara reads the text output of YARA.
//
// Made by "yara -r -m -s rules.yar /srv > yara.txt". A line names a rule and the file that it matches; with
// -m the rule's metadata stand between them, with -g its tags, with -s the matching strings below:
//
//	Reverse_Shell [description="A shell that calls back",severity="high",score=80] /srv/helper.sh
//	0x1f:$bash: bash -i >& /dev/tcp/
//
// A rule rates itself by "severity", "threat_level" or "score" in its metadata, if at all;
// without that it is Medium. Nothing found is an empty file.
package yara

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads YARA's text.
var Parsers = []parsers.Parser{{
	Name:     "yara",
	ScanType: "YARA Scan",
	Files:    "text",
	Command:  "yara -r -m -s rules.yar /srv > yara.txt",
	URL:      "https://yara.readthedocs.io",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Format != parsers.Plain && s.Format != parsers.CSV {
		return parsers.No
	}
	first, rest, _ := strings.Cut(strings.TrimSpace(string(s.Head)), "\n")
	second, _, _ := strings.Cut(rest, "\n")
	m, ok := read(first)
	switch {
	case ok && matched.MatchString(second):
		return parsers.Sure
	case ok && m.bracketed:
		return parsers.Likely
	case ok && strings.HasPrefix(m.file, "/"):
		return parsers.Possible
	}
	return parsers.No
}

var (
	rule    = regexp.MustCompile(`^(?:[\w.]+:)?([A-Za-z_]\w*) (.+)$`)
	matched = regexp.MustCompile(`^(0x[0-9a-f]+):(?:\d+:)?(\$\w*)(?:: ?(.*))?$`)
)

// match is a rule with the file that it matches.
type match struct {
	rule, file string
	meta       []pair
	tags       []string
	strings    []string
	more       int // strings beyond those that are kept
	bracketed  bool
}

type pair struct{ name, value string }

// maxStrings bounds how many matching strings of one file are told.
const maxStrings = 50

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "YARA"
	var open *match
	flush := func() {
		if open != nil {
			out.Emit(observation(open))
		}
		open = nil
	}
	err := stream.Lines(in, func(_ int, line string) error {
		if m := matched.FindStringSubmatch(line); m != nil && open != nil {
			open.add("`" + m[1] + "` " + strings.TrimSpace(m[2]+": "+m[3]))
			return nil
		}
		m, ok := read(line)
		switch {
		case ok:
			flush()
			open = &m
		case strings.HasPrefix(line, "error: ") || strings.HasPrefix(line, "warning: "):
			out.Problem("%s", line)
		case open == nil && strings.TrimSpace(line) != "":
			return stream.Errorf("want a line \"RULE FILE\", got %q", line[:min(len(line), 80)])
		case strings.TrimSpace(line) != "" && len(open.strings) > 0 && open.more == 0:
			last := &open.strings[len(open.strings)-1]
			*last += " " + strings.TrimSpace(line) // a string with line breaks in it
		}
		return nil
	})
	if err == nil {
		flush()
	}
	return err
}

func (m *match) add(s string) {
	if len(m.strings) < maxStrings {
		m.strings = append(m.strings, s)
	} else {
		m.more++
	}
}

// read reads "RULE [tags] [metadata] FILE".
func read(line string) (match, bool) {
	found := rule.FindStringSubmatch(strings.TrimSpace(line))
	if found == nil {
		return match{}, false
	}
	m := match{rule: found[1]}
	rest := found[2]
	for strings.HasPrefix(rest, "[") {
		inside, after, ok := brackets(rest)
		if !ok {
			return match{}, false
		}
		m.bracketed = true
		if pairs := metadata(inside); pairs != nil {
			m.meta = pairs
		} else if inside != "" {
			m.tags = append(m.tags, strings.Split(inside, ",")...)
		}
		rest = strings.TrimLeft(after, " ")
	}
	m.file = rest
	if rest == "" || !m.bracketed && !strings.ContainsAny(rest, `/\.`) {
		return match{}, false
	}
	return m, true
}

// brackets splits "[inside] after"; a quote hides brackets.
func brackets(s string) (inside, after string, ok bool) {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return s[1:i], s[i+1:], true
		}
	}
	return "", "", false
}

var entry = regexp.MustCompile(`(\w+) ?=("(?:[^"\\]|\\.)*"|[^,]*)`)

// metadata reads `a="b",c=1`; nil when it is none.
func metadata(inside string) []pair {
	var list []pair
	for _, m := range entry.FindAllStringSubmatch(inside, 200) {
		value := strings.Trim(m[2], `"`)
		list = append(list, pair{m[1], strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value)})
	}
	return list
}

func (m *match) get(name string) string {
	for _, p := range m.meta {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

func observation(m *match) gate.Observation {
	var text parsers.Text
	text.Add(m.get("description")).Fact("Rule", m.rule).Fact("File", m.file).Facts("Tags", m.tags)
	for _, p := range m.meta {
		if !strings.EqualFold(p.name, "description") {
			text.Fact(p.name, p.value)
		}
	}
	if len(m.strings) > 0 {
		text.Add("**Matching strings:**").List(m.strings)
	}
	if m.more > 0 {
		text.Fact("And more", stream.Int{N: m.more, OK: true}.String())
	}
	return gate.Observation{
		Title:       m.rule + " matched " + m.file,
		Severity:    severity(m),
		Description: text.String(),
		References:  m.get("reference"),
		RuleID:      m.rule,
		FilePath:    m.file,
	}
}

func severity(m *match) gate.Severity {
	if s, known := gate.SeverityOf(m.get("severity")); known && m.get("severity") != "" {
		return s
	}
	return gate.Medium
}
