package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/jira"
	"defectdojo/integrations/jira/jiratest"
)

// office is a node that is connected to a JIRA, over HTTP alone.
type office struct {
	t     *testing.T
	jira  *jiratest.Server
	pool  *pgxpool.Pool
	url   string
	token string
	node  *Server
	root  int64
	said  strings.Builder // all answers
	sent  int
}

// kept is a log that can be read.
type kept struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps a line.
func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.Write(p)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String()
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, jira: jiratest.New(t), pool: gatetest.DB(t)}
	cfg := Config{
		Listen: "127.0.0.1:0", Role: All, MaxReport: 10 << 20, SecretKey: seal.NewKey(), DataDir: t.TempDir(), SiteURL: "https://gate.example.org",
		AllowedNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}
	node, err := New(cfg, o.pool, cfg.SiteURL)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- node.Serve(ln) }()
	t.Cleanup(func() {
		_ = node.Stop(context.Background(), func(string) {})
		ln.Close()
		<-served
	})
	o.node, o.url = node, "http://"+ln.Addr().String()
	root, err := node.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "root", IsActive: true, IsSuperuser: true}})
	if err != nil {
		t.Fatal(err)
	}
	o.root = root.ID
	if o.token, _, err = node.auth.AddToken(t.Context(), root, auth.NewToken{Name: "t", Scope: gate.ScopeAll}); err != nil {
		t.Fatal(err)
	}
	return o
}

// call makes a request that must get a status, and returns the answer.
func (o *office) call(want int, method, path, kind string, body io.Reader) map[string]any {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, body)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+o.token)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want {
		o.t.Fatalf("%s %s = %d %s, want %d", method, path, resp.StatusCode, b, want)
	}
	if !strings.Contains(path, "webhook_secret") { // the one answer that shows a secret
		o.said.Write(b)
	}
	var v map[string]any
	_ = json.Unmarshal(b, &v)
	return v
}

func (o *office) json(want int, method, path, body string) map[string]any {
	o.t.Helper()
	return o.call(want, method, path, "application/json", strings.NewReader(body))
}

// report uploads findings by their titles: High ones.
func (o *office) report(path string, fields map[string]string, titles ...string) map[string]any {
	o.t.Helper()
	return o.upload(path, fields, "High", titles...)
}

// critical is report with a first finding that is High and others that are Critical.
func (o *office) critical(path string, fields map[string]string, titles ...string) map[string]any {
	o.t.Helper()
	return o.upload(path, fields, "Critical", titles...)
}

func (o *office) upload(path string, fields map[string]string, severity string, titles ...string) map[string]any {
	o.t.Helper()
	var findings []map[string]any
	for i, title := range titles {
		worse := map[bool]string{true: "High", false: severity}[i == 0]
		findings = append(findings, map[string]any{"title": title, "severity": worse, "description": "d"})
	}
	content, err := json.Marshal(map[string]any{"findings": findings})
	if err != nil {
		o.t.Fatal(err)
	}
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		_ = m.WriteField(k, v)
	}
	_ = m.WriteField("scan_type", "Generic Findings Import")
	f, err := m.CreateFormFile("file", "report.json")
	if err != nil {
		o.t.Fatal(err)
	}
	_, _ = f.Write(content)
	_ = m.Close()
	return o.call(http.StatusCreated, http.MethodPost, path, m.FormDataContentType(), &b)
}

// instance connects the JIRA.
func (o *office) instance() map[string]any {
	o.t.Helper()
	return o.json(201, "POST", "/api/v2/jira_instances/", fmt.Sprintf(`{"url":%q,"username":%q,"password":%q,"default_issue_type":"Bug","epic_name_id":0,"open_status_key":11,
		"close_status_key":31,"info_mapping_severity":"Trivial","low_mapping_severity":"Low","medium_mapping_severity":"Medium","high_mapping_severity":"High",
		"critical_mapping_severity":"Highest"}`, o.jira.URL, o.jira.Username, o.jira.Secret))
}

// until waits for a query to be true.
func (o *office) until(what, sql string, args ...any) {
	o.t.Helper()
	for range 3000 {
		var ok bool
		if err := o.pool.QueryRow(o.t.Context(), sql, args...).Scan(&ok); err != nil {
			o.t.Fatal(err)
		}
		if ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	rows, _ := o.pool.Query(o.t.Context(), `select concat_ws(' ', state, jira_key, claim, error, due, leased_until) from jira_issues union all
		select concat_ws(' ', kind, state, args, errors[array_upper(errors, 1)]) from river_job where state <> 'completed'`)
	all, _ := pgx.CollectRows(rows, pgx.RowTo[string])
	o.t.Fatalf("this did not come true: %s\n%s", what, strings.Join(all, "\n"))
}

// deliver sends a webhook as JIRA signs it.
func (o *office) deliver(hook, secret, key string, want int) {
	o.t.Helper()
	o.sent++
	body := o.jira.Event("jira:issue_updated", key)
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, strings.Replace(hook, "https://gate.example.org", o.url, 1), bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(jira.SignatureHeader, jira.Sign(body, secret))
	r.Header.Set(jira.IdentifierHeader, fmt.Sprint("d", o.sent))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		o.t.Fatalf("a webhook is answered %d, want %d", resp.StatusCode, want)
	}
}

// TestJIRA: an import makes one ticket for each finding; closed there it is a
// claim, which the next scan confirms; what nobody will do asks for a waiver.
// On the way no secret gets into a log, an answer or the database. It runs by
// itself: it reads the log.
func TestJIRA(t *testing.T) { //nolint:paralleltest // see above
	log := &kept{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	o := newOffice(t)
	inst := o.instance()
	at := fmt.Sprintf("/api/v2/jira_instances/%v/", inst["id"])
	o.json(200, "POST", at+"test/", "")
	hook := o.json(200, "POST", at+"webhook_secret/", "")
	url, secret := fmt.Sprint(hook["webhook_url"]), fmt.Sprint(hook["webhook_secret"])

	first := o.report("/api/v2/import-scan/", map[string]string{"product_type_name": "T", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true"}, "one", "two", "three")
	project := o.json(201, "POST", "/api/v2/jira_projects/", fmt.Sprintf(`{"jira_instance":%v,"product":%v,"project_key":"SEC","push_all_issues":true}`, inst["id"], first["product_id"]))
	again := map[string]string{"test": fmt.Sprint(first["test_id"])}
	o.report("/api/v2/reimport-scan/", again, "one", "two", "three")
	o.until("three tickets", `select count(*) = 3 from jira_issues where state = 'linked' and due is null`)
	o.report("/api/v2/reimport-scan/", again, "one", "two", "three")
	o.until("they are looked at again", `select count(*) = 3 and bool_and(wanted >= 2) from jira_issues where state = 'linked' and due is null`)
	if got := len(o.jira.Issues()); got != 3 {
		t.Fatalf("%d issues for 3 findings", got)
	}

	key := func(title string) string {
		var k string
		if err := o.pool.QueryRow(t.Context(), `select jira_key from jira_issues j join findings f on f.id = j.finding_id where f.title = $1`, title).Scan(&k); err != nil {
			t.Fatal(err)
		}
		return k
	}
	claim := `select claim = $2 from jira_issues where jira_key = $1`
	o.jira.Move(key("one"), "Done", "Done")
	o.deliver(url, "wrong", key("one"), http.StatusUnauthorized)
	o.deliver(url, secret, key("one"), http.StatusAccepted)
	o.until("a claim", claim, key("one"), "claimed_fixed")
	o.jira.Move(key("two"), "Done", "Done")
	o.deliver(url, secret, key("two"), http.StatusAccepted)
	o.until("another", claim, key("two"), "claimed_fixed")
	o.jira.Move(key("three"), "Won't Do", "Won't Do")
	o.deliver(url, secret, key("three"), http.StatusAccepted)
	o.until("a waiver is asked for", `select count(*) = 1 from waivers where state = 'requested' and document ->> 'ticket' = $1`, key("three"))

	o.report("/api/v2/reimport-scan/", again, "two", "three")
	o.until("one is confirmed", `select not f.active and f.is_mitigated and j.claim = '' from jira_issues j join findings f on f.id = j.finding_id where f.title = 'one'`)
	o.until("two is open again", `select f.active and j.claim = '' and not j.agreed_done from jira_issues j join findings f on f.id = j.finding_id where f.title = 'two'`)
	o.until("all is done", `select count(*) = 0 from jira_issues where due is not null`)
	for _, i := range o.jira.Issues() {
		if open := i.Key == key("two"); i.Open() != open {
			t.Errorf("%s is %s", i.Key, i.Status)
		}
	}

	o.jira.Fault = func(jiratest.Call) jiratest.Fault { return jiratest.Unauthorized } // with the channel's error
	o.json(200, "PATCH", fmt.Sprintf("/api/v2/findings/%d/", 2), `{"push_to_jira":true}`)
	o.until("the failure is noted", `select count(*) = 1 from channel_health where channel = 'jira' and last_error like '%401%'`)
	o.json(400, "POST", at+"test/", "")
	for _, path := range []string{"/api/v2/jira_instances/", "/api/v2/jira_projects/", "/api/v2/jira_finding_mappings/", fmt.Sprintf("/api/v2/jira_projects/%v/plan/", project["id"])} {
		o.json(200, "GET", path, "")
	}
	o.leaks(log.String(), o.jira.Secret, secret)
}

// leaks looks for secrets in the log, in all answers and in every table, also
// as bytes.
func (o *office) leaks(log string, secrets ...string) {
	o.t.Helper()
	rows, _ := o.pool.Query(o.t.Context(), `select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 40 {
		o.t.Fatal(len(tables), err)
	}
	for _, s := range secrets {
		if strings.Contains(log, s) {
			o.t.Error("a secret is in the log")
		}
		if strings.Contains(o.said.String(), s) {
			o.t.Error("a secret is in an answer")
		}
		for _, table := range tables {
			var n int
			sql := `select count(*) from ` + pgx.Identifier{table}.Sanitize() + ` x where position($1 in x::text) > 0 or position($2 in x::text) > 0`
			if err := o.pool.QueryRow(o.t.Context(), sql, s, hex.EncodeToString([]byte(s))).Scan(&n); err != nil || n != 0 {
				o.t.Errorf("a secret is in table %s: %d, %v", table, n, err)
			}
		}
	}
	o.t.Logf("%d secrets looked for in %d bytes of log, %d bytes of answers and %d tables", len(secrets), len(log), o.said.Len(), len(tables))
}
