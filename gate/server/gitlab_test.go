package server

import (
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

	"defectdojo/gate/connection"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
	"defectdojo/integrations/gitlab/gitlabtest"
	"defectdojo/integrations/integrationtest"
)

// gitlabNode is a node with a connection to a GitLab.
type gitlabNode struct {
	*gitlabtest.GitLab

	t    *testing.T
	s    *Server
	pool *pgxpool.Pool
	url  string
	n    int
}

func newGitLabNode(t *testing.T) *gitlabNode {
	t.Helper()
	f := gitlabtest.New(t)
	pool, key := gatetest.DB(t), seal.NewKey()
	cfg := Config{Listen: "127.0.0.1:0", Role: All, SecretKey: key, DataDir: t.TempDir(), AllowedNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	s, err := newServer(cfg, pool, "https://gate.example.org", usual)
	if err != nil {
		t.Fatal(err)
	}
	s.hooks.Mount(s.app)
	sealed, err := seal.New(key).SealObject(store.SecretsOf("gitlab-1"), map[string]string{inbound.WebhookSecret: hookSecret, gitlab.Token: gitlabtest.Token})
	if err != nil {
		t.Fatal(err)
	}
	settings, _ := json.Marshal(map[string]any{"url": f.URL, "create": []string{"group/*"}, "external_check": "DefectDojo gate"})
	if _, err := store.New(pool).AddConnection(t.Context(), store.Connection{PublicID: "gitlab-1", Kind: "gitlab", Name: "GitLab", Enabled: true, Settings: settings, Secrets: sealed}); err != nil {
		t.Fatal(err)
	}
	ln, err := listen(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		_ = s.Stop(context.Background(), func(string) {})
		<-served
	})
	return &gitlabNode{GitLab: f, t: t, s: s, pool: pool, url: "http://" + ln.Addr().String() + inbound.Path + "gitlab/gitlab-1"}
}

// tell sends a delivery as GitLab does.
func (g *gitlabNode) tell(event string) {
	g.t.Helper()
	g.n++
	g.tellAs(fmt.Sprint("msg-", g.n), event)
}

func (g *gitlabNode) tellAs(id, event string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url, strings.NewReader(event))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header = gitlabSigned().sign(hookSecret, []byte(event), id, false, time.Now())
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		g.t.Fatalf("%s: %s", event, resp.Status)
	}
}

func pipelineEvent(id int) string {
	return fmt.Sprintf(`{"object_kind":"pipeline","object_attributes":{"id":%d,"status":"success"},"project":{"id":1,"path_with_namespace":"group/shop"}}`, id)
}

// until waits until something is so.
func (g *gitlabNode) until(what string, ok func() bool) {
	g.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("in a minute this did not come true: %s\n%s", what, g.deliveries())
		}
	}
}

// still waits until all that has come in is worked and written.
func (g *gitlabNode) still() {
	g.t.Helper()
	g.until("nothing is left to do", func() bool {
		var n int
		err := g.pool.QueryRow(g.t.Context(), `select count(*) from river_job where state in ('available', 'running', 'retryable', 'pending') or state = 'scheduled' and kind not in ('judge')`).Scan(&n)
		return err == nil && n == 0
	})
}

func (g *gitlabNode) deliveries() string {
	var out string
	_ = g.pool.QueryRow(context.Background(), `select coalesce(string_agg(event || ' ' || state || ' ' || outcome, e'\n' order by id), '') from webhook_deliveries`).Scan(&out)
	return out
}

func (g *gitlabNode) outcome(part string) bool { return strings.Contains(g.deliveries(), part) }

// TestGitLab goes from a push to a red status and a note at the merge request,
// and on to all that must not undo it.
func TestGitLab(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	const log4j, spring, lodash = "CVE-2021-44228", "CVE-2022-22965", "CVE-2020-8203"

	g.Run(1, 30, "main", "push", 1, lodash)
	g.tell(pipelineEvent(30))
	g.until("main is green", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(1)), "gate/shop success") })

	// A merge request with a new critical finding.
	g.Merge(12, 1, "feature", 2, 0)
	g.tell(`{"object_kind":"merge_request","object_attributes":{"iid":12,"action":"open"},"project":{"id":1}}`)
	g.until("pending", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(2)), "gate/shop pending") })
	g.Run(1, 32, "refs/merge-requests/12/head", "merge_request_event", 2, lodash, log4j)
	g.Merge(12, 1, "feature", 2, 32)
	before, began := len(g.Requests()), time.Now()
	g.tellAs("once", pipelineEvent(32))
	g.until("red", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(2)), "gate/shop failed") })
	took := time.Since(began)
	g.until("a note", func() bool { return strings.Contains(g.Note(12), log4j) })
	g.still()
	t.Logf("webhook → status %s, %d requests for the verdict", took.Round(time.Millisecond), len(g.Requests())-before)
	if s := g.Status(gitlabtest.Commit(2)); !strings.Contains(s, "new-critical: 1 > 0") {
		t.Errorf("status: %s", s)
	}
	if len(g.Answers) != 1 || g.Answers[0]["status"] != "failed" || g.Answers[0]["sha"] != gitlabtest.Commit(2) {
		t.Errorf("external status check: %v", g.Answers)
	}

	// The same again, in two ways; and an older pipeline that was late.
	writes := g.Count(http.MethodPost, "/statuses/") + g.Count("", "/notes")
	g.tellAs("once", pipelineEvent(32))
	g.tell(pipelineEvent(32))
	g.Run(1, 31, "refs/merge-requests/12/head", "merge_request_event", 3, lodash)
	g.tell(pipelineEvent(31))
	g.until("the older is known as such", func() bool { return g.outcome("newer pipeline") })
	g.still()
	if n := g.Count(http.MethodPost, "/statuses/") + g.Count("", "/notes"); n != writes || !strings.HasPrefix(g.Status(gitlabtest.Commit(2)), "gate/shop failed") {
		t.Errorf("%d writes more; %s", n-writes, g.Status(gitlabtest.Commit(2)))
	}

	// The fix: the note is changed in place.
	g.Run(1, 33, "refs/merge-requests/12/merge", "merge_request_event", 4, lodash)
	g.Merge(12, 1, "feature", 4, 33)
	g.tell(pipelineEvent(33))
	g.until("green", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(4)), "gate/shop success") })
	g.until("the note says so", func() bool { return strings.Contains(g.Note(12), "Passed") })
	if note := g.Note(12); strings.Contains(note, "ANOTHER NOTE") || strings.Contains(note, log4j) {
		t.Errorf("notes: %s", note)
	}

	// A merge train, whose commit is its own.
	g.Run(1, 34, "refs/merge-requests/12/train", "merge_request_event", 5, lodash)
	g.tell(pipelineEvent(34))
	g.until("the train is green", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(5)), "gate/shop success") })

	// A fork's pipeline runs in the fork; it may add, and closes nothing of ours.
	g.Run(2, 40, "refs/merge-requests/13/head", "merge_request_event", 6, spring)
	g.Merge(13, 2, "main", 6, 40)
	g.tell(`{"object_kind":"merge_request","object_attributes":{"iid":13,"action":"open"},"project":{"id":1}}`)
	g.until("the fork is judged", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(6)), "gate/shop failed") })
	g.until("its note", func() bool { return strings.Contains(g.Note(13), spring) })
	var active, untrusted int
	if err := g.pool.QueryRow(t.Context(), `
		select (select count(*) from findings f join tests t on t.id = f.test_id join engagements e on e.id = t.engagement_id where e.name = 'main' and f.active),
		       (select count(*) from test_imports where untrusted)`).Scan(&active, &untrusted); err != nil || active != 1 || untrusted != 1 {
		t.Errorf("main has %d active findings, %d imports are untrusted, %v", active, untrusted, err)
	}

	// What no delivery told of is found.
	g.Run(1, 50, "main", "push", 7, lodash, spring)
	if err := g.s.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.until("the reconciler finds it", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(7)), "gate/shop failed") })
	g.still()
	requests := len(g.Requests())
	if err := g.s.reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.still()
	if n := len(g.Requests()) - requests; n > 3 {
		t.Errorf("nothing new, and %d requests", n)
	}

	// An archive that cannot be read is no report without findings.
	g.Run(1, 60, "main", "push", 8)
	g.Locked(func() { g.Archives["1/600"] = []byte("this is no archive") })
	g.tell(pipelineEvent(60))
	g.until("a problem is told", func() bool {
		return strings.Contains(g.Status(gitlabtest.Commit(8)), "failed: The reports could not be read")
	})
	if g.outcome(gitlabtest.Token) {
		t.Error("a delivery's outcome tells the token")
	}
}

// TestGitLab_faults: whatever GitLab answers in between, each place is written
// once, and says the right thing in the end.
func TestGitLab_faults(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	g.Run(1, 30, "main", "push", 1)
	g.tell(pipelineEvent(30))
	g.until("main is green", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(1)), "gate/shop success") })
	faults := slices.DeleteFunc(integrationtest.Faults(time.Now()), func(f struct {
		integrationtest.Fault
		Temporary bool
	},
	) bool {
		return !slices.Contains([]string{"429", "500 after", "reset", "reset after"}, f.Name) // a retry takes seconds, and these differ in what they leave
	})
	for i, f := range faults {
		n := 100 + i
		g.Run(1, n, fmt.Sprintf("refs/merge-requests/%d/head", n), "merge_request_event", n, "CVE-2021-44228")
		g.Merge(n, 1, fmt.Sprint("feature", n), n, n)
		g.Fail(http.MethodPost, "/statuses/"+gitlabtest.Commit(n), 1, f.Fault)
		g.Fail(http.MethodPost, fmt.Sprintf("/merge_requests/%d/notes", n), 1, f.Fault)
		g.Fail(http.MethodGet, fmt.Sprintf("/pipelines/%d", n), 1, f.Fault)
		g.tell(pipelineEvent(n))
		g.until(f.Name+": red", func() bool { return strings.HasPrefix(g.Status(gitlabtest.Commit(n)), "gate/shop failed") })
		g.until(f.Name+": a note", func() bool { return strings.Contains(g.Note(n), "CVE-2021-44228") })
		g.still()
		if strings.Contains(g.Note(n), "ANOTHER NOTE") {
			t.Errorf("%s: more than one note", f.Name)
		}
		if _, err := g.pool.Exec(t.Context(), `delete from channel_health`); err != nil { // the next fault is of another day
			t.Fatal(err)
		}
	}
	t.Logf("%d faults × 3 places", len(faults))
}

// TestGitLab_connection connects a GitLab as the settings do: what is wrong is
// told by field, a try says how it went, and no secret comes out again.
func TestGitLab_connection(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	c, who := g.s.connections, store.AuditEvent{Actor: "ada"}
	settings := func(more string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"url":%q%s}`, g.URL, more))
	}
	for field, d := range map[string]connection.Draft{
		"token":          {Settings: settings("")},
		"url":            {Settings: json.RawMessage(`{"url":"ftp://x"}`), Secrets: map[string]string{"token": gitlabtest.Token}},
		"artifact_hosts": {Settings: settings(`,"artifact_hosts":["https://x"]`), Secrets: map[string]string{"token": gitlabtest.Token}},
		"artifacts":      {Settings: settings(`,"artifacts":["["]`), Secrets: map[string]string{"token": gitlabtest.Token}},
	} {
		d.Kind, d.Name = "gitlab", "wrong"
		if _, _, err := c.Save(t.Context(), who, d); err == nil || !strings.HasPrefix(err.Error(), field+":") || strings.Contains(err.Error(), gitlabtest.Token) {
			t.Errorf("%s: %v", field, err)
		}
	}
	id, secret, err := c.Save(t.Context(), who, connection.Draft{
		Kind: "gitlab", Name: "group", Enabled: true, Settings: settings(`,"group":"group","create":["group/*"]`), Secrets: map[string]string{"token": gitlabtest.Token},
	})
	if err != nil || len(secret) < 32 {
		t.Fatal(secret, err)
	}
	if said, works, err := c.Try(t.Context(), id); err != nil || !works || said != "GitLab 18.5.0 knows us as gate-bot, with access to 1 projects of group." {
		t.Errorf("try: %q %v %v", said, works, err)
	}
	if n, err := c.Sync(t.Context(), id); err != nil || n != 1 {
		t.Errorf("sync: %d %v", n, err)
	}
	v, err := c.Get(t.Context(), id)
	if err != nil || !v.Has["token"] || len(v.Secrets) != 0 || !strings.Contains(v.Webhook, "/hooks/gitlab/") {
		t.Errorf("%+v %v", v, err)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(g.url, "gitlab-1")+v.PublicID, strings.NewReader(`{"object_kind":"wiki_page"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(gitlab.TokenHeader, secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("the secret that was made: %s", resp.Status)
	}
	if _, _, err := c.Save(t.Context(), who, connection.Draft{ID: id, Kind: "gitlab", Name: "group", Enabled: true, Settings: settings(""), Secrets: map[string]string{"token": "glpat-of-nobody-at-all-42"}}); err != nil {
		t.Fatal(err)
	}
	if said, works, err := c.Try(t.Context(), id); err != nil || works || !strings.Contains(said, "401") || strings.Contains(said, "glpat") {
		t.Errorf("try with a wrong token: %q %v %v", said, works, err)
	}
}
