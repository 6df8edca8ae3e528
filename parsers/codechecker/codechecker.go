// Package codechecker reads the JSON report of CodeChecker, which runs Clang's static analyzer, clang-tidy, Cppcheck and other analyzers over C and C++.
//
// Made by "CodeChecker parse -e json -o report.json ./reports":
//
//	{"version": 1, "reports": [{"analyzer_result_file_path": "…/push.c_clang-tidy_5fb4….plist", "file": {"id": "…", "path": "/src/push.c", "original_path": "…"},
//	  "line": 576, "column": 20, "message": "comparison of …", "checker_name": "clang-diagnostic-sign-compare", "severity": "MEDIUM", "report_hash": "d5e8…",
//	  "analyzer_name": "clang-tidy", "category": "clang", "type": null, "review_status": "unreviewed", "bug_path_events": [{"file": {…}, "line": 576, "message": "…"}]}]}
//
// The review status is what a comment in the code says: "codechecker_intentional", "…_false_positive", "…_suppress", "…_confirmed".
package codechecker

import (
	"cmp"
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CodeChecker's JSON.
var Parsers = []parsers.Parser{{
	Name:     "codechecker",
	ScanType: "Codechecker Report native",
	Files:    "JSON",
	Command:  "CodeChecker parse -e json -o report.json ./reports",
	URL:      "https://codechecker.readthedocs.io/en/latest/analyzer/user_guide/#parse",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("reports[].report_hash", "reports[].checker_name"):
		return parsers.Sure
	case s.Has("version", "reports[]"):
		return parsers.Likely
	}
	return parsers.No
}

type report struct {
	ResultFile   stream.Text             `json:"analyzer_result_file_path"`
	File         stream.Lenient[file]    `json:"file"`
	Line         stream.Int              `json:"line"`
	Column       stream.Int              `json:"column"`
	Message      stream.Text             `json:"message"`
	Checker      stream.Text             `json:"checker_name"`
	Severity     stream.Text             `json:"severity"`
	Hash         stream.Text             `json:"report_hash"`
	Analyzer     stream.Text             `json:"analyzer_name"`
	Category     stream.Text             `json:"category"`
	Type         *stream.Text            `json:"type"`
	ReviewStatus stream.Text             `json:"review_status"`
	Comments     []stream.Lenient[event] `json:"source_code_comments"`
	Path         []stream.Lenient[event] `json:"bug_path_events"`
}

type file struct {
	Path stream.Text `json:"path"`
}

type event struct {
	File    stream.Lenient[file] `json:"file"`
	Line    stream.Int           `json:"line"`
	Column  stream.Int           `json:"column"`
	Message stream.Text          `json:"message"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "CodeChecker"
	seen := map[string]bool{}
	return stream.JSON(in, stream.Object(stream.Fields{
		"reports": stream.Each(func(r report) error {
			if r.Checker == "" && r.Message == "" && r.Hash == "" {
				return stream.Errorf("an element of reports is none of CodeChecker's: it has no checker_name, message or report_hash")
			}
			if o := observation(r); !seen[o.UniqueID] {
				seen[o.UniqueID] = true
				out.Emit(o)
			}
			return nil
		}),
	}, "reports"))
}

func observation(r report) gate.Observation {
	status := string(r.ReviewStatus)
	o := gate.Observation{
		Title:              string(cmp.Or(r.Checker, r.Message, r.Hash)),
		Severity:           gate.ParseSeverity(string(r.Severity)),
		Description:        describe(r),
		Check:              string(r.Checker),
		UniqueID:           unique(r),
		FilePath:           string(r.File.Value.Path),
		Line:               r.Line.Ptr(),
		SASTSourceFilePath: string(r.File.Value.Path),
		SASTSourceLine:     r.Line.Ptr(),
		Verified:           status == "confirmed",
		RiskAccepted:       status == "intentional",
		FalsePositive:      status == "false_positive" || status == "suppressed",
	}
	if o.FalsePositive || o.RiskAccepted {
		o.Active = new(false)
	}
	if r.Analyzer != "" {
		o.Tags = []string{string(r.Analyzer)}
	}
	return o
}

func describe(r report) string {
	var text parsers.Text
	text.Add(string(r.Message)).Fact("Checker", string(r.Checker)).Fact("Analyzer", string(r.Analyzer)).Fact("Category", string(r.Category))
	if r.Type != nil {
		text.Fact("Type", string(*r.Type))
	}
	text.Fact("Place", place(r.File.Value, r.Line, r.Column)).Fact("Review status", string(r.ReviewStatus))
	for _, c := range r.Comments {
		text.Fact("Comment in the code", string(c.Value.Message))
	}
	if len(r.Path) > 1 { // the only event of a short path repeats the message
		var steps []string
		for _, e := range r.Path {
			steps = append(steps, place(e.Value.File.Value, e.Value.Line, e.Value.Column)+": "+string(e.Value.Message))
		}
		text.Add("**How it comes to that:**").List(steps)
	}
	return text.String()
}

func place(f file, line, column stream.Int) string {
	at := parsers.Place(string(f.Path), line.Ptr())
	if line.OK && column.OK {
		at += ":" + column.String()
	}
	return at
}

// unique is the identity that DefectDojo gives: the hash of the report's own
// hash, the analyzer's file and a text of what the report says, in its words.
func unique(r report) string {
	kind := "None"
	if r.Type != nil && *r.Type != "" {
		kind = string(*r.Type)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%sAnalyzer name: %s\nCategory name: %s\nChecker name: %s\nType: %s\n", r.Hash, r.ResultFile, r.Analyzer, r.Category, r.Checker, kind)
	if r.Message != "" {
		b.WriteString(string(r.Message) + "\n")
	}
	if p := r.File.Value.Path; p != "" {
		b.WriteString("File path: " + string(p) + "\n")
	}
	if r.Line.OK && r.Column.OK {
		fmt.Fprintf(&b, "Location in file: line %d, column %d\n", r.Line.N, r.Column.N)
	}
	return parsers.Digest(b.String())
}
