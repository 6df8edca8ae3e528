package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte("k"), ed25519.SeedSize))

var keys = []ed25519.PublicKey{ed25519.PublicKey(key[32:])}

func finding(id int64, fp string, change ...func(*policies.Finding)) policies.Finding {
	f := policies.Finding{
		ID: id, Fingerprint: fp, Title: fp, Severity: gate.Critical, Status: policies.Open, Category: policies.Dependency, Scanner: "trivy", PURL: "pkg:npm/" + fp + "@1",
		Vulnerabilities: []string{"CVE-2026-" + fp}, FirstSeen: noon.AddDate(0, 0, -5), FixVersion: "2",
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func sample() *Bundle {
	return &Bundle{
		Server: "https://gate.example.org", Product: policies.Product{Name: "payments", Tags: []string{"pci"}}, Branch: "main", CreatedAt: noon.Add(-time.Hour), Expires: noon.Add(time.Hour),
		Policies: []*policies.Policy{policies.Default()}, Baseline: &policies.Baseline{Kind: "previous", Scanners: []string{"trivy", "zap"}, Findings: []policies.Finding{finding(1, "1")}},
		Findings: []policies.Finding{finding(1, "1"), finding(2, "2", func(f *policies.Finding) { f.Status = policies.FalsePositive }), finding(3, "3", func(f *policies.Finding) { f.Scanner = "zap" })},
		Records:  map[string]Record{"CVE-2026-9": {EPSS: new(0.9), KEV: true}}, KEVWhole: true,
		Runs: []policies.Run{{Tool: "trivy", On: policies.OnBase, PastResults: []int{20, 30}, CompletedAt: noon.Add(-time.Hour)}},
	}
}

// TestSameVerdictAsTheServer: sealed, opened and judged, the verdict is the one
// of the same inputs on the server, but for being provisional.
func TestSameVerdictAsTheServer(t *testing.T) {
	t.Parallel()
	b := sample()
	envelope, err := Seal(b, key)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Open(envelope, keys)
	if err != nil {
		t.Fatal(err)
	}
	reported := []policies.Finding{finding(0, "1"), finding(-1, "2"), finding(-2, "9", func(f *policies.Finding) { f.FirstSeen = time.Time{} })}
	c := policies.Context{Product: policies.Product{Name: "payments"}, Branch: "feature", TargetBranch: "main", Event: policies.PullRequest}
	in, err := opened.Inputs(c, []policies.Run{{Tool: "Trivy", CompletedAt: noon}}, reported, noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := policies.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	server := in
	server.Provisional = false
	server.Policies = []*policies.Policy{policies.Default()}
	want, err := policies.Evaluate(server)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Provisional || got.Exit != gate.ExitFailed || len(got.Policies[0].Rules[0].Findings) != 1 {
		t.Errorf("provisional %t, exit %d: %v", got.Provisional, got.Exit, got.Why)
	}
	want.Provisional, want.ID, want.Inputs.All = true, got.ID, got.Inputs.All
	a, _ := json.Marshal(got)
	e, _ := json.Marshal(want)
	if d := cmp.Diff(string(e), string(a)); d != "" {
		t.Error(d)
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	b := sample()
	c := policies.Context{Product: policies.Product{Name: "payments"}, Branch: "main"}
	in, err := b.Inputs(c, []policies.Run{{Tool: "trivy", CompletedAt: noon}}, []policies.Finding{
		finding(-1, "2"), finding(-2, "9"), finding(-3, "8"), finding(-4, "7", func(f *policies.Finding) { f.Vulnerabilities = []string{"GHSA-1"} }),
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]policies.Finding{}
	for _, f := range in.Head {
		by[f.Fingerprint] = f
	}
	if len(in.Head) != 5 || by["3"].Scanner != "zap" {
		t.Errorf("the known findings of a scanner that did not run are not there: %+v", in.Head)
	}
	if f := by["2"]; f.ID != 2 || f.Status != policies.FalsePositive || !f.FirstSeen.Equal(noon.AddDate(0, 0, -5)) {
		t.Errorf("a known finding: %+v", f)
	}
	if f := by["9"]; f.KEV == nil || !*f.KEV || *f.EPSS != 0.9 {
		t.Errorf("an exploited one: %+v", f)
	}
	if f := by["8"]; f.KEV == nil || *f.KEV || f.EPSS != nil {
		t.Errorf("one that the catalogue does not list: %+v", f)
	}
	if f := by["7"]; f.KEV != nil {
		t.Errorf("one without a CVE: %+v", f)
	}
	if r := in.Runs[0]; len(r.PastResults) != 2 {
		t.Errorf("a run does not know what is usual: %+v", r)
	}
	if in.Context.Product.Tags[0] != "pci" {
		t.Errorf("the product is not the server's: %+v", in.Context.Product)
	}
}

func TestUsable(t *testing.T) {
	t.Parallel()
	c := policies.Context{Product: policies.Product{Name: "payments"}, Branch: "main"}
	for name, tc := range map[string]struct {
		change func(*policies.Context, *time.Time)
		want   gate.Kind
	}{
		"expired":         {func(_ *policies.Context, now *time.Time) { *now = noon.Add(time.Hour) }, gate.Unavailable},
		"from_the_future": {func(_ *policies.Context, now *time.Time) { *now = noon.Add(-2 * time.Hour) }, gate.Unavailable},
		"other_product":   {func(c *policies.Context, _ *time.Time) { c.Product.Name = "billing" }, gate.Invalid},
		"other_branch":    {func(c *policies.Context, _ *time.Time) { c.TargetBranch = "release" }, gate.Invalid},
		"other_component": {func(c *policies.Context, _ *time.Time) { c.Component = "a" }, gate.Invalid},
	} {
		c, now := c, noon
		tc.change(&c, &now)
		if _, err := sample().Inputs(c, nil, nil, now); gate.KindOf(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := sample().Usable(&c, noon); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	envelope, err := Seal(sample(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(envelope, nil); gate.KindOf(err) != gate.Unauthorized {
		t.Errorf("no key: %v", err)
	}
	bad := bytes.Replace(envelope, []byte(`"payload":"H`), []byte(`"payload":"I`), 1)
	if _, err := Open(bad, keys); err == nil {
		t.Error("changed, and accepted")
	}
	forever := sample()
	forever.Expires = forever.CreatedAt
	if _, err := Seal(forever, key); gate.KindOf(err) != gate.Invalid {
		t.Errorf("no expiry: %v", err)
	}
}
