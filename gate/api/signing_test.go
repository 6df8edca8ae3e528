package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"
	"defectdojo/policies/attest"
	"defectdojo/policies/bundle"
)

// TestBundle: what the server signs, an uploader can open with the server's
// public keys, and judge with.
func TestBundle(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, engagement, _ := s.product("Shop")
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/engagements/%d/", engagement), `{"branch_tag":"main"}`)
	if a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(engagement, 10), "file", generic("Old:Critical"), "commit_hash", "c1", "active", "true")); a.status != 201 {
		t.Fatal(a.body)
	}
	keys, err := attest.ParsePublicKeys([]byte(s.must(200, "GET", "/api/v2/keys/", "").get("pem").(string)))
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	a := s.must(200, "GET", "/api/v2/products/1/bundle/?branch=main&hours=2", "")
	if named := s.must(200, "GET", "/api/v2/bundle/?product_name=Shop&branch=main&hours=2", ""); len(named.body) != len(a.body) {
		t.Errorf("by its name: %d bytes, by its id %d", len(named.body), len(a.body))
	}
	for query, want := range map[string]int{"": 400, "?product_name=None": 404} {
		if a := s.send(s.root, "GET", "/api/v2/bundle/"+query, ""); a.status != want {
			t.Errorf("%s: %d %s, want %d", query, a.status, a.body, want)
		}
	}
	b, err := bundle.Open([]byte(a.body), keys)
	if err != nil {
		t.Fatal(err)
	}
	if b.Product.Name != "Shop" || b.Branch != "main" || !b.Expires.Equal(now.Add(2*time.Hour)) || len(b.Policies) != 1 || b.Policies[0].Name != "default" || len(b.Findings) != 1 || len(b.Baseline.Findings) != 1 {
		t.Errorf("%+v", b)
	}
	known := b.Findings[0]
	fresh := policies.Finding{ID: -1, Fingerprint: "hash:new", Title: "New", Severity: gate.Critical, Status: policies.Open, Scanner: known.Scanner, Category: policies.Code}
	for name, tt := range map[string]struct {
		found []policies.Finding
		want  gate.Decision
	}{"only_what_was_there": {[]policies.Finding{known}, gate.Pass}, "something_new": {[]policies.Finding{known, fresh}, gate.Fail}} {
		in, err := b.Inputs(policies.Context{Product: policies.Product{Name: "Shop"}, Branch: "feature", TargetBranch: "main", Event: policies.PullRequest, HeadCommit: "f1"},
			[]policies.Run{{Tool: known.Scanner, Commit: "f1", Outcome: gate.Succeeded, CompletedAt: now}}, tt.found, now)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := policies.Evaluate(in); err != nil || v.Overall != tt.want || !v.Provisional {
			t.Errorf("%s: %s (provisional %v), %v, want %s: %q", name, v.Overall, v.Provisional, err, tt.want, v.Why)
		}
	}
	for path, want := range map[string]int{"?hours=0": 400, "?hours=169": 400, "?hours=x": 400, "?branch=none": 200} {
		if a := s.send(s.root, "GET", "/api/v2/products/1/bundle/"+path, ""); a.status != want {
			t.Errorf("%s: %d %s, want %d", path, a.status, a.body, want)
		}
	}
	if a := s.get("/keys/"); strings.Contains(a.body, "PRIVATE") {
		t.Error("the private key is told")
	}
}
