// Package gitlab_sast reads GitLab's reports of static analysis.
//
// Made by the job of "include: - template: Jobs/SAST.gitlab-ci.yml", as its
// artifact gl-sast-report.json. Package gitlab describes the format. A place is
// file and lines, and with some analyzers class and method. Findings of the
// oldest versions have neither id nor name: "cve" stands for both.
package gitlab_sast

import (
	"cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-sast-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_sast",
	ScanType: "GitLab SAST Report",
	Files:    "JSON",
	Command:  "the artifact gl-sast-report.json of GitLab's SAST job",
	URL:      "https://docs.gitlab.com/user/application_security/sast/",
	Analysis: gate.Static,
	Detect:   gitlab.Detect("sast"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	err := gitlab.ReadOnce(in, out, observation)
	out.Run().Type = out.Run().Tool
	return err
}

func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o, l := r.Observation(v), v.Location
	o.ComponentName, o.ComponentVersion = "", ""
	o.Title = v.Unjudged() + cmp.Or(string(v.Name), string(v.Message), string(v.Description), string(v.CVE), string(v.ID))
	o.UniqueID = cmp.Or(string(v.ID), string(v.CVE))
	o.Line, o.EndLine = l.EndLine.Ptr(), l.EndLine.Ptr()
	if o.Line == nil {
		o.Line = l.StartLine.Ptr()
	}
	text := r.Text(v)
	text.Fact("Place", parsers.Place(o.FilePath, l.StartLine.Ptr()))
	if l.Class != "" || l.Method != "" {
		name := string(l.Class)
		if l.Method != "" {
			name += "#" + string(l.Method)
		}
		o.SASTSourceObject, o.SASTSinkObject = name, name
		o.SASTSourceFilePath, o.SASTSourceLine = o.FilePath, l.StartLine.Ptr()
		text.Fact("In", name)
	}
	o.Description = text.Code("", string(v.Extract)).String()
	v.SetCWE(&o, true)
	return o
}
