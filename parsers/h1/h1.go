// Package h1 reads the reports of HackerOne's programmes, as JSON or CSV.
//
// There are three: the answer of HackerOne's API to "GET /v1/reports" (a
// programme for disclosure),
//
//	{"data": [{"id": "1337", "type": "report", "attributes": {"title": "XSS", "state": "new", "main_state": "open", "created_at": "…",
//	   "vulnerability_information": "…", "cve_ids": []}, "relationships": {"severity": {"data": {"attributes": {"rating": "high", "score": 8.7}}},
//	   "weakness": {"data": {"attributes": {"name": "…", "external_id": "cwe-352"}}}, "structured_scope": {…}, "reporter": {…}}}]}
//
// and the export of a bug bounty's cases, as CSV or as {"findings": [{…}]} with
// the same columns as keys: id, title, severity_rating, state, substate,
// weakness, reported_at, closed_at, cve_ids ….
package h1

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads HackerOne's reports.
var Parsers = []parsers.Parser{{
	Name:     "h1",
	ScanType: "HackerOne Cases",
	Files:    "JSON or CSV",
	Command:  "curl -u NAME:TOKEN 'https://api.hackerone.com/v1/reports?filter[program][]=PROGRAM' -o reports.json",
	URL:      "https://api.hackerone.com/customer-resources/#reports-get-all-reports",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("data[].attributes.vulnerability_information"), s.HasColumns("severity_rating", "substate", "weakness"), s.Has("findings[].severity_rating", "findings[].substate"):
		return parsers.Sure
	case s.Has("data[].type") && s.Value("data[].type") == "report" && s.Has("data[].attributes.main_state"):
		return parsers.Sure
	case s.Has("data[]") && strings.Contains(s.Value("links.self"), "api.hackerone.com"):
		return parsers.Sure
	case s.Is(`{"findings":[]}`):
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "HackerOne"
	comma, err := isCSV(in)
	if err != nil {
		return err
	}
	if comma {
		return stream.CSV(in, []string{"id", "title", "severity_rating", "state"}, func(r stream.Row) error {
			c := bounty{}
			for name := range r.Columns() {
				c[name] = stream.Text(r.Get(name))
			}
			out.Emit(c.observation())
			return nil
		})
	}
	seen := false
	err = stream.JSON(in, stream.Object(stream.Fields{
		"data": func(d *stream.Decoder) error {
			seen = true
			return stream.ByKind(stream.Kinds{'[': stream.Each(emit(out)), '{': stream.One(emit(out)), 'n': stream.Skip})(d)
		},
		"findings": func(d *stream.Decoder) error {
			seen = true
			return stream.Each(func(c bounty) error {
				out.Emit(c.observation())
				return nil
			})(d)
		},
	}))
	if err == nil && !seen {
		err = stream.Errorf(`there is neither "data" nor "findings": this is not HackerOne's report`)
	}
	return err
}

func emit(out *parsers.Report) func(disclosure) error {
	return func(r disclosure) error {
		out.Emit(r.observation())
		return nil
	}
}

// isCSV tells whether the report is not JSON, by its first character.
func isCSV(in *stream.Input) (bool, error) {
	b := make([]byte, 512)
	n, _ := in.Read(b)
	s := strings.TrimSpace(string(b[:n]))
	return s != "" && s[0] != '{' && s[0] != '[', in.Rewind()
}
