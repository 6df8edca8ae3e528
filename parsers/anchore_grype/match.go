package anchore_grype

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type match struct {
	Vulnerability vulnerability   `json:"vulnerability"`
	Related       []vulnerability `json:"relatedVulnerabilities"`
	Details       stream.OneOrMany[struct {
		Matcher string `json:"matcher"`
	}] `json:"matchDetails"`
	Artifact struct {
		Name      string `json:"name"`
		Version   string `json:"version"`
		Type      string `json:"type"`
		PURL      string `json:"purl"`
		Locations []struct {
			Path string `json:"path"`
		} `json:"locations"`
	} `json:"artifact"`
}

type vulnerability struct {
	ID          string   `json:"id"`
	DataSource  string   `json:"dataSource"`
	Namespace   string   `json:"namespace"`
	Severity    string   `json:"severity"`
	Description string   `json:"description"`
	URLs        []string `json:"urls"`
	Links       []string `json:"links"` // before 0.13
	CVSS        []struct {
		Vector string `json:"vector"`
	} `json:"cvss"`
	EPSS []struct {
		Score      stream.Float `json:"epss"`
		Percentile stream.Float `json:"percentile"`
	} `json:"epss"`
	KnownExploited []struct {
		DateAdded string `json:"dateAdded"`
	} `json:"knownExploited"`
	Fix struct {
		Versions []string `json:"versions"`
		State    string   `json:"state"`
	} `json:"fix"`
	FixedInVersion string `json:"fixedInVersion"` // before 0.13
}

func (m match) observation(detailed bool) gate.Observation {
	v, a := m.Vulnerability, m.Artifact
	o := gate.Observation{
		Title:            v.ID + " in " + a.Name + ":" + a.Version,
		Severity:         gate.ParseSeverity(v.Severity),
		Description:      m.description(),
		Mitigation:       m.mitigation(),
		References:       m.references(),
		VulnerabilityIDs: []string{v.ID},
		RuleID:           v.ID,
		ComponentName:    a.Name,
		ComponentVersion: a.Version,
		PURL:             a.PURL,
		FixAvailable:     new(len(v.Fix.Versions) > 0),
		Fix:              v.FixedInVersion,
		Tags:             m.matchers(),
	}
	path := "None" // as DefectDojo writes it
	if len(a.Locations) > 0 {
		o.FilePath, path = a.Locations[0].Path, a.Locations[0].Path
	}
	if detailed {
		o.UniqueID = strings.Join([]string{v.ID, a.Name, a.Version, path}, "|")
	}
	if n := len(v.Fix.Versions); n > 0 {
		o.FixVersion = v.Fix.Versions[n-1]
	}
	for _, r := range append([]vulnerability{v}, m.Related...) {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, r.ID)
		r.rate(&o)
		o.Exploited = o.Exploited || len(r.KnownExploited) > 0
	}
	return o
}

// rate sets the CVSS vectors and the EPSS score that are not set yet.
func (v vulnerability) rate(o *gate.Observation) {
	for _, c := range v.CVSS {
		parsers.SetCVSS(o, c.Vector)
	}
	if len(v.EPSS) > 0 && o.EPSSScore == nil {
		o.EPSSScore, o.EPSSPercentile = v.EPSS[0].Score.Ptr(), v.EPSS[0].Percentile.Ptr()
	}
}

func (m match) description() string {
	v, a := m.Vulnerability, m.Artifact
	var about parsers.Text
	about.Add(v.Description)
	for _, r := range m.Related {
		if r.Description != v.Description {
			about.Add(r.Description)
		}
	}
	for _, r := range append([]vulnerability{v}, m.Related...) {
		if len(r.KnownExploited) > 0 {
			about.Fact("Known to be exploited", "in CISA's catalogue since "+r.KnownExploited[0].DateAdded)
			break
		}
	}
	about.Fact("Package", a.Name+" "+a.Version).Fact("Type", a.Type).Fact("Package URL", a.PURL)
	var places []string
	for _, l := range a.Locations {
		places = append(places, l.Path)
	}
	return about.Facts("Found in", places).
		Fact("Vulnerability namespace", v.Namespace).
		Facts("Matched by", m.matchers()).String()
}

func (m match) mitigation() string {
	v, a := m.Vulnerability, m.Artifact
	switch {
	case len(v.Fix.Versions) > 0:
		return "Upgrade " + a.Name + " to " + strings.Join(v.Fix.Versions, " or ") + "."
	case v.FixedInVersion != "":
		return "Upgrade " + a.Name + " to " + v.FixedInVersion + "."
	case v.Fix.State == "wont-fix":
		return "The vendor will not fix it in this release."
	}
	return ""
}

func (m match) references() string {
	var all []string
	for _, v := range append([]vulnerability{m.Vulnerability}, m.Related...) {
		all = append(append(append(all, v.DataSource), v.URLs...), v.Links...)
	}
	return parsers.Lines(all...)
}

// matchers names how the package was matched: "python" for "python-matcher".
func (m match) matchers() []string {
	var names []string
	for _, d := range m.Details {
		names = append(names, strings.TrimSuffix(d.Matcher, "-matcher"))
	}
	return names
}
