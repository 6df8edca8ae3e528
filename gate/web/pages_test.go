package web

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
)

// addresses are pages with data in them: each template is behind one at least,
// and holds the texts.
var addresses = []struct {
	page, address string
	code          int
	texts         []string
}{
	{"dashboard.html", "/", 200, []string{"14 open of 69 findings", "Denial of service in jackson-databind", "payments-api", "✕ fail"}},
	{"products.html", "/products", 200, []string{"4 products", "payments-infra", "#pci"}},
	{"products.html", "/products?q=pci&sort=name", 200, []string{"2 products match"}},
	{"products.html", "/products?q=nothing", 200, []string{"No product yet"}},
	{"product.html", "/products/1", 200, []string{"payments-api", "5 open of 60 findings", "release/2.4", "SQL query built from request input", "feature/refunds"}},
	{"product.html", "/products/3", 200, []string{"import failed", "scan partial"}},
	{"findings.html", "/findings", 200, []string{"14 open of 69 findings", "deploy/prod.env:7", "−3 d", "2.17.1"}},
	{"findings.html", "/findings?status=any&per=10&sort=-date", 200, []string{"69 of 69 findings", "Next ›"}},
	{"findings.html", "/findings?severity=critical&severity=high&product=payments-*&kev=1", 200, []string{"1 open match, of 69 findings", "Critical, High", "payments-*"}},
	{"findings.html", "/findings?engagement=1&test=1&tag=internet&q=log4j&cwe=CWE-502", 200, []string{"1 open match", "test Trivy Scan", "engagement main", "“log4j”"}},
	{"findings.html", "/findings?q=nothing", 200, []string{"Nothing matches"}},
	{"findings.html", "/findings?severity=terrible", 400, []string{"is not a severity"}},
	{"finding.html", "/findings/1", 200, []string{"Remote code execution in log4j-core", "known to be exploited", "over the network", "https://www.cve.org/CVERecord?id=CVE-2021-44228", "The fix is in the branch", "1 duplicate", "Found again"}},
	{"finding.html", "/findings/2", 200, []string{"select * from refunds", "https://cwe.mitre.org/data/definitions/89.html", "https://github.com/example/payments-api/blob/71fd0aa9c1e2f4b8a6d35c7e90f1b2a3c4d5e6f7/services/pay/refund.go#L118"}},
	{"finding.html", "/findings/7", 200, []string{"GET /search?q=%3Cscript%3E", "3 bytes that are no text", "&lt;script&gt;alert(1)&lt;/script&gt;"}},
	{"finding.html", "/findings/12", 200, []string{"no due day", "describes it by its title alone"}},
	{"finding.html", "/findings/101", 200, []string{"This is a duplicate of", "Remote code execution in log4j-core"}},
	{"finding.html", "/findings/103", 200, []string{"Until the new gateway is live"}},
	{"verdicts.html", "/verdicts", 200, []string{"payments-api", "and 1 more reason", "inconclusive"}},
	{"verdicts.html", "/verdicts?overall=pass&product=2&branch=ma*", 200, []string{"payments-web", "✓ pass"}},
	{"verdicts.html", "/verdicts?commit=ffff", 200, []string{"No verdict matches"}},
	{"verdict.html", "/verdicts/1", 200, []string{"✕ Failed", "<b>new-critical</b>", "Shortest way to green", "its last report is 31 hours old", "in grace until 25 Nov 2026", "waived by W-2026-0042", "rule drift", "merge base", "too old"}},
	{"verdict.html", "/verdicts/2", 200, []string{"✓ Passed"}},
	{"verdict.html", "/verdicts/3", 200, []string{"Passed with warnings", "Out of date", "Would be"}},
	{"verdict.html", "/verdicts/4", 200, []string{"Could not decide"}},
	{"policies.html", "/policies", 200, []string{"org-baseline", "switched off", "payments-api", "Presets to start from", "clean-as-you-code"}},
	{"policy.html", "/policies/1", 200, []string{"org-baseline", "version 2", "No new critical", "does not say what happens where", "what changed", "Backtest"}},
	{"policy.html", "/policies/new?preset=strict", 200, []string{"New policy", "every product", "Look for mistakes"}},
	{"backtests.html", "/backtests", 200, []string{"Backtests", "strict-next", "running", "40 %"}},
	{"backtest.html", "/backtests/1", 200, []string{"strict-next on the past 30 days", "2 of 5 verdicts judged again", "would have blocked 1 of 2 verdicts", "new-high", "Cancel"}},
	{"backtest.html", "/backtests/2", 200, []string{"There is no verdict of that time"}},
	{"policy-diff.html", "/policies/1/diff?from=1&to=2", 200, []string{"Version 1 to 2", "removed", "added"}},
	{"waivers.html", "/waivers", 200, []string{"W-2026-0001", "requested", "0 of 2", "unused", "CVE-2021-44228"}},
	{"waivers.html", "/waivers?state=rejected&product=2", 200, []string{"No waiver is rejected"}},
	{"waiver.html", "/waivers/1", 200, []string{"W-2026-0001", "Not reachable from outside", "Decide", "Approve", "mika"}},
	{"waiver-new.html", "/waivers/new?finding=1&verdict=1", 200, []string{"Ask for a waiver", "this finding alone", "approval"}},
	{"vex.html", "/vex", 200, []string{"VEX documents", "supplier.openvex.json", "holds by itself", "openvex", "Keep it", "Approved waivers of payments-api"}},
	{"vex-document.html", "/vex/1", 200, []string{"supplier.openvex.json", "CVE-2021-44228", "W-2026-0001", "sha256:76657831", "Download"}},
	{"signing-keys.html", "/signing-keys", 200, []string{"Signing keys", "signs", "Make a new key"}},
	{"signing-key.html", "/signing-keys/1", 200, []string{"BEGIN PUBLIC KEY", "It has signed nothing that you may see"}},
	{"tokens.html", "/tokens", 200, []string{"payments pipeline", "gate_8fK2", "revoked", "payments-api"}},
	{"people.html", "/people", 200, []string{"People", "3 accounts", "ada@example.org", "superuser"}},
	{"person.html", "/people/2", 200, []string{"mika", "mika@example.org", "Revoke all tokens"}},
	{"members.html", "/products/1/members", 200, []string{"Members", "payments-api", "Make a member"}},
	{"password.html", "/password", 200, []string{"The new one again"}},
	{"trust-rules.html", "/trust-rules", 200, []string{"Keyless CI", "No repository is trusted yet", "https://token.actions.githubusercontent.com"}},
	{"scan-types.html", "/scan-types", 200, []string{"Trivy Scan", "trivy ", "Deduplication"}},
	{"dedup.html", "/scan-types/dedup?type=Trivy+Scan", 200, []string{"as built in", "vulnerability_ids", "Show what would change"}},
	{"error.html", "/scan-types/dedup?type=Nothing", 404, []string{"404"}},
	{"scan-types.html", "/scan-types?q=nothing+like+this", 200, []string{"No scan type of that name"}},
	{"intelligence.html", "/intelligence", 200, []string{"EPSS", "v2025.03.14 of 2026-11-21", "312,408", "old", "does not answer", "never asked"}},
	{"keys.html", "/keys", 200, []string{"next and previous row"}},
	{"integrations.html", "/integrations", 200, []string{"Connect GitHub", "No code host is connected"}},
	{"connection.html", "/integrations/connections/new", 200, []string{"New connection to GitHub", "App ID", "Workflow run"}},
	{"jira.html", "/integrations/jira", 200, []string{"our JIRA", "3 failures in a row", "503 Service Unavailable", "payments-infra", "INFRA", "what is pushed, Low and worse"}},
	{"jira-instance.html", "/integrations/jira/new", 200, []string{"New JIRA", "a claim: scans decide"}},
	{"jira-instance.html", "/integrations/jira/1", 200, []string{"https://gate.example.org/hooks/jira/00112233445566778899aabbccddeeff", "Test it"}},
	{"jira-project.html", "/integrations/jira/projects/new?product=1", 200, []string{"New JIRA project", "{{title}}"}},
	{"jira-project.html", "/integrations/jira/projects/1", 200, []string{"JIRA project INFRA", "payments-infra"}},
	{"jira-plan.html", "/integrations/jira/projects/1/plan", 200, []string{"Plan of payments-infra", "JIRA was not asked", "the instance has no password or token", "INFRA-7", "claimed fixed"}},
	{"jira-plan.html", "/integrations/jira/projects/1/plan?asked=1", 200, []string{"What is to be done by itself"}},
	{"error.html", "/findings/4711", 404, []string{"Not here", "nothing on it that you may see"}},
	{"error.html", "/findings/x", 404, []string{"Not here"}},
	{"error.html", "/nowhere", 404, []string{"Not here"}},
	{"alerts.html", "/alerts", 200, []string{"2 unread", "The gate says fail for payments-api", "Upcoming engagement"}},
	{"alerts.html", "/alerts?before=1", 200, []string{"No alert yet"}},
	{"notifications.html", "/notifications", 200, []string{"What I am told", "Verdict changed", "payments-api", "n.severity (int)"}},
	{"notifications.html", "/notifications?product=1", 200, []string{"What I am told"}},
	{"notifications.html", "/notifications?for=system", 200, []string{"What the system tells", "Days before a waiver ends", "Disclaimer, under all that is sent"}},
	{"channels.html", "/integrations/channels", 200, []string{"our Slack", "5 failures in a row", "503 Service Unavailable", "https://siem.example.org/…", "given up"}},
	{"channel.html", "/integrations/channels/41", 200, []string{"our Slack", "Send a test", "payments-web", "#payments"}},
	{"channel.html", "/integrations/channels/new?kind=mail", 200, []string{"Mail server", "starttls"}},
	{"channel.html", "/integrations/channels/new?kind=msteams", 200, []string{"Address of the workflow"}},
	{"hook.html", "/integrations/webhooks/1", 200, []string{"the SIEM", "Send again", "scan_added", "410"}},
	{"hook.html", "/integrations/webhooks/new", 200, []string{"Secret that signs"}},
	{"login.html", "", 0, nil}, // TestLogin
	{"bulk.html", "", 0, nil},  // TestBulk
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	seen := map[string]bool{}
	for _, a := range addresses {
		seen[a.page] = true
		if a.address == "" {
			continue
		}
		r := b.get(a.address)
		if r.code != a.code {
			t.Errorf("GET %s = %d, want %d\n%s", a.address, r.code, a.code, r.body)
		}
		for _, text := range a.texts {
			if !strings.Contains(r.body, text) {
				t.Errorf("GET %s does not say %q", a.address, text)
			}
		}
		checkPage(t, a.address, r)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(pages)), slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("templates that no address shows (-templates +addresses):\n%s", diff)
	}
}

// checkPage looks for what no page may have.
func checkPage(t *testing.T, address string, r response) {
	t.Helper()
	for _, bad := range []string{"<no value>", "%!", "ZgotmplZ", "<nil>", " style=", " onclick=", "0x", "javascript:"} {
		if strings.Contains(r.body, bad) {
			t.Errorf("GET %s holds %q", address, bad)
		}
	}
	if got := r.header.Get("Content-Security-Policy"); got != contentPolicy {
		t.Errorf("GET %s has the policy %q", address, got)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("GET %s may be cached: %q", address, got)
	}
	if len(r.body) > 100<<10 {
		t.Errorf("GET %s is %d bytes", address, len(r.body))
	}
}

// TestFirstLoad: what a browser fetches for its first page is small.
func TestFirstLoad(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	for _, address := range []string{"/", "/findings?status=any", "/findings/1", "/verdicts/1"} {
		page := b.get(address)
		size := len(page.body)
		for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(page.body, -1) {
			r := b.get(m[1], "Accept-Encoding", "gzip, br")
			if r.code != 200 || r.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.header.Get("Content-Encoding") != "gzip" {
				t.Errorf("GET %s = %d, %v", m[1], r.code, r.header)
			}
			size += len(r.body)
		}
		if size > 100_000 {
			t.Errorf("GET %s with all that belongs to it is %d bytes", address, size)
		}
		t.Logf("GET %s with all that belongs to it: %d bytes", address, size)
	}
	if r := b.get("/static/app.css"); r.code != 404 {
		t.Errorf("an asset without its hash = %d", r.code)
	}
	if plain := b.get(assetURL("app.css")); plain.header.Get("Content-Encoding") != "" || !strings.HasPrefix(plain.body, "/* The look") {
		t.Error("an asset for who cannot unpack it")
	}
}

// TestEmpty: a new installation says how the first report gets in, with a real
// token on request, and htmx is told when there is something.
func TestEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t, gatetest.DB(t))
	if _, err := s.db.Exec(t.Context(), `insert into users (username, password_hash, is_superuser) values ('ada', $1, true), ('new', $1, false)`, cheap.Hash(password)); err != nil {
		t.Fatal(err)
	}
	b := s.login(t, "ada")
	page := b.get("/").body
	for _, want := range []string{"No report has come yet", "export DD_URL=https://gate.example.org", "defectdojo-upload --product", "trivy fs", `hx-trigger="every 3s"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the empty overview does not say %q", want)
		}
	}
	for _, address := range []string{"/products", "/findings", "/verdicts", "/tokens"} {
		if r := b.get(address); r.code != 200 || !strings.Contains(r.body, "yet") {
			t.Errorf("GET %s = %d, and does not say that there is nothing yet", address, r.code)
		}
	}
	if r := b.get("/?waiting=1", "HX-Request", "true"); r.code != http.StatusNoContent {
		t.Errorf("while there is nothing htmx gets %d", r.code)
	}
	if r := b.post("/tokens", url.Values{"name": {"ci"}, "scope": {"import"}, "days": {"90"}}); !strings.Contains(r.body, "export DD_TOKEN=gate_") {
		t.Error("the commands do not hold the new token")
	}
	if page := s.login(t, "new").get("/").body; !strings.Contains(page, "no product that you may see") || strings.Contains(page, "Make a token") {
		t.Error("somebody without a product is not told so")
	}
	if _, err := s.db.Exec(t.Context(), `insert into test_imports (scan_type) values ('Trivy Scan')`); err != nil {
		t.Fatal(err)
	}
	if r := b.get("/?waiting=1", "HX-Request", "true"); r.code != 200 || !strings.Contains(r.body, "Open by severity") {
		t.Errorf("when there is something htmx gets %d", r.code)
	}
}

// TestPages_for_htmx: what is swapped is the main part, the title and the navigation.
func TestPages_for_htmx(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	part := b.get("/findings", "HX-Request", "true").body
	if strings.Contains(part, "<html") || !strings.HasPrefix(part, "<title>Findings") || !strings.Contains(part, `<main id="main"`) || !strings.Contains(part, `hx-swap-oob="true"`) {
		t.Errorf("htmx got\n%s", part)
	}
	if whole := b.get("/findings", "HX-Request", "true", "HX-History-Restore-Request", "true").body; !strings.HasPrefix(whole, "<!doctype html>") {
		t.Errorf("going back got\n%s", whole)
	}
	r := b.site.login(t, "").get("/findings", "HX-Request", "true")
	if got := r.header.Get("HX-Redirect"); r.code != http.StatusNoContent || got != "/login" {
		t.Errorf("without a session htmx got %d and HX-Redirect %q", r.code, got)
	}
}

// TestPages_do_not_write: GET works where nothing can be written.
func TestPages_do_not_write(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	cfg := s.db.Config().Copy()
	cfg.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	readOnly, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(readOnly.Close)
	b.site = newSite(t, readOnly)
	for _, a := range addresses {
		if a.address == "" {
			continue
		}
		if r := b.get(a.address); r.code != a.code {
			t.Errorf("GET %s on a read-only database = %d, want %d", a.address, r.code, a.code)
		}
	}
}

// TestDedupPage shows what new settings would change, stores them, tells what is
// wrong with bad ones, and takes them back.
func TestDedupPage(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	b.get("/scan-types/dedup?type=Trivy+Scan")
	send := func(do string, fields ...string) response {
		form := url.Values{"csrf": {b.csrf}, "type": {"Trivy Scan"}, "algorithm": {"hash_code"}, "field": fields, "do": {do}}
		return b.post("/scan-types/dedup", form)
	}
	if r := send("preview", "title"); r.code != 200 || !strings.Contains(r.body, "What would change") {
		t.Errorf("preview = %d\n%s", r.code, r.body)
	}
	if r := send("save", "severity"); r.code != 422 || !strings.Contains(r.body, "severity alone") || !strings.Contains(r.body, `value="severity" checked`) {
		t.Errorf("bad settings = %d\n%s", r.code, r.body)
	}
	stored := func() (n int) {
		if err := s.db.QueryRow(t.Context(), `select count(*) from dedup_settings where scan_type = 'Trivy Scan'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if r := send("save", "title", "component_name"); r.code != 303 || stored() != 1 {
		t.Errorf("save = %d\n%s", r.code, r.body)
	}
	if r := b.get("/scan-types/dedup?type=Trivy+Scan"); !strings.Contains(r.body, "changed here") || !strings.Contains(r.body, `value="component_name" checked`) {
		t.Errorf("it does not show what was saved:\n%s", r.body)
	}
	if r := send("reset"); r.code != 303 || stored() != 0 {
		t.Errorf("reset = %d\n%s", r.code, r.body)
	}
}
