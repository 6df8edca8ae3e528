// Package jfrog_xray_api_summary_artifact reads what JFrog Xray's REST API says of artifacts.
//
// Made by "curl -u USER:TOKEN -X POST URL/xray/api/v1/summary/artifact -d '{"paths": ["default/docker/app/1.0/manifest.json"]}'":
//
//	{"artifacts": [{"general": {"name": "app:1.0", "path": "…", "pkg_type": "Docker", "sha256": "eaab…"},
//	  "issues": [{"issue_id": "XRAY-124116", "summary": "…", "description": "…", "severity": "High", "provider": "JFrog", "created": "…",
//	    "cves": [{"cve": "CVE-2021-42385", "cwe": ["CWE-416"], "cvss_v2": "6.5/CVSS:2.0/AV:N/…", "cvss_v3": "7.2/CVSS:3.1/AV:N/…"}],
//	    "impact_path": ["docker/app/1.0/sha256__339d….tar.gz/3.12:busybox:1.31.1-r20"]}],
//	  "licenses": [{"name": "MIT", "full_name": "…", "components": ["alpine://3.12:busybox:1.31.1-r20"]}]}]}
//
// Older versions leave out issue_id and a CVSS vector behind its score. The end of an impact path is "NAME:VERSION" or the file of a library.
package jfrog_xray_api_summary_artifact

import (
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads the answer of Xray's API.
var Parsers = []parsers.Parser{{
	Name:     "jfrog_xray_api_summary_artifact",
	ScanType: "JFrog Xray API Summary Artifact Scan",
	Files:    "JSON",
	Command:  `curl -u USER:TOKEN -X POST URL/xray/api/v1/summary/artifact -d '{"paths": ["PATH"]}'`,
	URL:      "https://jfrog.com/help/r/xray-rest-apis/artifact-summary",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("artifacts[].general.component_id", "artifacts[].issues"):
		return parsers.Sure
	case s.Has("artifacts[].general", "artifacts[].licenses"), s.Has("artifacts[].issues[].impact_path"):
		return parsers.Likely
	case s.Has("artifacts[]"):
		return parsers.Possible
	}
	return parsers.No
}

type artifact struct {
	Name   stream.Text `json:"name"`
	Path   stream.Text `json:"path"`
	Type   stream.Text `json:"pkg_type"`
	SHA256 stream.Text `json:"sha256"`
}

type issue struct {
	ID         stream.Text                   `json:"issue_id"`
	Summary    stream.Text                   `json:"summary"`
	Details    stream.Text                   `json:"description"`
	Type       stream.Text                   `json:"issue_type"`
	Severity   stream.Text                   `json:"severity"`
	Provider   stream.Text                   `json:"provider"`
	CVEs       stream.OneOrMany[cve]         `json:"cves"`
	Created    stream.Text                   `json:"created"`
	Paths      stream.OneOrMany[stream.Text] `json:"impact_path"`
	Components stream.OneOrMany[component]   `json:"components"`
}

type cve struct {
	ID   stream.Text                   `json:"cve"`
	CWEs stream.OneOrMany[stream.Text] `json:"cwe"`
	V2   stream.Text                   `json:"cvss_v2"`
	V3   stream.Text                   `json:"cvss_v3"`
}

type component struct {
	ID    stream.Text                   `json:"component_id"`
	Fixed stream.OneOrMany[stream.Text] `json:"fixed_versions"`
}

type license struct {
	Name       stream.Text                   `json:"name"`
	Components stream.OneOrMany[stream.Text] `json:"components"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "JFrog Xray"
	return stream.JSON(in, stream.Object(stream.Fields{
		"artifacts": stream.Array(func(d *stream.Decoder) error {
			var a artifact
			return stream.Object(stream.Fields{
				"general": stream.Into(&a),
				"issues": stream.Each(func(i issue) error {
					out.Emit(observation(a, i))
					return nil
				}),
				"licenses": stream.Each(func(l license) error { inventory(out, l); return nil }),
			}, "general")(d)
		}),
		"errors": stream.Each(func(e struct {
			Error      stream.Text `json:"error"`
			Identifier stream.Text `json:"identifier"`
		},
		) error {
			out.Problem("%s: %s", e.Identifier, e.Error)
			return nil
		}),
	}, "artifacts"))
}

// inventory puts out the components of a license, "alpine://3.12:busybox:1.31.1-r20".
func inventory(out *parsers.Report, l license) {
	for _, c := range l.Components {
		_, id, found := strings.Cut(string(c), "://")
		if i := strings.LastIndexByte(id, ':'); found && i > 0 {
			out.Component(gate.Component{Name: id[:i], Version: id[i+1:], Licenses: []string{string(l.Name)}})
		}
	}
}

func observation(a artifact, i issue) gate.Observation {
	name, version := last(a.Name)
	library, of := impacted(i.first())
	o := gate.Observation{
		Title:            string(i.Summary),
		Severity:         gate.ParseSeverity(string(i.Severity)),
		Description:      describe(a, i, library+":"+of),
		RuleID:           string(i.ID),
		UniqueID:         parsers.Digest(string(a.SHA256), library, of, parsers.First(string(i.ID), string(i.Summary))),
		FilePath:         i.first(),
		ComponentName:    name,
		ComponentVersion: version,
		NoCWE:            true,
	}
	for _, c := range i.CVEs {
		if c.ID != "" {
			o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(c.ID))
		}
		parsers.SetCWEs(&o, c.CWEs...)
		parsers.SetCVSS(&o, string(c.V3))
	}
	if i.ID != "" {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(i.ID))
	}
	for _, c := range i.Components {
		o.Fix = parsers.First(o.Fix, parsers.Fixed(stream.Strings(c.Fixed)...))
	}
	return o
}

func (i issue) first() string {
	if len(i.Paths) == 0 {
		return ""
	}
	return string(i.Paths[0])
}

// last splits "name:version" at its last colon.
func last(id stream.Text) (name, version string) {
	s := string(id)
	if at := strings.LastIndexByte(s, ':'); at >= 0 {
		return s[:at], s[at+1:]
	}
	return s, ""
}

// library is a file's name that ends in a version: "okio-jvm-2.8.0.jar".
var library = regexp.MustCompile(`^(.+?)[-_]v?(\d[\w.+-]*?)(?:\.(?:jar|war|ear|aar|whl|tgz|gem|nupkg|rpm|deb|zip|tar\.gz))?$`)

// impacted returns the name and the version of the component at a path's end.
func impacted(path string) (name, version string) {
	end := path[strings.LastIndexByte(path, '/')+1:]
	if strings.Contains(end, ":") {
		return last(stream.Text(end))
	}
	if m := library.FindStringSubmatch(end); m != nil {
		return m[1], m[2]
	}
	return end, ""
}

func describe(a artifact, i issue, where string) string {
	var text parsers.Text
	text.Add(string(i.Details)).Fact("Component", strings.Trim(where, ":")).Fact("Artifact", string(a.Name)).Fact("Kind of artifact", string(a.Type)).
		Fact("Issue", string(i.ID)).Fact("Kind of issue", string(i.Type)).Fact("Told by", string(i.Provider)).Fact("Known since", string(i.Created))
	for _, c := range i.CVEs {
		text.Fact(parsers.First(string(c.ID), "Vulnerability"), strings.Join(scores(c), ", "))
	}
	for _, c := range i.Components {
		text.Facts("Fixed versions of "+string(c.ID), stream.Strings(c.Fixed))
	}
	if len(i.Paths) > 0 {
		text.Add("**Impact paths:**").List(stream.Strings(i.Paths))
	}
	return text.String()
}

func scores(c cve) []string {
	list := stream.Strings(c.CWEs)
	if c.V3 != "" {
		list = append(list, "CVSS 3 "+string(c.V3))
	}
	if c.V2 != "" {
		list = append(list, "CVSS 2 "+string(c.V2))
	}
	return list
}
