package checkmarx

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type query struct {
	id, cwe, name, categories, language, group string
}

type result struct {
	File     string `xml:"FileName,attr"`
	Line     string `xml:"Line,attr"`
	False    string `xml:"FalsePositive,attr"`
	Severity string `xml:"Severity,attr"`
	State    string `xml:"state,attr"`
	Status   string `xml:"Status,attr"`
	Remark   string `xml:"Remark,attr"`
	Link     string `xml:"DeepLink,attr"`
	Detected string `xml:"DetectionDate,attr"`
	Paths    []struct {
		PathID     string     `xml:"PathId,attr"`
		Similarity string     `xml:"SimilarityId,attr"`
		Nodes      []pathNode `xml:"PathNode"`
	} `xml:"Path"`
}

type pathNode struct {
	File string `xml:"FileName"`
	Line string `xml:"Line"`
	Name string `xml:"Name"`
	Code string `xml:"Snippet>Line>Code"`
}

func parseXML(in *stream.Input, out *parsers.Report, together bool) error {
	var q query
	var date gate.Date
	groups := newGroups()
	err := stream.XML(in, []string{"CxXMLResults"}, stream.Elements{
		"CxXMLResults": stream.Start(func(attr func(string) string) error {
			run := out.Run()
			run.Tool, run.Version, run.Target = "Checkmarx SAST", attr("CheckmarxVersion"), attr("ProjectName")
			run.Ruleset, run.StartedAt = attr("Preset"), parsers.ParseTime(attr("ScanStart"))
			date = gate.DateOf(run.StartedAt)
			return nil
		}),
		"CxXMLResults/Query": func(_ *stream.XMLDecoder, s xml.StartElement) error {
			a := func(name string) string { return stream.Attr(s, name) }
			q = query{a("id"), a("cweId"), a("name"), a("categories"), a("Language"), a("group")}
			return nil
		},
		"CxXMLResults/Query/Result": stream.Element(func(r result) error {
			for _, o := range r.observations(q) {
				o.Date = date
				if together {
					groups.add(o)
				} else {
					out.Emit(o)
				}
			}
			return nil
		}),
	})
	if err == nil {
		groups.emit(out)
	}
	return err
}

// observations are one for each path, or one for a result without paths.
func (r result) observations(q query) []gate.Observation {
	if len(r.Paths) == 0 {
		return []gate.Observation{r.observation(q, []pathNode{{File: r.File, Line: r.Line}}, "")}
	}
	var list []gate.Observation
	for _, p := range r.Paths {
		nodes := p.Nodes
		if len(nodes) == 0 {
			nodes = []pathNode{{File: r.File, Line: r.Line}}
		}
		list = append(list, r.observation(q, nodes, p.Similarity+p.PathID))
	}
	return list
}

func (r result) observation(q query, nodes []pathNode, id string) gate.Observation {
	source, sink := nodes[0], nodes[len(nodes)-1]
	o := gate.Observation{
		Title:              strings.ReplaceAll(q.name, "_", " "),
		Severity:           severity(r.Severity),
		Description:        r.description(q, nodes),
		References:         r.Link,
		CWE:                gate.ParseCWE(q.cwe),
		RuleID:             q.id,
		UniqueID:           id,
		FilePath:           sink.File,
		Line:               stream.ParseInt(sink.Line).Ptr(),
		Snippet:            sink.Code,
		SASTSourceObject:   source.Name,
		SASTSinkObject:     sink.Name,
		SASTSourceLine:     stream.ParseInt(source.Line).Ptr(),
		SASTSourceFilePath: source.File,
		FalsePositive:      strings.EqualFold(r.False, "true"),
		URL:                r.Link,
	}
	if sink.File != "" {
		o.Title += " (" + path.Base(strings.ReplaceAll(sink.File, `\`, "/")) + ")"
	}
	switch r.State {
	case "1":
		o.Active = new(false)
	case "2", "3":
		o.Verified = true
	}
	return o
}

// severity is Checkmarx's word, of which the lowest is "Information".
func severity(word string) gate.Severity {
	if strings.HasPrefix(strings.ToLower(word), "info") {
		return gate.Info
	}
	return gate.ParseSeverity(word)
}

// states are what people say of a result.
var states = map[string]string{"0": "to verify", "1": "not exploitable", "2": "confirmed", "3": "urgent", "4": "proposed not exploitable"}

func (r result) description(q query, nodes []pathNode) string {
	var t parsers.Text
	name := strings.ReplaceAll(q.name, "_", " ")
	if len(nodes) == 1 {
		t.Add(fmt.Sprintf("The query %s found %s.", name, at(nodes[0])))
	} else {
		t.Add(fmt.Sprintf("The query %s found a flow of data from %s to %s.", name, at(nodes[0]), at(nodes[len(nodes)-1])))
	}
	t.Fact("Language", q.language).
		Fact("Group", strings.ReplaceAll(q.group, "_", " ")).
		Fact("Categories", strings.ReplaceAll(q.categories, ";", "; ")).
		Fact("Status", r.Status).
		Fact("State", cmp.Or(states[r.State], r.State)).
		Fact("Found first", r.Detected).
		Fact("Remark", r.Remark).
		Fact("Result", r.Link)
	var steps []string
	for i, n := range nodes {
		if i == 50 {
			break
		}
		steps = append(steps, fmt.Sprintf("%d. `%s` %s", i+1, strings.ReplaceAll(strings.TrimSpace(n.Code), "`", "'"), at(n)))
	}
	return t.Section("Flow", strings.ReplaceAll(strings.Join(steps, "\n"), "`` ", "")).String()
}

func at(n pathNode) string {
	place := parsers.Place(n.File, stream.ParseInt(n.Line).Ptr())
	if n.Name == "" {
		return place
	}
	return fmt.Sprintf("%q at %s", n.Name, place)
}
