// Package reversinglabs_spectraassure reads the JSON report of ReversingLabs Spectra Assure, which takes software packages apart.
//
// Made by "rl-secure report --format rl-json pkg:rl/PROJECT/PACKAGE@VERSION" (report.rl.json), or the portal's export:
//
//	{"timestamp": "2025-04-14T10:55:38+02:00", "version": "5.3.0.115", "report": {"info": {"file": {"name": "setup.exe", …}},
//	  "metadata": {
//	    "components": {"UUID": {"name": "a.exe", "path": "…/a.exe", "hashes": [["sha256", "0c0d…"]], "identity": {"purl": "", "version": "2.5",
//	      "dependencies": ["UUID", …], "vulnerabilities": {"active": ["CVE-2024-31497"], "triaged": []}}}},
//	    "dependencies": {"UUID": {"product": "zlib", "version": "1.2.7", "purl": "", "vulnerabilities": {"active": ["CVE-2016-9840"]}}},
//	    "vulnerabilities": {"CVE-2016-9840": {"cvss": {"baseScore": "8.8", "metrics": […], "version": 3}, "exploit": ["EXISTS", "FIXABLE"]}}}}}
//
// A vulnerability of a component, or of a dependency within it, is a finding for each path; files of one path and
// other contents (an installer's languages) are its occurrences. Scores come last, so findings are put out at the end.
package reversinglabs_spectraassure

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Spectra Assure's JSON.
var Parsers = []parsers.Parser{{
	Name:     "reversinglabs_spectraassure",
	ScanType: "ReversingLabs Spectra Assure",
	Files:    "JSON (report.rl.json)",
	Command:  "rl-secure report --format rl-json --output-path . pkg:rl/PROJECT/PACKAGE@VERSION",
	URL:      "https://docs.secure.software/cli/commands/report",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("report.info.inhibitors", "report.metadata.components"):
		return parsers.Sure
	case s.Has("report.metadata", "schema", "timestamp"):
		return parsers.Likely
	}
	return parsers.No
}

type vulnerabilities struct {
	Active []string `json:"active"`
}

type component struct {
	Name     stream.Text                     `json:"name"`
	Path     stream.Text                     `json:"path"`
	Hashes   []stream.Lenient[[]stream.Text] `json:"hashes"`
	Identity struct {
		PURL            stream.Text                     `json:"purl"`
		Version         stream.Text                     `json:"version"`
		Dependencies    []string                        `json:"dependencies"`
		Vulnerabilities stream.Lenient[vulnerabilities] `json:"vulnerabilities"`
	} `json:"identity"`
}

type dependency struct {
	Product         stream.Text                     `json:"product"`
	Version         stream.Text                     `json:"version"`
	PURL            stream.Text                     `json:"purl"`
	License         stream.Text                     `json:"license"`
	Vulnerabilities stream.Lenient[vulnerabilities] `json:"vulnerabilities"`
}

type vulnerability struct {
	CVSS struct {
		Score   stream.Float                    `json:"baseScore"`
		Version stream.Float                    `json:"version"`
		Metrics []stream.Lenient[[]stream.Text] `json:"metrics"`
	} `json:"cvss"`
	Exploit stream.OneOrMany[stream.Text] `json:"exploit"`
}

// report holds what refers to each other.
type report struct {
	date            gate.Date
	components      []component
	dependencies    map[string]dependency
	vulnerabilities map[string]vulnerability
}

func parse(in *stream.Input, out *parsers.Report) error {
	r := report{dependencies: map[string]dependency{}, vulnerabilities: map[string]vulnerability{}}
	run := out.Run()
	run.Tool = "ReversingLabs Spectra Assure"
	var target, stamp, version stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"timestamp": stream.Into(&stamp),
		"version":   stream.Into(&version),
		"report": stream.Object(stream.Fields{
			"info": stream.Object(stream.Fields{"file": stream.Object(stream.Fields{"name": stream.Into(&target)})}),
			"metadata": stream.Object(stream.Fields{
				"components": entries(func(_ string, c component) { r.components = append(r.components, c) }),
				"dependencies": entries(func(id string, d dependency) {
					out.Component(d.inventory())
					if len(d.Vulnerabilities.Value.Active) > 0 {
						r.dependencies[id] = d
					}
				}),
				"vulnerabilities": entries(func(id string, v vulnerability) { r.vulnerabilities[id] = v }),
			}, "components"),
		}, "metadata"),
	}, "report"))
	run.Version, run.Target, run.FinishedAt = string(version), string(target), parsers.ParseTime(string(stamp))
	r.date = gate.DateOf(run.FinishedAt)
	if err == nil {
		r.emit(out)
	}
	return err
}

// entries calls f with each entry of an object.
func entries[T any](f func(id string, v T)) stream.Value {
	return stream.Entries(func(id string, d *stream.Decoder) error {
		return stream.One(func(v T) error { f(id, v); return nil })(d)
	})
}

func (d dependency) inventory() gate.Component {
	c := gate.Component{Name: string(d.Product), Version: string(d.Version), PURL: string(d.PURL)}
	if d.License != "" {
		c.Licenses = []string{string(d.License)}
	}
	return c
}

// emit puts out the vulnerabilities of the components and of the dependencies within them.
func (r *report) emit(out *parsers.Report) {
	merged := parsers.Merge(out)
	add := func(o gate.Observation) {
		if first := merged.Count(o.Title+"\x00"+o.FilePath, o); *first.Occurrences > 1 {
			first.Description += "\n" + o.Description[strings.LastIndexByte(o.Description, '\n')+1:]
		}
	}
	for _, c := range r.components {
		for _, id := range c.Identity.Vulnerabilities.Value.Active {
			add(r.ofComponent(id, c))
		}
		for _, dep := range c.Identity.Dependencies {
			d := r.dependencies[dep]
			for _, id := range d.Vulnerabilities.Value.Active {
				add(r.ofDependency(id, c, d))
			}
		}
	}
	merged.Emit()
}

func (r *report) ofComponent(id string, c component) gate.Observation {
	version := string(c.Identity.Version)
	name := parsers.First(string(c.Name), c.place())
	o := r.observation(id, c)
	o.Title = id + " on component name: " + name + " version: " + version
	if purl := string(c.Identity.PURL); purl != "" {
		o.Title = id + " on component purl: " + purl
	}
	o.ComponentName, o.ComponentVersion, o.PURL = name, version, string(c.Identity.PURL)
	o.Description = r.describe(id, "The file itself, "+strings.TrimSpace(name+" "+version)+", is affected.", c)
	return o
}

func (r *report) ofDependency(id string, c component, d dependency) gate.Observation {
	name, version := string(d.Product), string(d.Version)
	o := r.observation(id, c)
	o.Title = id + " on dependency name: " + name + " version: " + version
	if d.PURL != "" {
		o.Title = id + " on dependency purl: " + string(d.PURL)
	}
	o.ComponentName, o.ComponentVersion, o.PURL = name, version, string(d.PURL)
	o.Description = r.describe(id, "The files below contain "+strings.TrimSpace(name+" "+version)+", which is affected.", c)
	return o
}

// tags are ReversingLabs' words for what is known of a vulnerability, in their order.
var tags = []struct{ key, name string }{
	{"FIXABLE", "Fix Available"},
	{"EXISTS", "Exploit Exists"},
	{"MALWARE", "Exploited by Malware"},
	{"MANDATE", "Patching Mandated"},
	{"UNPROVEN", "CVE Discovered"},
}

func (r *report) observation(id string, c component) gate.Observation {
	v := r.vulnerabilities[id]
	o := gate.Observation{
		Severity:         gate.SeverityOfScore(v.CVSS.Score.F),
		CVE:              id,
		VulnerabilityIDs: []string{id},
		RuleID:           id,
		CVSSv3Score:      v.CVSS.Score.Ptr(),
		FilePath:         c.place(),
		Date:             r.date,
		Exploited:        slices.Contains(v.Exploit, "MALWARE") || slices.Contains(v.Exploit, "MANDATE"),
	}
	for _, t := range tags {
		if slices.Contains(v.Exploit, stream.Text(t.key)) {
			o.Tags = append(o.Tags, t.name)
		}
	}
	o.Impact = strings.Join(o.Tags, "\n")
	return o
}

// place is where a component is in the package.
func (c component) place() string { return parsers.First(string(c.Path), string(c.Name)) }

// describe says what is affected and, in its last line, which file.
func (r *report) describe(id, what string, c component) string {
	v := r.vulnerabilities[id]
	var text parsers.Text
	text.Add(what).Fact("Vulnerability", id).Fact("CVSS score", v.CVSS.Score.String())
	for _, m := range v.CVSS.Metrics {
		if len(m.Value) == 2 {
			text.Fact(string(m.Value[0]), string(m.Value[1]))
		}
	}
	file := "`" + c.place() + "`"
	if i := slices.IndexFunc(c.Hashes, func(h stream.Lenient[[]stream.Text]) bool { return len(h.Value) == 2 && h.Value[0] == "sha256" }); i >= 0 {
		file += ", SHA-256 " + string(c.Hashes[i].Value[1])
	}
	return text.Add("**Files:**").List([]string{file + ", " + strings.TrimSpace(string(c.Name+" "+c.Identity.Version))}).String()
}
