// Package csaf reads security advisories and VEX documents in the Common
// Security Advisory Framework, versions 2.0 and 2.1, which vendors publish:
// https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html.
//
//	{"document": {"csaf_version": "2.0", "title": "…", "publisher": {"name": "…"},
//	   "tracking": {"id": "…", "current_release_date": "2026-07-29T00:00:00Z"}},
//	 "product_tree": {"branches": [{"category": "product_name", "name": "App", "branches": [
//	     {"category": "product_version", "name": "1.0", "product": {"product_id": "P1", "name": "App 1.0"}}]}],
//	   "full_product_names": […], "relationships": […]},
//	 "vulnerabilities": [{"cve": "CVE-2026-1", "title": "…", "notes": […], "cwe": {"id": "CWE-94"},
//	   "product_status": {"known_affected": ["P1"], "fixed": [], "known_not_affected": [], "under_investigation": []},
//	   "scores": [{"products": ["P1"], "cvss_v3": {"vectorString": "CVSS:3.1/…", "baseScore": 9.8}}],
//	   "remediations": [{"category": "vendor_fix", "details": "…", "product_ids": ["P1"]}]}]}
//
// A vulnerability is one finding for each product whose status it gives: fixed
// and not affected ones are closed. Version 2.1 has "metrics" and "cwes" in
// place of "scores" and "cwe". CSAF 1 was XML, another format.
package csaf

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads CSAF's JSON.
var Parsers = []parsers.Parser{{
	Name:     "csaf",
	ScanType: "CSAF Scan",
	Files:    "JSON",
	Command:  "curl -O https://VENDOR/.well-known/csaf/YEAR/ADVISORY.json",
	URL:      "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Has("document.csaf_version") {
		return parsers.Sure
	}
	return parsers.No
}

type document struct {
	Category  string      `json:"category"`
	Version   stream.Text `json:"csaf_version"`
	Title     string      `json:"title"`
	Publisher struct {
		Name     string `json:"name"`
		Category string `json:"category"`
	} `json:"publisher"`
	Tracking struct {
		ID       string      `json:"id"`
		Status   string      `json:"status"`
		Version  stream.Text `json:"version"`
		Released string      `json:"current_release_date"`
		Engine   struct {
			Engine struct {
				Name    string      `json:"name"`
				Version stream.Text `json:"version"`
			} `json:"engine"`
		} `json:"generator"`
	} `json:"tracking"`
}

// product is a product with the name and version of its branches.
type product struct {
	Name, Component, Version, PURL string
}

// advisory is what is known when the vulnerabilities are read.
type advisory struct {
	document document
	products map[string]product
	date     gate.Date
}

// parse reads the document and the products first, wherever they stand.
func parse(in *stream.Input, out *parsers.Report) error {
	a := &advisory{products: map[string]product{}}
	err := stream.JSON(in, stream.Object(stream.Fields{
		"document": stream.Into(&a.document),
		"product_tree": stream.One(func(t tree) error {
			t.walk(a.products)
			return nil
		}),
	}, "document"))
	if err != nil {
		return err
	}
	if v := string(a.document.Version); !strings.HasPrefix(v, "2.") {
		return stream.Errorf("CSAF version %q is not read, want 2.0 or 2.1", v)
	}
	tracking := a.document.Tracking
	released := parsers.ParseTime(tracking.Released)
	a.date = gate.DateOf(released)
	run := out.Run()
	run.Tool, run.Version = parsers.First(tracking.Engine.Engine.Name, a.document.Publisher.Name), string(tracking.Engine.Engine.Version)
	run.Ruleset, run.Description, run.FinishedAt = strings.TrimSpace(tracking.ID+" "+string(tracking.Version)), a.document.Title, released
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"vulnerabilities": stream.Each(func(v vulnerability) error {
			a.emit(v, out)
			return nil
		}),
	}))
}

type tree struct {
	Branches  []branch      `json:"branches"`
	Names     []fullProduct `json:"full_product_names"`
	Relations []struct {
		Product fullProduct `json:"full_product_name"`
	} `json:"relationships"`
}

type branch struct {
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Branches []branch     `json:"branches"`
	Product  *fullProduct `json:"product"`
}

type fullProduct struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL  stream.Text                   `json:"purl"`
		PURLs stream.OneOrMany[stream.Text] `json:"purls"`
	} `json:"product_identification_helper"`
}

func (t tree) walk(products map[string]product) {
	for _, b := range t.Branches {
		b.walk("", "", products)
	}
	for _, p := range t.Names {
		products[p.ID] = p.product("", "")
	}
	for _, r := range t.Relations {
		products[r.Product.ID] = r.Product.product("", "")
	}
}

// walk goes down the branches, which name the product and then its version.
func (b branch) walk(name, version string, products map[string]product) {
	switch b.Category {
	case "product_name":
		name = b.Name
	case "product_version":
		version = b.Name
	}
	if b.Product != nil {
		products[b.Product.ID] = b.Product.product(name, version)
	}
	for _, c := range b.Branches {
		c.walk(name, version, products)
	}
}

// product splits the full name where the branches do not say name and version.
func (p fullProduct) product(name, version string) product {
	purl := string(p.Helper.PURL)
	if len(p.Helper.PURLs) > 0 {
		purl = parsers.First(purl, string(p.Helper.PURLs[0]))
	}
	if name == "" || version == "" {
		name, version = split(p.Name)
	}
	return product{Name: p.Name, Component: name, Version: version, PURL: purl}
}

// split takes the last word of a name for the version if it has a digit in it.
func split(full string) (name, version string) {
	i := strings.LastIndexByte(full, ' ')
	if i < 0 || !strings.ContainsAny(full[i:], "0123456789") {
		return full, ""
	}
	return full[:i], full[i+1:]
}
