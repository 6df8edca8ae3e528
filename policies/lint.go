package policies

import (
	"fmt"
	"slices"
	"strings"

	"defectdojo/gate"
)

// Known is what lint compares policies with. What is nil is not looked at.
type Known struct {
	Scanners []string      // names of scanners that there are
	Products []Product     // products that there are
	Waivers  []gate.Waiver // waivers that there are
	Findings []Finding     // findings that waivers could be for
}

// Lint tells what is probably not meant: what can never match, what never
// decides anything, names that nobody knows, unknown values that nobody thought
// of. The policies are right as such; Parse has made sure of that.
func Lint(ps []*Policy, known Known) Problems {
	var out Problems
	for _, p := range ps {
		l := &linter{p: p, known: known}
		l.scope()
		l.requirements()
		for i := range p.rules {
			l.rule(fmt.Sprintf("rules[%d]", i), &p.rules[i])
		}
		l.shadows()
		out = append(out, l.found...)
	}
	return append(out, lintWaivers(known)...)
}

type linter struct {
	p     *Policy
	known Known
	found Problems
}

func (l *linter) warn(path, format string, args ...any) {
	l.found = append(l.found, l.p.places.problem(path, format, args...))
}

func (l *linter) scope() {
	s := &l.p.Spec.Scope
	if l.known.Products == nil {
		return
	}
	if !slices.ContainsFunc(l.known.Products, func(p Product) bool { return s.Products.has(&p) }) {
		l.warn("scope.products", "matches no product: the policy never applies")
	}
}

func (l *linter) requirements() {
	for i := range l.p.Spec.Require {
		q, path := &l.p.Spec.Require[i], fmt.Sprintf("require[%d]", i)
		l.scanners(path+".any_of", q.AnyOf)
		l.scanners(path+".all_of", q.AllOf)
		if q.MaxAge == 0 && slices.Contains(q.On, string(OnBase)) {
			l.warn(path, "has no max_age: a baseline of any age will do")
		}
		if q.Artifact && slices.Contains(q.On, string(OnBase)) {
			l.warn(path+".artifact", "can never be met on base: the baseline's artifacts are not those of this build")
		}
	}
}

// scanners looks for names that no scanner has.
func (l *linter) scanners(path string, names []string) {
	if l.known.Scanners == nil {
		return
	}
	for i, name := range names {
		if knownTool(l.known.Scanners, name) {
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		if near := nearestOf(name, l.known.Scanners); near != "" {
			l.warn(at, "there is no scanner %q: did you mean %q?", name, near)
		} else {
			l.warn(at, "there is no scanner %q", name)
		}
	}
}

func (l *linter) rule(path string, r *rule) {
	l.scanners(path+".select.scanner", r.Select.Scanner)
	if why := r.impossible(l.p); why != "" {
		l.warn(path+".select", "matches nothing: %s", why)
		return
	}
	l.expression(path, r)
	l.unknowns(path, r)
	l.graceOf(path, r)
	if r.Ratchet != nil && r.Max != 0 {
		l.warn(path+".max", "has no effect: a ratchet's limit is the baseline")
	}
}

var ownDeltas = map[gate.Delta][]Category{
	gate.DeltaDisclosed: {Dependency, Container, License, Malware, Other, ""},
	gate.DeltaRuleDrift: {Code, Secret, Config, Web, Network, Other, ""},
}

// impossible says why no finding can ever be selected.
func (r *rule) impossible(p *Policy) string {
	s := &r.Select
	if r.sel.severities == 0 {
		return fmt.Sprintf("no severity is %s and at least %s", strings.Join(s.Severity, " or "), s.SeverityAtLeast)
	}
	if len(s.Status) > 0 && !overlap(s.Status, p.Spec.Defaults.Statuses) {
		return "the policy only looks at status " + strings.Join(p.Spec.Defaults.Statuses, ", ")
	}
	if ds := s.deltas(); len(ds) > 0 && len(s.Category) > 0 && !slices.ContainsFunc(ds, func(d gate.Delta) bool { return fitsDelta(d, s.Category) }) {
		return fmt.Sprintf("a finding of category %s is never %s", strings.Join(s.Category, " or "), strings.Join(s.Delta, " or "))
	}
	if len(s.Path) > 0 && len(s.NotPath) > 0 && !slices.ContainsFunc(s.Path, func(g string) bool { return !coveredBy(g, s.NotPath) }) {
		return "not_path leaves nothing of path"
	}
	if s.KEV != nil && *s.KEV && len(s.Category) > 0 && !slices.ContainsFunc(s.Category, hasVulnerabilities) {
		return fmt.Sprintf("no finding of category %s is in KEV", strings.Join(s.Category, " or "))
	}
	if len(s.Verified) > 0 && len(s.Category) > 0 && !slices.Contains(s.Category, string(Secret)) && !slices.Contains(s.Verified, "untried") {
		return "only secrets are verified"
	}
	return ""
}

func hasVulnerabilities(c string) bool {
	return !slices.Contains([]string{string(Code), string(Secret), string(Config)}, c)
}

func fitsDelta(d gate.Delta, categories []string) bool {
	own, limited := ownDeltas[d]
	return !limited || overlap(categories, texts(own))
}

// expression tries the rule's expression with every severity, delta and category
// that its selector lets through, all else unknown.
func (l *linter) expression(path string, r *rule) {
	if r.when == nil {
		return
	}
	seen := map[tri]int{}
	r.eachKind(func(f *Finding, d gate.Delta) {
		v := &vars{ctx: &Context{}, now: testNow, fa: &facts{Finding: f, delta: d}, only: []string{"f.severity", "f.category", "f.delta"}}
		seen[r.when.eval(v).is]++
	})
	switch {
	case seen[no] > 0 && seen[yes]+seen[unknown] == 0:
		l.warn(path+".when", "is always false for what is selected: the rule matches nothing")
	case seen[yes] > 0 && seen[no]+seen[unknown] == 0:
		l.warn(path+".when", "is always true for what is selected: leave it out")
	}
}

// eachKind makes a finding of each severity, delta and category that is selected.
func (r *rule) eachKind(do func(*Finding, gate.Delta)) {
	for _, s := range gate.Severities {
		if r.sel.severities&(1<<s) == 0 {
			continue
		}
		for _, c := range Categories {
			if len(r.Select.Category) > 0 && !slices.Contains(r.Select.Category, string(c)) {
				continue
			}
			for _, d := range gate.Deltas[:5] {
				if ds := r.Select.deltas(); (len(ds) == 0 || slices.Contains(ds, d)) && fitsDelta(d, []string{string(c)}) {
					do(&Finding{Severity: s, Category: c}, d)
				}
			}
		}
	}
}

// unknowns looks for values that may not be known, and of which nobody said what
// that means: with has(), assume, on_inconclusive, or unknown: inconclusive.
func (l *linter) unknowns(path string, r *rule) {
	if r.Unknown != "" || r.OnInconclusive != "" {
		return
	}
	var uses fieldSet
	for i := range r.sel.clauses {
		uses |= r.sel.clauses[i].field
	}
	at := path + ".select"
	if r.when != nil && r.when.uses&^r.when.guard != 0 {
		uses |= r.when.uses &^ r.when.guard
		at = path + ".when"
	}
	uses &^= fieldDelta | r.assume.fields()
	if uses != 0 {
		l.warn(at, "does not say what happens where %s is not known: write has(…), assume, on_inconclusive, or unknown: inconclusive", strings.Join(uses.names(), ", "))
	}
}

// fields returns what is assumed.
func (a *Assume) fields() fieldSet {
	var out fieldSet
	if a == nil {
		return 0
	}
	add := func(given bool, f fieldSet) {
		if given {
			out |= f
		}
	}
	add(a.EPSS != nil, fieldEPSS)
	add(a.CVSS != nil, fieldCVSS)
	add(a.KEV != nil, fieldKEV)
	add(a.Ransomware != nil, fieldRansomware)
	add(a.FixAvailable != nil, fieldFixAvailable)
	add(a.Direct != nil, fieldDirect)
	add(a.Reachability != "", fieldReachability)
	add(a.FixPublished != "", fieldFixPublished)
	return out
}

// graceOf looks for grace that nothing gets.
func (l *linter) graceOf(path string, r *rule) {
	if len(r.Grace.By) == 0 {
		if r.Grace.From != "" && len(r.grace.By) == 0 {
			l.warn(path+".grace", "has no durations")
		}
		return
	}
	for _, k := range sortedNames(r.Grace.By) {
		if s := slices.Index(severityWords, k); s >= 0 && r.sel.severities&(1<<s) == 0 {
			l.warn(path+".grace."+k, "has no effect: the rule does not select severity %s", k)
		}
		if ds := r.Select.deltas(); len(ds) > 0 && slices.Contains(texts(gate.Deltas), k) && !slices.Contains(ds, gate.Delta(k)) {
			l.warn(path+".grace."+k, "has no effect: the rule does not select delta %s", k)
		}
	}
	if _, named := r.Grace.By[string(gate.DeltaIntroduced)]; !named && slices.Equal(r.Select.deltas(), []gate.Delta{gate.DeltaIntroduced}) {
		l.warn(path+".grace", "has no effect: what is introduced gets none unless it is named")
	}
}

func sortedNames[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// nearestOf returns the word that is most like another, if it is at most two
// letters away.
func nearestOf(word string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least {
			best, least = w, d
		}
	}
	return best
}

// lintWaivers looks for waivers that are for nothing.
func lintWaivers(k Known) Problems {
	var out Problems
	if k.Waivers == nil || k.Findings == nil {
		return nil
	}
	for i := range k.Waivers {
		w := &waiver{Waiver: &k.Waivers[i], path: newGlob(k.Waivers[i].Match.Path)}
		if !slices.ContainsFunc(k.Findings, func(f Finding) bool { return w.covers(&f) }) {
			out = append(out, Problem{File: w.ID, Line: 1, Column: 1, Path: "spec.match", Message: "matches no finding"})
		}
	}
	return out
}
