package render

import (
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
)

func TestText(t *testing.T) {
	t.Parallel()
	v, err := policies.Evaluate(policies.Inputs{
		Policies: []*policies.Policy{policies.Default()},
		Context:  policies.Context{Product: policies.Product{Name: "payments-api"}, PullRequest: 318, HeadCommit: "9c1e2f4a", Event: policies.PullRequest},
		Baseline: &policies.Baseline{Kind: "merge_base", Commit: "71fd0aa", Scanners: []string{"trivy"}},
		Head: []policies.Finding{{
			ID: 1, Fingerprint: "a", Title: "Remote code execution", Severity: gate.Critical, Status: policies.Open, Scanner: "trivy",
			Category: policies.Dependency, Component: "log4j-core", Version: "2.14.1", FixVersion: "2.17.1", Vulnerabilities: []string{"CVE-2021-44228"}, Path: "pom.xml",
		}},
		Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Text(&b, &v); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"FAILED  payments-api · #318 · 9c1e2f4\n",
		"new-critical: 1 > 0: CVE-2021-44228 in log4j-core 2.14.1 via pom.xml, introduced by this change.",
		"  1. Raise log4j-core 2.14.1 to 2.17.1 in pom.xml\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	t.Log("\n" + b.String())
}
