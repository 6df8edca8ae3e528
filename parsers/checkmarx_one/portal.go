package checkmarx_one

import (
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// portal reads the portal's form.
type portal struct {
	out     *parsers.Report
	details map[string]detail // by the query's name, and by its weakness
}

// detail explains a query.
type detail struct {
	Name            stream.Text `json:"vulnerabilityName"`
	CWE             stream.Text `json:"cweId"`
	Risk            stream.Text `json:"risk"`
	Cause           stream.Text `json:"cause"`
	Recommendations stream.Text `json:"generalRecommendations"`
}

func (p *portal) explain(d detail) error {
	if p.details == nil {
		p.details = map[string]detail{}
	}
	p.details[string(d.Name)] = d
	if _, ok := p.details["cwe "+string(d.CWE)]; !ok {
		p.details["cwe "+string(d.CWE)] = d
	}
	return nil
}

// query is a check of the portal's form, of code or of infrastructure.
type query struct {
	Name        stream.Text `json:"queryName"`
	Path        stream.Text `json:"queryPath"`
	Description stream.Text `json:"description"`
	CWE         stream.Text `json:"cweId"`
	Severity    stream.Text `json:"severity"`
	Categories  []struct {
		Name stream.Text                   `json:"name"`
		Subs stream.OneOrMany[stream.Text] `json:"subCategories"`
	} `json:"categories"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
	Results         []vulnerability `json:"resultsList"`
}

type vulnerability struct {
	SimilarityID stream.Text `json:"similarityId"`
	Status       stream.Text `json:"status"`
	State        stream.Text `json:"state"`
	Severity     stream.Text `json:"severity"`
	Found        stream.Text `json:"foundDate"`
	First        stream.Text `json:"firstFoundDate"`
	SourceFile   stream.Text `json:"sourceFileName"`
	SourceLine   stream.Int  `json:"sourceLine"`
	File         stream.Text `json:"destinationFileName"`
	Line         stream.Int  `json:"destinationLine"`
	FileName     stream.Text `json:"fileName"`
	FileLine     stream.Int  `json:"line"`
	Expected     stream.Text `json:"expectedValue"`
	Actual       stream.Text `json:"actualValue"`
	Nodes        []node      `json:"nodes"`
}

func (p *portal) sast(q query) error {
	for _, v := range append(q.Vulnerabilities, q.Results...) {
		p.out.Emit(p.observation(q, v, "sast"))
	}
	return nil
}

// technology reads the queries of one kind of infrastructure.
func (p *portal) technology(d *stream.Decoder) error {
	queries := stream.Each(func(q query) error {
		for _, v := range append(q.Vulnerabilities, q.Results...) {
			p.out.Emit(p.observation(q, v, "iac"))
		}
		return nil
	})
	return stream.Object(stream.Fields{"queries": queries, "results": queries})(d)
}

func (p *portal) observation(q query, v vulnerability, tag string) gate.Observation {
	d, ok := p.details[string(q.Name)]
	if !ok && q.CWE != "" {
		d = p.details["cwe "+string(q.CWE)]
	}
	file, line := cmp.Or(v.File, v.FileName), v.Line
	if !line.OK {
		line = v.FileLine
	}
	o := gate.Observation{
		Title:       spaced(cmp.Or(q.Path, q.Name)),
		Severity:    severity(cmp.Or(v.Severity, q.Severity)),
		Description: v.text(q, d),
		Mitigation:  string(d.Recommendations),
		Impact:      string(d.Risk),
		References:  q.references(),
		CWE:         gate.ParseCWE(string(q.CWE)),
		Check:       string(q.Name),
		FilePath:    string(file),
		Line:        line.Ptr(),
		Date:        parsers.ParseDate(string(cmp.Or(v.Found, v.First))),
		Tags:        []string{tag},
		Analysis:    gate.Dynamic, // as DefectDojo has it
	}
	if v.Expected != "" && o.Mitigation == "" {
		o.Mitigation = "Expected: " + string(v.Expected)
	}
	setState(&o, v.State)
	return o
}

func (q query) references() string {
	var lines []string
	for _, c := range q.Categories {
		lines = append(lines, "- "+string(c.Name))
		for _, s := range c.Subs {
			lines = append(lines, "  - "+string(s))
		}
	}
	return strings.Join(lines, "\n")
}

func (v vulnerability) text(q query, d detail) string {
	var t parsers.Text
	t.Add(string(q.Description)).Add(string(d.Cause))
	if v.SourceFile != "" {
		t.Add(fmt.Sprintf("Data flows from %s to %s.", parsers.Place(string(v.SourceFile), v.SourceLine.Ptr()), parsers.Place(string(v.File), v.Line.Ptr())))
	}
	t.Fact("Query", spaced(q.Name)).
		Fact("Expected", string(v.Expected)).
		Fact("Found", string(v.Actual)).
		Fact("Status", strings.ToLower(string(v.Status))).
		Fact("State", strings.ToLower(spaced(v.State))).
		Fact("First found", string(v.First)).
		Fact("Similarity", string(v.SimilarityID))
	return t.Section("Flow", flow(v.Nodes)).String()
}
