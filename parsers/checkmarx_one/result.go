package checkmarx_one

import (
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// result is one of the command line's form.
type result struct {
	Type        stream.Text `json:"type"`
	Label       stream.Text `json:"label"`
	ID          stream.Text `json:"id"`
	Status      stream.Text `json:"status"`
	State       stream.Text `json:"state"`
	Severity    stream.Text `json:"severity"`
	First       stream.Text `json:"firstFoundAt"`
	Found       stream.Text `json:"foundAt"`
	Description stream.Text `json:"description"`
	Data        struct {
		Query    stream.Text `json:"queryName"`
		Group    stream.Text `json:"group"`
		Language stream.Text `json:"languageName"`
		Platform stream.Text `json:"platform"`
		Issue    stream.Text `json:"issueType"`
		Expected stream.Text `json:"expectedValue"`
		Value    stream.Text `json:"value"`
		File     stream.Text `json:"filename"`
		Line     stream.Int  `json:"line"`
		Package  stream.Text `json:"packageIdentifier"`
		Fixed    stream.Text `json:"recommendedVersion"`
		Nodes    []node      `json:"nodes"`
		Links    []struct {
			URL stream.Text `json:"url"`
		} `json:"packageData"`
	} `json:"data"`
	Details struct {
		CWE         stream.Text                   `json:"cweId"`
		CVE         stream.Text                   `json:"cveName"`
		Compliances stream.OneOrMany[stream.Text] `json:"compliances"`
	} `json:"vulnerabilityDetails"`
}

type node struct {
	File   stream.Text `json:"fileName"`
	Line   stream.Int  `json:"line"`
	Name   stream.Text `json:"name"`
	Method stream.Text `json:"method"`
	Code   stream.Text `json:"code"`
}

func (r result) observation() gate.Observation {
	d := r.Data
	title := string(r.Description)
	if title == "" {
		title = severity(r.Severity).String() + " " + spaced(d.Query)
	}
	o := gate.Observation{
		Title:       title,
		Severity:    severity(r.Severity),
		Description: r.text(),
		CWE:         gate.ParseCWE(string(r.Details.CWE)),
		Check:       string(d.Query),
		UniqueID:    string(r.ID),
		FilePath:    string(d.File),
		Date:        parsers.ParseDate(string(cmp.Or(r.First, r.Found))),
		Tags:        []string{string(r.Type)},
	}
	if o.CWE == 0 {
		o.NoCWE = true
	}
	if len(d.Nodes) > 0 {
		o.FilePath = string(d.Nodes[0].File)
	}
	var links []string
	for _, l := range d.Links {
		links = append(links, string(l.URL))
	}
	o.References = parsers.Lines(links...)
	if d.Fixed != "" {
		o.Mitigation = fmt.Sprintf("Update %s to %s.", d.Package, d.Fixed)
		o.Fix = string(d.Fixed)
	}
	if d.Expected != "" {
		o.Mitigation = "Expected: " + string(d.Expected)
	}
	setState(&o, r.State)
	return o
}

func (r result) text() string {
	d := r.Data
	var t parsers.Text
	t.Add(string(r.Description))
	if r.Description == "" {
		t.Add("The query " + spaced(d.Query) + " found this.")
	}
	words := make([]string, len(r.Details.Compliances))
	for i, c := range r.Details.Compliances {
		words[i] = string(c)
	}
	t.Fact("Query", spaced(d.Query)).
		Fact("Group", spaced(d.Group)).
		Fact("Language", string(cmp.Or(d.Language, d.Platform))).
		Fact("Engine", string(cmp.Or(r.Label, r.Type))).
		Fact("Package", string(d.Package)).
		Fact("CVE", string(r.Details.CVE)).
		Fact("Place", parsers.Place(string(d.File), d.Line.Ptr())).
		Fact("Expected", string(d.Expected)).
		Fact("Found", string(d.Value)).
		Fact("Status", strings.ToLower(string(r.Status))).
		Fact("State", strings.ToLower(spaced(r.State))).
		Facts("Compliance", words)
	return t.Section("Flow", flow(d.Nodes)).String()
}

func flow(nodes []node) string {
	var steps []string
	for i, n := range nodes[:min(50, len(nodes))] {
		step := fmt.Sprintf("%d. %s %s", i+1, parsers.Place(string(n.File), n.Line.Ptr()), cmp.Or(n.Name, n.Method))
		if n.Code != "" {
			step += " `" + strings.ReplaceAll(string(n.Code), "`", "'") + "`"
		}
		steps = append(steps, step)
	}
	return strings.Join(steps, "\n")
}

// gitlabVulnerability is one of GitLab's form, whose only identifier is the
// result's id.
type gitlabVulnerability struct {
	Name        stream.Text `json:"name"`
	Description stream.Text `json:"description"`
	Severity    stream.Text `json:"severity"`
	Solution    stream.Text `json:"solution"`
	Identifiers []struct {
		Value stream.Text `json:"value"`
		URL   stream.Text `json:"url"`
	} `json:"identifiers"`
	Location struct {
		File  stream.Text `json:"file"`
		Start stream.Int  `json:"start_line"`
		End   stream.Int  `json:"end_line"`
	} `json:"location"`
}

func (v gitlabVulnerability) observation() gate.Observation {
	l := v.Location
	o := gate.Observation{
		Severity:   severity(v.Severity),
		Mitigation: string(v.Solution),
		Check:      string(v.Name),
		FilePath:   string(l.File),
		Line:       l.Start.Ptr(),
		EndLine:    l.End.Ptr(),
		NoCWE:      true,
		Analysis:   gate.Static,
	}
	var t parsers.Text
	t.Add(string(v.Description)).Fact("Query", spaced(v.Name)).Fact("Place", parsers.Place(o.FilePath, o.Line))
	if len(v.Identifiers) > 0 {
		o.UniqueID, o.References = string(v.Identifiers[0].Value), string(v.Identifiers[0].URL)
	}
	o.Title = cmp.Or(o.UniqueID, string(v.Name)) + "_" + o.FilePath
	o.Description = t.Fact("Id", o.UniqueID).String()
	return o
}

func gitlabScan(run *gate.Run) stream.Value {
	return stream.One(func(s struct {
		Status  stream.Text `json:"status"`
		Start   stream.Text `json:"start_time"`
		End     stream.Text `json:"end_time"`
		Scanner struct {
			Version stream.Text `json:"version"`
		} `json:"scanner"`
	},
	) error {
		run.Version = string(s.Scanner.Version)
		run.StartedAt, run.FinishedAt = parsers.ParseTime(string(s.Start)), parsers.ParseTime(string(s.End))
		switch s.Status {
		case "success":
			run.Outcome = gate.Succeeded
		case "failure":
			run.Outcome = gate.Failed
		}
		return nil
	})
}
