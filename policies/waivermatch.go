package policies

import (
	"strings"

	"defectdojo/gate"
)

// keysOf returns the keys by one of which every finding that a waiver is for can
// be found.
func keysOf(m *gate.WaiverMatch) []string {
	switch {
	case m.Fingerprint != "":
		return []string{"f:" + m.Fingerprint}
	case m.Vulnerability != "":
		return []string{"v:" + m.Vulnerability}
	}
	return []string{"r:" + m.Rule}
}

// each calls do for the waivers that are for a finding, until it returns false.
func (ws *waivers) each(f *Finding, do func(*waiver) bool) {
	if len(ws.all) == 0 {
		return
	}
	try := func(key string) bool {
		for _, i := range ws.byKey[key] {
			if w := &ws.all[i]; w.covers(f) && !do(w) {
				return false
			}
		}
		return true
	}
	if !try("f:" + f.Fingerprint) {
		return
	}
	for _, v := range f.Vulnerabilities {
		if !try("v:" + v) {
			return
		}
	}
	try("r:" + f.Rule)
}

// covers tells whether a waiver is for a finding.
func (w *waiver) covers(f *Finding) bool {
	m := &w.Match
	return (m.Fingerprint == "" || m.Fingerprint == f.Fingerprint) &&
		(m.Vulnerability == "" || f.hasVulnerability(m.Vulnerability)) &&
		(m.PURL == "" || samePURL(m.PURL, f.PURL)) &&
		(m.Rule == "" || m.Rule == f.Rule) &&
		(m.Path == "" || w.path.match(f.Path))
}

// Covers tells whether a waiver is for a finding. Whether it holds is another matter.
func Covers(w *gate.Waiver, f *Finding) bool {
	v := waiver{Waiver: w, path: newGlob(w.Match.Path)}
	return v.covers(f)
}

// samePURL tells whether a purl is the pattern, or the pattern in any version.
func samePURL(pattern, purl string) bool {
	if pattern == purl {
		return true
	}
	p, s := barePURL(pattern), barePURL(purl)
	if p == s {
		return true
	}
	name, _, versioned := cutVersion(s)
	return versioned && p == name
}

// barePURL leaves out qualifiers and subpath.
func barePURL(purl string) string {
	if i := strings.IndexAny(purl, "?#"); i >= 0 {
		return purl[:i]
	}
	return purl
}

// cutVersion cuts "pkg:npm/%40a/b@1" at the "@" that begins a version.
func cutVersion(purl string) (name, version string, found bool) {
	i := strings.LastIndexByte(purl, '@')
	if i <= strings.LastIndexByte(purl, '/') {
		return purl, "", false
	}
	return purl[:i], purl[i+1:], true
}

func (w *waiver) inScope(c *Context) bool {
	m := &w.Match
	return (m.Product == "" || m.Product == c.Product.Name) &&
		(m.Component == "" || m.Component == c.Component) &&
		(len(m.Branches) == 0 || matchAny(newGlobs(m.Branches), c.target()))
}
