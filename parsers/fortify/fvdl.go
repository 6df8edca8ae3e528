package fortify

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// project is what the vulnerabilities of an FVDL refer to.
type project struct {
	descriptions map[string]description
	snippets     map[string]snippet
	nodes        map[string]location // of the pool, by id
	rules        map[string]map[string]string

	// What a vulnerability refers to stands after it. Those of small reports are
	// held until then; a report with more is read twice.
	held    []vulnerability
	entries int // of their traces
	all     bool
}

// Bounds of what is held.
const (
	maxHeld    = 2000
	maxEntries = 50_000
)

type description struct {
	Class     string   `xml:"classID,attr"`
	Abstract  string   `xml:"Abstract"`
	Explain   string   `xml:"Explanation"`
	Recommend string   `xml:"Recommendations"`
	Tips      []string `xml:"Tips>Tip"`
	Links     []struct {
		Title  string `xml:"Title"`
		Source string `xml:"Source"`
	} `xml:"References>Reference"`
}

type snippet struct {
	ID    string `xml:"id,attr"`
	Start string `xml:"StartLine"`
	Text  string `xml:"Text"`
}

type location struct {
	Path    string `xml:"path,attr"`
	Line    string `xml:"line,attr"`
	End     string `xml:"lineEnd,attr"`
	Snippet string `xml:"snippet,attr"`
}

type vulnerability struct {
	Class      string `xml:"ClassInfo>ClassID"`
	Kingdom    string `xml:"ClassInfo>Kingdom"`
	Type       string `xml:"ClassInfo>Type"`
	Subtype    string `xml:"ClassInfo>Subtype"`
	ID         string `xml:"InstanceInfo>InstanceID"`
	Severity   string `xml:"InstanceInfo>InstanceSeverity"`
	Confidence string `xml:"InstanceInfo>Confidence"`
	Defs       []struct {
		Key   string `xml:"key,attr"`
		Value string `xml:"value,attr"`
	} `xml:"AnalysisInfo>Unified>ReplacementDefinitions>Def"`
	Entries []struct {
		Node struct {
			Default  string   `xml:"isDefault,attr"`
			Location location `xml:"SourceLocation"`
		} `xml:"Node"`
		Ref struct {
			ID      string `xml:"id,attr"`
			Default string `xml:"isDefault,attr"`
		} `xml:"NodeRef"`
	} `xml:"AnalysisInfo>Unified>Trace>Primary>Entry"`
}

func parseFVDL(in *stream.Input, out *parsers.Report, audits audit, snippetLine bool) error {
	p := project{descriptions: map[string]description{}, snippets: map[string]snippet{}, nodes: map[string]location{}, rules: map[string]map[string]string{}, all: true}
	if err := p.read(in, out); err != nil {
		return err
	}
	if p.all {
		for _, v := range p.held {
			out.Emit(p.observation(v, audits[v.ID], snippetLine))
		}
		return nil
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.XML(in, []string{"FVDL"}, stream.Elements{"FVDL/Vulnerabilities/Vulnerability": stream.Element(func(v vulnerability) error {
		out.Emit(p.observation(v, audits[v.ID], snippetLine))
		return nil
	})})
}

// hold keeps a vulnerability, unless they are too many.
func (p *project) hold(v vulnerability) {
	p.entries += len(v.Entries)
	if len(p.held) == maxHeld || p.entries > maxEntries {
		p.held, p.all = nil, false
	}
	if p.all {
		p.held = append(p.held, v)
	}
}

// read reads everything of an FVDL; of the vulnerabilities it holds those of a
// small report.
func (p *project) read(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Fortify Static Code Analyzer"
	node, rule := "", ""
	hold := stream.Element(func(v vulnerability) error { p.hold(v); return nil })
	return stream.XML(in, []string{"FVDL"}, stream.Elements{
		"FVDL/Vulnerabilities/Vulnerability": func(d *stream.XMLDecoder, start xml.StartElement) error {
			if !p.all {
				return nil
			}
			return hold(d, start)
		},
		"FVDL/CreatedTS": stream.Start(func(attr func(string) string) error {
			run.FinishedAt = parsers.ParseTime(attr("date") + "T" + attr("time"))
			return nil
		}),
		"FVDL/Build/BuildID":            stream.CharData(func(s string) error { run.Target = s; return nil }),
		"FVDL/EngineData/EngineVersion": stream.CharData(func(s string) error { run.Version = s; return nil }),
		"FVDL/EngineData/RulePacks/RulePack/Version": stream.CharData(func(s string) error {
			run.Ruleset = cmp.Or(run.Ruleset, s)
			return nil
		}),
		"FVDL/EngineData/Errors/Error": stream.CharData(func(s string) error {
			out.Problem("%s", strings.Join(strings.Fields(s), " "))
			return nil
		}),
		"FVDL/Description":          stream.Element(func(d description) error { p.descriptions[d.Class] = d; return nil }),
		"FVDL/Snippets/Snippet":     stream.Element(func(s snippet) error { p.snippets[s.ID] = s; return nil }),
		"FVDL/UnifiedNodePool/Node": stream.Start(func(attr func(string) string) error { node = attr("id"); return nil }),
		"FVDL/UnifiedNodePool/Node/SourceLocation": stream.Start(func(attr func(string) string) error {
			p.nodes[node] = location{attr("path"), attr("line"), attr("lineEnd"), attr("snippet")}
			return nil
		}),
		"FVDL/EngineData/RuleInfo/Rule": stream.Start(func(attr func(string) string) error {
			rule = attr("id")
			p.rules[rule] = map[string]string{}
			return nil
		}),
		"FVDL/EngineData/RuleInfo/Rule/MetaInfo/Group": stream.Record(func(n *stream.Node) error {
			switch name := n.Attr("name"); name {
			case "Impact", "Accuracy", "Probability", "altcategoryCWE", "RemediationEffort":
				p.rules[rule][name] = n.Text()
			}
			return nil
		}),
	})
}

// place is where a vulnerability shows: the entry of its trace that Fortify
// marks, else the last.
func (p *project) place(v vulnerability) location {
	var at location
	for _, e := range v.Entries {
		l := e.Node.Location
		if l.Path == "" {
			l = p.nodes[e.Ref.ID]
		}
		if l.Path == "" {
			continue
		}
		at = l
		if e.Node.Default == "true" || e.Ref.Default == "true" {
			return l
		}
	}
	return at
}

func (p *project) observation(v vulnerability, a verdict, snippetLine bool) gate.Observation {
	l, d := p.place(v), p.descriptions[v.Class]
	s := p.snippets[l.Snippet]
	line := stream.ParseInt(l.Line)
	if start := stream.ParseInt(s.Start); snippetLine && start.OK {
		line = start
	}
	o := gate.Observation{
		Title:         fmt.Sprintf("%s - %s: %d (%s)", v.Type, baseName(l.Path), line.N, v.Class),
		Severity:      p.severity(v),
		Description:   p.text(v, l, s),
		Mitigation:    fill(d.Recommend, v),
		References:    d.references(),
		CWE:           gate.ParseCWE(strings.TrimPrefix(p.rules[v.Class]["altcategoryCWE"], "CWE ID ")),
		Check:         strings.Trim(v.Type+": "+v.Subtype, ": "),
		UniqueID:      v.ID,
		FilePath:      l.Path,
		Line:          line.Ptr(),
		EndLine:       stream.ParseInt(l.End).Ptr(),
		Snippet:       s.Text,
		FalsePositive: a.notIssue,
	}
	if a.notIssue {
		o.Active = new(false)
	}
	if len(a.comments) > 0 {
		var t parsers.Text
		o.Impact = t.Add("Comments of the auditors:").List(a.comments).String()
	}
	return o
}

// severity is Fortify's priority order: of the impact, and of the likelihood,
// which is made of the accuracy, the confidence and the probability. Without the
// rule's numbers it is the instance's own.
func (p *project) severity(v vulnerability) gate.Severity {
	r := p.rules[v.Class]
	impact, accuracy, probability := stream.ParseFloat(r["Impact"]), stream.ParseFloat(r["Accuracy"]), stream.ParseFloat(r["Probability"])
	if !impact.OK || !accuracy.OK || !probability.OK {
		return byInstance(stream.ParseFloat(v.Severity).F)
	}
	likely := accuracy.F*stream.ParseFloat(v.Confidence).F*probability.F/25 >= 2.5
	switch severe := impact.F >= 2.5; {
	case severe && likely:
		return gate.Critical
	case severe:
		return gate.High
	case likely:
		return gate.Medium
	}
	return gate.Low
}

func byInstance(severity float64) gate.Severity {
	switch {
	case severity >= 5:
		return gate.Critical
	case severity >= 4:
		return gate.High
	case severity >= 3:
		return gate.Medium
	case severity >= 1:
		return gate.Low
	}
	return gate.Info
}

func (p *project) text(v vulnerability, l location, s snippet) string {
	d := p.descriptions[v.Class]
	var t parsers.Text
	t.Add(fill(d.Abstract, v)).
		Fact("Category", strings.Trim(v.Type+": "+v.Subtype, ": ")).
		Fact("Kingdom", v.Kingdom).
		Fact("Place", parsers.Place(l.Path, stream.ParseInt(l.Line).Ptr())).
		Fact("Confidence of Fortify", v.Confidence).
		Code("", s.Text).
		Section("Explanation", fill(d.Explain, v))
	var steps []string
	for _, e := range v.Entries {
		n := e.Node.Location
		if n.Path == "" {
			n = p.nodes[e.Ref.ID]
		}
		if n.Path != "" && len(steps) < 50 {
			steps = append(steps, parsers.Place(n.Path, stream.ParseInt(n.Line).Ptr()))
		}
	}
	if len(steps) > 1 {
		t.Add("The trace:").List(steps)
	}
	var tips []string
	for _, tip := range d.Tips {
		tips = append(tips, fill(tip, v))
	}
	return t.Section("Tips", strings.Join(tips, "\n\n")).String()
}

func (d description) references() string {
	var list []string
	for _, l := range d.Links {
		list = append(list, strings.TrimSpace(l.Title+" "+l.Source))
	}
	return parsers.Lines(list...)
}

// replace is a place in an explanation for a value of the instance.
var replace = regexp.MustCompile(`<Replace [^>]*key="([^"]*)"[^>]*/?>(?:</Replace>)?`)

// fill puts the instance's values into an explanation, and makes it Markdown.
func fill(text string, v vulnerability) string {
	text = replace.ReplaceAllStringFunc(text, func(m string) string {
		key := replace.FindStringSubmatch(m)[1]
		for _, d := range v.Defs {
			if d.Key == key {
				return "<code>" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(d.Value) + "</code>"
			}
		}
		return ""
	})
	return parsers.Markdown(text)
}
