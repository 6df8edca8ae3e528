package policies

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"defectdojo/gate"
)

// many findings of one product, of all kinds.
func crowd(n int) []Finding {
	fs := make([]Finding, n)
	for i := range fs {
		f := &fs[i]
		*f = Finding{
			ID: int64(i + 1), Fingerprint: fmt.Sprintf("fp-%08d", i), Title: fmt.Sprintf("Finding number %d", i),
			Severity: gate.Severity(i % 5), Status: Open, Scanner: "trivy", Category: Dependency,
			Vulnerabilities: []string{fmt.Sprintf("CVE-2026-%05d", i%5000)}, PURL: fmt.Sprintf("pkg:npm/lib%d@1.%d.0", i%3000, i%7),
			Component: fmt.Sprintf("lib%d", i%3000), Version: fmt.Sprintf("1.%d.0", i%7), Path: fmt.Sprintf("services/s%d/package-lock.json", i%40),
			FirstSeen: noon.Add(-time.Duration(i%2000) * time.Hour),
		}
		if i%3 != 0 {
			f.EPSS, f.KEV = new(float64(i%100)/100), new(i%97 == 0)
		}
		if i%4 != 0 {
			f.FixAvailable = new(i%2 == 0)
		}
		if i%11 == 0 {
			f.Scanner, f.Category, f.PURL, f.Component, f.Rule, f.Line = "semgrep", Code, "", "", "go.sqli", i
		}
	}
	return fs
}

const benchPolicy = `
defaults: {grace: {from: first_seen}}
rules:
  - {id: new-critical, select: {severity: critical, delta: new}, max: 0}
  - {id: exploitable, select: {severity_at_least: medium}, when: f.kev || f.epss >= 0.2, max: 0, grace: {default: 30d}}
  - {id: fixable, select: {severity: high}, when: 'f.fix_available && f.reachability != "unreachable"', max: 0, grace: {high: 30d}}
  - {id: everything, when: 'f.severity >= 1 && (f.kev || f.epss >= 0.9 || f.path.startsWith("services/s1"))', max: 1000000}
  - {id: budget, level: warn, select: {severity: medium}, per: vulnerability, max: 25}
`

// BenchmarkEvaluate tells the time of a whole verdict, digests and report
// included, for each finding and rule.
func BenchmarkEvaluate(b *testing.B) {
	const n = 100_000
	p := mustParse(b, benchPolicy)
	head := crowd(n)
	half := make([]Finding, n/2)
	copy(half, head)
	in := Inputs{Policies: []*Policy{p}, Head: head, Baseline: base(half...), Now: noon}
	cpu := cpuTime(b)
	for b.Loop() {
		if _, err := Evaluate(in); err != nil {
			b.Fatal(err)
		}
	}
	report(b, cpu, n*len(p.rules))
}

// BenchmarkRun tells the same without digests.
func BenchmarkRun(b *testing.B) {
	const n = 100_000
	p := mustParse(b, benchPolicy)
	head := crowd(n)
	half := make([]Finding, n/2)
	copy(half, head)
	in := Inputs{Policies: []*Policy{p}, Head: head, Baseline: base(half...), Now: noon}
	in.Normalize()
	cpu := cpuTime(b)
	for b.Loop() {
		e := newEvaluation(&in)
		e.run()
		_ = e.report()
	}
	report(b, cpu, n*len(p.rules))
}

// BenchmarkRule tells what one rule of a kind costs for each finding.
func BenchmarkRule(b *testing.B) {
	const n = 100_000
	for name, rule := range map[string]string{
		"select":      "select: {severity: critical, delta: new}, max: 0",
		"cel":         "when: f.severity >= 3 && f.cvss >= 7.0, max: 0",
		"cel_unknown": "when: f.reachability == 'reachable' || f.cvss >= 7.0, max: 0",
		"grace":       "grace: {introduced: 30d, default: 60d}, max: 0",
		"everything":  "max: 0",
		"ratchet":     "ratchet: {by: severity}",
		"component":   "per: component, max: 100",
	} {
		b.Run(name, func(b *testing.B) {
			head := crowd(n)
			for i := range head {
				if i%2 == 0 || name != "cel_unknown" {
					head[i].CVSS = new(float64(i%100) / 10)
				}
			}
			in := Inputs{Policies: []*Policy{mustParse(b, "rules: [{id: r, "+rule+"}]")}, Head: head, Baseline: base(head[:n/2]...), Now: noon}
			in.Normalize()
			cpu := cpuTime(b)
			for b.Loop() {
				e := newEvaluation(&in)
				e.run()
			}
			report(b, cpu, n)
		})
	}
}

// cpuTime is the processor time of this process so far, on all cores: unlike the
// clock, it does not count what others do on the same machine.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report tells clock and processor time for each finding and rule.
func report(b *testing.B, since time.Duration, pairs int) {
	b.Helper()
	each := float64(b.N) * float64(pairs)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/each, "ns/finding·rule")
	b.ReportMetric(float64((cpuTime(b)-since).Nanoseconds())/each, "cpu-ns/finding·rule")
}
