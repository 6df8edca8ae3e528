// Package dependency_track reads the findings of a project that
// Dependency-Track exports in its Finding Packaging Format (FPF).
//
// Made by Dependency-Track: a project, Audit Vulnerabilities, Export, or
// "curl -H 'X-Api-Key: …' URL/api/v1/finding/project/UUID/export". The report is
// one object:
//
//	{"version": "1.3", "meta": {"application": "Dependency-Track", "version": "4.14.1", "timestamp": "2026-04-24T19:38:13Z"},
//	 "project": {"name": "shop", "version": "1.0"},
//	 "findings": [{"component": {"name": "psysh", "group": "psy", "version": "v0.12.10", "purl": "pkg:composer/…", "latestVersion": "v0.12.22"},
//	   "attribution": {"analyzerIdentity": "INTERNAL_ANALYZER", "attributedOn": "2026-02-20 12:59:34.289"},
//	   "vulnerability": {"uuid": "…", "source": "GITHUB", "vulnId": "GHSA-…", "aliases": [{"cveId": "CVE-…"}], "severity": "MEDIUM",
//	     "cvssV3BaseScore": 6.7, "cvssV3Vector": "CVSS:3.1/…", "epssScore": 0.1, "cwes": [{"cweId": 427}], "description": "…", "recommendation": "…"},
//	   "analysis": {"state": "NOT_SET", "isSuppressed": false}, "matrix": "PROJECT:COMPONENT:VULNERABILITY"}]}
//
// "findings" is null or missing when there are none. Without a CWE it is 1035,
// "Using Components with Known Vulnerabilities".
package dependency_track

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dependency-Track's FPF.
var Parsers = []parsers.Parser{{
	Name:     "dependency_track",
	ScanType: "Dependency Track Finding Packaging Format (FPF) Export",
	Files:    "JSON",
	Command:  "curl -H \"X-Api-Key: $KEY\" -o findings.json URL/api/v1/finding/project/UUID/export",
	URL:      "https://docs.dependencytrack.org/integrations/file-formats/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("meta.application") == "Dependency-Track":
		return parsers.Sure
	case s.Has("findings[].component.purl", "findings[].vulnerability.vulnId"):
		return parsers.Likely
	}
	return parsers.No
}

type finding struct {
	Component struct {
		Name    stream.Text `json:"name"`
		Group   stream.Text `json:"group"`
		Version stream.Text `json:"version"`
		Latest  stream.Text `json:"latestVersion"`
		PURL    stream.Text `json:"purl"`
		CPE     stream.Text `json:"cpe"`
		Scope   stream.Text `json:"scope"`
	} `json:"component"`
	Attribution struct {
		Analyzer stream.Text `json:"analyzerIdentity"`
		On       stream.Text `json:"attributedOn"`
		URL      stream.Text `json:"referenceUrl"`
	} `json:"attribution"`
	Vulnerability vulnerability `json:"vulnerability"`
	Analysis      struct {
		State         string      `json:"state"`
		Suppressed    bool        `json:"isSuppressed"`
		Justification stream.Text `json:"justification"`
		Response      stream.Text `json:"response"`
		Detail        stream.Text `json:"detail"`
	} `json:"analysis"`
	Matrix stream.Text `json:"matrix"`
}

type vulnerability struct {
	UUID    stream.Text `json:"uuid"`
	Source  stream.Text `json:"source"`
	ID      stream.Text `json:"vulnId"`
	Aliases []struct {
		CVE   string `json:"cveId"`
		GHSA  string `json:"ghsaId"`
		OSV   string `json:"osvId"`
		Sonar string `json:"sonatypeId"`
		Snyk  string `json:"snykId"`
		GSD   string `json:"gsdId"`
		VulDB string `json:"vulnDbId"`
	} `json:"aliases"`
	Title          stream.Text  `json:"title"`
	Subtitle       stream.Text  `json:"subtitle"`
	Severity       string       `json:"severity"`
	ScoreV3        stream.Float `json:"cvssV3BaseScore"`
	VectorV3       stream.Text  `json:"cvssV3Vector"`
	VectorV4       stream.Text  `json:"cvssV4Vector"`
	ScoreV4        stream.Float `json:"cvssV4Score"`
	EPSS           stream.Float `json:"epssScore"`
	EPSSPercentile stream.Float `json:"epssPercentile"`
	CWEID          stream.Int   `json:"cweId"`
	CWEName        stream.Text  `json:"cweName"`
	CWEs           []struct {
		ID stream.Int `json:"cweId"`
	} `json:"cwes"`
	Description    stream.Text `json:"description"`
	Recommendation stream.Text `json:"recommendation"`
	References     stream.Text `json:"references"`
	Published      stream.Text `json:"published"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Dependency-Track"
	return stream.JSON(in, stream.Object(stream.Fields{
		"meta": stream.One(func(m struct {
			Application string      `json:"application"`
			Version     stream.Text `json:"version"`
			Timestamp   stream.Text `json:"timestamp"`
		},
		) error {
			run.Version, run.FinishedAt = string(m.Version), parsers.ParseTime(string(m.Timestamp))
			return nil
		}),
		"project": stream.One(func(p struct {
			Name    stream.Text `json:"name"`
			Version stream.Text `json:"version"`
		},
		) error {
			run.Target = strings.TrimSuffix(string(p.Name)+":"+string(p.Version), ":")
			return nil
		}),
		"findings": stream.Each(func(f finding) error {
			c, v := f.Component, f.Vulnerability
			if c.Name == "" || v.ID == "" && v.UUID == "" {
				return stream.Errorf("a finding names no component or no vulnerability")
			}
			out.Component(gate.Component{Name: string(c.Name), Version: string(c.Version), PURL: string(c.PURL)})
			out.Emit(observation(f))
			return nil
		}),
	}, "meta"))
}

// vulnerableComponent is the CWE of a finding that has none of its own.
const vulnerableComponent = 1035

func observation(f finding) gate.Observation {
	c, v := f.Component, f.Vulnerability
	name, version := string(c.Name), string(c.Version)
	title := name + ":" + version + " affected by: " + string(v.ID)
	if v.Source != "" {
		title += " (" + string(v.Source) + ")"
	}
	o := gate.Observation{
		Title:            title,
		Severity:         gate.ParseSeverity(v.Severity), // UNASSIGNED is Info
		Description:      describe(f),
		Mitigation:       string(v.Recommendation),
		Fix:              parsers.FixedInWords(string(v.Recommendation)),
		References:       string(v.References),
		VulnerabilityIDs: v.ids(),
		RuleID:           string(v.UUID),
		UniqueID:         string(f.Matrix),
		FilePath:         parsers.First(string(c.PURL), string(c.CPE), "unknown"), // as DefectDojo has it
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             string(c.PURL),
		EPSSScore:        v.EPSS.Ptr(),
		EPSSPercentile:   v.EPSSPercentile.Ptr(),
		Date:             parsers.ParseDate(string(f.Attribution.On)),
		PublishDate:      parsers.ParseDate(string(v.Published)),
		URL:              string(f.Attribution.URL),
	}
	o.CWE, o.CWEs = v.weaknesses()
	parsers.SetCVSS(&o, string(v.VectorV3), string(v.VectorV4))
	if o.CVSSv3 == "" && v.ScoreV3.F > 0 {
		o.CVSSv3Score = v.ScoreV3.Ptr()
	}
	if o.CVSSv4 == "" && v.ScoreV4.F > 0 {
		o.CVSSv4Score = v.ScoreV4.Ptr()
	}
	switch f.Analysis.State {
	case "FALSE_POSITIVE":
		o.Active, o.FalsePositive, o.Mitigated = new(false), true, true
	case "NOT_AFFECTED", "RESOLVED":
		o.Active, o.Mitigated = new(false), true
	case "IN_TRIAGE":
		o.UnderReview = true
	}
	return o
}

func (v vulnerability) ids() []string {
	all := []string{string(v.ID)}
	for _, a := range v.Aliases {
		all = append(all, a.CVE, a.GHSA, a.OSV, a.Sonar, a.Snyk, a.GSD, a.VulDB)
	}
	return all
}

func (v vulnerability) weaknesses() (int, []int) {
	var all []int
	if v.CWEID.N > 0 {
		all = append(all, v.CWEID.N)
	}
	for _, c := range v.CWEs {
		if c.ID.N > 0 && !slices.Contains(all, c.ID.N) {
			all = append(all, c.ID.N)
		}
	}
	if len(all) == 0 {
		return vulnerableComponent, nil
	}
	return all[0], all
}

func describe(f finding) string {
	c, v, a := f.Component, f.Vulnerability, f.Analysis
	var text parsers.Text
	text.Add(string(v.Title)).Add(string(v.Subtitle))
	full := string(c.Name)
	if c.Group != "" {
		full = string(c.Group) + "/" + full
	}
	text.Add(strings.TrimSpace("The component `"+full+"` "+string(c.Version)) + " has the known vulnerability " + string(v.ID) + ", as listed by " + parsers.First(string(v.Source), "Dependency-Track") + ".")
	text.Fact("Package URL", string(c.PURL)).Fact("Latest version", string(c.Latest)).Fact("Scope", string(c.Scope)).Fact("Weakness", string(v.CWEName))
	text.Fact("Found by", strings.TrimSpace(string(f.Attribution.Analyzer)+" "+string(f.Attribution.On)))
	text.Section("Details", string(v.Description))
	if a.State != "" && a.State != "NOT_SET" || a.Detail != "" || a.Suppressed {
		var analysis parsers.Text
		analysis.Fact("State", a.State).Fact("Justification", string(a.Justification)).Fact("Response", string(a.Response)).Add(string(a.Detail))
		if a.Suppressed {
			analysis.Add("It is suppressed in Dependency-Track.")
		}
		text.Section("Analysis", analysis.String())
	}
	return text.String()
}
