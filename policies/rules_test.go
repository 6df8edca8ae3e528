package policies

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

// outcome judges one finding by one rule.
func outcome(t testing.TB, rule string, f Finding, change ...func(*Inputs)) gate.RuleVerdict {
	t.Helper()
	in := Inputs{Policies: []*Policy{mustParse(t, "rules: [{id: r, "+rule+"}]")}, Head: []Finding{f}, Baseline: base()}
	for _, c := range change {
		c(&in)
	}
	return evaluate(t, in).Policies[0].Rules[0]
}

// TestTruthMatrix is every operator over true, false and unknown.
func TestTruthMatrix(t *testing.T) {
	t.Parallel()
	values := []*bool{new(true), new(false), nil}
	name := func(b *bool) string {
		if b == nil {
			return "?"
		}
		return map[bool]string{true: "T", false: "F"}[*b]
	}
	outcomes := map[string]gate.RuleOutcome{"T": gate.Violated, "F": gate.Satisfied, "?": gate.Inconclusive}
	for expr, matrix := range map[string]string{ // rows: kev T F ?; columns: fix_available T F ?
		"f.kev && f.fix_available":               "TF? FFF ?F?",
		"f.kev || f.fix_available":               "TTT TF? T??",
		"f.kev == f.fix_available":               "TF? FT? ???",
		"f.kev != f.fix_available":               "FT? TF? ???",
		"!f.kev && f.fix_available":              "FFF TF? ?F?",
		"!(f.kev || f.fix_available)":            "FFF FT? F??",
		"f.kev ? f.fix_available : true":         "TF? TTT ???",
		"f.kev ? true : f.fix_available":         "TTT TF? ???",
		"has(f.kev) && f.kev":                    "TTT FFF FFF",
		"!has(f.kev) || f.kev":                   "TTT FFF TTT",
		"has(f.kev) && has(f.fix_available)":     "TTF TTF FFF",
		"[f.kev, f.fix_available].exists(x, x)":  "TT? TF? ???",
		"[f.kev, f.fix_available].all(x, x)":     "TF? FF? ???",
		"f.kev && (f.fix_available || f.kev)":    "TTT FFF ???",
		"f.kev in [true] || f.fix_available":     "TTT TF? T??",
		"(f.kev ? 1 : 0) + 1 > 1":                "TTT FFF ???",
		"f.severity < severity.high || f.kev":    "TTT FFF ???",
		"f.severity < severity.high && f.kev":    "FFF FFF FFF",
		"f.severity >= severity.high || f.kev":   "TTT TTT TTT",
		"f.severity >= severity.high && f.kev":   "TTT FFF ???",
		"f.kev || 1 / (f.line) > 0":              "TTT ??? ???",
		"f.licenses[0] == 'x' && f.kev && false": "FFF FFF FFF",
	} {
		rows := strings.Fields(matrix)
		for i, kev := range values {
			for j, fix := range values {
				f := log4j(1)
				f.FixVersion, f.KEV, f.FixAvailable = "", kev, fix
				r := outcome(t, fmt.Sprintf("when: %q", expr), f)
				if want := outcomes[string(rows[i][j])]; r.Outcome != want {
					t.Errorf("%s with kev %s, fix_available %s: %s, want %s", expr, name(kev), name(fix), r.Outcome, want)
				}
			}
		}
	}
}

// TestSelectTruth is the same for selectors.
func TestSelectTruth(t *testing.T) {
	t.Parallel()
	for sel, want := range map[string]gate.RuleOutcome{
		"kev: true":                              gate.Inconclusive,
		"kev: true, severity: low":               gate.Satisfied,
		"kev: true, fix_available: true":         gate.Inconclusive,
		"epss_at_least: 0.5":                     gate.Inconclusive,
		"epss_at_least: 0.5, path: other/**":     gate.Satisfied,
		"cvss_at_least: 9":                       gate.Violated,
		"cvss_at_least: 9.9":                     gate.Satisfied,
		"fix_available: true":                    gate.Violated,
		"fix_available: false":                   gate.Satisfied,
		"reachability: reachable":                gate.Inconclusive,
		"severity_at_least: high":                gate.Violated,
		"severity: [high, low]":                  gate.Satisfied,
		"scanner: Trivy":                         gate.Violated,
		"vulnerability: [CVE-1, CVE-2021-44228]": gate.Violated,
		`purl: "pkg:maven/**"`:                   gate.Violated,
		`component: "log4j*"`:                    gate.Violated,
		"not_path: services/**":                  gate.Satisfied,
		"tags: [a, b]":                           gate.Violated,
		"license: [MIT]":                         gate.Satisfied,
		"cwe: [79, 502]":                         gate.Violated,
		"cwe: 79":                                gate.Satisfied,
		"status: confirmed":                      gate.Satisfied,
		"direct: true":                           gate.Inconclusive,
		"category: dependency":                   gate.Violated,
		"delta: introduced":                      gate.Violated,
		"rule: \"*\"":                            gate.Violated,
	} {
		f := log4j(1)
		f.CVSS, f.Tags, f.CWE, f.Licenses = new(9.8), []string{"b"}, 502, []string{"Apache-2.0"}
		if r := outcome(t, "select: {"+sel+"}", f); r.Outcome != want {
			t.Errorf("%s: %s, want %s", sel, r.Outcome, want)
		}
	}
}

// TestUnknownOnlyIfItMatters: what is not known makes a rule inconclusive only if
// it could change the outcome.
func TestUnknownOnlyIfItMatters(t *testing.T) {
	t.Parallel()
	in := Inputs{Baseline: base()}
	for i := range 5 {
		in.Head = append(in.Head, with(log4j(int64(i+1)), func(f *Finding) {
			f.Fingerprint = strconv.Itoa(i)
			switch {
			case i < 2:
				f.KEV = new(true)
			case i < 3:
				f.KEV = new(false)
			}
		}))
	}
	for most, want := range map[int]gate.RuleOutcome{0: gate.Violated, 1: gate.Violated, 2: gate.Inconclusive, 3: gate.Inconclusive, 4: gate.Satisfied} {
		in.Policies = []*Policy{mustParse(t, fmt.Sprintf("rules: [{id: r, when: f.kev, max: %d}]", most))}
		r := evaluate(t, in).Policies[0].Rules[0]
		if r.Outcome != want || r.Observed != 2 || r.Unknown != 2 {
			t.Errorf("max %d: %s, %d + %d; want %s, 2 + 2", most, r.Outcome, r.Observed, r.Unknown, want)
		}
	}
}

func TestPer(t *testing.T) {
	t.Parallel()
	in := Inputs{}
	for i, v := range []string{"CVE-1", "CVE-1", "CVE-2", ""} {
		in.Head = append(in.Head, with(log4j(int64(i+1)), func(f *Finding) {
			f.Fingerprint, f.Path = strconv.Itoa(i), "same/pom.xml"
			if f.Vulnerabilities = nil; v != "" {
				f.Vulnerabilities = []string{v}
			}
		}))
	}
	for per, want := range map[string]int{"finding": 4, "vulnerability": 3, "component": 1, "path": 1, "rule": 4} {
		in.Policies = []*Policy{mustParse(t, "rules: [{id: r, per: "+per+"}]")}
		if r := evaluate(t, in).Policies[0].Rules[0]; r.Observed != want {
			t.Errorf("per %s: %d, want %d", per, r.Observed, want)
		}
	}
}

// TestTooLargeIsUnknown: a value that is larger than an expression's cost is
// reckoned with can neither pass nor fail it.
func TestTooLargeIsUnknown(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	f.Licenses = make([]string, maxList+1)
	if r := outcome(t, `when: '"AGPL-3.0-only" in f.licenses'`, f); r.Outcome != gate.Inconclusive {
		t.Errorf("%d licenses: %s", len(f.Licenses), r.Outcome)
	}
	f.Title = strings.Repeat("x", maxText+1)
	if r := outcome(t, `when: 'f.title.contains("sql")'`, f); r.Outcome != gate.Inconclusive || r.Unknowns[0].Fields[0] != "title" {
		t.Errorf("a long title: %+v", r)
	}
}

func TestAssume(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	r := outcome(t, "when: f.kev || f.epss > 0.5, assume: {kev: false, epss: 0.9}", f)
	if r.Outcome != gate.Violated || len(r.Assumed) != 2 || r.Assumed[0] != (gate.Assumed{Field: "epss", Value: "0.9", Findings: 1}) {
		t.Errorf("%+v", r)
	}
	f.EPSS = new(0.1)
	if r := outcome(t, "when: f.kev || f.epss > 0.5, assume: {kev: false, epss: 0.9}", f); r.Outcome != gate.Satisfied || len(r.Assumed) != 1 {
		t.Errorf("epss known: %+v", r)
	}
}

func TestExpressionFalseTellsWhichPart(t *testing.T) {
	t.Parallel()
	f := log4j(1)
	f.KEV, f.EPSS = new(true), new(0.1)
	in := Inputs{Policies: []*Policy{mustParse(t, `rules: [{id: r, when: 'f.kev && (f.epss >= 0.2 || f.line > 5) && f.severity > 3'}]`)}, Head: []Finding{f}}
	v := evaluate(t, in)
	d, _ := v.DispositionOf(1)
	if d.Code != gate.DispositionExprFalse || d.Detail != "f.epss >= 0.2 || f.line > 5" {
		t.Errorf("%+v", d)
	}
}

func TestGrace(t *testing.T) {
	t.Parallel()
	day := func(n int) *time.Time { return new(noon.AddDate(0, 0, n)) }
	existing := func(in *Inputs) { in.Baseline.Findings = in.Head }
	none := func(in *Inputs) { in.Baseline = nil }
	for name, tc := range map[string]struct {
		grace  string
		f      func(*Finding)
		in     func(*Inputs)
		want   gate.RuleOutcome
		due    *time.Time
		missed string
	}{
		"introduced_gets_none":  {"{critical: 7d, default: 30d}", nil, nil, gate.Violated, nil, ""},
		"introduced_named":      {"{introduced: 7d}", nil, nil, gate.Satisfied, day(6), ""},
		"existing_by_severity":  {"{critical: 7d, default: 30d}", nil, existing, gate.Satisfied, day(6), ""},
		"existing_by_default":   {"{high: 7d, default: 30d}", nil, existing, gate.Satisfied, day(29), ""},
		"delta_before_severity": {"{critical: 30d, existing: 1d}", nil, existing, gate.Violated, nil, ""},
		"no_such_key":           {"{high: 30d}", nil, existing, gate.Violated, nil, ""},
		"over_to_the_second":    {"{existing: 1d}", nil, existing, gate.Violated, nil, ""},
		"fix_date_unknown":      {"{from: fix_published, existing: 7d}", nil, existing, gate.Inconclusive, nil, "fix_published"},
		"fix_yesterday":         {"{from: fix_published, existing: 7d}", func(f *Finding) { f.FixPublished = day(-1) }, existing, gate.Satisfied, day(6), ""},
		"fix_long_ago":          {"{from: fix_published, existing: 7d}", func(f *Finding) { f.FixPublished = day(-90) }, existing, gate.Violated, nil, ""},
		"actionable_later":      {"{from: actionable, existing: 7d}", func(f *Finding) { f.FixPublished = day(-90) }, existing, gate.Satisfied, day(6), ""},
		"actionable_by_fix":     {"{from: actionable, existing: 7d}", func(f *Finding) { f.FirstSeen = *day(-90); f.FixPublished = day(-2) }, existing, gate.Satisfied, day(5), ""},
		"actionable_unsure":     {"{from: actionable, existing: 7d}", func(f *Finding) { f.FirstSeen = *day(-90) }, existing, gate.Inconclusive, nil, "fix_published"},
		"actionable_sure":       {"{from: actionable, existing: 7d}", nil, existing, gate.Satisfied, day(6), ""},
		"no_fix_is_no_hurry":    {"{from: actionable, existing: 7d}", func(f *Finding) { f.FirstSeen = *day(-90); f.FixVersion, f.FixAvailable = "", new(false) }, existing, gate.Satisfied, &time.Time{}, ""},
		"is_there_a_fix":        {"{from: actionable, existing: 7d}", func(f *Finding) { f.FirstSeen = *day(-90); f.FixVersion = "" }, existing, gate.Inconclusive, nil, "fix_available"},
		"code_is_ours":          {"{from: actionable, existing: 7d}", func(f *Finding) { *f = code(gate.Critical); f.FirstSeen = *day(-8) }, existing, gate.Violated, nil, ""},
		"no_baseline_unsure":    {"{existing: 7d}", nil, none, gate.Inconclusive, nil, "delta"},
		"no_baseline_all_in":    {"{introduced: 7d, default: 9d}", nil, none, gate.Satisfied, day(6), ""},
		"no_baseline_all_out":   {"{introduced: 1d, default: 1d}", nil, none, gate.Violated, nil, ""},
		"no_baseline_named":     {"{no_baseline: 3d}", nil, none, gate.Satisfied, day(2), ""},
	} {
		f := log4j(1)
		f.FirstSeen = *day(-1)
		if tc.f != nil {
			tc.f(&f)
		}
		r := outcome(t, "grace: "+tc.grace, f, func(in *Inputs) {
			if tc.in != nil {
				tc.in(in)
			}
		})
		if r.Outcome != tc.want {
			t.Errorf("%s: %s, want %s: %s", name, r.Outcome, tc.want, r.Why)
			continue
		}
		if tc.due != nil && (len(r.InGrace) != 1 || !r.InGrace[0].Due.Equal(*tc.due)) {
			t.Errorf("%s: in grace %+v, want until %s", name, r.InGrace, tc.due)
		}
		if tc.missed != "" && (len(r.Unknowns) != 1 || r.Unknowns[0].Fields[0] != tc.missed) {
			t.Errorf("%s: unknown %+v, want %s", name, r.Unknowns, tc.missed)
		}
	}
}

func TestRatchet(t *testing.T) {
	t.Parallel()
	crit := func(n int) (fs []Finding) {
		for i := range n {
			fs = append(fs, with(log4j(int64(i+1)), func(f *Finding) { f.Fingerprint = strconv.Itoa(i) }))
		}
		return fs
	}
	high := func(id int64) Finding {
		return with(log4j(id), func(f *Finding) { f.Fingerprint, f.Severity = strconv.FormatInt(id, 10), gate.High })
	}
	for name, tc := range map[string]struct {
		by         string
		head, base []Finding
		change     func(*Inputs)
		want       gate.RuleOutcome
	}{
		"same":                  {"severity", crit(2), crit(2), nil, gate.Satisfied},
		"fewer":                 {"severity", crit(1), crit(2), nil, gate.Satisfied},
		"more":                  {"severity", crit(3), crit(2), nil, gate.Violated},
		"worse_for_worst":       {"severity", crit(1), []Finding{high(1)}, nil, gate.Violated},
		"worse_in_total":        {"total", crit(1), []Finding{high(1)}, nil, gate.Satisfied},
		"no_baseline":           {"severity", crit(1), nil, func(in *Inputs) { in.Baseline = nil }, gate.Inconclusive},
		"no_baseline_no_matter": {"severity", nil, nil, func(in *Inputs) { in.Baseline = nil }, gate.Satisfied},
		"another_scanner":       {"severity", crit(1), nil, func(in *Inputs) { in.Baseline.Scanners = []string{"grype"} }, gate.Inconclusive},
		"waived_on_both_sides": {"severity", append(crit(2), with(high(9), func(f *Finding) { f.Severity = gate.Critical })), crit(2), func(in *Inputs) {
			w := goodWaiver()
			w.Match = gate.WaiverMatch{Fingerprint: "0"}
			in.Waivers = []gate.Waiver{w}
		}, gate.Violated},
		"fixed_since":           {"severity", crit(1), []Finding{with(log4j(7), func(f *Finding) { f.Fingerprint, f.Status = "gone", Mitigated })}, nil, gate.Satisfied},
		"false_positive_before": {"severity", crit(1), []Finding{with(crit(1)[0], func(f *Finding) { f.Status = FalsePositive })}, nil, gate.Violated},
	} {
		in := Inputs{Policies: []*Policy{mustParse(t, "rules: [{id: r, ratchet: {by: "+tc.by+", severities: [critical, high]}}]")}, Head: tc.head, Baseline: base(tc.base...)}
		if tc.change != nil {
			tc.change(&in)
		}
		if r := evaluate(t, in).Policies[0].Rules[0]; r.Outcome != tc.want {
			t.Errorf("%s: %s, want %s: %s %+v", name, r.Outcome, tc.want, r.Why, r.Ratchet)
		}
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "rules: [{id: none}]")
	for _, s := range Statuses {
		f := log4j(1)
		f.Status = s
		v := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{f}})
		counted := s == Open || s == Confirmed || s == InReview
		d, ok := v.DispositionOf(1)
		if (v.Overall == gate.Fail) != counted || !ok {
			t.Errorf("%s: %s, %+v", s, v.Overall, d)
		}
		if !counted && s != Duplicate && (d.Code != gate.DispositionStatus || d.Detail != string(s)) {
			t.Errorf("%s: disposition %+v", s, d)
		}
	}
	all := mustParse(t, "defaults: {statuses: risk_accepted}\nrules: [{id: none}]")
	f := log4j(1)
	f.Status = RiskAccepted
	if v := evaluate(t, Inputs{Policies: []*Policy{all}, Head: []Finding{f}}); v.Overall != gate.Fail {
		t.Errorf("a policy that looks at accepted risks: %s", v.Overall)
	}
}

func TestFlagsStatus(t *testing.T) {
	t.Parallel()
	for want, f := range map[Status]Flags{
		Open: {Active: true}, Confirmed: {Active: true, Verified: true}, InReview: {Active: true, UnderReview: true, Verified: true}, Inactive: {},
		FalsePositive: {FalsePositive: true}, OutOfScope: {OutOfScope: true}, RiskAccepted: {RiskAccepted: true}, Mitigated: {Mitigated: true},
		Duplicate: {Duplicate: true, FalsePositive: true},
	} {
		if got := f.Status(); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}

func TestVEX(t *testing.T) {
	t.Parallel()
	s := gate.VEXStatement{Vulnerability: "CVE-2021-44228", Products: []string{"pkg:maven/org.apache.logging.log4j/log4j-core"}, Status: gate.VEXNotAffected, At: noon}
	later := func(status gate.VEXStatus) []gate.VEXStatement {
		l := s
		l.At, l.Status, l.Document = noon.Add(time.Hour), status, "b"
		return []gate.VEXStatement{s, l}
	}
	for name, tc := range map[string]struct {
		vex  []gate.VEXStatement
		want string
	}{
		"none":                {nil, ""},
		"not_affected":        {[]gate.VEXStatement{s}, "vex_not_affected"},
		"later_affected":      {later(gate.VEXAffected), ""},
		"later_fixed":         {later(gate.VEXFixed), "vex_fixed"},
		"under_investigation": {later(gate.VEXUnderInvestigation), ""},
		"other_product":       {[]gate.VEXStatement{{Vulnerability: "CVE-2021-44228", Products: []string{"pkg:npm/x"}, Status: gate.VEXFixed}}, ""},
		"by_alias":            {[]gate.VEXStatement{{Vulnerability: "GHSA-jfh8-c2jp-5v3q", Aliases: []string{"CVE-2021-44228"}, Products: s.Products, Status: gate.VEXFixed}}, "vex_fixed"},
	} {
		v := evaluate(t, Inputs{Policies: []*Policy{mustParse(t, "rules: [{id: none}]")}, Head: []Finding{log4j(1)}, VEX: trusted(tc.vex)})
		d, _ := v.DispositionOf(1)
		if got := map[bool]string{true: d.Detail}[d.Code == gate.DispositionStatus]; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// trusted returns statements that hold by themselves.
func trusted(ss []gate.VEXStatement) []gate.VEXStatement {
	for i := range ss {
		ss[i].Trusted = true
	}
	return ss
}

// TestVEXAsEvidence: a statement that nobody trusts rules nothing out, but a
// waiver that must have evidence can rest on it.
func TestVEXAsEvidence(t *testing.T) {
	t.Parallel()
	p := mustParse(t, "rules: [{id: none}]\nwaivers: {evidence: [critical]}")
	s := gate.VEXStatement{Document: "sha256:a", Vulnerability: "CVE-2021-44228", Products: []string{log4j(1).PURL}, Status: gate.VEXNotAffected}
	for name, tc := range map[string]struct {
		evidence []string
		vex      func(*gate.VEXStatement)
		want     gate.Decision
	}{
		"supported":           {[]string{"sha256:a"}, func(*gate.VEXStatement) {}, gate.Pass},
		"none_named":          {nil, func(*gate.VEXStatement) {}, gate.Fail},
		"other_document":      {[]string{"sha256:b"}, func(*gate.VEXStatement) {}, gate.Fail},
		"other_vulnerability": {[]string{"sha256:a"}, func(s *gate.VEXStatement) { s.Vulnerability = "CVE-1" }, gate.Fail},
		"affected":            {[]string{"sha256:a"}, func(s *gate.VEXStatement) { s.Status = gate.VEXAffected }, gate.Fail},
		"other_reason":        {[]string{"sha256:a"}, func(s *gate.VEXStatement) { s.Justification = gate.ComponentNotPresent }, gate.Fail},
	} {
		w, v := goodWaiver(), s
		w.Evidence, w.Justification = tc.evidence, gate.VulnerableCodeNotInPath
		tc.vex(&v)
		if got := evaluate(t, Inputs{Policies: []*Policy{p}, Head: []Finding{log4j(1)}, Waivers: []gate.Waiver{w}, VEX: []gate.VEXStatement{v}}); got.Overall != tc.want {
			t.Errorf("%s: %s, want %s: %+v", name, got.Overall, tc.want, got.Waivers)
		}
	}
}

func TestVEXOfAnotherProduct(t *testing.T) {
	t.Parallel()
	s := gate.VEXStatement{Trusted: true, Of: []string{"pkg:oci/billing"}, Vulnerability: "CVE-2021-44228", Products: []string{log4j(1).PURL}, Status: gate.VEXFixed}
	for purl, want := range map[string]gate.Decision{"": gate.Pass, "pkg:oci/billing": gate.Pass, "pkg:oci/payments": gate.Fail} {
		in := Inputs{Policies: []*Policy{mustParse(t, "rules: [{id: none}]")}, Head: []Finding{log4j(1)}, VEX: []gate.VEXStatement{s}}
		if purl != "" {
			in.Context.Product.PURLs = []string{purl}
		}
		if v := evaluate(t, in); v.Overall != want {
			t.Errorf("product %q: %s, want %s", purl, v.Overall, want)
		}
	}
}
