package yarn_audit

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// advisory is one of Yarn 1 to 3.
type advisory struct {
	Findings []struct {
		Version string   `json:"version"`
		Paths   []string `json:"paths"`
	} `json:"findings"`
	ID         stream.Text                   `json:"id"`
	Title      string                        `json:"title"`
	Module     string                        `json:"module_name"`
	CVEs       []string                      `json:"cves"`
	GHSA       stream.Text                   `json:"github_advisory_id"`
	Vulnerable stream.Text                   `json:"vulnerable_versions"`
	Patched    stream.Text                   `json:"patched_versions"`
	Overview   stream.Text                   `json:"overview"`
	Todo       stream.Text                   `json:"recommendation"`
	References stream.Text                   `json:"references"`
	Severity   string                        `json:"severity"`
	CWE        stream.OneOrMany[stream.Text] `json:"cwe"`
	URL        string                        `json:"url"`
}

// vulnerableComponent is the CWE that Yarn 1's advisories have without one.
const vulnerableComponent = 1035

func (a advisory) yarn1() gate.Observation {
	o := a.common()
	o.Title = a.Title + " - (" + a.Module + ", " + string(a.Vulnerable) + ")"
	if len(a.Findings) > 0 && len(a.Findings[0].Paths) > 0 {
		o.FilePath = hashes.ReplaceAllString(a.Findings[0].Paths[0], "censored_by_npm_audit")
	}
	if o.CWE == 0 {
		o.CWE = vulnerableComponent
	}
	return o
}

func (a advisory) yarn2() gate.Observation {
	o := a.common()
	o.Title = parsers.First(append(slices.Clone(a.CVEs), string(a.GHSA), string(a.ID))...) + "_" + a.Module
	return o
}

// hashes are what the registry puts in place of the names of private packages;
// they change from run to run.
var hashes = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

func (a advisory) common() gate.Observation {
	version := ""
	var paths []string
	for i, f := range a.Findings {
		if i == 0 {
			version = f.Version
		}
		for _, p := range f.Paths {
			if len(paths) < 50 {
				paths = append(paths, f.Version+": "+hashes.ReplaceAllString(p, "censored_by_npm_audit"))
			}
		}
	}
	var text parsers.Text
	text.Add(a.Title).Add(string(a.Overview)).Fact("Package", a.Module).Fact("Vulnerable versions", string(a.Vulnerable)).Fact("Patched versions", string(a.Patched)).Facts("CVEs", a.CVEs).Fact("GitHub's id", string(a.GHSA))
	if len(paths) > 0 {
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
		ComponentVersion: version,
		PURL:             parsers.PURL("npm", a.Module, version),
		URL:              a.URL,
		Fix:              parsers.Fixed(string(a.Patched)),
	}
	if len(a.CVEs) == 0 {
		o.CVE = string(a.GHSA)
	}
	o.CWE, o.CWEs = weaknesses(a.CWE)
	return o
}

// numbers finds the CWEs in whatever form they are written.
var numbers = regexp.MustCompile(`CWE-(\d{1,5})`)

func weaknesses(texts []stream.Text) (int, []int) {
	var all []int
	for _, t := range texts {
		for _, m := range numbers.FindAllStringSubmatch(string(t), 50) {
			if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	if len(all) == 0 {
		return 0, nil
	}
	return all[0], all
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
		CWE:              vulnerableComponent,
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
