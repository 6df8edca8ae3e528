package vex

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"defectdojo/gate"
)

// The shape of CSAF 2.0 (https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html),
// as far as its profile VEX goes.
type (
	csaf struct {
		Document struct {
			Publisher struct {
				Name string `json:"name"`
			} `json:"publisher"`
			Tracking struct {
				Current time.Time `json:"current_release_date"`
			} `json:"tracking"`
		} `json:"document"`
		Tree struct {
			Branches      []csafBranch       `json:"branches"`
			Names         []csafProduct      `json:"full_product_names"`
			Relationships []csafRelationship `json:"relationships"`
		} `json:"product_tree"`
		Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
	}
	csafBranch struct {
		Branches []csafBranch `json:"branches"`
		Product  *csafProduct `json:"product"`
	}
	csafProduct struct {
		ID     string `json:"product_id"`
		Helper struct {
			PURL string `json:"purl"`
		} `json:"product_identification_helper"`
	}
	csafRelationship struct {
		Full csafProduct `json:"full_product_name"`
		Part string      `json:"product_reference"`
		Of   string      `json:"relates_to_product_reference"`
	}
	csafVulnerability struct {
		CVE   string     `json:"cve"`
		IDs   []csafText `json:"ids"`
		Flags []struct {
			Label    gate.Justification `json:"label"`
			Products []string           `json:"product_ids"`
		} `json:"flags"`
		Status struct {
			NotAffected        []string `json:"known_not_affected"`
			Affected           []string `json:"known_affected"`
			Fixed              []string `json:"fixed"`
			FirstFixed         []string `json:"first_fixed"`
			UnderInvestigation []string `json:"under_investigation"`
		} `json:"product_status"`
		Threats []struct {
			Category string   `json:"category"`
			Details  string   `json:"details"`
			Products []string `json:"product_ids"`
		} `json:"threats"`
	}
	csafText struct {
		Text string `json:"text"`
	}
)

// readCSAF makes a statement of each product and status. Products without a purl
// are of no use here.
func readCSAF(document []byte) ([]gate.VEXStatement, error) {
	var doc csaf
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, err
	}
	purls := doc.purls()
	var out []gate.VEXStatement
	for i := range doc.Vulnerabilities {
		v := &doc.Vulnerabilities[i]
		id := v.CVE
		if id == "" && len(v.IDs) > 0 {
			id = v.IDs[0].Text
		}
		if id == "" {
			return nil, errors.New("a vulnerability has no id")
		}
		for _, group := range []struct {
			status   gate.VEXStatus
			products []string
		}{
			{gate.VEXNotAffected, v.Status.NotAffected},
			{gate.VEXAffected, v.Status.Affected},
			{gate.VEXFixed, slices.Concat(v.Status.Fixed, v.Status.FirstFixed)},
			{gate.VEXUnderInvestigation, v.Status.UnderInvestigation},
		} {
			for _, p := range group.products {
				if purls[p] == "" {
					continue
				}
				out = append(out, gate.VEXStatement{
					Author: doc.Document.Publisher.Name, At: doc.Document.Tracking.Current, Vulnerability: id, Products: []string{purls[p]}, Status: group.status,
					Justification: v.flag(p), ImpactStatement: v.impact(p),
				})
			}
		}
	}
	return out, nil
}

// purls finds the purl of each product id; that of a part of something else is
// the part's.
func (d *csaf) purls() map[string]string {
	m := map[string]string{}
	var walk func([]csafBranch)
	walk = func(bs []csafBranch) {
		for _, b := range bs {
			if b.Product != nil {
				m[b.Product.ID] = b.Product.Helper.PURL
			}
			walk(b.Branches)
		}
	}
	walk(d.Tree.Branches)
	for _, p := range d.Tree.Names {
		m[p.ID] = p.Helper.PURL
	}
	for _, r := range d.Tree.Relationships {
		if m[r.Full.ID] = r.Full.Helper.PURL; r.Full.Helper.PURL == "" {
			m[r.Full.ID] = m[r.Part]
		}
	}
	return m
}

func (v *csafVulnerability) flag(product string) gate.Justification {
	for _, f := range v.Flags {
		if slices.Contains(f.Products, product) {
			return f.Label
		}
	}
	return ""
}

func (v *csafVulnerability) impact(product string) string {
	for _, t := range v.Threats {
		if t.Category == "impact" && (len(t.Products) == 0 || slices.Contains(t.Products, product)) {
			return t.Details
		}
	}
	return ""
}
