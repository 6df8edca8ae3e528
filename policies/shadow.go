package policies

import (
	"fmt"
	"maps"
	"slices"

	"defectdojo/gate"
)

// shadows looks for rules that never decide anything, because another rule of
// the policy is violated whenever they are, and means at least as much.
func (l *linter) shadows() {
	for i := range l.p.rules {
		for j := range l.p.rules {
			a, b := &l.p.rules[j], &l.p.rules[i]
			if i == j || !a.shadows(b) || i < j && b.shadows(a) { // of two alike, the later
				continue
			}
			l.warn(fmt.Sprintf("rules[%d]", i), "never decides anything: %s is wider and at least as strict", a.ID)
			break
		}
	}
}

// shadows tells whether a is violated whenever b is.
func (a *rule) shadows(b *rule) bool {
	return a.Ratchet == nil && b.Ratchet == nil &&
		a.Max <= b.Max && a.Level.Worse(b.Level) == a.Level &&
		(a.Per == b.Per || a.Per == PerFinding) &&
		(a.when == nil || b.when != nil && a.when.text == b.when.text) &&
		(len(a.grace.By) == 0 || a.grace.From == b.grace.From && maps.Equal(a.grace.By, b.grace.By)) &&
		sameAssume(a.assume, b.assume) && a.OnInconclusive == b.OnInconclusive &&
		a.Select.covers(&b.Select)
}

func sameAssume(a, b *Assume) bool {
	return a == nil && b == nil || a != nil && b != nil && samePointers(a, b)
}

func samePointers(a, b *Assume) bool {
	return equal(a.EPSS, b.EPSS) && equal(a.CVSS, b.CVSS) && equal(a.KEV, b.KEV) && equal(a.Ransomware, b.Ransomware) &&
		equal(a.FixAvailable, b.FixAvailable) && equal(a.Direct, b.Direct) && a.Reachability == b.Reachability && a.FixPublished == b.FixPublished
}

func equal[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// covers tells whether whatever b selects, a selects.
func (a *Select) covers(b *Select) bool {
	as, bs := a.severityBits(), b.severityBits()
	return as&bs == bs &&
		within(deltaWords(b), deltaWords(a)) && within(b.Category, a.Category) && within(b.Status, a.Status) && within(b.Scanner, a.Scanner) &&
		within(b.CWE, a.CWE) && within(b.Vulnerability, a.Vulnerability) && within(b.Tags, a.Tags) && within(b.License, a.License) &&
		within(b.Verified, a.Verified) && within(b.Reachability, a.Reachability) &&
		globsWithin(b.Rule, a.Rule) && globsWithin(b.PURL, a.PURL) && globsWithin(b.Component, a.Component) && globsWithin(b.Path, a.Path) &&
		!slices.ContainsFunc(a.NotPath, func(g string) bool { return !slices.Contains(b.NotPath, g) }) &&
		narrower(b.FixAvailable, a.FixAvailable) && narrower(b.KEV, a.KEV) && narrower(b.Direct, a.Direct) &&
		atLeastAs(b.EPSSAtLeast, a.EPSSAtLeast) && atLeastAs(b.CVSSAtLeast, a.CVSSAtLeast)
}

func deltaWords(s *Select) []gate.Delta { return s.deltas() }

// within tells whether a list of choices allows no more than another; an empty
// one allows all.
func within[T comparable](narrow, wide []T) bool {
	return len(wide) == 0 || len(narrow) > 0 && !slices.ContainsFunc(narrow, func(x T) bool { return !slices.Contains(wide, x) })
}

func globsWithin(narrow, wide []string) bool {
	return len(wide) == 0 || len(narrow) > 0 && !slices.ContainsFunc(narrow, func(g string) bool { return !coveredBy(g, wide) })
}

// coveredBy tells whether one of the globs surely matches whatever g does.
func coveredBy(g string, globs []string) bool {
	return slices.ContainsFunc(globs, func(w string) bool {
		return w == g || w == "**" || newGlob(g).plain && newGlob(w).match(g) || isBelow(g, w)
	})
}

// isBelow tells whether g is a glob within "dir/**".
func isBelow(g, w string) bool {
	n := len(w) - len("**")
	return n > 0 && w[n:] == "**" && w[n-1] == '/' && newGlob(w[:n]).plain && len(g) > n && g[:n] == w[:n]
}

func narrower[T comparable](narrow, wide *T) bool {
	return wide == nil || narrow != nil && *narrow == *wide
}

func atLeastAs(narrow, wide *float64) bool {
	return wide == nil || narrow != nil && *narrow >= *wide
}
