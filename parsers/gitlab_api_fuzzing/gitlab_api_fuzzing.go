// Package gitlab_api_fuzzing reads GitLab's reports of fuzzing: of web
// interfaces, and of code with coverage.
//
// Made by the job of "include: - template: API-Fuzzing.gitlab-ci.yml", as its
// artifact gl-api-fuzzing-report.json. Package gitlab describes the format; the
// place is a URL, or the kind of crash with the functions that led to it.
package gitlab_api_fuzzing

import (
	"cmp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-api-fuzzing-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_api_fuzzing",
	ScanType: "GitLab API Fuzzing Report Scan",
	Files:    "JSON",
	Command:  "the artifact gl-api-fuzzing-report.json of GitLab's API-fuzzing job",
	URL:      "https://docs.gitlab.com/user/application_security/api_fuzzing/",
	Analysis: gate.Dynamic,
	Detect:   gitlab.Detect("api_fuzzing", "coverage_fuzzing"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	return gitlab.Read(in, out, observation)
}

// observation leaves the weakness to the references, as DefectDojo does.
func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o, l := r.Observation(v), v.Location
	o.Title = cmp.Or(string(v.Name), string(v.Message), string(v.ID))
	o.Param = string(l.Param)
	o.RequestResponsePairs = v.Evidence.Pairs()
	if e := parsers.Endpoint(string(l.Hostname + l.Path)); e != "" {
		o.Endpoints = []string{e}
	}
	o.Description = r.Text(v).
		Fact("Crash", string(l.CrashType)).
		Code("", string(l.CrashState)).
		Fact("URL", strings.TrimSpace(string(l.Method+" "+l.Hostname+l.Path))).
		Fact("Parameter", o.Param).
		Fact("Evidence", string(v.Evidence.Summary)).
		Section("Stack", "").
		Code("", string(l.Stack)).String()
	return o
}
