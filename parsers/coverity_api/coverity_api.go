// Package coverity_api reads the issues of a view of Coverity Connect, by its
// REST API.
//
// Made by "curl -u NAME:KEY 'https://coverity/api/viewContents/issues/v1/VIEW?projectId=PROJECT&rowCount=-1'":
//
//	{"viewContentsV1": {"offset": 0, "totalRows": 1, "columns": [{"name": "cid", "label": "CID"}], "rows": [
//	  {"cid": 22497, "displayType": "Resource leak", "displayImpact": "High", "status": "New", "firstDetected": "04/01/21",
//	   "classification": "Unclassified", "displayFile": "src/a.c", "displayFunction": "f", "displayIssueKind": "Quality",
//	   "checker": "RESOURCE_LEAK", "occurrenceCount": 1, "cwe": 404}]}}
//
// Which columns there are is the view's. As DefectDojo does, we take security
// issues, and of those of quality only resource leaks. Dates are month first.
package coverity_api

import (
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Coverity Connect's JSON.
var Parsers = []parsers.Parser{{
	Name:     "coverity_api",
	ScanType: "Coverity API",
	Files:    "JSON",
	Command:  "curl -u NAME:KEY 'https://coverity.example.org/api/viewContents/issues/v1/VIEW?projectId=PROJECT&rowCount=-1' -o coverity.json",
	URL:      "https://documentation.blackduck.com/category/coverity",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("viewContentsV1") {
		return parsers.Sure
	}
	return parsers.No
}

type row struct {
	CID            stream.Text `json:"cid"`
	Type           stream.Text `json:"displayType"`
	Impact         stream.Text `json:"displayImpact"`
	Status         stream.Text `json:"status"`
	First          stream.Text `json:"firstDetected"`
	Last           stream.Text `json:"lastDetected"`
	Triaged        stream.Text `json:"lastTriaged"`
	Owner          stream.Text `json:"owner"`
	Classification stream.Text `json:"classification"`
	Severity       stream.Text `json:"severity"`
	Action         stream.Text `json:"action"`
	Component      stream.Text `json:"displayComponent"`
	Category       stream.Text `json:"displayCategory"`
	File           stream.Text `json:"displayFile"`
	Function       stream.Text `json:"displayFunction"`
	Kind           stream.Text `json:"displayIssueKind"`
	Checker        stream.Text `json:"checker"`
	Occurrences    stream.Int  `json:"occurrenceCount"`
	CWE            stream.Text `json:"cwe"`
	Reference      stream.Text `json:"externalReference"`
	Line           stream.Int  `json:"lineNumber"`
	Comment        stream.Text `json:"lastTriageComment"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Coverity"
	return stream.JSON(in, stream.Object(stream.Fields{
		"viewContentsV1": stream.Object(stream.Fields{"rows": stream.Each(func(r row) error {
			if r.counts() {
				out.Emit(r.observation())
			}
			return nil
		})}, "rows"),
	}, "viewContentsV1"))
}

// counts tells whether an issue is one of security.
func (r row) counts() bool {
	return strings.Contains(string(r.Kind), "Security") || r.Kind == "" || r.Checker == "RESOURCE_LEAK" || r.Type == "Resource leak"
}

func (r row) observation() gate.Observation {
	var text parsers.Text
	text.Fact("Type", string(r.Type)).Fact("Category", string(r.Category)).Fact("Checker", string(r.Checker)).Fact("CID", string(r.CID)).Fact("File", string(r.File)).Fact("Function", string(r.Function))
	text.Fact("Component", string(r.Component)).Fact("Kind", string(r.Kind)).Fact("Status", string(r.Status)).Fact("Classification", string(r.Classification)).Fact("Severity in Coverity", string(r.Severity))
	text.Fact("Action", string(r.Action)).Fact("Owner", string(r.Owner)).Fact("Last detected", string(r.Last)).Fact("Last triaged", string(r.Triaged)).Fact("Comment", string(r.Comment)).Fact("External reference", string(r.Reference))
	o := gate.Observation{
		Title:       string(r.Type),
		Severity:    gate.ParseSeverity(string(r.Impact)),
		Description: text.String(),
		CWE:         gate.ParseCWE(string(r.CWE)),
		Check:       string(r.Checker),
		UniqueID:    string(r.CID),
		FilePath:    string(r.File),
		Date:        gate.DateOf(date(r.First)),
		Occurrences: new(max(r.Occurrences.N, 1)),
	}
	r.setStatus(&o)
	return o
}

// setStatus takes what is neither new, triaged nor fixed for dismissed by somebody,
// as DefectDojo does: "Dismissed", "Absent Dismissed". A view without the column
// says nothing.
func (r row) setStatus(o *gate.Observation) {
	switch r.Status {
	case "", "New":
	case "Triaged":
		o.Verified = true
	case "Fixed":
		o.Verified, o.Active = true, new(false)
	default:
		o.Verified, o.Active, o.Mitigated = true, new(false), true
		o.MitigatedAt = date(parsers.First(string(r.Triaged), string(r.Last)))
		o.FalsePositive = r.Classification == "False Positive"
	}
}

// date reads "04/14/21", the month first.
func date[T ~string](s T) time.Time {
	for _, layout := range []string{"01/02/06", "01/02/2006"} {
		if t, err := time.Parse(layout, string(s)); err == nil {
			return t
		}
	}
	return parsers.ParseTime(string(s))
}
