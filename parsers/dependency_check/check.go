// Package dependency_check reads the XML report of OWASP Dependency-Check.
//
// Made by "dependency-check.sh --scan . --format XML --out report.xml". The
// report lists every dependency:
//
//	<analysis xmlns="https://jeremylong.github.io/DependencyCheck/dependency-check.2.5.xsd">
//	  <scanInfo><engineVersion>6.5.3</engineVersion></scanInfo>
//	  <projectInfo><name>shop</name><reportDate>2022-01-15T14:31:13Z</reportDate></projectInfo>
//	  <dependencies><dependency isVirtual="false">
//	    <fileName>log4j-api-2.12.4.jar</fileName><filePath>/app/lib/log4j-api-2.12.4.jar</filePath>
//	    <relatedDependencies><relatedDependency>…</relatedDependency></relatedDependencies>
//	    <identifiers><package><id>pkg:maven/org.apache.logging.log4j/log4j-api@2.12.4</id></package></identifiers>
//	    <vulnerabilities>
//	      <vulnerability source="NVD"><name>CVE-2020-9488</name><severity>LOW</severity><cvssV3>…</cvssV3>
//	        <cwes><cwe>CWE-295</cwe></cwes><description>…</description><references>…</references></vulnerability>
//	      <suppressedVulnerability source="NVD">…<notes>why</notes></suppressedVulnerability>
//	    </vulnerabilities></dependency></dependencies></analysis>
//
// A dependency without a package id is known by a CPE, by Maven coordinates (in
// version 1.3 of the schema) or by the evidence. Suppressed vulnerabilities are
// closed findings. Without a CWE it is 1035, "Using Components with Known
// Vulnerabilities". The metrics of CVSS are words or their first letters.
package dependency_check

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Dependency-Check's XML.
var Parsers = []parsers.Parser{{
	Name:     "dependency_check",
	ScanType: "Dependency Check Scan",
	Files:    "XML",
	Command:  "dependency-check.sh --scan . --format XML --out report.xml",
	URL:      "https://jeremylong.github.io/DependencyCheck/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Root == "analysis" && strings.Contains(strings.ToLower(s.Namespace), "dependency-check"):
		return parsers.Sure
	case s.Root == "analysis" && s.Elements["analysis/dependencies"]:
		return parsers.Likely
	}
	return parsers.No
}

type dependency struct {
	FileName string `xml:"fileName"`
	FilePath string `xml:"filePath"`
	License  string `xml:"license"`
	Related  []struct {
		FileName string `xml:"fileName"`
		FilePath string `xml:"filePath"`
	} `xml:"relatedDependencies>relatedDependency"`
	Projects []string `xml:"projectReferences>projectReference"`
	Evidence []struct {
		Type  string `xml:"type,attr"`
		Value string `xml:"value"`
	} `xml:"evidenceCollected>evidence"`
	Identifiers identifiers     `xml:"identifiers"`
	Active      []vulnerability `xml:"vulnerabilities>vulnerability"`
	Suppressed  []vulnerability `xml:"vulnerabilities>suppressedVulnerability"`
}

// identifiers may hold themselves once more, in some versions.
type identifiers struct {
	Packages []string `xml:"package>id"`
	CPEs     []string `xml:"vulnerabilityIds>id"`
	Old      []struct {
		Type string `xml:"type,attr"`
		Name string `xml:"name"`
	} `xml:"identifier"`
	Inner []identifiers `xml:"identifiers"`
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "OWASP Dependency-Check"
	text := func(p *string) stream.Handler {
		return stream.CharData(func(s string) error { *p = s; return nil })
	}
	return stream.XML(in, []string{"analysis"}, stream.Elements{
		"analysis/scanInfo/engineVersion":                        text(&run.Version),
		"analysis/scanInfo/analysisExceptions/exception/message": stream.CharData(func(s string) error { out.Problem("%s", s); return nil }),
		"analysis/projectInfo/name":                              text(&run.Target),
		"analysis/projectInfo/reportDate": stream.CharData(func(s string) error {
			run.FinishedAt = parsers.ParseTime(s)
			return nil
		}),
		"analysis/dependencies/dependency": stream.Element(func(d dependency) error {
			d.emit(out, run)
			return nil
		}),
	})
}

func (d dependency) emit(out *parsers.Report, run *gate.Run) {
	c := d.component()
	out.Component(gate.Component{Name: c.name, Version: c.version, PURL: c.purl, Licenses: one(d.License), Path: strings.TrimSpace(d.FilePath)})
	for _, v := range d.Active {
		o := observation(d, c, v)
		o.Date = gate.DateOf(run.FinishedAt)
		out.Emit(o)
	}
	for _, v := range d.Suppressed {
		o := observation(d, c, v)
		o.Date = gate.DateOf(run.FinishedAt)
		o.Active, o.Mitigated, o.MitigatedAt = new(false), true, run.FinishedAt
		o.Tags = []string{"suppressed"}
		o.Mitigation = "Dependency-Check suppresses this vulnerability. " + parsers.First(v.Notes, "The suppression has no notes.") + "\n\n" + o.Mitigation
		if strings.TrimSpace(v.Notes) == "" {
			o.Tags = append(o.Tags, "no_suppression_document")
		}
		out.Emit(o)
	}
}

func one(s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return []string{s}
}

type component struct{ name, version, purl string }

// component finds out what a dependency is.
func (d dependency) component() component {
	ids := d.Identifiers
	for _, inner := range d.Identifiers.Inner {
		ids.Packages, ids.CPEs, ids.Old = append(ids.Packages, inner.Packages...), append(ids.CPEs, inner.CPEs...), append(ids.Old, inner.Old...)
	}
	for _, id := range ids.Packages {
		id = strings.TrimSpace(id)
		if kind, name, version := parsers.SplitPURL(id); kind != "" {
			if i := strings.LastIndexByte(name, '/'); i >= 0 {
				name = name[:i] + ":" + name[i+1:]
			}
			return component{name, version, id}
		}
	}
	for _, cpe := range ids.CPEs {
		// cpe:2.3:part:vendor:product:version:…
		if p := strings.Split(strings.TrimSpace(cpe), ":"); len(p) > 5 && p[1] == "2.3" {
			return component{p[3] + ":" + p[4], strings.Trim(p[5], "*-"), ""}
		}
	}
	for _, o := range ids.Old {
		if p := strings.Split(strings.TrimSpace(o.Name), ":"); o.Type == "maven" && len(p) == 3 {
			return component{p[0] + ":" + p[1], p[2], parsers.PURL("maven", p[0]+":"+p[1], p[2])}
		}
	}
	return d.fromEvidence()
}

func (d dependency) fromEvidence() component {
	var c component
	for _, e := range d.Evidence {
		switch e.Type {
		case "product":
			c.name = parsers.First(c.name, e.Value)
		case "version":
			c.version = parsers.First(c.version, e.Value)
		}
	}
	if c.name == "" {
		c.name = strings.TrimSpace(d.FileName)
	}
	return c
}
