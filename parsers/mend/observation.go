package mend

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// vulnerableComponent is the CWE "Using Components with Known Vulnerabilities".
const vulnerableComponent = 1035

// alert is a vulnerability of API 1.x.
func alert(v vulnerability) gate.Observation {
	l := library{}
	if v.Library != nil {
		l = *v.Library
	}
	o := v.common(parsers.First(l.Filename, l.Name))
	o.ComponentName, o.ComponentVersion, o.PURL = l.ArtifactID, l.Version, l.purl()
	o.FixAvailable = new(v.TopFix != nil)
	o.StepsToReproduce = locations(append(v.Locations, l.Locations...))
	var text parsers.Text
	text.Add(v.Details).Fact("Library", l.Name).Fact("File", l.Filename).Fact("What it is", l.Description).Fact("Library type", l.Type)
	text.Fact("Project", strings.TrimSpace(v.Product+" "+v.Project)).Fact("Published", string(v.Published))
	o.Description = text.String()
	return o
}

// agent is a vulnerability in the unified agent's report. DefectDojo gives it
// neither component nor fix; the package URL and the mitigation do.
func agent(l library, v vulnerability) gate.Observation {
	o := v.common(l.Name)
	o.PURL = l.purl()
	o.FixAvailable = new(false)
	o.StepsToReproduce = "Found in the library " + l.Name + "."
	var text parsers.Text
	text.Add(v.Details).Fact("Library", l.Name).Fact("Version", l.Version).Fact("Library type", l.Type).Fact("Published", string(v.Published))
	o.Description = text.String()
	return o
}

func (v vulnerability) common(lib string) gate.Observation {
	o := gate.Observation{
		Title:            v.Name + " | " + lib,
		Severity:         gate.ParseSeverity(parsers.First(v.Severity3, v.Severity)),
		Mitigation:       v.mitigation(),
		CWE:              vulnerableComponent,
		VulnerabilityIDs: []string{v.Name},
		Check:            v.Name,
		FilePath:         files(v.SourceFiles),
		URL:              string(v.URL),
		PublishDate:      parsers.ParseDate(string(v.Published)),
		Fix:              v.TopFix.version(),
	}
	links := []string{string(v.URL)}
	for _, r := range v.References {
		links = append(links, r.URL)
	}
	o.References = parsers.Lines(links...)
	parsers.SetCVSS(&o, string(v.Vector))
	o.SeverityJustification = justify(v.Score3, string(v.Vector), v.Score)
	return o
}

func justify(v3 stream.Float, vector string, v2 stream.Float) string {
	var text parsers.Text
	text.Fact("CVSS 3 score", number(v3)).Fact("CVSS 3 vector", vector).Fact("CVSS 2 score", number(v2))
	return parsers.First(text.String(), "Mend gives no CVSS score.")
}

func (v vulnerability) mitigation() string {
	var text parsers.Text
	if v.TopFix != nil {
		text.Add(v.TopFix.text())
	}
	for _, f := range v.Fixes {
		if v.TopFix == nil || f.Resolution != v.TopFix.Resolution {
			text.Add(f.text())
		}
	}
	return parsers.First(text.String(), "Mend knows no fix.")
}

// version is the one to upgrade to: "Upgrade to version 4.2.3",
// "org.example:lib:1.7.9", "lib - 1.3-1".
func (f *fix) version() string {
	if f == nil {
		return ""
	}
	resolution := string(f.Resolution)
	if v := parsers.FixedInWords(string(f.Message) + " " + resolution); v != "" {
		return v
	}
	if i := strings.LastIndexAny(resolution, ": "); i > 0 && !strings.Contains(strings.TrimSpace(resolution), " ") || strings.Contains(resolution, " - ") {
		return parsers.Fixed(resolution[i+1:])
	}
	return ""
}

func (f fix) text() string {
	resolution, message := string(f.Resolution), string(f.Message)
	if resolution == "no_fix" {
		return "Mend knows no version in which this is fixed. Replace the library, or keep untrusted input away from it."
	}
	if message != "" && !strings.Contains(strings.ToLower(resolution), strings.ToLower(message)) {
		resolution = message + " " + resolution
	}
	var text parsers.Text
	text.Add(resolution).Fact("Date", string(f.Date)).Fact("See", string(f.URL))
	return text.String()
}

func files(list []sourceFile) string {
	var out []string
	for _, f := range list {
		if p := parsers.First(f.Local, f.Path); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

func locations(list []sourceFile) string {
	if p := files(list); p != "" {
		return "Found in: " + p
	}
	return "The report names no place where the library was found."
}

// types are the package URL types of Mend's library types.
var types = map[string]string{
	"MAVEN_ARTIFACT": "maven", "JAVA_ARCHIVE": "maven", "NODE_PACKAGED_MODULE": "npm", "JAVA_SCRIPT_LIBRARY": "", "PYTHON_PACKAGE": "pypi", "NUGET_PACKAGE_MODULE": "nuget", "GO_PACKAGE": "golang", "RUBY_GEM": "gem", "PHP_PACKAGE": "composer", "RUST_CRATE": "cargo",
}

func (l library) purl() string { return purl(l.Type, l.GroupID, l.ArtifactID, l.Version) }

func purl(kind, group, artifact, version string) string {
	switch types[kind] {
	case "maven":
		if group == "" {
			return ""
		}
		return parsers.PURL("maven", group+":"+artifact, version)
	case "npm":
		return parsers.PURL("npm", group, version) // the artifact is the archive's name
	}
	return parsers.PURL(types[kind], artifact, version)
}
