package policies

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

// TestModes is what a violated and an inconclusive rule come to.
func TestModes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec           string
		overall, would gate.Decision
		conclusive     bool
		exit           gate.ExitCode
	}{
		"enforce":               {"rules: [{id: none}]", gate.Fail, gate.Fail, true, gate.ExitFailed},
		"level_warn":            {"rules: [{id: none, level: warn}]", gate.Warn, gate.Warn, true, gate.ExitPassed},
		"warn":                  {"mode: warn\nrules: [{id: none}]", gate.Warn, gate.Fail, true, gate.ExitPassed},
		"audit":                 {"mode: audit\nrules: [{id: none}]", gate.Pass, gate.Fail, true, gate.ExitPassed},
		"not_yet":               {"effective_from: 2026-12-15T00:00:00Z\nrules: [{id: none}]", gate.Warn, gate.Fail, true, gate.ExitPassed},
		"since":                 {"effective_from: 2026-11-22T12:00:00Z\nrules: [{id: none}]", gate.Fail, gate.Fail, true, gate.ExitFailed},
		"unknown":               {"rules: [{id: none, when: f.kev}]", gate.Fail, gate.Fail, false, gate.ExitInconclusive},
		"unknown_warns":         {"defaults: {on_inconclusive: warn}\nrules: [{id: none, when: f.kev}]", gate.Warn, gate.Warn, false, gate.ExitPassed},
		"unknown_passes":        {"defaults: {on_inconclusive: pass}\nrules: [{id: none, when: f.kev}]", gate.Pass, gate.Pass, false, gate.ExitPassed},
		"unknown_of_one_rule":   {"rules: [{id: none, when: f.kev, on_inconclusive: warn}]", gate.Warn, gate.Warn, false, gate.ExitPassed},
		"unknown_but_warns":     {"rules: [{id: none, level: warn, when: f.kev}]", gate.Warn, gate.Warn, false, gate.ExitPassed},
		"unknown_but_audits":    {"mode: audit\nrules: [{id: none, when: f.kev}]", gate.Pass, gate.Fail, true, gate.ExitPassed},
		"unknown_and_violated":  {"rules: [{id: none, when: f.kev}, {id: all}]", gate.Fail, gate.Fail, true, gate.ExitFailed},
		"unknown_and_warning":   {"rules: [{id: none, when: f.kev, on_inconclusive: pass}, {id: all, level: warn}]", gate.Warn, gate.Warn, false, gate.ExitPassed},
		"unknown_warn_violated": {"rules: [{id: none, level: warn, when: f.kev}, {id: all, level: warn}]", gate.Warn, gate.Warn, true, gate.ExitPassed},
		"satisfied":             {"rules: [{id: none, max: 1}]", gate.Pass, gate.Pass, true, gate.ExitPassed},
	} {
		v := evaluate(t, Inputs{Policies: []*Policy{mustParse(t, tc.spec)}, Head: []Finding{log4j(1)}})
		if v.Overall != tc.overall || v.WouldBe != tc.would || v.Conclusive != tc.conclusive || v.Exit != tc.exit {
			t.Errorf("%s: %s, would be %s, conclusive %t, exit %d; want %s, %s, %t, %d", name, v.Overall, v.WouldBe, v.Conclusive, v.Exit, tc.overall, tc.would, tc.conclusive, tc.exit)
		}
	}
}

// TestPoliciesCompose takes the worst of all.
func TestPoliciesCompose(t *testing.T) {
	t.Parallel()
	pass, warn, fail := "rules: [{id: a, max: 9}]", "mode: warn\nrules: [{id: b}]", "rules: [{id: c}]"
	for want, sources := range map[gate.Decision][]string{gate.Pass: {pass, pass}, gate.Warn: {pass, warn}, gate.Fail: {pass, warn, fail}} {
		var ps []*Policy
		for _, s := range sources {
			ps = append(ps, mustParse(t, s))
		}
		if v := evaluate(t, Inputs{Policies: ps, Head: []Finding{log4j(1)}}); v.Overall != want || len(v.Policies) != len(ps) {
			t.Errorf("%v: %s, want %s", sources, v.Overall, want)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	ctx := Context{
		Product: Product{Name: "payments-api", Type: "Services", Tags: []string{"pci"}, Tier: new(2)}, Component: "services/pay", Event: PullRequest,
		Branch: "feature", TargetBranch: "release/1.2", Repository: "example/payments",
	}
	for scope, want := range map[string]bool{
		"{}":                          true,
		"{products: {tags: [pci]}}":   true,
		"{products: {tags: [hipaa]}}": false,
		"{products: {tags: [hipaa], names: [pay*]}}":                            true,
		"{products: {names: [billing]}}":                                        false,
		"{products: {tags: pci, exclude: [payments-api]}}":                      false,
		"{products: {types: [Services]}}":                                       true,
		"{products: {types: [Apps]}}":                                           false,
		"{components: ['services/**']}":                                         true,
		"{components: [lib]}":                                                   false,
		"{events: [push]}":                                                      false,
		"{events: [push, pull_request]}":                                        true,
		"{target_branches: [main]}":                                             false,
		"{target_branches: [main, 'release/*']}":                                true,
		"{repositories: ['example/*']}":                                         true,
		"{environments: [prod]}":                                                false,
		"{when: product.tier <= 2}":                                             true,
		"{when: product.tier == 1}":                                             false,
		"{when: '\"pci\" in product.tags && change.event == \"pull_request\"'}": true,
		"{when: change.fork}":                                                   false,
	} {
		v := evaluate(t, Inputs{Policies: []*Policy{mustParse(t, "scope: "+scope+"\nrules: [{id: none}]")}, Context: ctx, Head: []Finding{log4j(1)}})
		if got := len(v.Policies) == 1; got != want {
			t.Errorf("%s: applies %t, want %t", scope, got, want)
		}
		if d, ok := v.DispositionOf(1); !ok || !want && (d.Code != gate.DispositionNotSelected || d.Detail != "policy") {
			t.Errorf("%s: disposition %+v", scope, d)
		}
	}
}

// TestScopeUnknown: whether the policy applies is not known, so that it can
// neither pass nor fail the build for sure.
func TestScopeUnknown(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "scope: {when: product.tier <= 2}\nrules: [{id: none}]")
	v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{log4j(1)}})
	if v.Exit != gate.ExitInconclusive || v.Conclusive || v.Green == nil {
		t.Errorf("with a finding: exit %d, conclusive %t: %v", v.Exit, v.Conclusive, v.Notes)
	}
	if v := evaluate(t, Inputs{Policies: []*Policy{p}}); v.Overall != gate.Pass || !v.Conclusive {
		t.Errorf("without: %s, conclusive %t", v.Overall, v.Conclusive)
	}
}

func TestNoPolicies(t *testing.T) {
	t.Parallel()
	v := evaluate(t, Inputs{Head: []Finding{log4j(1)}})
	if v.Overall != gate.Pass || len(v.Notes) == 0 || v.Why[0] != "No policy is for this build." {
		t.Errorf("%s, %v, %v", v.Overall, v.Why, v.Notes)
	}
}

func TestValidUntil(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	sure := log4j(1)
	sure.KEV = new(false)
	for name, tc := range map[string]struct {
		policy string
		change func(*Inputs)
		want   time.Time
		why    string
	}{
		"for_ever":      {"rules: [{id: none}]", nil, time.Time{}, ""},
		"scan":          {"require: [{id: e, any_of: trivy, max_age: 3h}]", nil, hour(2), "scan"},
		"two_scans":     {"require: [{id: e, any_of: [trivy, semgrep], max_age: 3h}]", nil, hour(3), "scan"},
		"both_scans":    {"require: [{id: e, all_of: [trivy, semgrep], max_age: 3h}]", nil, hour(2), "scan"},
		"grace":         {"rules: [{id: none, grace: {introduced: 5h}}]", nil, hour(4), "grace of none ends"},
		"waiver":        {"rules: [{id: none}]", func(in *Inputs) { w := goodWaiver(); w.Expires = hour(7); in.Waivers = []gate.Waiver{w} }, hour(7), "waiver W-1 expires"},
		"pending":       {"rules: [{id: none}]", func(in *Inputs) { w := goodWaiver(); w.ValidFrom = hour(6); in.Waivers = []gate.Waiver{w} }, hour(6), "waiver W-1 becomes valid"},
		"unused_waiver": {"rules: [{id: none, max: 5, select: {severity: low}}]", func(in *Inputs) { in.Waivers = []gate.Waiver{goodWaiver()} }, time.Time{}, ""},
		"intel":         {"intel: {max_age: {kev: 2d}}\nrules: [{id: none}]", func(in *Inputs) { in.Intel.KEV.At = hour(-40) }, hour(8), "KEV data gets too old"},
		"effective":     {"effective_from: 2026-11-23T00:00:00Z\nrules: [{id: none}]", nil, hour(12), "takes effect"},
		"clock":         {"rules: [{id: none, when: f.age > duration('99h')}]", nil, hour(24), "looks at the time"},
		"earliest":      {"effective_from: 2026-11-23T00:00:00Z\nrules: [{id: none, grace: {introduced: 5h}}]", nil, hour(4), "grace"},
	} {
		in := Inputs{
			Policies: []*Policy{mustParse(t, tc.policy)}, Head: []Finding{sure}, Baseline: base(), Context: Context{HeadCommit: "head"},
			Runs: []Run{{Tool: "trivy", Commit: "head", CompletedAt: hour(-1), Results: 1}, {Tool: "semgrep", Commit: "head", CompletedAt: noon, Results: 1}},
		}
		if tc.change != nil {
			tc.change(&in)
		}
		v := evaluate(t, in)
		if !v.ValidUntil.Equal(tc.want) || !strings.Contains(v.ValidUntilWhy, tc.why) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, v.ValidUntil, v.ValidUntilWhy, tc.want, tc.why)
		}
		if v.ValidUntil.IsZero() {
			continue
		}
		in.Now = v.ValidUntil.Add(-time.Second)
		if before := evaluate(t, in); before.Overall != v.Overall && name != "clock" {
			t.Errorf("%s: %s a second before the verdict ends, was %s", name, before.Overall, v.Overall)
		}
	}
}

// TestOldIntelIsUnknown: what a stale source says is not taken for no.
func TestOldIntelIsUnknown(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "intel: {max_age: {kev: 2d, epss: 2d}}\nrules: [{id: none, when: f.kev || f.epss > 0.5}]")
	f := log4j(1)
	f.KEV, f.EPSS = new(false), new(0.1)
	for name, tc := range map[string]struct {
		at   time.Time
		kev  bool
		want gate.RuleOutcome
	}{
		"fresh":           {noon.Add(-time.Hour), false, gate.Satisfied},
		"stale":           {noon.AddDate(0, 0, -2), false, gate.Inconclusive},
		"none":            {time.Time{}, false, gate.Inconclusive},
		"stale_but_known": {noon.AddDate(0, 0, -9), true, gate.Violated},
	} {
		f.KEV = new(tc.kev)
		v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}, Intel: Intel{EPSS: Snapshot{ID: "e", At: tc.at}, KEV: Snapshot{ID: "k", At: tc.at}}})
		if got := v.Policies[0].Rules[0].Outcome; got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if stale := v.Intel[0].Stale; stale != (name != "fresh") {
			t.Errorf("%s: stale %t", name, stale)
		}
	}
}

// TestEachSourceGoesStale by itself.
func TestEachSourceGoesStale(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	f.KEV, f.EPSS, f.FixAvailable, f.FixVersion = new(false), new(0.1), new(false), ""
	for source, when := range map[string]string{"kev": "f.kev", "epss": "f.epss > 0.5", "advisories": "f.fix_available"} {
		p := mustParse(t, "intel: {max_age: {"+source+": 2d}}\nrules: [{id: r, when: "+when+"}]")
		fresh := Snapshot{ID: "s", At: noon}
		v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}, Intel: Intel{EPSS: fresh, KEV: fresh, Advisories: fresh}})
		if got := v.Policies[0].Rules[0].Outcome; got != gate.Satisfied {
			t.Errorf("%s is fresh: %s", source, got)
		}
		v = evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}})
		if got := v.Policies[0].Rules[0].Outcome; got != gate.Inconclusive {
			t.Errorf("%s is stale: %s", source, got)
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Inputs{
		"no_time":      {},
		"id_twice":     {Now: noon, Head: []Finding{log4j(1), log4j(1)}},
		"no_severity":  {Now: noon, Head: []Finding{with(log4j(1), func(f *Finding) { f.Severity = 9 })}},
		"not_a_number": {Now: noon, Head: []Finding{with(log4j(1), func(f *Finding) { zero := 0.0; f.EPSS = new(zero / zero) })}},
	} {
		if _, err := Evaluate(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPolicyDigest: a policy whose text was changed in the store is refused.
func TestPolicyDigest(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Default())
	if err != nil {
		t.Fatal(err)
	}
	var p Policy
	if err := json.Unmarshal(b, &p); err != nil || p.Digest != Default().Digest {
		t.Fatalf("%v", err)
	}
	changed := strings.Replace(string(b), "max: 0", "max: 9", 1)
	if err := json.Unmarshal([]byte(changed), &p); gate.KindOf(err) != gate.Invalid {
		t.Errorf("changed: %v", err)
	}
}

// TestDigestsTellWhatChanged flips one byte of each part.
func TestDigestsTellWhatChanged(t *testing.T) {
	t.Parallel()
	whole := func() Inputs {
		return Inputs{
			Policies: []*Policy{Default()}, Head: []Finding{log4j(1)}, Baseline: base(log4j(2)), Waivers: []gate.Waiver{goodWaiver()},
			VEX: []gate.VEXStatement{{Vulnerability: "CVE-1"}}, Runs: []Run{{Tool: "trivy"}}, Now: noon,
		}
	}
	digest := func(in Inputs) gate.InputDigests { return evaluate(t, in).Inputs }
	was := digest(whole())
	for name, change := range map[string]func(*Inputs){
		"policies":          func(in *Inputs) { in.Policies = []*Policy{Builtin()["sla"]} },
		"context":           func(in *Inputs) { in.Context.Actor = "x" },
		"runs":              func(in *Inputs) { in.Runs[0].Results = 7 },
		"findings":          func(in *Inputs) { in.Head[0].Line = 3 },
		"baseline":          func(in *Inputs) { in.Baseline.Commit = "x" },
		"baseline_findings": func(in *Inputs) { in.Baseline.Findings[0].Line = 3 },
		"waivers":           func(in *Inputs) { in.Waivers[0].Reason = "x" },
		"vex":               func(in *Inputs) { in.VEX[0].Vulnerability = "CVE-2" },
		"intel":             func(in *Inputs) { in.Intel.KEV.ID = "x" },
		"":                  func(in *Inputs) { in.Now = noon.Add(time.Second) },
	} {
		in := whole()
		change(&in)
		is := digest(in)
		for part, same := range map[string]bool{
			"policies": is.Policies == was.Policies, "context": is.Context == was.Context, "runs": is.Runs == was.Runs, "findings": is.Findings == was.Findings,
			"baseline": is.Baseline == was.Baseline, "baseline_findings": is.BaselineFindings == was.BaselineFindings, "waivers": is.Waivers == was.Waivers,
			"vex": is.VEX == was.VEX, "intel": is.Intel == was.Intel,
		} {
			if same == (part == name) {
				t.Errorf("%s changed: digest of %s the same: %t", name, part, same)
			}
		}
		if is.All == was.All {
			t.Errorf("%s changed: the digest of all stays", name)
		}
	}
}
