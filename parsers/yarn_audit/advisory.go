package yarn_audit

import (
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/npm"
	"defectdojo/parsers/stream"
)

// advisory is one of Yarn 1 to 3.
type advisory struct{ npm.Advisory }

func (a advisory) yarn1() gate.Observation {
	o := a.common()
	o.Title = a.Title + " - (" + a.Module + ", " + string(a.Vulnerable) + ")"
	o.FilePath = a.Path()
	if o.CWE == 0 {
		o.CWE = npm.VulnerableComponent
	}
	return o
}

func (a advisory) yarn2() gate.Observation {
	o := a.common()
	o.Title = parsers.First(append(slices.Clone(a.CVEs), string(a.GHSA), string(a.ID))...) + "_" + a.Module
	return o
}

func (a advisory) common() gate.Observation {
	var text parsers.Text
	text.Add(a.Title).Add(string(a.Overview)).Fact("Package", a.Module).Fact("Vulnerable versions", string(a.Vulnerable)).Fact("Patched versions", string(a.Patched)).Facts("CVEs", a.CVEs).Fact("GitHub's id", string(a.GHSA))
	if paths := a.Paths(); len(paths) > 0 {
		text.Add("It comes in by:").List(paths)
	}
	o := gate.Observation{
		Severity:         gate.ParseSeverity(a.Severity),
		Description:      text.String(),
		Mitigation:       string(a.Todo),
		Impact:           "Code that uses `" + a.Module + "` can be attacked through it.",
		References:       parsers.Lines(a.URL, string(a.References)),
		VulnerabilityIDs: a.CVEs,
		Check:            string(a.ID),
		ComponentName:    a.Module,
		ComponentVersion: a.Version(),
		PURL:             parsers.PURL("npm", a.Module, a.Version()),
		URL:              a.URL,
		Fix:              parsers.Fixed(string(a.Patched)),
	}
	if len(a.CVEs) == 0 {
		o.CVE = string(a.GHSA)
	}
	if o.CWEs = a.Weaknesses(); len(o.CWEs) > 0 {
		o.CWE = o.CWEs[0]
	}
	return o
}

// child is what Yarn 4 says of a package.
type child struct {
	ID         stream.Text                   `json:"ID"`
	Issue      string                        `json:"Issue"`
	URL        string                        `json:"URL"`
	Severity   string                        `json:"Severity"`
	Vulnerable stream.Text                   `json:"Vulnerable Versions"`
	Versions   stream.OneOrMany[stream.Text] `json:"Tree Versions"`
	Dependents stream.OneOrMany[stream.Text] `json:"Dependents"`
}

// known finds the id in an advisory's address.
var known = regexp.MustCompile(`GHSA(-[0-9a-z]{4}){3}|CVE-\d{4}-\d{4,7}`)

func (c child) observation(pack string) gate.Observation {
	version := ""
	var versions, dependents []string
	for _, v := range c.Versions {
		versions = append(versions, string(v))
	}
	for _, d := range c.Dependents {
		dependents = append(dependents, string(d))
	}
	if len(versions) > 0 {
		version = versions[0]
	}
	var text parsers.Text
	text.Add(c.Issue).Fact("Package", pack).Facts("Installed versions", versions).Fact("Vulnerable versions", string(c.Vulnerable)).Facts("Required by", dependents).Fact("Advisory", string(c.ID))
	o := gate.Observation{
		Title:            c.Issue + " - (" + pack + ", " + string(c.Vulnerable) + ")",
		Severity:         gate.ParseSeverity(c.Severity),
		Description:      text.String(),
		Mitigation:       "Upgrade `" + pack + "` to a version that is not among the vulnerable ones: " + string(c.Vulnerable) + ".",
		Impact:           "Code that uses `" + pack + "` can be attacked through it.",
		References:       c.URL,
		CWE:              npm.VulnerableComponent,
		Check:            string(c.ID),
		ComponentName:    pack,
		ComponentVersion: version,
		PURL:             parsers.PURL("npm", pack, version),
		URL:              c.URL,
	}
	if id := known.FindString(c.URL); strings.TrimSpace(id) != "" {
		o.VulnerabilityIDs = []string{id}
	}
	return o
}
