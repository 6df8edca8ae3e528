// Package cyclonedx reads CycloneDX bills of materials, as JSON and XML, of all
// versions of the specification from 1.0, with the vulnerabilities and VEX
// analyses in them: https://cyclonedx.org/specification/overview/.
//
// Made by "grype -o cyclonedx-json", "trivy fs --format cyclonedx --scanners
// vuln", "syft", "cdxgen", Dependency-Track's exports and many more:
//
//	{"bomFormat": "CycloneDX", "specVersion": "1.5",
//	 "metadata": {"timestamp": "2024-01-04T15:25:30Z", "tools": {"components": [{"name": "trivy"}]},
//	   "component": {"name": "ubuntu:latest"}},
//	 "components": [{"bom-ref": "r1", "group": "org.apache.logging.log4j", "name": "log4j-core",
//	   "version": "2.13.2", "purl": "pkg:maven/…", "licenses": [{"license": {"id": "Apache-2.0"}}],
//	   "components": […]}],
//	 "vulnerabilities": [{"id": "CVE-2021-44228", "ratings": [{"method": "CVSSv31", "vector": "CVSS:3.1/…"}],
//	   "cwes": [502], "description": "…", "recommendation": "…", "advisories": [{"url": "…"}],
//	   "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
//	   "affects": [{"ref": "r1"}]}]}
//
// A vulnerability is one finding for each component that it affects. An
// analysis that says resolved, not affected or false positive closes it. Before
// version 1.4 vulnerabilities were an extension of XML alone, in the bill or
// in a component. The keys stand in any order: the vulnerabilities are read
// once for the components that they name and again when these are known.
package cyclonedx

import (
	"bufio"
	"bytes"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CycloneDX as JSON and XML.
var Parsers = []parsers.Parser{{
	Name:     "cyclonedx",
	ScanType: "CycloneDX Scan",
	Files:    "JSON or XML",
	Command:  "grype -o cyclonedx-json --file bom.json IMAGE",
	URL:      "https://cyclonedx.org/specification/overview/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Value("bomFormat") == "CycloneDX", s.Root == "bom" && bytes.Contains([]byte(s.Namespace), []byte("cyclonedx.org")):
		return parsers.Sure
	case s.Has("specVersion", "components[]"), s.Root == "bom":
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	head, _ := bufio.NewReaderSize(in, 4096).Peek(4096)
	if err := in.Rewind(); err != nil {
		return err
	}
	b := &bill{out: out, needed: map[string]bool{}, parts: map[string]component{}}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) {
		return b.readXML(in)
	}
	return b.readJSON(in)
}

// bill is what is known of a bill of materials while it is read.
type bill struct {
	out    *parsers.Report
	date   gate.Date
	needed map[string]bool      // the references that vulnerabilities make
	parts  map[string]component // the components of those
}

// component is what findings and the inventory need of a component.
type component struct {
	Ref, Name, Version, PURL, Path string
	Licenses                       []string
}

// add takes a component to the inventory, and keeps it for its findings.
func (b *bill) add(c component, inventory bool) {
	if c.Name == "" {
		return
	}
	if inventory {
		b.out.Component(gate.Component{Name: c.Name, Version: c.Version, PURL: c.PURL, Licenses: c.Licenses, Path: c.Path})
	}
	for _, key := range []string{c.Ref, c.PURL} {
		if _, ok := b.parts[key]; key != "" && b.needed[key] && !ok {
			b.parts[key] = c
		}
	}
}

// root notes the component that the bill is about.
func (b *bill) root(c component) {
	run := b.out.Run()
	run.Target = parsers.First(c.Name, c.PURL)
	if c.Version != "" {
		run.Target += ":" + c.Version
	}
	b.add(c, false)
}

// tool notes one of the tools that made the bill; the first names the run.
func (b *bill) tool(name, version string) {
	if run := b.out.Run(); run.Tool == "" {
		run.Tool, run.Version = name, version
	}
}

func (b *bill) timestamp(s string) {
	t := parsers.ParseTime(s)
	b.out.Run().FinishedAt, b.date = t, gate.DateOf(t)
}

// need notes that vulnerabilities name a component.
func (b *bill) need(ref string) {
	b.needed[ref], b.needed[local(ref)] = true, true
}

// affected returns the component of a reference.
func (b *bill) affected(ref string) component {
	if c, ok := b.parts[ref]; ok {
		return c
	}
	if c, ok := b.parts[local(ref)]; ok {
		return c
	}
	if kind, _, _ := parsers.SplitPURL(ref); kind != "" {
		return component{PURL: ref}
	}
	return component{}
}

// local returns the part of a BOM-Link, "urn:cdx:SERIAL/VERSION#REF", that is a
// reference within the bill.
func local(ref string) string {
	const scheme = "urn:cdx:"
	if len(ref) > len(scheme) && ref[:len(scheme)] == scheme {
		for i := range ref {
			if ref[i] == '#' {
				return ref[i+1:]
			}
		}
	}
	return ref
}
