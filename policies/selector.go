package policies

import (
	"slices"
	"strings"

	"defectdojo/gate"
)

// severityWords are the severities as policies write them, by value.
var severityWords = []string{"info", "low", "medium", "high", "critical"}

// selector is a compiled Select: clauses that all must match.
type selector struct {
	severities uint8 // a bit for each severity
	clauses    []clause
	byDelta    bool // it looks at the delta
}

// clause is one field of a selector.
type clause struct {
	name  string
	field fieldSet // that can make it unknown
	match func(*facts) tri
}

// newSelector compiles s, whose words have been checked.
func newSelector(s *Select) selector {
	sel := selector{severities: s.severityBits()}
	sel.add("category", len(s.Category), func(fa *facts) bool { return slices.Contains(s.Category, string(fa.Category)) })
	sel.add("status", len(s.Status), func(fa *facts) bool { return slices.Contains(s.Status, string(fa.Status)) })
	sel.add("scanner", len(s.Scanner), func(fa *facts) bool {
		return slices.ContainsFunc(s.Scanner, func(t string) bool { return sameTool(t, fa.Scanner) })
	})
	sel.addDelta(s.deltas())
	sel.add("cwe", len(s.CWE), func(fa *facts) bool { return slices.Contains(s.CWE, fa.CWE) })
	sel.add("vulnerability", len(s.Vulnerability), func(fa *facts) bool { return slices.ContainsFunc(s.Vulnerability, fa.hasVulnerability) })
	sel.addGlobs("rule", s.Rule, func(fa *facts) string { return fa.Rule })
	sel.addGlobs("purl", s.PURL, func(fa *facts) string { return fa.PURL })
	sel.addGlobs("component", s.Component, func(fa *facts) string { return fa.Component })
	sel.addGlobs("path", s.Path, func(fa *facts) string { return fa.Path })
	not := newGlobs(s.NotPath)
	sel.add("not_path", len(not), func(fa *facts) bool { return !matchAny(not, fa.Path) })
	sel.add("tags", len(s.Tags), func(fa *facts) bool { return overlap(s.Tags, fa.Tags) })
	sel.add("license", len(s.License), func(fa *facts) bool { return overlap(s.License, fa.Licenses) })
	sel.add("verified", len(s.Verified), func(fa *facts) bool { return slices.Contains(s.Verified, verified(fa.Finding)) })
	sel.addUnsure(s)
	return sel
}

// addUnsure adds the clauses whose values may not be known.
func (sel *selector) addUnsure(s *Select) {
	addBool := func(name string, want *bool, value func(*facts) *bool) {
		if want != nil {
			sel.clauses = append(sel.clauses, clause{name, fieldOf(name), func(fa *facts) tri { return same(value(fa), *want) }})
		}
	}
	addLeast := func(name string, field fieldSet, least *float64, value func(*facts) *float64) {
		if least != nil {
			sel.clauses = append(sel.clauses, clause{name, field, func(fa *facts) tri { return atLeast(value(fa), *least) }})
		}
	}
	addBool("fix_available", s.FixAvailable, func(fa *facts) *bool { return fa.fixAvailable })
	addBool("kev", s.KEV, func(fa *facts) *bool { return fa.kev })
	addBool("direct", s.Direct, func(fa *facts) *bool { return fa.direct })
	addLeast("epss_at_least", fieldEPSS, s.EPSSAtLeast, func(fa *facts) *float64 { return fa.epss })
	addLeast("cvss_at_least", fieldCVSS, s.CVSSAtLeast, func(fa *facts) *float64 { return fa.cvss })
	if len(s.Reachability) > 0 {
		sel.clauses = append(sel.clauses, clause{"reachability", fieldReachability, func(fa *facts) tri {
			if fa.reachability == "" {
				return unknown
			}
			return truth(slices.Contains(s.Reachability, fa.reachability))
		}})
	}
}

func (sel *selector) add(name string, n int, match func(*facts) bool) {
	if n > 0 {
		sel.clauses = append(sel.clauses, clause{name, 0, func(fa *facts) tri { return truth(match(fa)) }})
	}
}

func (sel *selector) addGlobs(name string, texts []string, value func(*facts) string) {
	globs := newGlobs(texts)
	sel.add(name, len(globs), func(fa *facts) bool { return matchAny(globs, value(fa)) })
}

func (sel *selector) addDelta(deltas []gate.Delta) {
	if len(deltas) == 0 {
		return
	}
	sel.byDelta = true
	alsoNone := slices.Contains(deltas, gate.DeltaNoBaseline)
	sel.clauses = append(sel.clauses, clause{"delta", fieldDelta, func(fa *facts) tri {
		if fa.delta != "" || alsoNone {
			return truth(fa.delta == "" || slices.Contains(deltas, fa.delta))
		}
		return someOf(fa.possibleDeltas(), deltas)
	}})
}

// someOf is yes if all that is possible is wanted, no if none of it is.
func someOf(possible, wanted []gate.Delta) tri {
	n := 0
	for _, d := range possible {
		if slices.Contains(wanted, d) {
			n++
		}
	}
	switch n {
	case 0:
		return no
	case len(possible):
		return yes
	}
	return unknown
}

// match tells whether a finding is selected; if not, by which clause, and if
// that is not known, for want of which fields.
func (sel *selector) match(fa *facts) (is tri, by string, missing fieldSet) {
	if sel.severities&(1<<fa.Severity) == 0 {
		return no, "severity", 0
	}
	is = yes
	for i := range sel.clauses {
		c := &sel.clauses[i]
		switch c.match(fa) {
		case no:
			return no, c.name, 0
		case unknown:
			is = unknown
			missing |= c.field
		}
	}
	return is, "", missing
}

// severityBits returns a bit for each severity that is selected.
func (s *Select) severityBits() uint8 {
	least := max(slices.Index(severityWords, s.SeverityAtLeast), 0)
	var bits uint8
	for i, w := range severityWords {
		if i >= least && (len(s.Severity) == 0 || slices.Contains(s.Severity, w)) {
			bits |= 1 << i
		}
	}
	return bits
}

// deltas returns the deltas that are selected; none is all.
func (s *Select) deltas() []gate.Delta {
	var out []gate.Delta
	for _, w := range s.Delta {
		if w == "new" {
			out = append(out, gate.DeltaIntroduced, gate.DeltaReopened)
			continue
		}
		out = append(out, gate.Delta(w))
	}
	return out
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

func same(b *bool, want bool) tri {
	if b == nil {
		return unknown
	}
	return truth(*b == want)
}

func atLeast(f *float64, least float64) tri {
	if f == nil {
		return unknown
	}
	return truth(*f >= least)
}

// severityWord returns a severity as policies write it.
func severityWord(s gate.Severity) string { return strings.ToLower(s.String()) }
