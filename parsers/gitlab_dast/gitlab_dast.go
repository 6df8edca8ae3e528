// Package gitlab_dast reads GitLab's reports of dynamic analysis.
//
// Made by the job of "include: - template: DAST.gitlab-ci.yml", as its artifact
// gl-dast-report.json. Package gitlab describes the format; the place is a URL,
// "hostname" with the scheme and "path", and the evidence holds HTTP messages.
package gitlab_dast

import (
	"cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-dast-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_dast",
	ScanType: "GitLab DAST Report",
	Files:    "JSON",
	Command:  "the artifact gl-dast-report.json of GitLab's DAST job",
	URL:      "https://docs.gitlab.com/user/application_security/dast/",
	Analysis: gate.Dynamic,
	Detect:   gitlab.Detect("dast"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	return gitlab.Read(in, out, func(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
		if run := out.Run(); run.Target == "" {
			run.Target = string(v.Location.Hostname)
		}
		return observation(r, v)
	})
}

func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o, l := r.Observation(v), v.Location
	o.Title = cmp.Or(string(v.Name), string(v.ID), string(v.Message))
	o.Date = parsers.ParseDate(string(v.Discovered))
	o.Param = string(l.Param)
	o.Occurrences = new(1)
	o.RequestResponsePairs = v.Evidence.Pairs()
	if e := parsers.Endpoint(string(l.Hostname + l.Path)); e != "" {
		o.Endpoints = []string{e}
	}
	o.Description = r.Text(v).
		Fact("URL", string(l.Method+" "+l.Hostname+l.Path)).
		Fact("Parameter", o.Param).
		Fact("Evidence", string(v.Evidence.Summary)).String()
	v.SetCWE(&o, false)
	return o
}
