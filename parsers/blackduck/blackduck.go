// Package blackduck reads the report of a project version that Black Duck
// (formerly Black Duck Hub) makes, as a zip of CSV files or its security.csv.
//
// Made by Black Duck: Reports, "Create Version Detail Report" with Security and
// Source. Of the archive's files two count. security*.csv has a line for each
// vulnerability of a component:
//
//	Component id,Version id,…,Project name,Version,Channel version origin,Channel version origin id,…,
//	Vulnerability id,Description,Published on,Updated on,Base score,Exploitability,Impact,
//	Vulnerability source,Remediation status,…,URL,Security Risk
//
// files*.csv, or source*.csv in newer versions, says in which files a component
// was found: Component id,…,Path,Archive context. Older versions call the
// component "Project", newer ones "Component".
package blackduck

import (
	"bufio"
	"path"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Black Duck's archive and CSV.
var Parsers = []parsers.Parser{{
	Name:     "blackduck",
	ScanType: "Blackduck Hub Scan",
	Files:    "zip or CSV",
	Command:  "Black Duck, a project's version, Reports: Create Version Detail Report",
	URL:      "https://documentation.blackduck.com/",
	Analysis: gate.Both,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Channel version origin id", "Vulnerability id", "Security Risk"), s.HasColumns("Component origin id", "Vulnerability id", "Security Risk"):
		return parsers.Sure
	case s.Format == parsers.Zip && slices.ContainsFunc(s.Members, isSecurity):
		return parsers.Likely
	}
	return parsers.No
}

func isSecurity(member string) bool {
	name := strings.ToLower(path.Base(member))
	return strings.HasPrefix(name, "security") && strings.HasSuffix(name, ".csv")
}

func isSource(member string) bool {
	name := strings.ToLower(path.Base(member))
	return (strings.HasPrefix(name, "files") || strings.HasPrefix(name, "source")) && strings.HasSuffix(name, ".csv")
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Black Duck"
	head, _ := bufio.NewReaderSize(in, 16).Peek(4)
	if err := in.Rewind(); err != nil {
		return err
	}
	if string(head) != "PK\x03\x04" {
		return security(in, out, nil)
	}
	places, found := map[string][]string{}, false
	err := stream.Zip(in, func(m stream.Member) error {
		if !isSource(m.Name) {
			return nil
		}
		member, err := m.Open()
		if err != nil {
			return err
		}
		return sources(member, places)
	})
	if err != nil {
		return err
	}
	err = stream.Zip(in, func(m stream.Member) error {
		if !isSecurity(m.Name) {
			return nil
		}
		found = true
		member, err := m.Open()
		if err != nil {
			return err
		}
		return security(member, out, places)
	})
	if err == nil && !found {
		err = stream.Errorf("the archive has no security.csv")
	}
	return err
}

// sources notes the files in which each component was found.
func sources(in *stream.Input, places map[string][]string) error {
	return stream.CSV(in, []string{"Path"}, func(r stream.Row) error {
		id, p := r.Get("Component id", "Project id"), join(r.Get("Archive context"), r.Get("Path"))
		if id != "" && p != "" && !slices.Contains(places[id], p) && len(places[id]) < 100 {
			places[id] = append(places[id], p)
		}
		return nil
	})
}

// join puts the path in an archive after the archive's own.
func join(archive, p string) string {
	if archive == "" {
		return p
	}
	return strings.TrimSuffix(archive, "/") + "/" + strings.TrimPrefix(p, "/")
}

func security(in *stream.Input, out *parsers.Report, places map[string][]string) error {
	return stream.CSV(in, []string{"Vulnerability id", "Security Risk"}, func(r stream.Row) error {
		if r.Get("Vulnerability id") == "" {
			return nil
		}
		out.Emit(observation(r, places))
		return nil
	})
}

func observation(r stream.Row, places map[string][]string) gate.Observation {
	id, origin := r.Get("Vulnerability id"), r.Get("Channel version origin id", "Component origin id", "Origin id")
	var text parsers.Text
	text.Add(r.Get("Description")).Fact("Vulnerability", id).Fact("Component", strings.TrimSpace(r.Get("Project name", "Component name")+" "+r.Get("Version", "Component version name"))).Fact("Origin", origin)
	text.Fact("Published", r.Get("Published on")).Fact("Updated", r.Get("Updated on"))
	text.Fact("Base score", r.Get("Base score", "CVSS v3 Base score", "Overall score")).Fact("Exploitability", r.Get("Exploitability")).Fact("Impact", r.Get("Impact"))
	var todo, links parsers.Text
	todo.Add("Upgrade or replace the component, or record in Black Duck why the vulnerability does not matter here.")
	todo.Fact("Remediation status", r.Get("Remediation status")).Fact("Target date", r.Get("Remediation target date")).Fact("Actual date", r.Get("Remediation actual date")).Fact("Comment", r.Get("Remediation comment"))
	links.Fact("Source", r.Get("Vulnerability source")).Add(r.Get("URL"))
	return gate.Observation{
		Title:            id + " - " + origin,
		Severity:         gate.ParseSeverity(r.Get("Security Risk")),
		Description:      text.String(),
		Mitigation:       todo.String(),
		Impact:           r.Get("Impact"),
		References:       links.String(),
		CWE:              gate.ParseCWE(r.Get("CWE Ids", "CWE")),
		VulnerabilityIDs: []string{id},
		Check:            id,
		FilePath:         strings.Join(places[r.Get("Component id", "Project id")], ", "),
		ComponentName:    r.Get("Project name", "Component name"),
		ComponentVersion: r.Get("Version", "Component version name"),
		PURL:             purl(r.Get("Channel version origin", "Component origin", "Origin name"), origin),
		URL:              r.Get("URL"),
	}
}

// types are the package URL types of Black Duck's origins.
var types = map[string]string{"maven": "maven", "npmjs": "npm", "nuget": "nuget", "pypi": "pypi", "rubygems": "gem", "crates": "cargo", "packagist": "composer"}

// purl reads an origin's id, "name:version" or "name/version" with "group:" before it in Maven.
func purl(origin, id string) string {
	i := strings.LastIndexAny(id, ":/")
	if i <= 0 {
		return ""
	}
	return parsers.PURL(types[strings.ToLower(origin)], id[:i], id[i+1:])
}
