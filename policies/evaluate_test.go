package policies

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"defectdojo/gate"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// mustParse parses a policy of a test.
func mustParse(t testing.TB, source string) *Policy {
	t.Helper()
	p, err := Parse("test.yaml", FromServer, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// evaluate judges inputs that must be possible.
func evaluate(t testing.TB, in Inputs) gate.Verdict {
	t.Helper()
	if in.Now.IsZero() {
		in.Now = noon
	}
	v, err := Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// log4j is a critical dependency finding.
func log4j(id int64) Finding {
	return Finding{
		ID: id, Fingerprint: "fp-log4j", Title: "Remote code execution in log4j-core", Severity: gate.Critical, Status: Open,
		Category: Dependency, Scanner: "trivy", Vulnerabilities: []string{"CVE-2021-44228"}, PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
		Component: "log4j-core", Version: "2.14.1", Path: "services/pay/pom.xml", FirstSeen: noon.Add(-time.Hour), FixVersion: "2.17.1",
	}
}

// base is a baseline with one complete run of trivy.
func base(fs ...Finding) *Baseline {
	return &Baseline{Kind: "previous", Commit: "base", Scanners: []string{"trivy", "semgrep", "gitleaks"}, Findings: fs, Inventory: []string{}}
}

func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	first := evaluate(t, Inputs{Policies: []*Policy{Default()}, Head: []Finding{log4j(1)}})
	if first.Overall != gate.Pass || !first.Conclusive || first.Exit != gate.ExitPassed {
		t.Errorf("the first scan: %s %t %d, want a pass: %v", first.Overall, first.Conclusive, first.Exit, first.Notes)
	}
	second := evaluate(t, Inputs{Policies: []*Policy{Default()}, Baseline: base(), Head: []Finding{log4j(1)}})
	if second.Overall != gate.Fail || second.Exit != gate.ExitFailed {
		t.Errorf("a new critical: %s %d, want fail, 1", second.Overall, second.Exit)
	}
	want := "new-critical: 1 > 0: CVE-2021-44228 in log4j-core 2.14.1 via services/pay/pom.xml, introduced by this change."
	if len(second.Why) != 1 || second.Why[0] != want {
		t.Errorf("why:\n%q\nwant\n%q", second.Why, want)
	}
	if g := second.Green; g == nil || len(g.Steps) != 1 || g.Steps[0].Text != "Raise log4j-core 2.14.1 to 2.17.1 in services/pay/pom.xml" {
		t.Errorf("way to green: %+v", g)
	}
	same := evaluate(t, Inputs{Policies: []*Policy{Default()}, Baseline: base(log4j(1)), Head: []Finding{log4j(1)}})
	if same.Overall != gate.Pass {
		t.Errorf("an old critical: %s, want pass: %v", same.Overall, same.Why)
	}
	change := evaluate(t, Inputs{Policies: []*Policy{Default()}, Context: Context{Event: PullRequest}, Head: []Finding{log4j(1)}})
	if change.Exit != gate.ExitInconclusive {
		t.Errorf("a pull request without a baseline: exit %d, want 3: %v", change.Exit, change.Why)
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	t.Parallel()
	in := Inputs{Policies: []*Policy{Default()}, Baseline: base(), Head: []Finding{log4j(2), log4j(1)}, Now: noon}
	v := evaluate(t, in)
	first, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var again Inputs
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(evaluate(t, again))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("replayed:\n%s\nwas\n%s", second, first)
	}
}

func TestThreeValued(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `rules: [{id: exploitable, select: {severity: [critical, high]}, when: f.kev || f.epss >= 0.2, max: 0}]`)
	for name, tc := range map[string]struct {
		kev  *bool
		epss *float64
		want gate.RuleOutcome
	}{
		"both_unknown":       {nil, nil, gate.Inconclusive},
		"kev_epss_unknown":   {new(true), nil, gate.Violated},
		"epss_kev_unknown":   {nil, new(0.5), gate.Violated},
		"neither":            {new(false), new(0.1), gate.Satisfied},
		"low_epss_no_kev":    {nil, new(0.1), gate.Inconclusive},
		"no_kev_no_epss":     {new(false), nil, gate.Inconclusive},
		"kev_and_low_epss":   {new(true), new(0.0), gate.Violated},
		"epss_at_the_border": {new(false), new(0.2), gate.Violated},
	} {
		f := log4j(1)
		f.KEV, f.EPSS = tc.kev, tc.epss
		v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}})
		if got := v.Policies[0].Rules[0].Outcome; got != tc.want {
			t.Errorf("%s: %s, want %s: %v", name, got, tc.want, v.Why)
		}
	}
	f := log4j(1)
	f.Severity = gate.Low
	v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}})
	if v.Overall != gate.Pass || !v.Conclusive {
		t.Errorf("a low finding, all unknown: %s: %v", v.Overall, v.Why)
	}
}
