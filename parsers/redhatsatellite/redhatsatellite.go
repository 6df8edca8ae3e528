// Package redhatsatellite reads the errata of a host as Red Hat Satellite's (Katello's) API gives them.
//
// Made by "curl https://satellite.example.org/api/v2/hosts/ID/errata > errata.json". The report is one object:
//
//	{"total": 6, "page": 1, "results": [{"id": 1, "pulp_id": "RHSA-2024:0001", "title": "Important: firefox security update",
//	  "errata_id": "RHSA-2024:0001", "issued": "2024-01-02", "severity": "Important", "type": "security", "description": "…",
//	  "solution": "…", "summary": "…", "cves": [{"cve_id": "CVE-2024-1", "href": "https://…"}],
//	  "bugs": [{"bug_id": "2255360", "href": "https://…"}], "packages": ["firefox-115"], "installable": true}]}
//
// A bug fix has the severity "None": it is Low.
package redhatsatellite

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Red Hat Satellite's errata.
var Parsers = []parsers.Parser{{
	Name:     "redhatsatellite",
	ScanType: "Red Hat Satellite",
	Files:    "JSON",
	Command:  "curl -u USER https://satellite.example.org/api/v2/hosts/ID/errata?per_page=1000 > errata.json",
	URL:      "https://docs.redhat.com/en/documentation/red_hat_satellite",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].errata_id"), s.Has("results[].pulp_id"):
		return parsers.Sure
	case s.Has("results", "total", "subtotal", "selectable"):
		return parsers.Likely
	}
	return parsers.No
}

type erratum struct {
	ID          stream.Text                   `json:"id"`
	PulpID      stream.Text                   `json:"pulp_id"`
	ErrataID    stream.Text                   `json:"errata_id"`
	Title       stream.Text                   `json:"title"`
	Name        stream.Text                   `json:"name"`
	Type        stream.Text                   `json:"type"`
	Issued      stream.Text                   `json:"issued"`
	Updated     stream.Text                   `json:"updated"`
	Severity    stream.Text                   `json:"severity"`
	Description stream.Text                   `json:"description"`
	Solution    stream.Text                   `json:"solution"`
	Summary     stream.Text                   `json:"summary"`
	Reboot      stream.Text                   `json:"reboot_suggested"`
	Installable stream.Text                   `json:"installable"`
	Applicable  stream.Text                   `json:"hosts_applicable_count"`
	Packages    stream.OneOrMany[stream.Text] `json:"packages"`
	CVEs        []struct {
		ID   stream.Text `json:"cve_id"`
		Href stream.Text `json:"href"`
	} `json:"cves"`
	Bugs []struct {
		ID   stream.Text `json:"bug_id"`
		Href stream.Text `json:"href"`
	} `json:"bugs"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Red Hat Satellite"
	return stream.JSON(in, stream.Object(stream.Fields{
		"error": stream.One(func(t stream.Text) error {
			if t != "" {
				out.Problem("Satellite answered: %s", t)
			}
			return nil
		}),
		"results": stream.Each(func(e erratum) error {
			out.Emit(observation(e))
			return nil
		}),
	}, "results"))
}

// severities are Red Hat's words; what it does not rate is Low.
var severities = map[string]gate.Severity{"critical": gate.Critical, "important": gate.High, "moderate": gate.Medium}

func observation(e erratum) gate.Observation {
	id := parsers.First(string(e.ErrataID), string(e.PulpID))
	severity, rated := severities[strings.ToLower(string(e.Severity))]
	if !rated {
		severity = gate.Low
	}
	o := gate.Observation{
		Title:            parsers.First(string(e.Title), string(e.Name), id),
		Severity:         severity,
		Description:      description(e, id),
		Mitigation:       string(e.Solution),
		VulnerabilityIDs: []string{id},
		Check:            id,
		PublishDate:      parsers.ParseDate(string(e.Issued)),
		FixAvailable:     new(e.Solution != ""),
	}
	var links []string
	for _, c := range e.CVEs {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(c.ID))
		links = append(links, string(c.Href))
	}
	if strings.HasPrefix(id, "RH") {
		links = append(links, "https://access.redhat.com/errata/"+id)
	}
	o.References = parsers.Lines(links...)
	return o
}

func description(e erratum, id string) string {
	var bugs []string
	for _, b := range e.Bugs {
		bugs = append(bugs, "["+string(b.ID)+"]("+string(b.Href)+")")
	}
	var text parsers.Text
	text.Add(string(e.Description)).Fact("Summary", string(e.Summary)).Fact("Erratum", id).Fact("Type", string(e.Type)).
		Fact("Name", string(e.Name)).Fact("Issued", string(e.Issued)).Fact("Updated", string(e.Updated)).
		Fact("Needs a reboot", string(e.Reboot)).Fact("Installable", string(e.Installable)).Fact("Applies to hosts", string(e.Applicable)).
		Facts("Bugs", bugs).Facts("Packages", stream.Strings(e.Packages))
	return text.String()
}
