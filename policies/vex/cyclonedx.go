package vex

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

// The shape of CycloneDX (https://cyclonedx.org/docs/1.6/json/), as far as VEX goes.
type (
	cycloneDX struct {
		Schema          string                   `json:"$schema,omitempty"`
		BOMFormat       string                   `json:"bomFormat"`
		SpecVersion     string                   `json:"specVersion"`
		Serial          string                   `json:"serialNumber,omitempty"`
		Version         int                      `json:"version"`
		Metadata        cycloneDXMetadata        `json:"metadata"`
		Components      []cycloneDXComponent     `json:"components,omitempty"`
		Vulnerabilities []cycloneDXVulnerability `json:"vulnerabilities"`
	}
	cycloneDXMetadata struct {
		Timestamp time.Time           `json:"timestamp,omitzero"`
		Authors   []cycloneDXAuthor   `json:"authors,omitempty"`
		Component *cycloneDXComponent `json:"component,omitempty"`
	}
	cycloneDXAuthor struct {
		Name string `json:"name"`
	}
	cycloneDXComponent struct {
		Type       string               `json:"type"`
		Ref        string               `json:"bom-ref,omitempty"`
		Name       string               `json:"name"`
		Version    string               `json:"version,omitempty"`
		PURL       string               `json:"purl,omitempty"`
		Components []cycloneDXComponent `json:"components,omitempty"`
	}
	cycloneDXVulnerability struct {
		ID         string              `json:"id"`
		References []cycloneDXAlias    `json:"references,omitempty"`
		Updated    time.Time           `json:"updated,omitzero"`
		Analysis   cycloneDXAnalysis   `json:"analysis,omitzero"`
		Affects    []cycloneDXAffect   `json:"affects"`
		Properties []cycloneDXProperty `json:"properties,omitempty"`
	}
	cycloneDXAlias struct {
		ID     string          `json:"id"`
		Source cycloneDXSource `json:"source"`
	}
	cycloneDXSource struct {
		Name string `json:"name,omitempty"`
	}
	cycloneDXAnalysis struct {
		State         string    `json:"state,omitempty"`
		Justification string    `json:"justification,omitempty"`
		Response      []string  `json:"response,omitempty"`
		Detail        string    `json:"detail,omitempty"`
		First         time.Time `json:"firstIssued,omitzero"`
		Last          time.Time `json:"lastUpdated,omitzero"`
	}
	cycloneDXAffect struct {
		Ref string `json:"ref"`
	}
	cycloneDXProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// The words of CycloneDX for those of OpenVEX. It has more justifications than
// OpenVEX; exactly which one it was, a property keeps.
var (
	cycloneDXStates = map[string]gate.VEXStatus{
		"resolved": gate.VEXFixed, "resolved_with_pedigree": gate.VEXFixed, "exploitable": gate.VEXAffected, "in_triage": gate.VEXUnderInvestigation,
		"false_positive": gate.VEXNotAffected, "not_affected": gate.VEXNotAffected,
	}
	toCycloneDX = map[gate.Justification]string{
		gate.ComponentNotPresent: "code_not_present", gate.VulnerableCodeNotPresent: "code_not_present", gate.VulnerableCodeNotInPath: "code_not_reachable",
		gate.VulnerableCodeNotControlled: "requires_environment", gate.InlineMitigationsExist: "protected_by_mitigating_control",
	}
	fromCycloneDX = map[string]gate.Justification{
		"code_not_present": gate.VulnerableCodeNotPresent, "code_not_reachable": gate.VulnerableCodeNotInPath,
		"requires_configuration": gate.VulnerableCodeNotControlled, "requires_dependency": gate.VulnerableCodeNotControlled,
		"requires_environment": gate.VulnerableCodeNotControlled, "protected_by_compiler": gate.InlineMitigationsExist,
		"protected_at_runtime": gate.InlineMitigationsExist, "protected_at_perimeter": gate.InlineMitigationsExist,
		"protected_by_mitigating_control": gate.InlineMitigationsExist,
	}
)

const (
	justificationProperty = "openvex:justification"
	waiverProperty        = "defectdojo:waiver"
)

// CycloneDX writes the waivers that are valid now as OpenVEX does, in the form of
// CycloneDX 1.6.
func CycloneDX(waivers []gate.Waiver, findings []policies.Finding, a Author) ([]byte, error) {
	doc := cycloneDX{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6", Version: max(a.Version, 1), Serial: a.ID,
		Metadata:        cycloneDXMetadata{Timestamp: a.Now.UTC().Truncate(time.Second), Component: &cycloneDXComponent{Type: "application", Ref: a.product(), Name: a.Product, PURL: a.product()}},
		Vulnerabilities: []cycloneDXVulnerability{},
	}
	if a.Name != "" {
		doc.Metadata.Authors = []cycloneDXAuthor{{a.Name}}
	}
	for _, s := range statements(waivers, findings, a.Now) {
		v := cycloneDXVulnerability{
			ID: s.vulnerability, Updated: a.Now.UTC().Truncate(time.Second), Properties: []cycloneDXProperty{{waiverProperty, s.waiver.ID}},
			Analysis: cycloneDXAnalysis{State: "exploitable", Response: []string{"will_not_fix"}, Detail: s.waiver.Reason},
		}
		if s.status == gate.VEXNotAffected {
			v.Analysis = cycloneDXAnalysis{State: "not_affected", Justification: toCycloneDX[s.waiver.Justification], Detail: s.waiver.Reason}
			v.Properties = append(v.Properties, cycloneDXProperty{justificationProperty, string(s.waiver.Justification)})
		}
		for _, alias := range s.aliases {
			v.References = append(v.References, cycloneDXAlias{ID: alias, Source: cycloneDXSource{alias[:max(strings.IndexByte(alias, '-'), 0)]}})
		}
		for _, p := range s.purls {
			doc.component(p)
			v.Affects = append(v.Affects, cycloneDXAffect{p})
		}
		doc.Vulnerabilities = append(doc.Vulnerabilities, v)
	}
	if doc.Serial == "" {
		body, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		doc.Serial = "urn:uuid:" + uuid(policies.Digest(body))
	}
	return indented(doc)
}

// component adds a component once.
func (d *cycloneDX) component(purl string) {
	if slices.ContainsFunc(d.Components, func(c cycloneDXComponent) bool { return c.Ref == purl }) {
		return
	}
	name, version, _ := strings.Cut(lastPart(purl), "@")
	version, _, _ = strings.Cut(version, "?")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	d.Components = append(d.Components, cycloneDXComponent{Type: "library", Ref: purl, Name: name, Version: version, PURL: purl})
}

// uuid makes a UUID of version 8 of a digest: the same document has the same one.
func uuid(digest string) string {
	b, _ := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// readCycloneDX reads the vulnerabilities of a BOM that have been analysed.
func readCycloneDX(document []byte) ([]gate.VEXStatement, error) {
	var doc cycloneDX
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	purls := map[string]string{}
	collectPURLs(doc.Components, purls)
	if c := doc.Metadata.Component; c != nil {
		collectPURLs([]cycloneDXComponent{*c}, purls)
	}
	author := ""
	if len(doc.Metadata.Authors) > 0 {
		author = doc.Metadata.Authors[0].Name
	}
	var out []gate.VEXStatement
	for i := range doc.Vulnerabilities {
		v := &doc.Vulnerabilities[i]
		if v.Analysis.State == "" {
			continue
		}
		status, ok := cycloneDXStates[v.Analysis.State]
		if !ok || v.ID == "" {
			return nil, errors.New("vulnerability " + v.ID + " has state " + v.Analysis.State)
		}
		s := gate.VEXStatement{
			Author: author, At: latest(doc.Metadata.Timestamp, v.Updated, v.Analysis.First, v.Analysis.Last), Vulnerability: v.ID, Status: status,
			Justification: cmp.Or(v.justification(), fromCycloneDX[v.Analysis.Justification]), ImpactStatement: v.Analysis.Detail,
			ActionStatement: strings.Join(v.Analysis.Response, ", "),
		}
		for _, r := range v.References {
			s.Aliases = append(s.Aliases, r.ID)
		}
		for _, a := range v.Affects {
			s.Products = append(s.Products, resolve(a.Ref, purls))
		}
		if c := doc.Metadata.Component; c != nil && isPURL(c.PURL) && !slices.Contains(s.Products, c.PURL) {
			s.Of = []string{c.PURL}
		}
		out = append(out, s)
	}
	return out, nil
}

// justification returns the exact word that Export kept.
func (v *cycloneDXVulnerability) justification() gate.Justification {
	for _, p := range v.Properties {
		if p.Name == justificationProperty && slices.Contains(gate.Justifications, gate.Justification(p.Value)) {
			return gate.Justification(p.Value)
		}
	}
	return ""
}

func collectPURLs(cs []cycloneDXComponent, into map[string]string) {
	for _, c := range cs {
		if c.Ref != "" && c.PURL != "" {
			into[c.Ref] = c.PURL
		}
		collectPURLs(c.Components, into)
	}
}

// resolve returns the purl of a reference: a bom-ref of this document, a link
// into another one ("urn:cdx:…/1#ref"), or a purl as it is.
func resolve(ref string, purls map[string]string) string {
	if strings.HasPrefix(ref, "urn:cdx:") {
		if _, fragment, ok := strings.Cut(ref, "#"); ok {
			ref = fragment
			if plain, err := url.PathUnescape(fragment); err == nil {
				ref = plain
			}
		}
	}
	return cmp.Or(purls[ref], ref)
}
