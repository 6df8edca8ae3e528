package policies

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
)

// inspector collects what is wrong with a policy.
type inspector struct {
	p     *Policy
	found Problems
}

// compile checks a decoded policy, fills in what was not given and compiles its
// expressions.
func (p *Policy) compile() Problems {
	c := &inspector{p: p}
	c.spec()
	c.requirements()
	c.rules()
	c.waivers()
	return c.found
}

func (c *inspector) bad(path, format string, args ...any) {
	c.found = append(c.found, c.p.places.problem(path, format, args...))
}

// word demands that a word be one of those allowed.
func (c *inspector) word(path, word string, allowed []string) {
	if word != "" && !slices.Contains(allowed, word) {
		c.bad(path, "%q is not known: use %s", word, strings.Join(allowed, ", "))
	}
}

func (c *inspector) words(path string, words, allowed []string) {
	for i, w := range words {
		if c.p.places.has(c.p.places.full(path) + "[0]") {
			c.word(fmt.Sprintf("%s[%d]", path, i), w, allowed)
		} else {
			c.word(path, w, allowed)
		}
	}
}

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

var (
	modes         = []string{string(gate.ModeEnforce), string(gate.ModeWarn), string(gate.ModeAudit)}
	levels        = []string{string(gate.Fail), string(gate.Warn)}
	fallbacks     = []string{string(gate.Fail), string(gate.Warn), string(gate.Pass)}
	pers          = []string{PerFinding, PerVulnerability, PerComponent, PerRule, PerPath}
	froms         = []string{fromFirstSeen, fromFixPublished, fromActionable}
	reaches       = []string{"reachable", "unreachable"}
	verifieds     = []string{"active", "inactive", "untried"}
	waiverOrigins = []string{string(gate.WaiverFromServer), string(gate.WaiverFromRepository)}
)

func (c *inspector) spec() {
	s := &c.p.Spec
	if !nameForm.MatchString(c.p.Name) {
		c.bad("$.metadata.name", "%q is not a name: it must be of letters, digits, blanks and punctuation, at most 100", c.p.Name)
	}
	c.word("mode", string(s.Mode), modes)
	if s.Mode == "" {
		s.Mode = gate.ModeEnforce
	}
	c.words("scope.events", s.Scope.Events, texts(Events))
	c.words("defaults.statuses", s.Defaults.Statuses, texts(Statuses))
	if len(s.Defaults.Statuses) == 0 {
		s.Defaults.Statuses = texts([]Status{Open, Confirmed, InReview})
	}
	c.word("defaults.on_inconclusive", string(s.Defaults.OnInconclusive), fallbacks)
	if s.Defaults.OnInconclusive == "" {
		s.Defaults.OnInconclusive = gate.Fail
	}
	c.word("defaults.on_first_scan", s.Defaults.OnFirstScan, []string{"inconclusive", "existing"})
	c.grace("defaults.grace", &s.Defaults.Grace)
	c.assume("defaults.assume", &s.Defaults.Assume)
	c.p.scopeWhen = c.expression("scope.when", s.Scope.When, "product", "change", "now")
}

func (c *inspector) requirements() {
	if n := len(c.p.Spec.Require); n > maxRequired {
		c.bad("require", "has %d requirements, more than %d", n, maxRequired)
		return
	}
	seen := map[string]bool{}
	for i := range c.p.Spec.Require {
		q, path := &c.p.Spec.Require[i], fmt.Sprintf("require[%d]", i)
		c.id(path, q.ID, seen)
		if (len(q.AnyOf) == 0) == (len(q.AllOf) == 0) {
			c.bad(path, "needs any_of or all_of, and only one of them")
		}
		if q.AtLeast < 0 || q.AtLeast > len(q.AnyOf) {
			c.bad(path+".at_least", "must be from 1 to the %d of any_of", len(q.AnyOf))
		}
		if q.MaxShrink < 0 || q.MaxShrink > 100 {
			c.bad(path+".max_shrink", "is in percent")
		}
		c.words(path+".on", q.On, []string{string(OnHead), string(OnBase)})
	}
}

// The forms of ids, and of names of policies: they are shown wherever verdicts are.
var (
	idForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN\pP ]{0,99}$`)
)

func (c *inspector) id(path, id string, seen map[string]bool) {
	switch {
	case id == "":
		c.bad(path, "needs an id")
	case !idForm.MatchString(id):
		c.bad(path+".id", "%q must be of letters, digits, dots, hyphens and underscores, at most 100", id)
	case seen[id]:
		c.bad(path+".id", "%q is there twice", id)
	}
	seen[id] = true
}

// Limits of one policy: a repository's may be anybody's.
const (
	maxRules    = 200
	maxRequired = 100
)

func (c *inspector) rules() {
	s := &c.p.Spec
	if len(s.Rules) > maxRules {
		c.bad("rules", "has %d rules, more than %d", len(s.Rules), maxRules)
		return
	}
	if len(s.Rules) == 0 && len(s.Require) == 0 {
		c.bad("rules", "a policy needs a rule or a requirement")
	}
	seen := map[string]bool{}
	for i := range s.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		c.id(path, s.Rules[i].ID, seen)
		c.rule(path, &s.Rules[i])
	}
}

func (c *inspector) rule(path string, r *Rule) {
	c.word(path+".level", string(r.Level), levels)
	if r.Level == "" {
		r.Level = gate.Fail
	}
	c.word(path+".per", r.Per, pers)
	if r.Per == "" {
		r.Per = PerFinding
	}
	if r.Max < 0 {
		c.bad(path+".max", "must not be less than 0")
	}
	c.word(path+".on_inconclusive", string(r.OnInconclusive), fallbacks)
	c.word(path+".unknown", r.Unknown, []string{"inconclusive"})
	c.selects(path+".select", &r.Select)
	c.grace(path+".grace", &r.Grace)
	c.assume(path+".assume", &r.Assume)
	if t := r.Ratchet; t != nil {
		c.word(path+".ratchet.by", t.By, []string{"severity", "total"})
		c.words(path+".ratchet.severities", t.Severities, severityWords)
		if len(r.Select.Delta) > 0 {
			c.bad(path+".select.delta", "a ratchet compares with the baseline by itself")
		}
	}
	when := c.expression(path+".when", r.When, "f", "product", "change", "now", "severity")
	c.p.rules = append(c.p.rules, newRule(c.p, r, when))
}

func (c *inspector) selects(path string, s *Select) {
	c.words(path+".severity", s.Severity, severityWords)
	c.word(path+".severity_at_least", s.SeverityAtLeast, severityWords)
	c.words(path+".delta", s.Delta, append(texts(gate.Deltas), "new"))
	c.words(path+".category", s.Category, texts(Categories))
	c.words(path+".status", s.Status, texts(Statuses))
	c.words(path+".reachability", s.Reachability, reaches)
	c.words(path+".verified", s.Verified, verifieds)
	if e := s.EPSSAtLeast; e != nil && (*e < 0 || *e > 1) {
		c.bad(path+".epss_at_least", "is from 0 to 1")
	}
	if e := s.CVSSAtLeast; e != nil && (*e < 0 || *e > 10) {
		c.bad(path+".cvss_at_least", "is from 0 to 10")
	}
}

func (c *inspector) grace(path string, g *Grace) {
	c.word(path+".from", g.From, froms)
	allowed := slices.Concat(texts(gate.Deltas), severityWords, []string{"default"})
	for _, k := range slices.Sorted(maps.Keys(g.By)) {
		c.word(path+"."+k, k, allowed)
	}
}

func (c *inspector) assume(path string, a *Assume) {
	c.word(path+".reachability", a.Reachability, reaches)
	c.word(path+".fix_published", a.FixPublished, []string{fromFirstSeen})
	if a.EPSS != nil && (*a.EPSS < 0 || *a.EPSS > 1) {
		c.bad(path+".epss", "is from 0 to 1")
	}
	if a.CVSS != nil && (*a.CVSS < 0 || *a.CVSS > 10) {
		c.bad(path+".cvss", "is from 0 to 10")
	}
}

func (c *inspector) waivers() {
	w := &c.p.Spec.Waivers
	allowed := append(slices.Clone(severityWords), "default")
	for _, k := range slices.Sorted(maps.Keys(w.MaxTTL)) {
		c.word("waivers.max_ttl."+k, k, allowed)
	}
	for _, k := range slices.Sorted(maps.Keys(w.Approvals)) {
		c.word("waivers.approvals."+k, k, allowed)
		if w.Approvals[k] < 1 {
			c.bad("waivers.approvals."+k, "a waiver needs at least 1 approval")
		}
	}
	c.words("waivers.accept", w.Accept, waiverOrigins)
	c.words("waivers.evidence", w.Evidence, severityWords)
	c.p.voidIf = c.expression("waivers.void_if", w.VoidIf, "f", "product", "change", "now", "severity")
}

// expression compiles an expression, or notes where it is wrong.
func (c *inspector) expression(path, text string, objects ...string) *expression {
	if text == "" {
		return nil
	}
	e, err := compile(text, objects...)
	if err != nil {
		c.found = append(c.found, c.p.places.within(path, err.line, err.column, err.message))
		return nil
	}
	return e
}
