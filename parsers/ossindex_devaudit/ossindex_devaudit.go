// Package ossindex_devaudit reads the JSON report of DevAudit, which asks
// Sonatype's OSS Index about a project's dependencies.
//
// Made by "devaudit nuget --file packages.config --output-file report.json":
//
//	{"Packages Audited": 1, "Vulnerabilities Found": 1, "Packages": [{"Package": {"pm": "npm", "name": "axios", "version": "0.19.2"},
//	   "Vulnerabilities": [{"id": "…", "title": "[CVE-2020-28168] …", "description": "…", "cvssScore": "5.9",
//	     "cvssVector": "CVSS:3.0/AV:N/…", "cwe": "CWE-918", "reference": "https://ossindex.sonatype.org/…"}]}]}
//
// All values are texts, and one that is missing may be "None". A weakness that is
// not said is 1035, "using components with known vulnerabilities". A title of OSS
// Index is a description's beginning.
package ossindex_devaudit

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads DevAudit's JSON.
var Parsers = []parsers.Parser{{
	Name:     "ossindex_devaudit",
	ScanType: "OssIndex Devaudit SCA Scan Importer",
	Files:    "JSON",
	Command:  "devaudit npm --file package.json --output-file devaudit.json",
	URL:      "https://github.com/sonatype-nexus-community/DevAudit",
	Analysis: gate.Neither,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("Packages Audited", "Packages") || s.Has("Packages[].Package.pm") {
		return parsers.Sure
	}
	return parsers.No
}

type entry struct {
	Package struct {
		Manager text `json:"pm"`
		Group   text `json:"group"`
		Name    text `json:"name"`
		Version text `json:"version"`
	} `json:"Package"`
	Vulnerabilities []vulnerability `json:"Vulnerabilities"`
}

type vulnerability struct {
	ID          text `json:"id"`
	Title       text `json:"title"`
	Description text `json:"description"`
	Score       text `json:"cvssScore"`
	Vector      text `json:"cvssVector"`
	CWE         text `json:"cwe"`
	Reference   text `json:"reference"`
}

// text is one that says "None" when there is none.
type text struct{ stream.Text }

func (t text) String() string {
	if t.Text == "None" {
		return ""
	}
	return string(t.Text)
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "DevAudit"
	seen := map[string]bool{} // a package may be listed once for each file that names it
	return stream.JSON(in, stream.Object(stream.Fields{
		"Packages": stream.Each(func(e entry) error {
			p := e.Package
			out.Component(gate.Component{Name: p.Name.String(), Version: p.Version.String(), PURL: e.purl()})
			for _, v := range e.Vulnerabilities {
				o := e.observation(v)
				if key := o.Title + " " + o.Check; !seen[key] {
					seen[key] = true
					out.Emit(o)
				}
			}
			return nil
		}),
	}, "Packages"))
}

// types are the package URL types that are not named as the package manager.
var types = map[string]string{"bower": "bower", "composer": "composer", "chocolatey": "chocolatey", "dpkg": "deb", "msi": "", "oneget": ""}

func (e entry) purl() string {
	kind := e.Package.Manager.String()
	if k, ok := types[kind]; ok {
		kind = k
	}
	name := e.Package.Name.String()
	if g := e.Package.Group.String(); g != "" {
		name = g + "/" + name
	}
	return parsers.PURL(kind, name, e.Package.Version.String())
}

// unknownWeakness is OWASP's "using components with known vulnerabilities".
const unknownWeakness = 1035

func (e entry) observation(v vulnerability) gate.Observation {
	p := e.Package
	cwe := gate.ParseCWE(v.CWE.String())
	if cwe == 0 {
		cwe = unknownWeakness
	}
	var about parsers.Text
	about.Add(v.Title.String()).Add(v.Description.String()).Fact("Component", p.Manager.String()+" "+p.Name.String()+" "+p.Version.String())
	about.Fact("CVSS", v.Score.String()+" "+v.Vector.String()).Fact("OSS Index", v.ID.String())
	o := gate.Observation{
		Title:       p.Manager.String() + ":" + p.Name.String() + " - (" + p.Version.String() + ", CWE-" + strconv.Itoa(cwe) + ")",
		Severity:    gate.SeverityOfScore(stream.ParseFloat(v.Score.String()).F),
		Description: about.String(),
		Mitigation:  "Upgrade " + p.Name.String() + " to a version that is not affected, or do without it.",
		References:  v.Reference.String(),
		CWE:         cwe,
		Check:       v.ID.String(),
		PURL:        e.purl(),
	}
	o.Impact = "Its CVSS base score is " + parsers.First(v.Score.String(), "unknown") + "."
	parsers.SetCVSS(&o, v.Vector.String())
	return o
}
