package osv_scanner

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func observation(s source, p pack, v vulnerability) gate.Observation {
	g := p.group(v.ID)
	o := gate.Observation{
		Title:            v.ID + "_" + p.Package.Name,
		VulnerabilityIDs: []string{v.ID},
		Check:            v.ID,
		FilePath:         s.Path,
		ComponentName:    p.Package.Name,
		ComponentVersion: p.Package.Version,
		PURL:             purl(p),
		PublishDate:      parsers.ParseDate(v.Published),
		URL:              "https://osv.dev/" + v.ID,
		NoCWE:            true,
	}
	if v.ID == "" {
		o.URL = ""
	}
	var links []string
	for _, r := range v.References {
		links = append(links, r.URL)
	}
	o.References = parsers.Lines(links...)
	o.CWE, o.CWEs = v.weaknesses()
	o.Severity = severity(v, g)
	o.Mitigation, o.Fix = v.fix(p)
	o.Description = describe(s, p, v, g)
	return o
}

func describe(s source, p pack, v vulnerability, g group) string {
	var text parsers.Text
	text.Add(v.Summary)
	var component string
	if p.Package.Name != "" {
		component = strings.TrimSpace("`" + p.Package.Name + "` " + p.Package.Version)
	}
	text.Fact("Component", component).Fact("Ecosystem", p.Package.Ecosystem).Fact("Commit", p.Package.Commit)
	text.Fact("Source", s.Path).Fact("Source type", s.Type).Facts("Dependency groups", p.DependencyGroups)
	text.Facts("Also known as", slices.DeleteFunc(slices.Concat(v.Aliases, g.Aliases), func(id string) bool { return id == v.ID }))
	if r, ok := g.reach(v.ID); ok && r.Called != nil {
		text.Fact("Vulnerable code is called", map[bool]string{true: "yes", false: "no, by the analysis of calls"}[*r.Called])
	}
	if v.Withdrawn != "" {
		text.Fact("Withdrawn", v.Withdrawn)
	}
	text.Section("Details", v.Details)
	return text.String()
}

// group returns the group of aliases that the vulnerability is in.
func (p pack) group(id string) group {
	for _, g := range p.Groups {
		if slices.Contains(g.IDs, id) {
			return g
		}
	}
	return group{}
}

func (g group) reach(id string) (reach, bool) {
	if r, ok := g.Analysis[id]; ok {
		return r, true
	}
	r, ok := g.Analysis2[id]
	return r, ok
}

// severity takes the database's word, else the worst CVSS score, else that of
// the group.
func severity(v vulnerability, g group) gate.Severity {
	ratings := v.Severity
	words := []stream.Text{v.DatabaseSpecific.Value.Severity}
	for _, a := range v.Affected {
		ratings = append(ratings, a.Severity...)
		words = append(words, a.EcosystemSpecific.Value.Severity, a.DatabaseSpecific.Value.Severity)
	}
	best := cvss(ratings)
	if strings.HasPrefix(v.ID, "MAL-") {
		return gate.Critical
	}
	for _, w := range words {
		if s, ok := gate.SeverityOf(string(w)); ok && w != "" {
			return s
		}
	}
	if best > 0 {
		return gate.SeverityOfScore(best)
	}
	if f := stream.ParseFloat(string(g.MaxSeverity)); f.OK && f.F > 0 {
		return gate.SeverityOfScore(f.F)
	}
	return gate.Low
}

// cvss returns the best score of the newest version of CVSS among the ratings.
func cvss(ratings []rating) float64 {
	var score float64
	version := ""
	for _, r := range ratings {
		c, ok := parsers.ParseCVSS(string(r.Score))
		if !ok {
			continue
		}
		if c.Version > version || c.Version == version && c.Score > score {
			version, score = c.Version, c.Score
		}
	}
	return score
}

func (v vulnerability) weaknesses() (int, []int) {
	var all []int
	add := func(s specifics) {
		for _, c := range s.CWEs {
			if n := gate.ParseCWE(c.ID); n > 0 && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	for _, a := range v.Affected {
		add(a.DatabaseSpecific.Value)
	}
	add(v.DatabaseSpecific.Value)
	switch len(all) {
	case 0:
		return 0, nil
	case 1:
		return all[0], nil
	}
	return all[0], all
}

// fix says what to do, by the fixed versions of the package, or commits where
// there are no versions, and gives the versions.
func (v vulnerability) fix(p pack) (todo, in string) {
	versions, commits := v.fixes(p)
	name := parsers.First(p.Package.Name, "the component")
	switch {
	case len(versions) > 0:
		in = strings.Join(versions, ", ")
		return "Upgrade `" + name + "` to a version in which this is fixed: " + in + ".", in
	case len(commits) > 0:
		return "Update `" + name + "` to a revision that contains the fix: commit " + strings.Join(commits, ", ") + ".", ""
	case strings.HasPrefix(v.ID, "MAL-"):
		return "Remove the package, and treat every machine that installed it as compromised: rotate its keys and secrets.", ""
	}
	return "", ""
}

func (v vulnerability) fixes(p pack) (versions, commits []string) {
	for _, a := range v.Affected {
		if a.Package.Name != "" && p.Package.Name != "" && !strings.EqualFold(a.Package.Name, p.Package.Name) {
			continue
		}
		for _, r := range a.Ranges {
			list := &versions
			if r.Type == "GIT" {
				list = &commits
			}
			for _, e := range r.Events {
				if f := string(e.Fixed); f != "" && !slices.Contains(*list, f) {
					*list = append(*list, f)
				}
			}
		}
	}
	return versions, commits
}

// types are the package URL types of OSV's ecosystems.
var types = map[string]string{
	"Go": "golang", "npm": "npm", "PyPI": "pypi", "Maven": "maven", "NuGet": "nuget", "Packagist": "composer", "RubyGems": "gem", "crates.io": "cargo", "Pub": "pub", "Hex": "hex", "ConanCenter": "conan", "CRAN": "cran", "SwiftURL": "swift", "Hackage": "hackage",
}

func purl(p pack) string {
	ecosystem, _, _ := strings.Cut(p.Package.Ecosystem, ":")
	kind, name, version := types[ecosystem], p.Package.Name, p.Package.Version
	switch ecosystem {
	case "Debian", "Ubuntu":
		kind, name = "deb", strings.ToLower(ecosystem)+"/"+name
	case "Alpine":
		kind, name = "apk", "alpine/"+name
	case "Go":
		if version != "" && version[0] >= '0' && version[0] <= '9' && name != "stdlib" {
			version = "v" + version
		}
	}
	return parsers.PURL(kind, name, version)
}
