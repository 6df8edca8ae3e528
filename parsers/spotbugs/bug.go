package spotbugs

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type bug struct {
	Type     string       `xml:"type,attr"`
	Priority string       `xml:"priority,attr"`
	Rank     string       `xml:"rank,attr"`
	Category string       `xml:"category,attr"`
	CWE      string       `xml:"cweid,attr"`
	Hash     string       `xml:"instanceHash,attr"`
	Short    string       `xml:"ShortMessage"`
	Long     string       `xml:"LongMessage"`
	Classes  []member     `xml:"Class"`
	Methods  []member     `xml:"Method"`
	Fields   []member     `xml:"Field"`
	Lines    []sourceLine `xml:"SourceLine"`
	Texts    []struct {
		Value string `xml:"value,attr"`
		Role  string `xml:"role,attr"`
	} `xml:"String"`
}

type member struct {
	Class string     `xml:"classname,attr"`
	Name  string     `xml:"name,attr"`
	Line  sourceLine `xml:"SourceLine"`
}

type sourceLine struct {
	Class string `xml:"classname,attr"`
	Path  string `xml:"sourcepath,attr"`
	Start string `xml:"start,attr"`
	End   string `xml:"end,attr"`
}

// severities are SpotBugs' priorities, which say how sure it is that it is a bug.
var severities = map[string]gate.Severity{"1": gate.High, "2": gate.Medium, "3": gate.Low, "4": gate.Info, "5": gate.Info}

func (b bug) observation(patterns map[string]pattern) gate.Observation {
	o := gate.Observation{
		Title:       cmp.Or(strings.TrimSpace(b.Short), b.Type),
		Severity:    severities[b.Priority],
		Description: b.description(),
		CWE:         gate.ParseCWE(b.CWE),
	}
	if len(b.Lines) > 0 {
		l := b.Lines[0]
		o.FilePath, o.SASTSourceFilePath, o.SASTSourceObject = l.Path, l.Path, l.Class
		o.Line, o.EndLine = stream.ParseInt(l.Start).Ptr(), stream.ParseInt(l.End).Ptr()
		o.SASTSourceLine = o.Line
	}
	o.Mitigation, o.References = advice(patterns[b.Type].Details)
	o.Check = b.Type
	return o
}

func (b bug) description() string {
	var t parsers.Text
	t.Add(b.Long)
	if b.Short == "" && b.Long == "" {
		t.Add("SpotBugs found a bug of the pattern " + b.Type + ".")
	}
	t.Fact("Pattern", b.Type).Fact("Category", b.Category).Fact("Rank", rank(b.Rank))
	for _, c := range first(b.Classes) {
		t.Fact("Class", c.Class)
	}
	for _, m := range first(b.Methods) {
		t.Fact("Method", m.Class+"."+m.Name)
	}
	for _, f := range first(b.Fields) {
		t.Fact("Field", f.Class+"."+f.Name)
	}
	for _, s := range b.Texts {
		t.Fact("Value", s.Value)
	}
	var places []string
	for _, l := range b.Lines {
		places = append(places, parsers.Place(l.Path, stream.ParseInt(l.Start).Ptr()))
	}
	return t.Facts("Places", places).String()
}

func first(list []member) []member { return list[:min(1, len(list))] }

// rank tells SpotBugs' rank, of which 1 is the worst, in its words.
func rank(text string) string {
	n := stream.ParseInt(text)
	switch {
	case !n.OK:
		return ""
	case n.N <= 4:
		return text + " of 20, scariest"
	case n.N <= 9:
		return text + " of 20, scary"
	case n.N <= 14:
		return text + " of 20, troubling"
	}
	return text + " of 20, of concern"
}

// advice parts a pattern's explanation from the links at its end.
func advice(details string) (text, links string) {
	text = parsers.Markdown(details)
	head, tail, ok := cutLast(text, "References")
	if !ok {
		return text, strings.Join(link.FindAllString(text, 20), "\n")
	}
	return strings.TrimRight(head, "*# \n"), strings.TrimSpace(strings.TrimLeft(tail, "*#: \n"))
}

var link = regexp.MustCompile(`\[[^\]\n]+\]\(https?://[^)\s]+\)`)

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// millis reads a time in milliseconds.
func millis(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// key is what makes two instances one: SpotBugs' own hash, or without one
// everything that tells them apart.
func (b bug) key() string {
	if b.Hash != "" {
		return b.Hash
	}
	return fmt.Sprint(b.Type, b.Priority, b.Classes, b.Methods, b.Fields, b.Lines, b.Texts)
}
