// Package twistlock reads the image scans of Twistlock, now Prisma Cloud Compute.
//
// Made by "twistcli images scan --details --output-file scan.json IMAGE", which writes
//
//	{"results": [{"id": "sha256:…", "name": "shop:1", "distro": "Debian GNU/Linux 12", "packages": […],
//	  "compliances": [{"id": 912, "title": "…", "severity": "high", "description": "…", "cause": "…", "category": "Docker"}],
//	  "vulnerabilities": [{"id": "CVE-…", "status": "fixed in 1.2", "cvss": 9.8, "vector": "CVSS:3.0/…", "description": "…",
//	    "severity": "critical", "packageName": "zlib", "packageVersion": "1.1", "link": "https://…",
//	    "riskFactors": {"Has fix": {}}, "discoveredDate": "…", "publishedDate": "…"}]}], "consoleURL": "…"}
//
// or exported from the console as CSV, whose columns differ between versions:
//
//	Registry,Repository,Tag,Id,Distro,Hosts,Layer,CVE ID,Compliance ID,Type,Severity,Packages,Source Package,Package Version,Package License,CVSS,Fix Status,…
//
// The same vulnerability of a package in several files is listed once for each.
package twistlock

import (
	"bytes"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Twistlock's JSON and CSV.
var Parsers = []parsers.Parser{{
	Name:     "twistlock",
	ScanType: "Twistlock Image Scan",
	Files:    "JSON or CSV",
	Command:  "twistcli images scan --details --output-file scan.json IMAGE",
	URL:      "https://docs.prismacloud.io/en/compute-edition/33/admin-guide/tools/twistcli-scan-images",
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("results[].vulnerabilityDistribution"), s.Has("results[].complianceDistribution"),
		s.HasColumns("CVE ID", "Compliance ID", "Fix Status", "Packages"):
		return parsers.Sure
	case s.Has("results[].vulnerabilities[].packageName"), s.Has("results[].compliances"):
		return parsers.Likely
	}
	return parsers.No
}

// parse reads JSON, or CSV if it does not begin like JSON.
func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Twistlock"
	head := make([]byte, 512)
	n, _ := in.Read(head)
	if err := in.Rewind(); err != nil {
		return err
	}
	seen := map[string]bool{}
	once := func(o gate.Observation) {
		key := o.Title + "\n" + o.Severity.String()
		if !seen[key] {
			seen[key] = true
			out.Emit(o)
		}
	}
	if trimmed := bytes.TrimSpace(head[:n]); len(trimmed) == 0 || trimmed[0] == '{' || trimmed[0] == '[' {
		return parseJSON(in, out, once)
	}
	return parseCSV(in, once)
}

func parseJSON(in *stream.Input, out *parsers.Report, emit func(gate.Observation)) error {
	return stream.JSON(in, stream.Object(stream.Fields{"results": stream.Array(result(out, emit))}, "results"))
}

// image is what was scanned.
type image struct{ id, name, distro string }

// result reads the scan of one image. Its name and distribution come before
// what was found.
func result(out *parsers.Report, emit func(gate.Observation)) stream.Value {
	return func(d *stream.Decoder) error {
		var i image
		text := func(p *string) stream.Value {
			return stream.One(func(s stream.Text) error { *p = string(s); return nil })
		}
		component := stream.Each(func(p pkg) error {
			out.Component(gate.Component{Name: p.Name, Version: string(p.Version), Path: p.Path})
			return nil
		})
		return stream.Object(stream.Fields{
			"id": text(&i.id),
			"name": stream.One(func(s stream.Text) error {
				i.name, out.Run().Target = string(s), string(s)
				return nil
			}),
			"distro": text(&i.distro),
			"scanTime": stream.One(func(s stream.Text) error {
				out.Run().FinishedAt = parsers.ParseTime(string(s))
				return nil
			}),
			"packages":        component,
			"applications":    component,
			"compliances":     stream.Each(func(c compliance) error { emit(c.observation(i)); return nil }),
			"vulnerabilities": stream.Each(func(v vulnerability) error { emit(v.observation(i)); return nil }),
		})(d)
	}
}

// pkg is a package or an application of the image.
type pkg struct {
	Name    string      `json:"name"`
	Version stream.Text `json:"version"`
	Path    string      `json:"path"`
}
