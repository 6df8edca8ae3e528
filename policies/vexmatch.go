package policies

import (
	"slices"

	"defectdojo/gate"
)

// vexIndex finds the statements about a finding's vulnerability.
type vexIndex map[string][]*gate.VEXStatement

func newVEX(statements []gate.VEXStatement) vexIndex {
	m := vexIndex{}
	for i := range statements {
		s := &statements[i]
		m[s.Vulnerability] = append(m[s.Vulnerability], s)
		for _, a := range s.Aliases {
			if a != s.Vulnerability {
				m[a] = append(m[a], s)
			}
		}
	}
	return m
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
	if last != nil && (last.Status == gate.VEXNotAffected || last.Status == gate.VEXFixed) {
		return last.Status
	}
	return ""
}
