// Package gitlab_container_scan reads GitLab's reports of container images.
//
// Made by the job of "include: - template: Jobs/Container-Scanning.gitlab-ci.yml",
// as its artifact gl-container-scanning-report.json. Package gitlab describes
// the format; the place is a package in an image.
package gitlab_container_scan

import (
	"cmp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/gitlab"
	"defectdojo/parsers/stream"
)

// Parsers reads gl-container-scanning-report.json.
var Parsers = []parsers.Parser{{
	Name:     "gitlab_container_scan",
	ScanType: "GitLab Container Scan",
	Files:    "JSON",
	Command:  "the artifact gl-container-scanning-report.json of GitLab's container-scanning job",
	URL:      "https://docs.gitlab.com/user/application_security/container_scanning/",
	Analysis: gate.Static,
	Detect:   gitlab.Detect("container_scanning", "cluster_image_scanning"),
	Parse:    parse,
}}

func parse(in *stream.Input, out *parsers.Report) error {
	return gitlab.Read(in, out, func(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
		if run := out.Run(); run.Target == "" {
			run.Target = string(v.Location.Image)
		}
		return observation(r, v)
	})
}

func observation(r gitlab.Report, v gitlab.Vulnerability) gate.Observation {
	o := r.Observation(v)
	o.VulnerabilityIDs, o.Fix = v.CVEs(), parsers.FixedInWords(string(v.Solution))
	o.Date = r.Date()
	o.Title = cmp.Or(string(v.Message), string(v.Name))
	if o.Title == "" {
		o.Title = composed(o)
	}
	o.Description = r.Text(v).
		Fact("Package", strings.TrimSpace(o.ComponentName+" "+o.ComponentVersion)).
		Fact("Image", string(v.Location.Image)).
		Fact("System", string(v.Location.System)).String()
	v.SetCWE(&o, false)
	return o
}

// composed is a title like "CVE-2019-3462 in apt-1.4.8".
func composed(o gate.Observation) string {
	id := o.Check
	if len(o.VulnerabilityIDs) > 0 {
		id = o.VulnerabilityIDs[0]
	}
	name := o.ComponentName
	if o.ComponentVersion != "" {
		name += "-" + o.ComponentVersion
	}
	return strings.TrimSuffix(cmp.Or(id, "Vulnerability")+" in "+name, " in ")
}
