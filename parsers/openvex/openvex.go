// Package openvex reads OpenVEX documents, in which a producer says which
// products a vulnerability affects: https://github.com/openvex/spec.
//
// Made by "vexctl create --product=PURL --vuln=CVE --status=STATUS". The
// document is one object:
//
//	{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://…", "author": "…", "version": 1, "timestamp": "2026-07-29T00:00:00Z",
//	 "statements": [{"vulnerability": {"name": "CVE-2024-10005", "aliases": ["GHSA-…"]},
//	   "products": [{"@id": "pkg:apk/alpine/zlib@1.2.11-r1", "subcomponents": [{"@id": "pkg:…"}]}],
//	   "status": "not_affected", "justification": "inline_mitigations_already_exist", "impact_statement": "…",
//	   "action_statement": "…", "timestamp": "…"}]}
//
// In version 0.0 vulnerabilities and products are texts. A statement is a
// finding for each of its products: an affected one is medium, since there is
// no severity; not affected and fixed ones are closed.
package openvex

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads OpenVEX.
var Parsers = []parsers.Parser{{
	Name:     "openvex",
	ScanType: "OpenVEX Scan",
	Files:    "JSON",
	Command:  "vexctl create --product=PURL --vuln=CVE --status=STATUS --file=openvex.json",
	URL:      "https://github.com/openvex/spec",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case strings.HasPrefix(s.Value("@context"), "https://openvex.dev/ns"):
		return parsers.Sure
	case s.Has("statements[].vulnerability", "statements[].status"):
		return parsers.Likely
	}
	return parsers.No
}

type document struct {
	Context   stream.Text `json:"@context"`
	ID        stream.Text `json:"@id"`
	Author    stream.Text `json:"author"`
	Role      stream.Text `json:"role"`
	Version   stream.Text `json:"version"`
	Timestamp stream.Text `json:"timestamp"`
	Tooling   stream.Text `json:"tooling"`
}

type statement struct {
	Vulnerability named       `json:"vulnerability"`
	Products      []product   `json:"products"`
	Status        string      `json:"status"`
	Notes         stream.Text `json:"status_notes"`
	Justification string      `json:"justification"`
	Impact        stream.Text `json:"impact_statement"`
	Action        stream.Text `json:"action_statement"`
	Timestamp     stream.Text `json:"timestamp"`
}

// named is a vulnerability, or its name alone.
type named struct {
	ID          stream.Text   `json:"@id"`
	Name        stream.Text   `json:"name"`
	Description stream.Text   `json:"description"`
	Aliases     []stream.Text `json:"aliases"`
}

// UnmarshalJSONFrom reads either.
func (n *named) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return n.Name.UnmarshalJSONFrom(d)
	}
	type plain named
	return json.UnmarshalDecode(d, (*plain)(n))
}

// product is a product, or its id alone.
type product struct {
	ID          stream.Text `json:"@id"`
	Identifiers struct {
		PURL stream.Text `json:"purl"`
		CPE  stream.Text `json:"cpe23"`
	} `json:"identifiers"`
	Parts []product `json:"subcomponents"`
}

// UnmarshalJSONFrom reads either.
func (p *product) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return p.ID.UnmarshalJSONFrom(d)
	}
	type plain product
	return json.UnmarshalDecode(d, (*plain)(p))
}

// parse reads what the document says of itself first, wherever it stands.
func parse(in *stream.Input, out *parsers.Report) error {
	var doc document
	text := stream.Into[stream.Text]
	err := stream.JSON(in, stream.Object(stream.Fields{
		"@context": text(&doc.Context), "@id": text(&doc.ID), "author": text(&doc.Author), "role": text(&doc.Role), "version": text(&doc.Version), "timestamp": text(&doc.Timestamp), "tooling": text(&doc.Tooling),
	}, "statements"))
	if err != nil {
		return err
	}
	if doc.Context != "" && !strings.Contains(string(doc.Context), "openvex.dev") {
		return stream.Errorf("@context is %.100q, not that of OpenVEX", doc.Context)
	}
	run := out.Run()
	run.Tool, run.Ruleset, run.FinishedAt = parsers.First(string(doc.Tooling), string(doc.Author)), string(doc.ID), parsers.ParseTime(string(doc.Timestamp))
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"statements": stream.Each(func(s statement) error {
			products := s.Products
			if len(products) == 0 {
				products = []product{{}}
			}
			for _, p := range products {
				out.Emit(observation(doc, s, p))
			}
			return nil
		}),
	}))
}

func observation(doc document, s statement, p product) gate.Observation {
	name := parsers.First(string(s.Vulnerability.Name), string(s.Vulnerability.ID))
	id := parsers.First(string(p.ID), string(p.Identifiers.PURL), string(p.Identifiers.CPE))
	component, version := split(id)
	o := gate.Observation{
		Title:            name,
		Severity:         gate.Info,
		Description:      describe(doc, s, p, name, id),
		Mitigation:       s.mitigation(),
		References:       parsers.Lines(string(s.Vulnerability.ID), "OpenVEX: "+string(doc.Context)),
		VulnerabilityIDs: []string{name},
		RuleID:           name,
		UniqueID:         id + "|" + name,
		ComponentName:    component,
		ComponentVersion: version,
		Date:             parsers.ParseDate(parsers.First(string(s.Timestamp), string(doc.Timestamp))),
	}
	if component != "" {
		o.Title = strings.TrimSuffix(component+":"+version, ":") + " | " + name
	}
	if strings.HasPrefix(id, "pkg:") {
		o.PURL = id
	}
	for _, a := range s.Vulnerability.Aliases {
		o.VulnerabilityIDs = append(o.VulnerabilityIDs, string(a))
	}
	s.apply(&o)
	return o
}

// apply gives the finding the state that the statement means.
func (s statement) apply(o *gate.Observation) {
	switch s.Status {
	case "affected":
		o.Severity = gate.Medium
	case "fixed":
		o.Active, o.Mitigated = new(false), true
	case "under_investigation":
		o.UnderReview = true
	case "not_affected":
		o.Active = new(false)
		switch s.Justification {
		case "component_not_present":
			o.OutOfScope = true
		case "inline_mitigations_already_exist":
			o.Mitigated = true
		default:
			o.FalsePositive = true
		}
	}
}

// split cuts a product's id at its version; what comes after is left out.
func split(id string) (name, version string) {
	if !strings.HasPrefix(id, "pkg:") {
		return id, ""
	}
	id, _, _ = strings.Cut(id, "#")
	id, _, _ = strings.Cut(id, "?")
	if i := strings.LastIndexByte(id, '@'); i > 0 && !strings.Contains(id[i:], "/") {
		return id[:i], id[i+1:]
	}
	return id, ""
}

var states = map[string]string{
	"affected": "is affected by", "not_affected": "is not affected by", "fixed": "has a fix for", "under_investigation": "may be affected, which is being investigated, by",
}

func describe(doc document, s statement, p product, name, id string) string {
	var text parsers.Text
	text.Add(parsers.First(string(doc.Author), "The producer") + " states that `" + parsers.First(id, "the product") + "` " + parsers.First(states[s.Status], s.Status) + " " + name + ".")
	if s.Status == "not_affected" || s.Status == "fixed" {
		text.Add("The finding is closed because of this statement.")
	}
	text.Add(string(s.Vulnerability.Description))
	var parts []string
	for _, c := range p.Parts {
		parts = append(parts, string(c.ID))
	}
	text.Fact("Justification", strings.ReplaceAll(s.Justification, "_", " ")).Fact("Impact", string(s.Impact)).Fact("Action", string(s.Action)).Fact("Notes", string(s.Notes)).Facts("Subcomponents", parts)
	text.Fact("Author", strings.TrimSpace(string(doc.Author)+" "+string(doc.Role))).Fact("Document", string(doc.ID))
	return text.String()
}

func (s statement) mitigation() string {
	switch s.Status {
	case "affected":
		return string(s.Action)
	case "fixed":
		return "Nothing need be done: the producer states that this version has the fix."
	case "not_affected":
		return "Nothing need be done: the producer states that this product is not affected, and the description says why."
	}
	return "Wait for the result of the producer's investigation."
}
