package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
	"defectdojo/integrations/github/githubtest"
	"defectdojo/integrations/integrationtest"
)

// forge is a node that is connected to a GitHub.
type forge struct {
	t    *testing.T
	hub  *githubtest.GitHub
	node *Server
	url  string // of the webhook
	pool *pgxpool.Pool
	conn int64
	sent int
}

// connect starts a node that works its jobs, connected to a fake GitHub as an
// App, or with a token.
func connect(t *testing.T, asApp bool, change func(*github.Settings)) *forge {
	t.Helper()
	f := &forge{t: t, hub: githubtest.New(t), pool: gatetest.DB(t)}
	cfg := Config{
		Listen: "127.0.0.1:0", Role: All, MaxReport: 10 << 20, SecretKey: seal.NewKey(), DataDir: t.TempDir(), SiteURL: "https://gate.example.org",
		AllowedNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}
	var err error
	if f.node, err = New(cfg, f.pool, cfg.SiteURL); err != nil {
		t.Fatal(err)
	}
	ln, err := listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.node.Serve(ln) }()
	t.Cleanup(func() {
		_ = f.node.Stop(context.Background(), func(string) {})
		ln.Close()
		<-served
	})

	settings := github.Settings{URL: f.hub.URL, Hosts: []string{f.hub.BlobHost()}}
	secrets := map[string]string{inbound.WebhookSecret: hookSecret, github.Token: githubtest.Token}
	if asApp {
		settings.AppID = githubtest.AppID
		secrets = map[string]string{inbound.WebhookSecret: hookSecret, github.PrivateKey: githubtest.PrivateKey()}
	}
	settings.Create = []string{githubtest.Owner + "/*"}
	if change != nil {
		change(&settings)
	}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := f.node.box.SealObject(store.SecretsOf("hub"), secrets)
	if err != nil {
		t.Fatal(err)
	}
	f.conn, err = f.node.store.AddConnection(t.Context(), store.Connection{PublicID: "hub", Kind: "github", Name: "hub", Enabled: true, Settings: text, Secrets: sealed})
	if err != nil {
		t.Fatal(err)
	}
	f.url = "http://" + ln.Addr().String() + inbound.Path + "github/hub"
	return f
}

// deliver sends a webhook and waits until it is worked. It returns what became of it.
func (f *forge) deliver(event string, body []byte) store.Delivery {
	f.t.Helper()
	f.sent++
	return f.deliverAs(fmt.Sprint("d", f.sent), event, body)
}

func (f *forge) deliverAs(id, event string, body []byte) store.Delivery {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header = githubtest.Sign(hookSecret, event, id, body)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		f.t.Fatalf("delivery %s of %s: %d", id, event, resp.StatusCode)
	}
	var d store.Delivery
	f.wait("the delivery "+id+" is worked", func() bool {
		list, err := f.node.store.Deliveries(f.t.Context(), f.conn, 100)
		if err != nil {
			f.t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(d store.Delivery) bool { return d.DeliveryID == id })
		d = list[i]
		return d.State != store.DeliveryQueued
	})
	return d
}

// wait waits for a state.
func (f *forge) wait(what string, reached func() bool) {
	f.t.Helper()
	for range 3000 {
		f.hub.Locked(func() {}) // what the fake is at is over
		if reached() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	rows, _ := f.pool.Query(context.Background(), `select kind, state::text, args::text, coalesce(errors[array_upper(errors, 1)]::text, '') from river_job where state <> 'completed'`)
	for rows.Next() {
		var kind, state, args, last string
		_ = rows.Scan(&kind, &state, &args, &last)
		f.t.Logf("job %s %s %s %.500s", kind, state, args, last)
	}
	f.t.Fatalf("%s: not within a minute", what)
}

// quiet waits until nothing is left to be told or sent.
func (f *forge) quiet() {
	f.t.Helper()
	f.wait("all is sent", func() bool {
		var n int
		if err := f.pool.QueryRow(f.t.Context(), `
			select count(*) from river_job where kind in ('event', 'send', 'receive') and state not in ('completed', 'cancelled', 'discarded')`).Scan(&n); err != nil {
			f.t.Fatal(err)
		}
		return n == 0
	})
}

// check returns the newest check run at a commit.
func (f *forge) check(sha string) githubtest.Check {
	var out githubtest.Check
	f.hub.Locked(func() {
		for _, k := range f.hub.Checks {
			if k.SHA == sha {
				out = *k
			}
		}
	})
	return out
}

// sarif is a report of critical findings at lines of app/main.py.
func sarif(lines ...int) string {
	var results []string
	for _, n := range lines {
		results = append(results, fmt.Sprintf(`{"ruleId":"sql-injection","level":"error","message":{"text":"SQL injection number %d"},
			"locations":[{"physicalLocation":{"artifactLocation":{"uri":"app/main.py"},"region":{"startLine":%d}}}]}`, n, n))
	}
	return `{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"tool":{"driver":{"name":"Tester","version":"1",
		"rules":[{"id":"sql-injection","properties":{"security-severity":"9.8"}}]}},"invocations":[{"executionSuccessful":true}],"results":[` + strings.Join(results, ",") + `]}]}`
}

func artifact(id int64, report string) githubtest.Artifact {
	return githubtest.Artifact{ID: id, Name: "scan-results", Zip: githubtest.Zip(map[string]string{"tester.sarif": report, "README.txt": "how to read this"})}
}

// baseline has main scanned with one finding.
func (f *forge) baseline() {
	f.t.Helper()
	d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 1, Event: "push", Branch: "main", SHA: githubtest.SHA("base")}, artifact(1, sarif(1))))
	if d.State != store.DeliveryDone {
		f.t.Fatalf("baseline: %s: %s", d.State, d.Outcome)
	}
	f.quiet()
}

// TestGitHub_push_to_red is the whole way: a pull request is opened, its
// workflow scans, and its check turns red, with annotations and a comment.
func TestGitHub_push_to_red(t *testing.T) {
	t.Parallel()
	f := connect(t, true, func(s *github.Settings) { s.CodeScanning = true })
	f.baseline()
	if k := f.check(githubtest.SHA("base")); k.Conclusion != "success" || k.Name != "gate/shop" {
		t.Fatalf("main: %+v", k)
	}

	head := githubtest.SHA("red")
	f.hub.Locked(func() {
		f.hub.Pulls[12] = githubtest.Pull{Number: 12, State: "open", SHA: head, Ref: "feature", Base: "main", HeadRepo: githubtest.Repository, HeadOwner: githubtest.Owner}
	})
	f.deliver("pull_request", githubtest.Event(map[string]any{"action": "opened", "pull_request": map[string]any{"number": 12}}))
	f.quiet()
	if k := f.check(head); k.Status != "in_progress" || k.Conclusion != "" {
		t.Fatalf("opened: %+v", k)
	}

	f.hub.Forget()
	lines := []int{1}
	for n := 2; n <= 121; n++ {
		lines = append(lines, n)
	}
	start := time.Now()
	d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "pull_request", Branch: "feature", SHA: head, Pulls: []int{12}}, artifact(2, sarif(lines...))))
	if d.State != store.DeliveryDone {
		t.Fatalf("%s: %s", d.State, d.Outcome)
	}
	f.wait("the check is red", func() bool { return f.check(head).Conclusion == "failure" })
	red := time.Since(start)
	f.quiet()
	requests := len(f.hub.Requests())
	k := f.check(head)
	if k.Status != "completed" || len(f.hub.Checks) != 2 || !strings.HasPrefix(k.Title, "Failed: ") || !strings.HasPrefix(k.URL, "https://gate.example.org/verdicts/") {
		t.Errorf("check: %+v", k)
	}
	if len(k.Annotations) < 50 || k.Annotations[0]["path"] != "app/main.py" || k.Annotations[0]["annotation_level"] != "failure" {
		t.Errorf("%d annotations, the first %v", len(k.Annotations), k.Annotations[:1])
	}
	if len(f.hub.Comments) != 1 || f.hub.Comments[0].Number != 12 || !strings.HasPrefix(f.hub.Comments[0].Body, "<!-- gate:shop: -->") || !strings.Contains(f.hub.Comments[0].Body, "SQL injection") {
		t.Fatalf("comments: %+v", f.hub.Comments)
	}
	if len(f.hub.SARIFs) != 2 {
		t.Errorf("%d uploads to code scanning", len(f.hub.SARIFs))
	}
	t.Logf("webhook to red check: %s; %d requests for the verdict with %d annotations, comment and code scanning", red.Round(time.Millisecond), requests, len(k.Annotations))

	// The same again, by a redelivery and by a rerun: nothing is written.
	f.hub.Forget()
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "pull_request", Branch: "feature", SHA: head, Pulls: []int{12}}, artifact(2, sarif(lines...))))
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Attempt: 2, Event: "pull_request", Branch: "feature", SHA: head, Pulls: []int{12}}, artifact(3, sarif(lines...))))
	f.quiet()
	if n := f.hub.Count("POST", "/repos/") + f.hub.Count("PATCH", "/repos/"); n != 0 {
		t.Errorf("the same verdict was written %d times again", n)
	}

	// Fixed by the next commit: green, and the one comment edited.
	fixed := githubtest.SHA("green")
	f.hub.Locked(func() { p := f.hub.Pulls[12]; p.SHA = fixed; f.hub.Pulls[12] = p })
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 3, Event: "pull_request", Branch: "feature", SHA: fixed, Pulls: []int{12}}, artifact(4, sarif(1))))
	f.quiet()
	if k := f.check(fixed); k.Conclusion != "success" {
		t.Errorf("fixed: %+v", k)
	}
	if len(f.hub.Comments) != 1 || f.hub.Comments[0].Edits != 1 || !strings.Contains(f.hub.Comments[0].Body, "Passed") {
		t.Errorf("comment: %d, %d edits: %.100s", len(f.hub.Comments), f.hub.Comments[0].Edits, f.hub.Comments[0].Body)
	}

	// A late run of the older commit changes nothing there.
	f.hub.Forget()
	late := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Attempt: 3, Event: "pull_request", Branch: "feature", SHA: head, Pulls: []int{12}}, artifact(5, sarif(1, 7))))
	f.quiet()
	if late.State != store.DeliveryIgnored || f.check(fixed).Conclusion != "success" || f.hub.Comments[0].Edits != 1 {
		t.Errorf("a late run: %s %s, %+v", late.State, late.Outcome, f.check(fixed))
	}

	// Somebody presses "re-run" at the check: a new one is made.
	before := len(f.hub.Checks)
	f.deliver("check_run", githubtest.Event(map[string]any{"action": "rerequested", "check_run": map[string]any{"head_sha": fixed}}))
	f.quiet()
	if len(f.hub.Checks) != before+1 || f.check(fixed).Conclusion != "success" {
		t.Errorf("re-run: %d checks, %+v", len(f.hub.Checks)-before, f.check(fixed))
	}
}

// TestGitHub_faults: whatever goes wrong on the way, in the end there is one
// check run with one set of annotations and one comment.
func TestGitHub_faults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for retries")
	}
	f := connect(t, true, nil)
	f.baseline()
	n := int64(10)
	places := []struct{ method, part string }{{"GET", "/artifacts"}, {"POST", "/check-runs"}, {"POST", "/comments"}}
	for i, fault := range integrationtest.Faults(time.Now()) {
		if !fault.Temporary {
			continue
		}
		for j, where := range places {
			if fault.After && j == 0 || !fault.After && i%3 != j { // each fault somewhere; those with an effect at every write
				continue
			}
			n++
			fault.Delay, fault.Header = 0, http.Header{}
			if fault.Name == "429" || strings.HasPrefix(fault.Name, "403") || fault.Name == "503" {
				fault.Header.Set("Retry-After", "1")
			}
			head := githubtest.SHA(fmt.Sprint("head", n))
			branch := fmt.Sprint("feature", n)
			f.hub.Locked(func() {
				f.hub.Pulls[int(n)] = githubtest.Pull{Number: int(n), State: "open", SHA: head, Ref: branch, Base: "main", HeadRepo: githubtest.Repository, HeadOwner: githubtest.Owner}
			})
			f.hub.Fail(where.method, where.part, 1, fault.Fault)
			if d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: n, Event: "pull_request", Branch: branch, SHA: head, Pulls: []int{int(n)}}, artifact(n, sarif(1, 2, 3)))); d.State != store.DeliveryDone {
				t.Fatalf("%s at %s: %s %s", fault.Name, where.part, d.State, d.Outcome)
			}
			f.quiet()
			checks, comments, annotated := 0, 0, 0
			f.hub.Locked(func() {
				for _, k := range f.hub.Checks {
					if k.SHA == head {
						checks, annotated = checks+1, annotated+len(k.Annotations)
					}
				}
				for _, k := range f.hub.Comments {
					if k.Number == int(n) {
						comments++
					}
				}
			})
			if checks != 1 || comments != 1 || annotated != 2 || f.check(head).Conclusion != "failure" {
				t.Errorf("%s at %s: %d check runs with %d annotations, %d comments, %s", fault.Name, where.part, checks, annotated, comments, f.check(head).Conclusion)
			}
			f.hub.Heal()
		}
	}
	t.Logf("%d ways to fail", n-10)
}

// TestGitHub_token: with a token instead of an App there are commit statuses.
func TestGitHub_token(t *testing.T) {
	t.Parallel()
	f := connect(t, false, nil)
	f.baseline()
	head := githubtest.SHA("red")
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "push", Branch: "main", SHA: head}, artifact(2, sarif(1, 2))))
	f.quiet()
	if len(f.hub.Checks) != 0 || len(f.hub.Statuses) != 2 {
		t.Fatalf("%d checks, statuses %+v", len(f.hub.Checks), f.hub.Statuses)
	}
	if s := f.hub.Statuses[1]; s.State != "failure" || s.Context != "gate/shop" || s.SHA != head {
		t.Errorf("%+v", s)
	}
}

// TestGitHub_forks: what a fork's build says may add findings and nothing else.
func TestGitHub_forks(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.hub.Locked(func() {
		f.hub.Files["main:"+inbound.PolicyFile] = "rules: [{id: nothing-new, select: {severity: critical, delta: [introduced]}, max: 0}]\n"
		f.hub.Files["main:x"] = ""
	})
	f.baseline()
	head := githubtest.SHA("fork")
	f.hub.Locked(func() {
		f.hub.Pulls[5] = githubtest.Pull{Number: 5, State: "open", SHA: head, Ref: "main", Base: "main", HeadRepo: githubtest.ForkID, HeadOwner: "mallory"}
		f.hub.Files[head+":"+inbound.PolicyFile] = "rules: []\n"
	})
	// Its branch is called main, too, and its report says that nothing is there but something new.
	d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "pull_request", Branch: "main", SHA: head, HeadRepo: githubtest.ForkID, HeadOwner: "mallory"}, artifact(2, sarif(9))))
	f.quiet()
	if d.State != store.DeliveryDone {
		t.Fatalf("%s: %s", d.State, d.Outcome)
	}
	if k := f.check(head); k.Conclusion != "failure" || !strings.Contains(k.Summary, "nothing-new") {
		t.Errorf("the check of the fork: %+v", k)
	}
	var open, untrusted, engagements int
	if err := f.pool.QueryRow(t.Context(), `
		select (select count(*) from findings f join engagements e on e.id = f.engagement_id where e.name = 'main' and f.active and not f.duplicate),
		       (select count(*) from test_imports where untrusted), (select count(*) from engagements where name = 'mallory:main' and deduplication_on_engagement)`).
		Scan(&open, &untrusted, &engagements); err != nil {
		t.Fatal(err)
	}
	if open != 1 || untrusted != 1 || engagements != 1 {
		t.Errorf("main has %d open findings, %d untrusted reports, %d branches of the fork", open, untrusted, engagements)
	}
}

// TestGitHub_bad_artifacts: an artifact that cannot be read is no clean scan.
func TestGitHub_bad_artifacts(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	n := int64(20)
	for name, a := range map[string][]byte{
		"no zip":               []byte("this is no zip"),
		"cut short":            githubtest.Zip(map[string]string{"tester.sarif": sarif(1)[:200]}),
		"no report":            githubtest.Zip(map[string]string{"notes.txt": "nothing here"}),
		"zip in zip":           githubtest.Zip(map[string]string{"a.zip": string(githubtest.Zip(map[string]string{"tester.sarif": sarif(1)}))}),
		"too many":             githubtest.Zip(many(1200)),
		"two reports, one bad": githubtest.Zip(map[string]string{"a.sarif": sarif(1), "b.sarif": strings.Replace(sarif(2), `"results":[{`, `"results":[{"`, 1)}),
	} {
		n++
		head := githubtest.SHA(name)
		d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: n, Event: "push", Branch: "main", SHA: head}, githubtest.Artifact{ID: n, Name: "scan-results", Zip: a}))
		f.quiet()
		if k := f.check(head); d.State != store.DeliveryFailed || k.Conclusion != "failure" || k.Title != "The reports could not be read" {
			t.Errorf("%s: %s %s, %+v", name, d.State, d.Outcome, k)
		} else {
			t.Logf("%s: %s", name, d.Outcome)
		}
	}
}

func many(n int) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprint("f", i)] = "x"
	}
	return out
}

// TestGitHub_reconciler finds runs that nobody told of, and has GitHub send again what failed.
func TestGitHub_reconciler(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	head := githubtest.SHA("lost")
	f.hub.Did(githubtest.Run{ID: 7, Event: "push", Branch: "main", SHA: head, Updated: time.Now().Add(-10 * time.Minute)}, artifact(7, sarif(1, 2)))
	now := time.Now()
	f.hub.Locked(func() {
		f.hub.Deliveries = []githubtest.Delivery{
			{ID: 1, GUID: "failed", At: now.Add(-time.Minute), Status: 503},
			{ID: 2, GUID: "fine", At: now.Add(-time.Minute), Status: 202},
			{ID: 4, GUID: "healed", At: now.Add(-time.Minute), Status: 202},
			{ID: 3, GUID: "healed", At: now.Add(-2 * time.Minute), Status: 500},
			{ID: 5, GUID: "d1", At: now.Add(-3 * time.Minute), Status: 500}, // it came, and the answer was lost
		}
	})
	for range 2 {
		if err := f.node.reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.quiet()
	}
	if k := f.check(head); k.Conclusion != "failure" {
		t.Errorf("the lost run: %+v", k)
	}
	if n := f.hub.Count("GET", "/runs/7/artifacts"); n != 1 {
		t.Errorf("the lost run was looked at %d times", n)
	}
	if !slices.Equal(f.hub.Redelivers, []int64{1, 1}) && !slices.Equal(f.hub.Redelivers, []int64{1}) {
		t.Errorf("delivered again: %v", f.hub.Redelivers)
	}
}

// TestGitHub_pulled_is_judged_once: who fetches reports judges them, knowing the
// build. No job that knows less comes after it, which could turn what cannot be
// read into what passes.
func TestGitHub_pulled_is_judged_once(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	head := githubtest.SHA("half")
	d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "push", Branch: "main", SHA: head}, artifact(2, sarif(1)),
		githubtest.Artifact{ID: 3, Name: "scan-results-2", Zip: githubtest.Zip(map[string]string{"b.sarif": strings.Replace(sarif(2), `"results":[{`, `"results":[{"`, 1)})}))
	f.quiet()
	var later int
	if err := f.pool.QueryRow(t.Context(), `select count(*) from river_job where kind = 'judge'`).Scan(&later); err != nil || later != 0 {
		t.Errorf("%d jobs judge later: %v", later, err)
	}
	if k := f.check(head); d.State != store.DeliveryFailed || k.Conclusion != "failure" || k.Title != "The reports could not be read" {
		t.Errorf("one of two reports cannot be read: %s %s, %+v", d.State, d.Outcome, k)
	}
}
