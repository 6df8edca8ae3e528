package fortify

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// parseXML reads the XML of the report generator, whose issues stand in groups
// of a category, with explanations of the group; and that of WebInspect.
//
//	<ReportDefinition><ReportSection><SubSection><IssueListing><Chart><GroupingSection>
//	  <MajorAttributeSummary><MetaInfo><Name>Recommendations</Name><Value>…</Value></MetaInfo></MajorAttributeSummary>
//	  <Issue iid="53C2…"><Category>…</Category><Abstract>…</Abstract><Friority>High</Friority>
//	    <Primary><FileName>a.xml</FileName><FilePath>app/a.xml</FilePath><LineStart>11</LineStart><Snippet>…</Snippet></Primary></Issue>
//
//	<Scan><PolicyName>…</PolicyName><Issues><Issue><URL>…</URL><Host>…</Host><Port>443</Port><Severity>2</Severity>
//	  <Name>…</Name><VulnerableSession>GET …</VulnerableSession><ReportSection><Name>Summary</Name><SectionText>HTML</SectionText>
//
// Issues of a category at one line, which differ in where the data comes from,
// are one finding: the first.
func parseXML(in *stream.Input, out *parsers.Report) error {
	seen := map[string]bool{}
	run := out.Run()
	run.Tool = "Fortify"
	about := map[string]string{}
	return stream.XML(in, []string{"ReportDefinition", "Scan"}, stream.Elements{
		"*/GroupingSection": func(*stream.XMLDecoder, xml.StartElement) error {
			clear(about)
			return nil
		},
		"*/MetaInfo": stream.Element(func(m struct {
			Name  string `xml:"Name"`
			Value string `xml:"Value"`
		},
		) error {
			about[m.Name] = m.Value
			return nil
		}),
		"*/Issue": stream.Element(func(i issue) error {
			if i.Name != "" {
				out.Emit(i.webInspect())
			} else if k := i.key(); !seen[k] {
				seen[k] = true
				out.Emit(i.observation(about))
			}
			return nil
		}),
		"Scan/Name": stream.CharData(func(s string) error { run.Tool, run.Target = "Fortify WebInspect", s; return nil }),
	})
}

type issue struct {
	ID       string `xml:"iid,attr"`
	RuleID   string `xml:"ruleID,attr"`
	Category string `xml:"Category"`
	Folder   string `xml:"Folder"`
	Kingdom  string `xml:"Kingdom"`
	Abstract string `xml:"Abstract"`
	Priority string `xml:"Friority"`
	Primary  spot   `xml:"Primary"`
	Source   spot   `xml:"Source"`

	URL      string `xml:"URL"`
	Host     string `xml:"Host"`
	Port     string `xml:"Port"`
	Severity string `xml:"Severity"`
	Name     string `xml:"Name"`
	Request  string `xml:"VulnerableSession"`
	Response string `xml:"RawResponse"`
	Sections []struct {
		Name string `xml:"Name"`
		Text string `xml:"SectionText"`
	} `xml:"ReportSection"`
}

// key is what issues of the report generator share that are one finding.
func (i issue) key() string {
	return i.Category + "\x00" + i.Primary.Path + "\x00" + i.Primary.Name + "\x00" + strings.TrimSpace(i.Primary.Line)
}

type spot struct {
	Name     string `xml:"FileName"`
	Path     string `xml:"FilePath"`
	Line     string `xml:"LineStart"`
	Snippet  string `xml:"Snippet"`
	Function string `xml:"TargetFunction"`
}

func (i issue) observation(about map[string]string) gate.Observation {
	p := i.Primary
	line := stream.ParseInt(p.Line).Ptr()
	var t parsers.Text
	t.Add(parsers.Markdown(cmp.Or(i.Abstract, about["Abstract"]))).
		Fact("Category", i.Category).
		Fact("Kingdom", i.Kingdom).
		Fact("Place", parsers.Place(p.Path, line)).
		Fact("Function", p.Function).
		Code("", p.Snippet)
	if i.Source.Path != "" {
		t.Fact("Source", parsers.Place(i.Source.Path, stream.ParseInt(i.Source.Line).Ptr())).Code("", i.Source.Snippet)
	}
	t.Section("Explanation", parsers.Markdown(about["Explanation"])).Section("Tips", parsers.Markdown(about["Tips"]))
	return gate.Observation{
		Title:       fmt.Sprintf("%s - %s: %s", i.Category, p.Name, strings.TrimSpace(p.Line)),
		Severity:    gate.ParseSeverity(i.Priority),
		Description: t.String(),
		Mitigation:  parsers.Markdown(about["Recommendations"]),
		References:  parsers.Markdown(about["References"]),
		Check:       cmp.Or(i.RuleID, i.Category),
		UniqueID:    i.ID,
		FilePath:    p.Path,
		Line:        line,
		Snippet:     p.Snippet,
	}
}

// webSeverities are WebInspect's.
var webSeverities = map[string]gate.Severity{"4": gate.Critical, "3": gate.High, "2": gate.Medium, "1": gate.Low}

func (i issue) webInspect() gate.Observation {
	o := gate.Observation{
		Title:                i.Name,
		Severity:             webSeverities[strings.TrimSpace(i.Severity)],
		Check:                i.Name,
		RequestResponsePairs: []gate.Pair{{Request: i.Request, Response: i.Response}},
	}
	if e := parsers.HostPort("", i.Host, i.Port); e != "" {
		o.Endpoints = []string{e}
	}
	var t parsers.Text
	for _, s := range i.Sections {
		text := parsers.Markdown(s.Text)
		switch s.Name {
		case "Summary":
			t.Add(text)
		case "Implication":
			o.Impact = text
		case "Execution":
			o.StepsToReproduce = text
		case "Fix":
			o.Mitigation = text
		case "Reference Info", "References":
			o.References = text
		default:
			t.Section(s.Name, text)
		}
	}
	o.Description = t.Fact("URL", i.URL).String()
	return o
}
