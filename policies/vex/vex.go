// Package vex writes waivers as VEX documents, and reads such documents as
// statements that can support waivers: OpenVEX 0.2.0, CycloneDX 1.4 to 1.7, and,
// to read, CSAF 2.0.
package vex

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

// MaxDocument is how long a document may be, in bytes.
const MaxDocument = 32 << 20

// Author says who states what Export writes, and about what.
type Author struct {
	Name    string    // "Example Security <security@example.org>"
	Product string    // the product's name
	PURL    string    // the product as a package URL; made of the name when empty
	ID      string    // the document's; made of its content when empty
	Now     time.Time // the statements are made then
	Version int       // counts up when the same ID is written anew; 1 when 0
}

// product returns the product's id in a document.
func (a *Author) product() string {
	if a.PURL != "" {
		return a.PURL
	}
	return "pkg:generic/" + strings.ReplaceAll(strings.ToLower(a.Product), " ", "-")
}

// statement is what one waiver says of one vulnerability.
type statement struct {
	waiver        *gate.Waiver
	vulnerability string
	aliases       []string
	purls         []string
	status        gate.VEXStatus
}

// statements makes those of the waivers that are valid at a time. One that names
// no vulnerability is about those of the findings that it covers. Whether a
// component is not affected, its justification says; a waiver without one is an
// accepted risk, of an affected component.
func statements(waivers []gate.Waiver, findings []policies.Finding, now time.Time) []statement {
	by := map[string]*statement{}
	var keys []string
	for i := range waivers {
		w := &waivers[i]
		if !valid(w, now) {
			continue
		}
		for _, c := range covered(w, findings) {
			key := w.ID + "\x00" + c.vulnerability
			s := by[key]
			if s == nil {
				s = &statement{waiver: w, vulnerability: c.vulnerability, aliases: c.aliases, status: gate.VEXAffected}
				if w.Justification != "" {
					s.status = gate.VEXNotAffected
				}
				by[key] = s
				keys = append(keys, key)
			}
			if !slices.Contains(s.purls, c.purls[0]) {
				s.purls = append(s.purls, c.purls[0])
			}
		}
	}
	slices.Sort(keys)
	out := make([]statement, len(keys))
	for i, k := range keys {
		out[i] = *by[k]
		slices.Sort(out[i].purls)
	}
	return out
}

func valid(w *gate.Waiver, now time.Time) bool {
	return now.Before(w.Expires) && !now.Before(w.ValidFrom) && (w.RevokedAt.IsZero() || now.Before(w.RevokedAt))
}

// covered lists vulnerability and component of each finding that a waiver is for,
// and what the waiver itself names.
func covered(w *gate.Waiver, findings []policies.Finding) []statement {
	var out []statement
	for i := range findings {
		f := &findings[i]
		if len(f.Vulnerabilities) == 0 || f.PURL == "" || !policies.Covers(w, f) {
			continue
		}
		out = append(out, statement{vulnerability: f.Vulnerabilities[0], aliases: f.Vulnerabilities[1:], purls: []string{f.PURL}})
	}
	if m := &w.Match; m.Vulnerability != "" && m.PURL != "" && len(out) == 0 {
		out = append(out, statement{vulnerability: m.Vulnerability, purls: []string{m.PURL}})
	}
	return out
}

// Read reads a document of any of the forms, as statements that nobody trusts
// yet. Their Document is the digest of the whole.
func Read(document []byte) ([]gate.VEXStatement, error) {
	if len(document) > MaxDocument {
		return nil, gate.Errorf(gate.TooLarge, "a VEX document may have %d bytes, not %d", MaxDocument, len(document))
	}
	var head struct {
		Context   string `json:"@context"`
		BOMFormat string `json:"bomFormat"`
		Document  struct {
			CSAF string `json:"csaf_version"`
		} `json:"document"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return nil, gate.Errorf(gate.Invalid, "not a VEX document: %v", err)
	}
	var ss []gate.VEXStatement
	var err error
	switch {
	case strings.HasPrefix(head.Context, "https://openvex.dev/ns"):
		ss, err = readOpenVEX(document)
	case strings.EqualFold(head.BOMFormat, "CycloneDX"):
		ss, err = readCycloneDX(document)
	case head.Document.CSAF != "":
		ss, err = readCSAF(document)
	default:
		return nil, gate.Errorf(gate.Invalid, "neither OpenVEX nor CycloneDX nor CSAF")
	}
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "VEX document: %v", err)
	}
	digest := policies.Digest(document)
	for i := range ss {
		ss[i].Document = digest
	}
	slices.SortStableFunc(ss, func(a, b gate.VEXStatement) int { return cmp.Compare(a.Vulnerability, b.Vulnerability) })
	return ss, nil
}

// Request makes a waiver request of a statement: for a person to complete, and
// for others to approve.
func Request(s *gate.VEXStatement, by string, now, expires time.Time) (gate.Waiver, bool) {
	if len(s.Products) == 0 || s.Status != gate.VEXNotAffected && s.Status != gate.VEXFixed {
		return gate.Waiver{}, false
	}
	return gate.Waiver{
		Match: gate.WaiverMatch{Vulnerability: s.Vulnerability, PURL: s.Products[0]}, Reason: cmp.Or(s.ImpactStatement, "VEX: "+string(s.Status)+" "+string(s.Justification)),
		Justification: s.Justification, RequestedBy: by, RequestedAt: now, ValidFrom: now, Expires: expires, Evidence: []string{s.Document},
	}, true
}

// isPURL tells whether an id is a package URL.
func isPURL(id string) bool { return strings.HasPrefix(id, "pkg:") }
