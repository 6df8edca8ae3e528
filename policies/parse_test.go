package policies

import (
	"errors"
	"strings"
	"testing"

	"defectdojo/gate"

	"github.com/google/go-cmp/cmp"
)

// specSample is the sample of the design: every field of the language.
const specSample = `apiVersion: gate/v1
kind: GatePolicy
metadata: {name: org-baseline, owner: appsec@example.org}
spec:
  mode: enforce                          # enforce | warn | audit
  effective_from: 2026-12-15T00:00:00Z   # before this instant: behaves as warn, text says "enforced from"
  scope:
    products: {tags: [pci], names: ["payments-*"], exclude: ["payments-sandbox"]}
    components: ["services/**"]          # monorepo path/component globs
    events: [pull_request, merge_group, push, release]
    target_branches: [main, "release/*"]
    environments: []                     # empty = any
    when: product.tier <= 2              # optional CEL over product, change
  require:                               # evidence, checked before anything is counted
    - {id: sast,    any_of: [semgrep, codeql],    max_age: 24h, on: [head]}
    - {id: sca,     any_of: [trivy, grype, osv],  max_age: 24h, on: [head, base]}
    - {id: secrets, all_of: [gitleaks],           max_age: 24h, on: [head]}
  defaults:
    statuses: [open, confirmed, in_review]
    on_inconclusive: fail                # fail | warn | pass
    grace: {from: actionable}            # actionable = max(first_seen, fix_published)
  rules:
    - {id: new-critical, level: fail, select: {severity: critical, delta: [introduced, reopened]}, max: 0}
    - id: new-high-exploitable
      level: fail
      select: {severity: high, delta: [introduced, reopened, disclosed]}
      when: f.kev || f.epss >= 0.2
      max: 0
      grace: {disclosed: 72h}
    - id: fixable-high-sla
      level: fail
      select: {severity: high}
      when: f.fix_available && f.reachability != "unreachable"
      max: 0
      grace: {critical: 168h, high: 720h}
    - {id: secrets-any, level: fail, select: {category: [secret]}, when: 'f.verified != "inactive"', max: 0}
    - id: licence-denylist
      level: fail
      select: {category: [license], delta: [introduced]}
      when: sets.intersects(f.licenses, ["AGPL-3.0-only", "SSPL-1.0"]) && !("internal" in product.tags)
      max: 0
    - {id: medium-budget, level: warn, select: {severity: medium}, per: vulnerability, max: 25}
    - {id: no-regression, level: fail, ratchet: {by: severity, severities: [critical, high]}}
  waivers:
    max_ttl: {critical: 336h, high: 2160h, medium: 4320h}
    approvals: {critical: 2, default: 1}
    void_if: f.kev || f.fix_available && f.severity >= 3
`

func TestParseSample(t *testing.T) {
	t.Parallel()
	p, err := Parse("org.yaml", FromServer, []byte(specSample))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "org-baseline" || len(p.Spec.Rules) != 7 || len(p.Spec.Require) != 3 || p.Spec.EffectiveFrom.IsZero() {
		t.Errorf("%+v", p.Spec)
	}
	if g := p.rules[2].grace; g.From != fromActionable || g.By["high"].String() != "30d" {
		t.Errorf("grace of fixable-high-sla: %+v", g)
	}
	if d := Digest([]byte(specSample)); p.Digest != d {
		t.Errorf("digest %s, want %s", p.Digest, d)
	}
}

func TestParseSmallest(t *testing.T) {
	t.Parallel()
	p, err := Parse(".gate/policies/team.yaml", FromRepository, []byte(`rules: [{id: no-new-criticals, select: {severity: critical, delta: [introduced]}, max: 0}]`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "team" || p.Spec.Mode != gate.ModeEnforce || p.Spec.Rules[0].Level != gate.Fail || p.Spec.Rules[0].Per != PerFinding {
		t.Errorf("%s: %+v", p.Name, p.Spec)
	}
}

// TestParseErrors wants every mistake told with its line and column.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ source, want string }{
		"not_yaml":         {"rules: [", `p.yaml:1:8: `},
		"empty":            {"", `p.yaml:1:1: must hold one policy`},
		"two":              {"rules: []\n---\nrules: []\n", `p.yaml:1:1: must hold one policy`},
		"unknown_field":    {"rules:\n  - id: a\n    sevrity: high\n", `p.yaml:3:5: unknown field "sevrity"`},
		"unknown_top":      {"kind: GatePolicy\nspec: {rules: [{id: a}]}\nrule: []\n", `p.yaml:3:1: unknown field "rule"`},
		"wrong_kind":       {"kind: Deployment\nspec: {rules: [{id: a}]}\n", `p.yaml:1:7: kind: "Deployment" is not a policy: its kind must be GatePolicy`},
		"wrong_version":    {"apiVersion: gate/v9\nkind: GatePolicy\nspec: {rules: [{id: a}]}\n", `p.yaml:1:13: apiVersion: "gate/v9" is not known: use gate/v1`},
		"no_rules":         {"mode: warn\n", `p.yaml:1:1: rules: a policy needs a rule or a requirement`},
		"mode":             {"mode: block\nrules: [{id: a}]\n", `p.yaml:1:7: mode: "block" is not known: use enforce, warn, audit`},
		"severity":         {"rules:\n  - id: a\n    select: {severity: [critical, hgh]}\n", `p.yaml:3:35: rules[0].select.severity[1]: "hgh" is not known: use info, low, medium, high, critical`},
		"one_severity":     {"rules:\n  - id: a\n    select: {severity: hgh}\n", `p.yaml:3:24: rules[0].select.severity: "hgh" is not known: use info, low, medium, high, critical`},
		"delta":            {"rules: [{id: a, select: {delta: fresh}}]", `p.yaml:1:33: rules[0].select.delta: "fresh" is not known: use introduced, reopened, disclosed, rule_drift, existing, no_baseline, new`},
		"no_id":            {"rules:\n  - max: 0\n", `p.yaml:2:5: rules[0]: needs an id`},
		"id_twice":         {"rules:\n  - id: a\n  - id: a\n", `p.yaml:3:9: rules[1].id: "a" is there twice`},
		"negative_max":     {"rules:\n  - id: a\n    max: -1\n", `p.yaml:3:10: rules[0].max: must not be less than 0`},
		"not_a_number":     {"rules:\n  - id: a\n    max: many\n", `p.yaml:3:10: must be int, not string`},
		"duration":         {"require:\n  - {id: a, any_of: trivy, max_age: soon}\n", `p.yaml:2:37: "soon" is not a duration: write 36h, 14d or 2w`},
		"grace_key":        {"rules:\n  - id: a\n    grace: {urgent: 3d}\n", `p.yaml:3:21: rules[0].grace.urgent: "urgent" is not known: use introduced, reopened, disclosed, rule_drift, existing, no_baseline, info, low, medium, high, critical, default`},
		"any_and_all":      {"require:\n  - {id: a, any_of: [x], all_of: [y]}\n", `p.yaml:2:5: require[0]: needs any_of or all_of, and only one of them`},
		"at_least":         {"require:\n  - {id: a, any_of: [x], at_least: 2}\n", `p.yaml:2:36: require[0].at_least: must be from 1 to the 1 of any_of`},
		"approvals":        {"rules: [{id: a}]\nwaivers:\n  approvals: {critical: 0}\n", `p.yaml:3:25: waivers.approvals.critical: a waiver needs at least 1 approval`},
		"epss_in_percent":  {"rules: [{id: a, select: {epss_at_least: 20}}]", `p.yaml:1:41: rules[0].select.epss_at_least: is from 0 to 1`},
		"ratchet_delta":    {"rules: [{id: a, ratchet: {by: severity}, select: {delta: new}}]", `p.yaml:1:58: rules[0].select.delta: a ratchet compares with the baseline by itself`},
		"cel_field":        {"rules:\n  - id: a\n    when: f.kev || f.sevrity >= 3\n", `p.yaml:3:20: rules[0].when: undefined field "sevrity" of f: did you mean "severity"?`},
		"cel_type":         {"rules:\n  - id: a\n    when: 'f.severity >= \"high\"'\n", `p.yaml:3:23: rules[0].when: found no matching overload for '_>=_' applied to '(int, string)'`},
		"cel_syntax":       {"rules:\n  - id: a\n    when: f.kev &&\n", `p.yaml:3:19: rules[0].when: Syntax error: mismatched input '<EOF>'`},
		"cel_block":        {"rules:\n  - id: a\n    when: |\n      f.kev ||\n        f.nothing_like_it\n", `p.yaml:5:9: rules[0].when: undefined field "nothing_like_it" of f`},
		"cel_not_a_truth":  {"rules: [{id: a, when: f.epss}]", `p.yaml:1:23: rules[0].when: must be true or false, not double`},
		"cel_now_function": {"rules: [{id: a, when: now() > f.first_seen}]", `p.yaml:1:26: rules[0].when: undeclared reference to 'now' (in container '')`},
		"cel_scope":        {"scope: {when: f.kev}\nrules: [{id: a}]", `p.yaml:1:15: scope.when: f.kev is not known here: use product, change, now`},
		"cel_cost":         {"rules:\n  - id: a\n    when: f.tags.exists(a, f.tags.exists(b, f.tags.exists(c, a + b == c)))\n", `p.yaml:3:11: rules[0].when: may cost `},
		"cel_regex":        {"rules:\n  - id: a\n    when: f.path.matches('(')\n", "p.yaml:3:11: rules[0].when: error parsing regexp: missing closing ): `(`"},
		"cel_long":         {"rules: [{id: a, when: '" + strings.Repeat("f.kev || ", 300) + "f.kev'}]", `p.yaml:1:24: rules[0].when: longer than 2048 characters`},
		"cel_void_if":      {"rules: [{id: a}]\nwaivers:\n  void_if: f.kev2\n", `p.yaml:3:12: waivers.void_if: undefined field "kev2" of f: did you mean "kev"?`},
	} {
		_, err := Parse("p.yaml", FromServer, []byte(tc.source))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if first, _, _ := strings.Cut(err.Error(), "\n"); !strings.HasPrefix(first, tc.want) {
			t.Errorf("%s: %s", name, cmp.Diff(tc.want, first))
		}
		if gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s: kind %d, want invalid", name, gate.KindOf(err))
		}
	}
}

func TestParseTellsAllMistakes(t *testing.T) {
	t.Parallel()
	_, err := Parse("p.yaml", FromServer, []byte("mode: x\nrules:\n  - {id: a, level: y, when: f.z}\n  - {select: {category: q}}\n"))
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 5 {
		t.Errorf("want five problems, got:\n%v", err)
	}
}

func TestParseRefusesLongText(t *testing.T) {
	t.Parallel()
	if _, err := Parse("p.yaml", FromServer, make([]byte, MaxSource+1)); gate.KindOf(err) != gate.Invalid {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(specSample))
	for _, p := range Builtin() {
		f.Add([]byte(p.Source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := Parse("fuzz.yaml", FromServer, source)
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || len(ps) == 0 {
				t.Errorf("not Problems: %v", err)
			}
			return
		}
		_ = evaluate(t, Inputs{Policies: []*Policy{p}, Head: crowd(10)})
	})
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"36h": "36h", "14d": "14d", "2w": "14d", "1d12h": "36h", "1w1d": "8d", "0s": "0h", "90m": "1h30m0s"} {
		d, err := ParseDuration(text)
		if err != nil || d.String() != want {
			t.Errorf("%s: %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"", "soon", "-1h", "3", "1.5d", "d", "99999999d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q: %s, want an error", text, d)
		}
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		glob, text string
		want       bool
	}{
		{"main", "main", true},
		{"main", "mainline", false},
		{"release/*", "release/1.2", true},
		{"release/*", "release/1.2/hot", false},
		{"release/**", "release/1.2/hot", true},
		{"services/**", "services", true},
		{"services/**", "services/pay/pom.xml", true},
		{"services/**", "myservices/pay", false},
		{"**/test/**", "a/b/test/c.go", true},
		{"**/test/**", "test/c.go", true},
		{"**/test/**", "a/contest/c.go", false},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/xb", false},
		{"**/*.go", "x.go", true},
		{"**/*.go", "a/b/x.go", true},
		{"**/*.go", "a/b/x.goo", false},
		{"*.go", "a/x.go", false},
		{"payments-*", "payments-api", true},
		{"?at", "cat", true},
		{"?at", "/at", false},
		{"**", "", true},
		{"**", "a/b", true},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"pkg:npm/**", "pkg:npm/@a/b@1", true},
		{"*a*a*a*a*b", strings.Repeat("a", 40), false},
	} {
		if got := newGlob(tc.glob).match(tc.text); got != tc.want {
			t.Errorf("%q of %q: %t, want %t", tc.glob, tc.text, got, tc.want)
		}
	}
}
