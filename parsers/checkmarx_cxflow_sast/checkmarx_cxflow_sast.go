// Package checkmarx_cxflow_sast reads the JSON that CxFlow, which runs Checkmarx
// SAST in pipelines, writes with the bug tracker "Json".
//
// Made by "java -jar cx-flow.jar --scan --bug-tracker=Json …":
//
//	{"project": "shop", "version": "9.5.0", "link": "…", "additionalDetails": {"scanStartDate": "Sunday, January 19, 2020 2:40:11 AM"},
//	 "xissues": [{"vulnerability": "Reflected_XSS", "vulnerabilityStatus": "TO VERIFY", "similarityId": "14660819", "cwe": "79",
//	   "severity": "High", "language": "Java", "filename": "a.java", "link": "…", "details": {"88": {"falsePositive": false}},
//	   "additionalDetails": {"recommendedFix": "…", "categories": "…", "results": [{"state": "0",
//	     "source": {"file": "a.java", "line": "88", "object": "get", "snippet": "…"}, "sink": {…}, "1": {…}, "2": {…}}]}}],
//	 "unFilteredIssues": []}
//
// An issue is a query in a file; each of its results is a finding.
package checkmarx_cxflow_sast

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CxFlow's JSON.
var Parsers = []parsers.Parser{{
	Name:     "checkmarx_cxflow_sast",
	ScanType: "Checkmarx CxFlow SAST",
	Files:    "JSON",
	Command:  "java -jar cx-flow.jar --scan --bug-tracker=Json --cx-project=shop",
	URL:      "https://github.com/checkmarx-ltd/cx-flow",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("xissues") || s.Has("xIssues") {
		return parsers.Sure
	}
	return parsers.No
}

// parse reads what is said of the scan first, since findings have its date.
func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Checkmarx SAST"
	var start stream.Text
	known := false
	skip := func(d *stream.Decoder) error { known = true; return stream.Skip(d) }
	err := stream.JSON(in, stream.Object(stream.Fields{
		"version": stream.Into((*stream.Text)(&run.Version)),
		"project": stream.Into((*stream.Text)(&run.Target)),
		"additionalDetails": stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Object(stream.Fields{
			"scanStartDate": stream.Into(&start),
		})}),
		"xissues": skip,
		"xIssues": skip,
	}))
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf(`there is no "xissues"`)
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	run.StartedAt = parsers.ParseTime(string(start))
	issues := stream.Each(func(i issue) error {
		for _, r := range i.Details.Results {
			o := i.observation(r)
			o.Date = gate.DateOf(run.StartedAt)
			out.Emit(o)
		}
		return nil
	})
	return stream.JSON(in, stream.Object(stream.Fields{"xissues": issues, "xIssues": issues}))
}

type issue struct {
	Vulnerability stream.Text `json:"vulnerability"`
	Status        stream.Text `json:"vulnerabilityStatus"`
	SimilarityID  stream.Text `json:"similarityId"`
	CWE           stream.Text `json:"cwe"`
	Description   stream.Text `json:"description"`
	Language      stream.Text `json:"language"`
	Severity      stream.Text `json:"severity"`
	Link          stream.Text `json:"link"`
	File          stream.Text `json:"filename"`
	Lines         map[string]struct {
		FalsePositive bool        `json:"falsePositive"`
		Comment       stream.Text `json:"comment"`
	} `json:"details"`
	Details struct {
		Fix        stream.Text `json:"recommendedFix"`
		Categories stream.Text `json:"categories"`
		Results    []result    `json:"results"`
	} `json:"additionalDetails"`
}

// result is a flow; its steps between source and sink are numbered keys.
type result struct {
	State  stream.Text `json:"state"`
	Source node        `json:"source"`
	Sink   node        `json:"sink"`
}

type node struct {
	File    stream.Text `json:"file"`
	Line    stream.Int  `json:"line"`
	Object  stream.Text `json:"object"`
	Snippet stream.Text `json:"snippet"`
}

func (n node) place() string { return parsers.Place(string(n.File), n.Line.Ptr()) }

func (i issue) observation(r result) gate.Observation {
	o := gate.Observation{
		Title:              strings.ReplaceAll(string(i.Vulnerability), "_", " ") + " " + string(r.Sink.File),
		Severity:           gate.ParseSeverity(string(i.Severity)),
		Description:        i.text(r),
		References:         parsers.Lines(string(i.Link), string(i.Details.Fix)),
		CWE:                gate.ParseCWE(string(i.CWE)),
		RuleID:             string(i.SimilarityID),
		Check:              string(i.Vulnerability),
		FilePath:           string(i.File),
		Line:               r.Sink.Line.Ptr(),
		Snippet:            string(r.Sink.Snippet),
		SASTSourceObject:   string(r.Source.Object),
		SASTSinkObject:     string(r.Sink.Object),
		SASTSourceLine:     r.Source.Line.Ptr(),
		SASTSourceFilePath: string(r.Source.File),
		URL:                string(i.Link),
	}
	if d := i.Lines[lineKey(r.Source.Line)]; d.FalsePositive {
		o.FalsePositive, o.Active = true, new(false)
	}
	switch r.State {
	case "1":
		o.FalsePositive, o.Active = true, new(false)
	case "2", "3":
		o.Verified = true
	}
	return o
}

func lineKey(line stream.Int) string {
	return strings.TrimPrefix(parsers.Place("x", line.Ptr()), "x:")
}

func (i issue) text(r result) string {
	var t parsers.Text
	t.Add(string(i.Description)).
		Add("Data flows from "+r.Source.place()+" to "+r.Sink.place()+".").
		Fact("Query", strings.ReplaceAll(string(i.Vulnerability), "_", " ")).
		Fact("Categories", strings.ReplaceAll(string(i.Details.Categories), ";", "; ")).
		Fact("Language", string(i.Language)).
		Fact("Status", strings.ToLower(string(i.Status))).
		Fact("Comment", string(i.Lines[lineKey(r.Source.Line)].Comment)).
		Fact("Result", string(i.Link))
	if r.Source.Snippet != "" {
		t.Add("Source:").Code("", string(r.Source.Snippet))
	}
	if r.Sink.Snippet != "" {
		t.Add("Sink:").Code("", string(r.Sink.Snippet))
	}
	return t.String()
}
