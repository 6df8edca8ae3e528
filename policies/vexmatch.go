package policies

import (
	"slices"

	"defectdojo/gate"
)

// vexIndex finds the statements about a vulnerability.
type vexIndex map[string][]*gate.VEXStatement

// newVEX indexes the trusted statements that are about the product.
func newVEX(in *Inputs) vexIndex {
	m := vexIndex{}
	for i := range in.VEX {
		s := &in.VEX[i]
		if !s.Trusted || !about(s, &in.Context.Product) {
			continue
		}
		m[s.Vulnerability] = append(m[s.Vulnerability], s)
		for _, a := range s.Aliases {
			if a != s.Vulnerability {
				m[a] = append(m[a], s)
			}
		}
	}
	return m
}

// about tells whether a statement is about a product, as far as can be known.
func about(s *gate.VEXStatement, p *Product) bool {
	if len(s.Of) == 0 || len(p.PURLs) == 0 {
		return true
	}
	return slices.ContainsFunc(s.Of, func(id string) bool {
		return slices.ContainsFunc(p.PURLs, func(own string) bool { return samePURL(own, id) })
	})
}

// of returns not_affected or fixed if the latest statement about a finding says
// so, else "".
func (m vexIndex) of(f *Finding) gate.VEXStatus {
	if len(m) == 0 || f.PURL == "" {
		return ""
	}
	var last *gate.VEXStatement
	for _, v := range f.Vulnerabilities {
		for _, s := range m[v] {
			if (last == nil || s.At.After(last.At)) && slices.ContainsFunc(s.Products, func(p string) bool { return samePURL(p, f.PURL) }) {
				last = s
			}
		}
	}
	if last != nil && clears(last.Status) {
		return last.Status
	}
	return ""
}

// clears tells whether a status says that there is nothing to fear.
func clears(s gate.VEXStatus) bool { return s == gate.VEXNotAffected || s == gate.VEXFixed }

// Supports tells whether a statement is evidence for a waiver of a finding: it is
// about the same vulnerability of the same component, and says that there is
// nothing to fear, for the same reason if both give one.
func Supports(s *gate.VEXStatement, w *gate.Waiver, f *Finding) bool {
	if !clears(s.Status) || s.Justification != "" && w.Justification != "" && s.Justification != w.Justification {
		return false
	}
	if !f.hasVulnerability(s.Vulnerability) && !slices.ContainsFunc(s.Aliases, f.hasVulnerability) {
		return false
	}
	return slices.ContainsFunc(s.Products, func(p string) bool { return samePURL(p, f.PURL) })
}

// supported tells whether a document that a waiver names as evidence is there and
// supports it.
func (ws *waivers) supported(w *waiver, f *Finding) bool {
	return slices.ContainsFunc(ws.in.VEX, func(s gate.VEXStatement) bool {
		return slices.Contains(w.Evidence, s.Document) && Supports(&s, w.Waiver, f)
	})
}
