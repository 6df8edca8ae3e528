// Package zora reads the CSV of Undistro's Zora, which gathers what Trivy, Popeye and Marvin find in a cluster.
//
// Made in Zora's dashboard by "Export CSV". A row is a vulnerability of an image or a check of the cluster:
//
//	"source","image","id","title","severity","status","description","fixVersion"
//	"Trivy","ghcr.io/example/app:1.0","CVE-2025-26519","musl libc …","HIGH","fixed","…","1.2.5-r1"
//
//	"source","checkID","title","severity","status","remediation"
//	"Marvin","M-100","Privileged containers","HIGH","FAILED","…"
//
// Trivy's status "fixed" says that a fixed version exists, not that the image has it.
package zora

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Zora's CSV.
var Parsers = []parsers.Parser{{
	Name:     "zora",
	ScanType: "Zora Parser",
	Files:    "CSV",
	Command:  "Zora dashboard: Export CSV",
	URL:      "https://zora-docs.undistro.io",
	Analysis: gate.Dynamic, // as DefectDojo has it
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.HasColumns("source", "image", "id", "title", "severity", "status", "fixVersion") || s.HasColumns("source", "checkID", "title", "severity", "status") {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Zora"
	return stream.CSV(in, []string{"source", "title", "severity", "status"}, func(r stream.Row) error {
		if status := strings.ToLower(r.Get("status")); status != "passed" && status != "pass" && status != "ok" {
			out.Emit(observation(r))
		}
		return nil
	})
}

func observation(r stream.Row) gate.Observation {
	id := r.Get("id", "checkID")
	fixed, todo := r.Get("fixVersion"), r.Get("remediation")
	var text parsers.Text
	text.Add(r.Get("description")).Fact("Source", r.Get("source")).Fact("Image", r.Get("image")).Fact("ID", id).
		Fact("Status", r.Get("status")).Fact("Fixed in", fixed)
	o := gate.Observation{
		Title:        r.Get("title"),
		Severity:     gate.ParseSeverity(r.Get("severity")),
		Description:  text.String(),
		Mitigation:   parsers.First(todo, remedy(fixed), r.Get("description")),
		UniqueID:     uniqueID(r.Get("source"), r.Get("image"), id),
		FixVersion:   fixed,
		FixAvailable: new(fixed != ""),
	}
	if strings.HasPrefix(id, "CVE-") || strings.HasPrefix(id, "GHSA-") {
		o.VulnerabilityIDs = []string{id}
	} else {
		o.Check = id
	}
	return o
}

func remedy(fixed string) string {
	if fixed == "" {
		return ""
	}
	return "Upgrade the package to version " + fixed + ", and build the image anew."
}

// uniqueID joins what makes a row the only one of its kind.
func uniqueID(source, image, id string) string {
	if image == "" {
		return source + "-" + id
	}
	return source + "-" + image + "-" + id
}
