package mend

import (
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// finding is one of the platform's API 3.0.
type finding struct {
	Name      string `json:"name"`
	Component part   `json:"component"`
	Info      struct {
		Status   string      `json:"status"`
		Detected stream.Text `json:"detectedAt"`
	} `json:"findingInfo"`
	Project struct {
		Name string `json:"name"`
	} `json:"project"`
	Application struct {
		Name string `json:"name"`
	} `json:"application"`
	Vulnerability struct {
		Name      string       `json:"name"`
		Details   string       `json:"description"`
		Score     stream.Float `json:"score"`
		Severity  string       `json:"severity"`
		Published stream.Text  `json:"publishDate"`
	} `json:"vulnerability"`
	TopFix      *fix        `json:"topFix"`
	Effective   stream.Text `json:"effective"`
	Exploitable stream.Text `json:"exploitable"`
	Threat      struct {
		Maturity stream.Text  `json:"exploitCodeMaturity"`
		EPSS     stream.Float `json:"epssPercentage"`
	} `json:"threatAssessment"`
	Vector stream.Text `json:"scoreMetadataVector"`
}

type part struct {
	Name       string      `json:"name"`
	Details    string      `json:"description"`
	Type       string      `json:"componentType"`
	Library    string      `json:"libraryType"`
	Root       stream.Text `json:"rootLibrary"`
	GroupID    string      `json:"groupId"`
	ArtifactID string      `json:"artifactId"`
	Version    string      `json:"version"`
	Path       string      `json:"path"`
	Dependency string      `json:"dependencyType"`
}

func (p part) purl() string { return purl(p.Library, p.GroupID, p.ArtifactID, p.Version) }

func platform(f finding) gate.Observation {
	c, v := f.Component, f.Vulnerability
	name := parsers.First(f.Name, v.Name)
	var text parsers.Text
	text.Add(v.Details).Fact("Component", c.Name).Fact("What it is", c.Details).Fact("Component type", c.Type).Fact("Library type", c.Library).Fact("Root library", string(c.Root))
	text.Fact("Dependency", c.Dependency).Fact("Project", strings.TrimSpace(f.Application.Name+" "+f.Project.Name)).Fact("Detected", string(f.Info.Detected))
	text.Fact("Reachability", strings.ReplaceAll(string(f.Effective), "_", " ")).Fact("Exploit code", strings.ReplaceAll(string(f.Threat.Maturity), "_", " ")).Fact("EPSS in percent", number(f.Threat.EPSS))
	o := gate.Observation{
		Title:                 name + " | " + c.Name,
		Severity:              gate.ParseSeverity(v.Severity),
		Description:           text.String(),
		Mitigation:            "Mend knows no fix.",
		Impact:                "The component is a dependency of this kind: " + parsers.First(c.Dependency, "not said") + ".",
		CWE:                   vulnerableComponent,
		VulnerabilityIDs:      []string{name},
		Check:                 name,
		StepsToReproduce:      locations([]sourceFile{{Path: c.Path}}),
		SeverityJustification: justify(v.Score, string(f.Vector), stream.Float{}),
		ComponentName:         c.ArtifactID,
		ComponentVersion:      c.Version,
		PURL:                  c.purl(),
		FixAvailable:          new(f.TopFix != nil),
		Fix:                   f.TopFix.version(),
		PublishDate:           parsers.ParseDate(string(v.Published)),
		Date:                  parsers.ParseDate(string(f.Info.Detected)),
		KnownExploited:        strings.EqualFold(string(f.Exploitable), "true"),
	}
	if f.TopFix != nil {
		o.Mitigation, o.References = f.TopFix.text(), string(f.TopFix.URL)
	}
	parsers.SetCVSS(&o, string(f.Vector))
	if o.CVSSv3 == "" && v.Score.F > 0 {
		o.CVSSv3Score = v.Score.Ptr()
	}
	return o
}

func number(f stream.Float) string {
	if !f.OK {
		return ""
	}
	return strconv.FormatFloat(f.F, 'f', -1, 64)
}
