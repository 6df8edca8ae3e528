package policies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"defectdojo/gate"

	"github.com/google/go-cmp/cmp"
)

// seeded is a policy with one of each defect that lint knows.
const seeded = `kind: GatePolicy
metadata: {name: seeded}
spec:
  scope:
    products: {names: [nothing-*]}
  require:
    - {id: a, any_of: [semgrpe, codeql]}
    - {id: b, all_of: [frobnicator], max_age: 1h}
    - {id: c, any_of: [trivy], on: [head, base]}
    - {id: d, any_of: [trivy], on: [head, base], artifact: true, max_age: 1h}
  rules:
    - {id: no-severity, select: {severity: [low], severity_at_least: high}}
    - {id: no-status, select: {status: mitigated}}
    - {id: code-is-not-disclosed, select: {category: code, delta: disclosed}}
    - {id: no-path, select: {path: "vendor/**", not_path: ["vendor/**"]}}
    - {id: kev-of-secrets, select: {category: secret, kev: true}, unknown: inconclusive}
    - {id: never, select: {severity: low}, when: f.severity >= severity.high}
    - {id: always, select: {severity: critical, category: web}, when: f.severity >= 3}
    - {id: wide, select: {severity: [critical, high], category: [code, dependency], scanner: [trivvy]}}
    - {id: shadowed, level: warn, select: {severity: critical, category: code, scanner: [trivvy]}, max: 3}
    - {id: unsaid-select, select: {category: container, epss_at_least: 0.5}}
    - {id: unsaid-when, select: {category: container}, when: "has(f.kev) && f.kev && f.cvss > 8.0"}
    - {id: grace-severity, select: {severity: info}, grace: {critical: 7d}}
    - {id: grace-delta, select: {category: license, delta: introduced}, grace: {default: 7d}}
    - {id: ratchet-max, max: 3, ratchet: {by: total}}
`

// TestLintFindsSeededDefects wants each defect at its line and column.
func TestLintFindsSeededDefects(t *testing.T) {
	t.Parallel()
	p, err := Parse("seeded.yaml", FromServer, []byte(seeded))
	if err != nil {
		t.Fatal(err)
	}
	unused := goodWaiver()
	unused.ID, unused.Match = "W-9", gate.WaiverMatch{Fingerprint: "gone"}
	found := Lint([]*Policy{p}, Known{
		Scanners: []string{"semgrep", "codeql", "trivy"}, Products: []Product{{Name: "payments"}},
		Waivers: []gate.Waiver{goodWaiver(), unused}, Findings: []Finding{log4j(1)},
	})
	var got []string
	for _, f := range found {
		got = append(got, f.String())
	}
	want := strings.Split(strings.TrimSpace(`
seeded.yaml:5:15: spec.scope.products: matches no product: the policy never applies
seeded.yaml:7:24: spec.require[0].any_of[0]: there is no scanner "semgrpe": did you mean "semgrep"?
seeded.yaml:8:24: spec.require[1].all_of[0]: there is no scanner "frobnicator"
seeded.yaml:9:7: spec.require[2]: has no max_age: a baseline of any age will do
seeded.yaml:10:60: spec.require[3].artifact: can never be met on base: the baseline's artifacts are not those of this build
seeded.yaml:12:33: spec.rules[0].select: matches nothing: no severity is low and at least high
seeded.yaml:13:31: spec.rules[1].select: matches nothing: the policy only looks at status open, confirmed, in_review
seeded.yaml:14:43: spec.rules[2].select: matches nothing: a finding of category code is never disclosed
seeded.yaml:15:29: spec.rules[3].select: matches nothing: not_path leaves nothing of path
seeded.yaml:16:36: spec.rules[4].select: matches nothing: no finding of category secret is in KEV
seeded.yaml:17:50: spec.rules[5].when: is always false for what is selected: the rule matches nothing
seeded.yaml:18:71: spec.rules[6].when: is always true for what is selected: leave it out
seeded.yaml:19:95: spec.rules[7].select.scanner[0]: there is no scanner "trivvy": did you mean "trivy"?
seeded.yaml:20:90: spec.rules[8].select.scanner[0]: there is no scanner "trivvy": did you mean "trivy"?
seeded.yaml:21:35: spec.rules[9].select: does not say what happens where epss is not known: write has(…), assume, on_inconclusive, or unknown: inconclusive
seeded.yaml:22:62: spec.rules[10].when: does not say what happens where cvss is not known: write has(…), assume, on_inconclusive, or unknown: inconclusive
seeded.yaml:23:72: spec.rules[11].grace.critical: has no effect: the rule does not select severity critical
seeded.yaml:24:80: spec.rules[12].grace: has no effect: what is introduced gets none unless it is named
seeded.yaml:25:30: spec.rules[13].max: has no effect: a ratchet's limit is the baseline
seeded.yaml:20:7: spec.rules[8]: never decides anything: wide is wider and at least as strict
W-9:1:1: spec.match: matches no finding`), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPresetsAreClean(t *testing.T) {
	t.Parallel()
	for name, p := range Builtin() {
		for _, problem := range Lint([]*Policy{p}, Known{}) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// TestShadowedNeverDecides: in no world is a rule violated that another shadows,
// without that one being violated, too.
func TestShadowedNeverDecides(t *testing.T) {
	t.Parallel()
	pairs := 0
	eachWorld(t, func(t *testing.T, w world, in Inputs) {
		in = w.hide(in)
		var b strings.Builder
		b.WriteString("rules:\n")
		sel := []string{"", "severity: critical", "severity: [critical, high]", "severity_at_least: medium", "delta: introduced", "delta: new", "path: 'services/**'", "path: services/a/x.go", "severity: critical, delta: new", "kev: true", "severity_at_least: medium, not_path: 'lib/**'", "epss_at_least: 0.5", "epss_at_least: 0.2"}
		for i := range 6 {
			fmt.Fprintf(&b, "  - {id: r%d, max: %d, per: %s, select: {%s}}\n", i, w.IntN(2), w.one("finding", "vulnerability"), w.one(sel...))
		}
		p := mustParse(t, b.String())
		in.Policies = []*Policy{p}
		rules := evaluate(t, in).Policies[0].Rules
		for i := range p.rules {
			for j := range p.rules {
				if i == j || !p.rules[j].shadows(&p.rules[i]) {
					continue
				}
				pairs++
				if rules[i].Outcome == gate.Violated && rules[j].Outcome != gate.Violated || rules[i].Outcome == gate.Inconclusive && rules[j].Outcome == gate.Satisfied {
					t.Errorf("%s (%s) is said to be shadowed by %s (%s):\n%s", rules[i].ID, rules[i].Outcome, rules[j].ID, rules[j].Outcome, p.Source)
				}
			}
		}
	})
	if pairs < *worlds/4 {
		t.Errorf("only %d pairs", pairs)
	}
}

const fileSample = `kind: GatePolicy
metadata: {name: org}
spec:
  require: [{id: sca, any_of: [trivy]}]
  rules:
    - {id: new-critical, select: {severity: critical, delta: new}}
    - {id: exploited, when: f.kev, grace: {default: 7d}}
---
kind: Waiver
metadata: {id: W-2026-0042}
spec:
  match: {vulnerability: CVE-2026-1234, purl: "pkg:npm/lodash@4.17.20", product: payments-api, branches: [main]}
  reason: "template() never receives user input; see SEC-88"
  justification: vulnerable_code_not_in_execute_path
  ticket: SEC-88
  requested_by: dev@example.org
  approved_by: [sec-lead@example.org]
  valid_from: 2026-11-22T00:00:00Z
  expires: 2026-12-20T00:00:00Z
  max_matches: 3
  void_if: f.epss >= 0.5
---
kind: PolicyTest
metadata: {name: org policy}
spec:
  cases:
    - name: a new critical fails
      given:
        runs: [{tool: trivy}]
        findings: [{severity: critical, delta: introduced, kev: false}, {severity: critical, delta: existing, kev: false}]
      expect: {overall: fail, conclusive: true, exit: 1, rules: {new-critical: violated, exploited: satisfied}, dispositions: {1: counted, 2: expr_false}}
    - name: a missing scan cannot be decided
      given: {findings: []}
      expect: {overall: fail, conclusive: false, exit: 3, missing: [sca]}
    - name: an exploited one has a week
      given:
        runs: [{tool: trivy}]
        findings: [{severity: low, category: dependency, component: x, delta: existing, kev: true, age: 6d}]
      expect: {overall: pass, dispositions: {1: in_grace}}
    - name: this one is wrong
      given:
        runs: [{tool: trivy}]
        findings: [{severity: critical, delta: reopened, kev: false}]
      expect: {overall: pass, rules: {new-critical: satisfied}, why: nonsense}
    - name: every delta can be made
      given:
        runs: [{tool: trivy}]
        findings:
          - {id: 1, severity: low, delta: disclosed, category: dependency, kev: false}
          - {id: 2, severity: low, delta: rule_drift, category: code, path: a.go}
          - {id: 3, severity: low, delta: no_baseline}
      expect: {overall: pass}
`

func TestParseFileAndRunTests(t *testing.T) {
	t.Parallel()
	f, err := ParseFile("all.yaml", FromRepository, []byte(fileSample))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Policies) != 1 || len(f.Waivers) != 1 || len(f.Tests) != 1 {
		t.Fatalf("%d policies, %d waivers, %d tests", len(f.Policies), len(f.Waivers), len(f.Tests))
	}
	if w := f.Waivers[0]; w.Origin != gate.WaiverFromRepository || w.Match.Branches[0] != "main" || w.MaxMatches != 3 || w.Expires.IsZero() {
		t.Errorf("%+v", w)
	}
	results := f.Tests[0].Run(f.Policies)
	for i, r := range results {
		if bad := len(r.Failures) > 0; bad != (i == 3) {
			t.Errorf("%s:%d %s: %v", r.File, r.Line, r.Case, r.Failures)
		}
	}
	want := []string{"overall is fail, want pass", "rule new-critical is violated, want satisfied"}
	if got := results[3].Failures; len(got) != 3 || !slices.Equal(got[:2], want) || results[3].Line != 40 {
		t.Errorf("line %d: %v", results[3].Line, got)
	}
	if d := results[4].Verdict.Deltas; d[gate.DeltaDisclosed] != 1 || d[gate.DeltaRuleDrift] != 1 || d[gate.DeltaNoBaseline] != 1 {
		t.Errorf("deltas %v", d)
	}
	missing := Test{Policies: []string{"other"}}
	if r := missing.Run(f.Policies); len(r) != 1 || len(r[0].Failures) != 1 {
		t.Errorf("a policy that is not there: %+v", r)
	}
}

// TestParseFileErrors counts lines from the file's beginning.
func TestParseFileErrors(t *testing.T) {
	t.Parallel()
	_, err := ParseFile("x.yaml", FromRepository, []byte(`rules: [{id: a}]
---
kind: Waiver
metadata: {id: W-1}
spec:
  match: {vulnerability: CVE-1}
  justification: because
  expires: 2026-12-20T00:00:00Z
  void_if: f.eps > 0.1
---
kind: PolicyTest
spec: {cases: [{given: {finding: []}}]}
---
rules: [{id: a, max: -1}]
`))
	want := strings.TrimSpace(`
x.yaml:6:10: spec.match: it must match a fingerprint, a vulnerability with a purl, or a rule with a path
x.yaml:6:3: spec.reason: needs a reason
x.yaml:6:3: spec.requested_by: needs who asks for it
x.yaml:7:18: spec.justification: "because" is not known: use component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist
x.yaml:9:12: spec.void_if: undefined field "eps" of f: did you mean "epss"?
x.yaml:11:1: unknown field "finding"
x.yaml:14:22: rules[0].max: must not be less than 0`)
	if err == nil || cmp.Diff(want, err.Error()) != "" {
		t.Error(cmp.Diff(want, fmt.Sprint(err)))
	}
}
