package xygeni

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type dependency struct {
	Group     stream.Text `json:"group"`
	Name      stream.Text `json:"name"`
	Version   stream.Text `json:"version"`
	Ecosystem stream.Text `json:"ecosystem"`
	Scope     stream.Text `json:"scope"`
	FileName  stream.Text `json:"displayFileName"`
	Licenses  []struct {
		Name stream.Text `json:"name"`
		SPDX stream.Text `json:"spdxId"`
	} `json:"licenses"`
	Paths struct {
		Files   stream.OneOrMany[stream.Text] `json:"dependencyPaths"`
		Direct  bool                          `json:"directDependency"`
		Project bool                          `json:"currentProject"`
	} `json:"paths"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	ID          stream.Text                   `json:"id"`
	CVE         stream.Text                   `json:"cve"`
	Name        stream.Text                   `json:"name"`
	Severity    stream.Text                   `json:"severity"`
	CWEs        stream.OneOrMany[stream.Text] `json:"cwes"`
	Aliases     stream.OneOrMany[stream.Text] `json:"aliases"`
	Fixed       stream.Text                   `json:"fixedVersion"`
	Hash        stream.Text                   `json:"uniqueHash"`
	IssueID     stream.Text                   `json:"issueId"`
	References  stream.OneOrMany[stream.Text] `json:"references"`
	Description stream.Text                   `json:"description"`
	Published   stream.Text                   `json:"publishDate"`
	Score       stream.Float                  `json:"overallCvssScore"`
	Vector      stream.Text                   `json:"cvssVector"`
	Source      struct {
		Name stream.Text `json:"name"`
		URL  stream.Text `json:"url"`
	} `json:"source"`
	Versions []struct {
		Start         stream.Text `json:"startVersion"`
		StartExcluded bool        `json:"versionStartExcluded"`
		End           stream.Text `json:"endVersion"`
		EndExcluded   bool        `json:"versionEndExcluded"`
	} `json:"versions"`
}

// types are the package URL types of Xygeni's ecosystems; the rest are the same.
var types = map[string]string{"go": "golang", "unknown": "", "php": "composer", "packagist": "composer", "python": "pypi", "ruby": "gem", "rubygems": "gem"}

func (d dependency) purl() string {
	kind := strings.ToLower(string(d.Ecosystem))
	if k, ok := types[kind]; ok {
		kind = k
	}
	name := string(d.Name)
	if d.Group != "" {
		name = string(d.Group) + "/" + name
	}
	return parsers.PURL(kind, name, string(d.Version))
}

// put puts out a dependency and its vulnerabilities.
func (d dependency) put(out *parsers.Report) {
	if !d.Paths.Project {
		c := gate.Component{Name: string(d.Name), Version: string(d.Version), PURL: d.purl(), Path: d.path()}
		for _, l := range d.Licenses {
			c.Licenses = append(c.Licenses, parsers.First(string(l.SPDX), string(l.Name)))
		}
		out.Component(c)
	}
	for _, v := range d.Vulnerabilities {
		out.Emit(d.observation(v))
	}
}

func (d dependency) path() string {
	if len(d.Paths.Files) > 0 {
		return string(d.Paths.Files[0])
	}
	return ""
}

func (d dependency) observation(v vulnerability) gate.Observation {
	id := parsers.First(string(v.CVE), string(v.ID), string(v.Name))
	var files, references []string
	for _, f := range d.Paths.Files {
		files = append(files, string(f))
	}
	for _, r := range v.References {
		references = append(references, string(r))
	}
	if len(references) == 0 {
		references = append(references, string(v.Source.URL))
	}
	var text parsers.Text
	text.Add(string(v.Description)).Fact("Component", d.component()).Facts("Brought in by", files)
	text.Fact("Affected versions", v.affected()).Fact("Fixed in", string(v.Fixed)).Fact("Source", string(v.Source.Name))
	o := gate.Observation{
		Title:            id,
		Severity:         gate.ParseSeverity(string(v.Severity)),
		Description:      text.String(),
		References:       parsers.Lines(references...),
		RuleID:           parsers.First(string(v.ID), id),
		UniqueID:         parsers.First(string(v.Hash), string(v.IssueID)),
		CVE:              string(v.CVE),
		ComponentName:    string(d.Name),
		ComponentVersion: string(d.Version),
		PURL:             d.purl(),
		PublishDate:      parsers.ParseDate(string(v.Published)),
	}
	if v.CVE != "" {
		o.VulnerabilityIDs = []string{string(v.CVE)}
	}
	for _, a := range v.Aliases {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(a))
	}
	o.CWE, o.CWEs = weaknesses("", v.CWEs)
	parsers.SetCVSS(&o, string(v.Vector))
	if o.CVSSv3Score == nil && v.Score.F > 0 {
		o.CVSSv3Score = v.Score.Ptr()
	}
	if v.Fixed != "" {
		o.Mitigation = "Upgrade " + string(d.Name) + " to version " + string(v.Fixed) + " or later."
	}
	return o
}

func (d dependency) component() string {
	name := string(d.Name)
	if d.Group != "" {
		name = string(d.Group) + ":" + name
	}
	s := strings.TrimSpace(name + " " + string(d.Version))
	if d.Ecosystem != "" {
		s += " (" + string(d.Ecosystem) + ")"
	}
	return s
}

// affected writes the ranges of versions, "from 1.0 to before 2.0".
func (v vulnerability) affected() string {
	var list []string
	for _, r := range v.Versions {
		s := ""
		if r.Start != "" {
			s = "from " + string(r.Start)
			if r.StartExcluded {
				s = "after " + string(r.Start)
			}
		}
		if r.End != "" {
			s += " to "
			if r.EndExcluded {
				s += "before "
			}
			s += string(r.End)
		}
		list = append(list, strings.TrimSpace(s))
	}
	return strings.Join(list, "; ")
}
