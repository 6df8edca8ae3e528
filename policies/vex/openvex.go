package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

// The shape of OpenVEX (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md).
type (
	openVEX struct {
		Context    string             `json:"@context"`
		ID         string             `json:"@id"`
		Author     string             `json:"author"`
		Role       string             `json:"role,omitempty"`
		Timestamp  time.Time          `json:"timestamp"`
		Updated    time.Time          `json:"last_updated,omitzero"`
		Version    json.RawMessage    `json:"version"`
		Tooling    string             `json:"tooling,omitempty"`
		Statements []openVEXStatement `json:"statements"`
	}
	openVEXStatement struct {
		Vulnerability openVEXVulnerability `json:"vulnerability"`
		Timestamp     time.Time            `json:"timestamp,omitzero"`
		Updated       time.Time            `json:"last_updated,omitzero"`
		Products      []openVEXProduct     `json:"products"`
		Status        gate.VEXStatus       `json:"status"`
		Justification gate.Justification   `json:"justification,omitempty"`
		Impact        string               `json:"impact_statement,omitempty"`
		Action        string               `json:"action_statement,omitempty"`
		Notes         string               `json:"status_notes,omitempty"`
	}
	openVEXVulnerability struct {
		ID      string   `json:"@id,omitempty"`
		Name    string   `json:"name"`
		Aliases []string `json:"aliases,omitempty"`
	}
	openVEXProduct struct {
		ID            string            `json:"@id"`
		Identifiers   map[string]string `json:"identifiers,omitempty"`
		Subcomponents []openVEXProduct  `json:"subcomponents,omitempty"`
	}
)

// UnmarshalJSON also reads the plain text that OpenVEX 0.0 had.
func (v *openVEXVulnerability) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &v.Name)
	}
	type plain openVEXVulnerability
	return json.Unmarshal(b, (*plain)(v))
}

// UnmarshalJSON also reads the plain text that OpenVEX 0.0 had.
func (p *openVEXProduct) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &p.ID)
	}
	type plain openVEXProduct
	return json.Unmarshal(b, (*plain)(p))
}

// OpenVEX writes the waivers that are valid now. Findings are those of the
// product: they tell what a waiver by fingerprint, or by a purl without a
// version, is about.
func OpenVEX(waivers []gate.Waiver, findings []policies.Finding, a Author) ([]byte, error) {
	doc := openVEX{Context: "https://openvex.dev/ns/v0.2.0", ID: a.ID, Author: a.Name, Timestamp: a.Now.UTC(), Tooling: "DefectDojo gate", Statements: []openVEXStatement{}}
	version := max(a.Version, 1)
	doc.Version, _ = json.Marshal(version)
	for _, s := range statements(waivers, findings, a.Now) {
		o := openVEXStatement{
			Vulnerability: openVEXVulnerability{Name: s.vulnerability, Aliases: s.aliases}, Timestamp: a.Now.UTC(),
			Products: []openVEXProduct{{ID: a.product()}}, Status: s.status, Justification: s.waiver.Justification, Notes: "waiver " + s.waiver.ID,
		}
		for _, p := range s.purls {
			o.Products[0].Subcomponents = append(o.Products[0].Subcomponents, openVEXProduct{ID: p})
		}
		if s.status == gate.VEXAffected {
			o.Action = "Risk accepted until " + s.waiver.Expires.UTC().Format(time.DateOnly) + ": " + s.waiver.Reason
		} else {
			o.Impact = s.waiver.Reason
		}
		doc.Statements = append(doc.Statements, o)
	}
	if doc.ID == "" {
		body, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		doc.ID = "urn:" + policies.Digest(body)
	}
	return indented(doc)
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// readOpenVEX reads OpenVEX. A statement about parts of a product is about those
// parts; one about a product as a whole is about it.
func readOpenVEX(document []byte) ([]gate.VEXStatement, error) {
	var doc openVEX
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	var out []gate.VEXStatement
	for _, s := range doc.Statements {
		v := gate.VEXStatement{
			Author: doc.Author, At: latest(doc.Timestamp, doc.Updated, s.Timestamp, s.Updated), Vulnerability: s.Vulnerability.Name, Aliases: s.Vulnerability.Aliases,
			Status: s.Status, Justification: s.Justification, ImpactStatement: s.Impact, ActionStatement: s.Action,
		}
		if v.Vulnerability == "" {
			v.Vulnerability = lastPart(s.Vulnerability.ID)
		}
		if v.Vulnerability == "" {
			return nil, errors.New("a statement names no vulnerability")
		}
		switch v.Status {
		case gate.VEXNotAffected, gate.VEXAffected, gate.VEXFixed, gate.VEXUnderInvestigation:
		default:
			return nil, errors.New("a statement's status is " + string(v.Status))
		}
		for _, p := range s.Products {
			p.collect(&v)
		}
		out = append(out, v)
	}
	return out, nil
}

// collect adds a product, or its parts, to a statement.
func (p *openVEXProduct) collect(v *gate.VEXStatement) {
	if len(p.Subcomponents) == 0 {
		v.Products = append(v.Products, p.id())
		return
	}
	v.Of = append(v.Of, p.id())
	for i := range p.Subcomponents {
		v.Products = append(v.Products, p.Subcomponents[i].id())
	}
}

// id returns a product's purl, or what else it is called.
func (p *openVEXProduct) id() string {
	if purl := p.Identifiers["purl"]; purl != "" {
		return purl
	}
	return p.ID
}

func latest(times ...time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		if t.After(out) {
			out = t
		}
	}
	return out
}

// lastPart returns what follows the last slash of an IRI.
func lastPart(iri string) string { return iri[strings.LastIndexByte(iri, '/')+1:] }
