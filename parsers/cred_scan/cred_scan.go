// Package cred_scan reads the CSV of Microsoft's Credential Scanner.
//
// Made by "CredentialScanner.exe -I . -S searchers.xml -O out -f csv". The columns:
//
//	TimeofDiscovery,Source,Searcher,Description,Line,IsSuppressed,HashKey,SuppressJustification,MatchingScore
//
// The same searcher at the same line is one finding. The report rates nothing. Its
// times are "2021-04-10T21:43:46.792Z" or the machine's own.
package cred_scan

import (
	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CredScan's CSV.
var Parsers = []parsers.Parser{{
	Name:     "cred_scan",
	ScanType: "CredScan Scan",
	Files:    "CSV",
	Command:  "CredentialScanner.exe -I . -S searchers.xml -O out -f csv",
	URL:      "https://secdevtools.azurewebsites.net/helpcredscan.html",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("TimeofDiscovery", "Searcher", "HashKey") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	key := func(o gate.Observation) string { return o.Title + "|" + parsers.Place(o.FilePath, o.Line) }
	return parsers.Once(in, out, key, func(in *stream.Input, out *parsers.Report) error {
		out.Run().Tool = "CredScan"
		return stream.CSV(in, []string{"Source", "Searcher", "Line"}, func(r stream.Row) error {
			if r.Get("Searcher") != "" {
				out.Emit(observation(r))
			}
			return nil
		})
	})
}

func observation(r stream.Row) gate.Observation {
	line := stream.ParseInt(r.Get("Line"))
	var text parsers.Text
	text.Add(r.Get("Description")).Fact("Searcher", r.Get("Searcher")).Fact("Place", parsers.Place(r.Get("Source"), line.Ptr())).
		Fact("Suppressed", r.Get("IsSuppressed")).Fact("Why", r.Get("SuppressJustification")).Fact("Matching score", r.Get("MatchingScore")).
		Fact("Hash of the match", r.Get("HashKey"))
	o := gate.Observation{
		Title:       r.Get("Searcher"),
		Severity:    gate.Info, // CredScan rates nothing, so that what is suppressed may stay open, as DefectDojo has it
		Description: text.String(),
		FilePath:    r.Get("Source"),
		Line:        line.Ptr(),
		Date:        gate.DateOf(parsers.ParseTimeDayFirst(r.Get("TimeofDiscovery"))),
	}
	if t := parsers.ParseTime(r.Get("TimeofDiscovery")); !t.IsZero() {
		o.Date = gate.DateOf(t)
	}
	return o
}
