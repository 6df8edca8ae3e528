// Package gitlab_dep_scan reads GitLab's reports of vulnerable dependencies.
//
// Made by the job of "include: - template: Jobs/Dependency-Scanning.gitlab-ci.yml",
// as its artifact gl-dependency-scanning-report.json. Package gitlab describes
// the format; "dependency_files" lists every dependency, vulnerable or not.
package gitlab_dep_scan

import (
	"cmp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-dependency-scanning-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_dep_scan",
	ScanType: "GitLab Dependency Scanning Report",
	Files:    "JSON",
	Command:  "the artifact gl-dependency-scanning-report.json of GitLab's dependency-scanning job",
	URL:      "https://docs.gitlab.com/user/application_security/dependency_scanning/",
	Analysis: gate.Static,
	Detect:   gitlab.Detect("dependency_scanning"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	return gitlab.ReadOnce(in, out, observation)
}

func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o := r.Observation(v)
	o.VulnerabilityIDs, o.Fix = v.CVEs(), parsers.FixedInWords(string(v.Solution))
	o.Title = title(v, o.VulnerabilityIDs)
	o.UniqueID = cmp.Or(string(v.ID), string(v.CVE))
	o.Description = r.Text(v).
		Fact("Package", strings.TrimSpace(o.ComponentName+" "+o.ComponentVersion)).
		Fact("File", o.FilePath).String()
	v.SetCWE(&o, true)
	return o
}

// title begins with the CVE id, and says when the report knows no severity.
func title(v gitlab.Vulnerability, ids []string) string {
	t := cmp.Or(string(v.Name), string(v.Message), string(v.Description), string(v.ID))
	if len(ids) > 0 {
		t = ids[0] + ": " + t
	}
	return v.Unjudged() + t
}
