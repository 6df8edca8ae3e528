// Package gitlab_secret_detection_report reads GitLab's reports of leaked secrets.
//
// Made by the job of "include: - template: Jobs/Secret-Detection.gitlab-ci.yml",
// as its artifact gl-secret-detection-report.json. Package gitlab describes the
// format; "raw_source_code_extract" is the secret, which is shown masked.
package gitlab_secret_detection_report

import (
	"cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-secret-detection-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_secret_detection_report",
	ScanType: "GitLab Secret Detection Report",
	Files:    "JSON",
	Command:  "the artifact gl-secret-detection-report.json of GitLab's secret-detection job",
	URL:      "https://docs.gitlab.com/user/application_security/secret_detection/",
	Analysis: gate.Static,
	Detect:   gitlab.Detect("secret_detection"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	return gitlab.Read(in, out, observation)
}

func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o, l := r.Observation(v), v.Location
	o.ComponentName, o.ComponentVersion = "", ""
	o.Title = title(v)
	o.Line, o.EndLine = l.StartLine.Ptr(), l.EndLine.Ptr()
	o.Date = r.Date()
	text := r.Text(v)
	text.Fact("Kind of secret", string(v.Name)).
		Fact("Secret", parsers.Mask(string(v.Extract))).
		Fact("Place", parsers.Place(o.FilePath, o.Line))
	if sha := string(l.Commit.SHA); sha != "" && sha != "0000000" {
		text.Fact("Commit", sha).Fact("Author", string(l.Commit.Author))
	}
	o.Description = text.String()
	return o
}

// title is the message, or since version 15, which has none, the same words.
func title(v gitlab.Vulnerability) string {
	if v.Message == "" && v.Name != "" {
		return string(v.Name) + " detected; please remove and revoke it if this is a leak."
	}
	return cmp.Or(string(v.Message), string(v.Description), string(v.ID))
}
