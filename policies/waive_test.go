package policies

import (
	"testing"
	"time"

	"defectdojo/gate"
)

const waiverPolicy = `
rules: [{id: none, select: {severity_at_least: low}, max: 0}]
waivers:
  max_ttl: {critical: 14d, default: 90d}
  approvals: {critical: 2, default: 1}
  void_if: f.kev
`

// goodWaiver is one that holds.
func goodWaiver() gate.Waiver {
	return gate.Waiver{
		ID: "W-1", Match: gate.WaiverMatch{Vulnerability: "CVE-2021-44228", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"},
		Reason: "not reached", RequestedBy: "dev@example.org", ApprovedBy: []string{"lead@example.org", "boss@example.org"},
		ValidFrom: noon.AddDate(0, 0, -1), Expires: noon.AddDate(0, 0, 10),
	}
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		waiver  func(*gate.Waiver)
		finding func(*Finding)
		ctx     Context
		want    gate.WaiverState
		overall gate.Decision
	}{
		"holds":                 {want: gate.WaiverActive, overall: gate.Pass},
		"purl_of_any_version":   {waiver: func(w *gate.Waiver) { w.Match.PURL = "pkg:maven/org.apache.logging.log4j/log4j-core" }, want: gate.WaiverActive, overall: gate.Pass},
		"purl_with_qualifiers":  {finding: func(f *Finding) { f.PURL += "?type=jar" }, want: gate.WaiverActive, overall: gate.Pass},
		"purl_of_other_version": {waiver: func(w *gate.Waiver) { w.Match.PURL = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0" }, want: gate.WaiverUnused, overall: gate.Fail},
		"purl_of_longer_name":   {waiver: func(w *gate.Waiver) { w.Match.PURL = "pkg:maven/org.apache.logging.log4j/log4j" }, want: gate.WaiverUnused, overall: gate.Fail},
		"alias":                 {finding: func(f *Finding) { f.Vulnerabilities = []string{"GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228"} }, want: gate.WaiverActive, overall: gate.Pass},
		"fingerprint":           {waiver: func(w *gate.Waiver) { w.Match = gate.WaiverMatch{Fingerprint: "fp-log4j"} }, want: gate.WaiverActive, overall: gate.Pass},
		"expired":               {waiver: func(w *gate.Waiver) { w.Expires = noon }, want: gate.WaiverExpired, overall: gate.Fail},
		"ends_in_a_second":      {waiver: func(w *gate.Waiver) { w.Expires = noon.Add(time.Second) }, want: gate.WaiverActive, overall: gate.Pass},
		"no_expiry":             {waiver: func(w *gate.Waiver) { w.Expires = time.Time{} }, want: gate.WaiverInvalid, overall: gate.Fail},
		"not_yet":               {waiver: func(w *gate.Waiver) { w.ValidFrom = noon.Add(time.Hour) }, want: gate.WaiverPending, overall: gate.Fail},
		"revoked":               {waiver: func(w *gate.Waiver) { w.RevokedAt = noon }, want: gate.WaiverRevoked, overall: gate.Fail},
		"too_long":              {waiver: func(w *gate.Waiver) { w.Expires = noon.AddDate(0, 0, 14) }, want: gate.WaiverTooLong, overall: gate.Fail},
		"long_for_high":         {waiver: func(w *gate.Waiver) { w.Expires = noon.AddDate(0, 0, 14) }, finding: func(f *Finding) { f.Severity = gate.High }, want: gate.WaiverActive, overall: gate.Pass},
		"one_approval":          {waiver: func(w *gate.Waiver) { w.ApprovedBy = w.ApprovedBy[:1] }, want: gate.WaiverUnapproved, overall: gate.Fail},
		"one_for_high":          {waiver: func(w *gate.Waiver) { w.ApprovedBy = w.ApprovedBy[:1] }, finding: func(f *Finding) { f.Severity = gate.High }, want: gate.WaiverActive, overall: gate.Pass},
		"approved_by_requester": {waiver: func(w *gate.Waiver) { w.ApprovedBy[0] = "DEV@example.org" }, want: gate.WaiverUnapproved, overall: gate.Fail},
		"approved_twice_by_one": {waiver: func(w *gate.Waiver) { w.ApprovedBy[1] = w.ApprovedBy[0] }, want: gate.WaiverUnapproved, overall: gate.Fail},
		"exploited":             {finding: func(f *Finding) { f.KEV = new(true) }, want: gate.WaiverVoided, overall: gate.Fail},
		"own_tripwire":          {waiver: func(w *gate.Waiver) { w.VoidIf = "f.epss >= 0.5" }, finding: func(f *Finding) { f.EPSS = new(0.7) }, want: gate.WaiverVoided, overall: gate.Fail},
		"own_tripwire_unknown":  {waiver: func(w *gate.Waiver) { w.VoidIf = "f.epss >= 0.5" }, finding: func(f *Finding) { f.EPSS = nil }, want: gate.WaiverUnsure, overall: gate.Fail},
		"bad_tripwire":          {waiver: func(w *gate.Waiver) { w.VoidIf = "f.eps" }, want: gate.WaiverInvalid, overall: gate.Fail},
		"from_repository":       {waiver: func(w *gate.Waiver) { w.Origin = gate.WaiverFromRepository }, want: gate.WaiverForeign, overall: gate.Fail},
		"other_product":         {waiver: func(w *gate.Waiver) { w.Match.Product = "other" }, want: gate.WaiverOutOfScope, overall: gate.Fail},
		"other_branch":          {waiver: func(w *gate.Waiver) { w.Match.Branches = []string{"main", "release/*"} }, ctx: Context{Branch: "dev"}, want: gate.WaiverOutOfScope, overall: gate.Fail},
		"target_branch":         {waiver: func(w *gate.Waiver) { w.Match.Branches = []string{"main"} }, ctx: Context{Branch: "dev", TargetBranch: "main"}, want: gate.WaiverActive, overall: gate.Pass},
		"matches_everything":    {waiver: func(w *gate.Waiver) { w.Match = gate.WaiverMatch{Rule: "x", Path: "**"} }, want: gate.WaiverInvalid, overall: gate.Fail},
		"matches_anything":      {waiver: func(w *gate.Waiver) { w.Match = gate.WaiverMatch{Vulnerability: "CVE-2021-44228"} }, want: gate.WaiverInvalid, overall: gate.Fail},
		"rule_and_path":         {waiver: func(w *gate.Waiver) { w.Match = gate.WaiverMatch{Rule: "jndi", Path: "services/**"} }, finding: func(f *Finding) { f.Rule = "jndi" }, want: gate.WaiverActive, overall: gate.Pass},
		"unneeded":              {finding: func(f *Finding) { f.Severity = gate.Info }, want: gate.WaiverUnneeded, overall: gate.Pass},
	} {
		f := log4j(1)
		f.KEV, f.EPSS = new(false), new(0.1)
		if tc.finding != nil {
			tc.finding(&f)
		}
		w := goodWaiver()
		if tc.waiver != nil {
			tc.waiver(&w)
		}
		v := evaluate(t, Inputs{Policies: []*Policy{mustParse(t, waiverPolicy)}, Context: tc.ctx, Head: []Finding{f}, Waivers: []gate.Waiver{w}})
		if v.Waivers[0].State != tc.want || v.Overall != tc.overall {
			t.Errorf("%s: %s (%s), %s; want %s, %s", name, v.Waivers[0].State, v.Waivers[0].Reason, v.Overall, tc.want, tc.overall)
		}
		if d, _ := v.DispositionOf(1); tc.want == gate.WaiverActive && (d.Code != gate.DispositionWaived || d.Detail != "W-1") {
			t.Errorf("%s: disposition %+v", name, d)
		}
	}
}

// TestTripwire: a snapshot of KEV that lists the vulnerability voids the waiver,
// flips the verdict and says why.
func TestTripwire(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	f.KEV = new(false)
	in := Inputs{Policies: []*Policy{mustParse(t, waiverPolicy)}, Head: []Finding{f}, Waivers: []gate.Waiver{goodWaiver()}}
	if v := evaluate(t, in); v.Overall != gate.Pass {
		t.Fatalf("before: %v", v.Why)
	}
	in.Head[0].KEV = new(true)
	v := evaluate(t, in)
	if u := v.Waivers[0]; v.Exit != gate.ExitFailed || u.State != gate.WaiverVoided || u.Reason != "f.kev" {
		t.Errorf("after: exit %d, %+v", v.Exit, u)
	}
}

// TestBlastRadius voids a waiver for more findings than it may be, and knows that
// it holds again with fewer.
func TestBlastRadius(t *testing.T) {
	t.Parallel()
	w := goodWaiver()
	w.MaxMatches = 2
	in := Inputs{Policies: []*Policy{mustParse(t, waiverPolicy)}, Waivers: []gate.Waiver{w}}
	for i := range 3 {
		in.Head = append(in.Head, with(log4j(int64(i+1)), func(f *Finding) {
			f.KEV, f.Path, f.Fingerprint = new(false), string(rune('a'+i)), string(rune('a'+i))
		}))
	}
	v := evaluate(t, in)
	if v.Overall != gate.Fail || v.Waivers[0].State != gate.WaiverTooWide || v.Waivers[0].Matches != 3 {
		t.Errorf("three findings: %s, %+v", v.Overall, v.Waivers[0])
	}
	if len(v.Green.Steps) != 1 {
		t.Errorf("one finding less is enough: %+v", v.Green.Steps)
	}
	in.Head = in.Head[:2]
	if v := evaluate(t, in); v.Overall != gate.Pass {
		t.Errorf("two findings: %v", v.Why)
	}
}

// TestRepositoryCannotLoosen: a repository's policy adds to the server's, and its
// waivers hold for its own policy only.
func TestRepositoryCannotLoosen(t *testing.T) {
	t.Parallel()
	org := mustParse(t, `{metadata: {name: org}, kind: GatePolicy, spec: {rules: [{id: none, max: 0}]}}`)
	repo, err := Parse("repo", FromRepository, []byte(`{metadata: {name: org}, kind: GatePolicy, spec: {mode: audit, rules: [{id: none, max: 1000}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	w := goodWaiver()
	w.Origin = gate.WaiverFromRepository
	f := log4j(1)
	v := evaluate(t, Inputs{Policies: []*Policy{org, repo}, Head: []Finding{f}, Waivers: []gate.Waiver{w}})
	if v.Overall != gate.Fail || v.Mode != gate.ModeEnforce {
		t.Errorf("%s, %s: %v", v.Overall, v.Mode, v.Why)
	}
	v = evaluate(t, Inputs{Policies: []*Policy{repo}, Head: []Finding{f}, Waivers: []gate.Waiver{w}})
	if v.Waivers[0].State != gate.WaiverActive {
		t.Errorf("its own policy: %+v", v.Waivers)
	}
}
