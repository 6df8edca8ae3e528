// Package bugcrowd reads the CSV of submissions to a Bugcrowd programme.
//
// Made by "Submissions, Export as CSV":
//
//	reference_number,bounty_code,source,username,title,caption,priority,amount,points,paid_at,vrt_lineage,substate,state,duplicate,bug_url,
//	description,http_request,extra_info,submitted_at,validated_at,closed_at,target_name,target_category,remediation_advice,vulnerability_references
//
// The priority goes from 1 (critical) to 5 (information). A description is
// Markdown, and often has headings for the impact, the steps and the fix.
package bugcrowd

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Bugcrowd's CSV.
var Parsers = []parsers.Parser{{
	Name:     "bugcrowd",
	ScanType: "BugCrowd Scan",
	Files:    "CSV",
	Command:  "Bugcrowd: Submissions, Export as CSV",
	URL:      "https://docs.bugcrowd.com/customers/submission-management/exporting-submissions/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("bounty_code", "vrt_lineage", "priority") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Bugcrowd"
	return stream.CSV(in, []string{"title", "priority", "description"}, func(r stream.Row) error {
		out.Emit(observation(r))
		return nil
	})
}

var priorities = map[string]gate.Severity{"1": gate.Critical, "2": gate.High, "3": gate.Medium, "4": gate.Low, "5": gate.Info}

// facts are the columns that a description tells, with their names.
var facts = [][2]string{
	{"reference_number", "Submission"},
	{"bounty_code", "Programme"},
	{"username", "Researcher"},
	{"vrt_lineage", "Category"},
	{"target_name", "Target"},
	{"target_category", "Kind of target"},
	{"bug_url", "Place"},
	{"state", "State"},
	{"substate", "Substate"},
	{"duplicate", "Duplicate"},
	{"submitted_at", "Submitted"},
	{"validated_at", "Validated"},
	{"closed_at", "Closed"},
	{"amount", "Bounty"},
	{"points", "Points"},
	{"source", "Source"},
}

func observation(r stream.Row) gate.Observation {
	body := r.Get("description")
	var text, impact, fix parsers.Text
	text.Add(body)
	for _, f := range facts {
		text.Fact(f[1], r.Get(f[0]))
	}
	text.Code("http", r.Get("http_request")).Add(r.Get("extra_info"))
	impact.Add(section(body, "impact")).Fact("Category", r.Get("vrt_lineage"))
	fix.Add(section(body, "fix", "mitigat", "remediat")).Add(r.Get("remediation_advice"))
	o := gate.Observation{
		Title:            r.Get("title"),
		Severity:         priorities[r.Get("priority")],
		Description:      text.String(),
		Impact:           impact.String(),
		Mitigation:       fix.String(),
		StepsToReproduce: section(body, "step", "reproduc", "proof", "poc"),
		References:       parsers.Lines("Bugcrowd's submission "+r.Get("reference_number"), r.Get("vulnerability_references")),
		Check:            r.Get("vrt_lineage"),
		Date:             parsers.ParseDate(r.Get("submitted_at")),
	}
	if e := parsers.Endpoint(r.Get("bug_url")); e != "" {
		o.Endpoints = []string{e}
	}
	return o
}

// section returns the parts of a Markdown text under headings with one of the words.
func section(text string, words ...string) string {
	var b strings.Builder
	in, fenced := false, false
	for line := range strings.Lines(text) {
		fenced = fenced != strings.HasPrefix(strings.TrimSpace(line), "```")
		if title := heading(line); title != "" && !fenced {
			in = false
			for _, w := range words {
				in = in || strings.Contains(title, w)
			}
			continue
		}
		if in {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}

// heading returns the text of "## Heading" or "**Heading**" in lower case.
func heading(line string) string {
	s := strings.ToLower(strings.TrimSpace(line))
	if strings.HasPrefix(s, "#") {
		return strings.TrimSpace(strings.TrimLeft(s, "#"))
	}
	if t := strings.TrimRight(s, ":"); len(t) > 4 && strings.HasPrefix(t, "**") && strings.HasSuffix(strings.TrimRight(t, ":"), "**") {
		return strings.Trim(t, "*: ")
	}
	return ""
}
