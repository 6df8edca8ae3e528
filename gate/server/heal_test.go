package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/enrich"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
)

// live is a whole node that works its jobs, with people who use its API.
type live struct {
	t     *testing.T
	node  *Server
	pool  *pgxpool.Pool
	root  string
	token map[string]string // by user
	kev   string            // the catalogue's file
	at    int               // releases of the catalogue
}

func newLive(t *testing.T) *live {
	t.Helper()
	l := &live{t: t, pool: gatetest.DB(t), token: map[string]string{}, kev: filepath.Join(t.TempDir(), "kev.json")}
	l.exploit()
	cfg := Config{
		Listen: "127.0.0.1:0", Role: All, MaxReport: 1 << 20, SecretKey: seal.NewKey(), DataDir: t.TempDir(),
		Intel: enrich.Places{EPSS: enrich.Off, KEV: l.kev, OSV: enrich.Off},
	}
	var err error
	if l.node, err = New(cfg, l.pool, "http://gate.example"); err != nil {
		t.Fatal(err)
	}
	ln, err := listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.node.Serve(ln) }()
	t.Cleanup(func() {
		_ = l.node.Stop(context.Background(), func(string) {})
		ln.Close()
		<-served
	})
	l.root = "http://" + ln.Addr().String() + "/api/v2"
	for _, name := range []string{"dev", "boss"} {
		u, err := l.node.store.AddUser(t.Context(), store.Account{User: gate.User{Username: name, IsActive: true, IsSuperuser: true}})
		if err == nil {
			l.token[name], _, err = l.node.auth.AddToken(t.Context(), u, auth.NewToken{Name: "t", Scope: gate.ScopeAll})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// exploit writes a newer catalogue of what is exploited: a thousand others, and these.
func (l *live) exploit(cves ...string) {
	l.t.Helper()
	l.at++
	var list []map[string]string
	for n := range 1000 {
		cves = append(cves, fmt.Sprintf("CVE-1999-%04d", n+1))
	}
	for _, c := range cves {
		list = append(list, map[string]string{"cveID": c, "dateAdded": "2026-01-02", "dueDate": "2026-02-02", "knownRansomwareCampaignUse": "Unknown"})
	}
	b, err := json.Marshal(map[string]any{
		"catalogVersion": fmt.Sprintf("v%d", l.at), "dateReleased": now().Add(time.Duration(l.at-10) * time.Minute).UTC(), "count": len(list), "vulnerabilities": list,
	})
	if err == nil {
		err = os.WriteFile(l.kev, b, 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// call calls the API as somebody, and returns the answer, which must be good.
func (l *live) call(who, method, path string, body any) map[string]any {
	l.t.Helper()
	content, ok := body.(*form)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			l.t.Fatal(err)
		}
		content = &form{kind: "application/json", text: b}
	}
	r, err := http.NewRequestWithContext(l.t.Context(), method, l.root+path, bytes.NewReader(content.text))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+l.token[who])
	r.Header.Set("Content-Type", content.kind)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		l.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, b, err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		l.t.Fatal(err)
	}
	return out
}

// form is the body of an upload.
type form struct {
	kind string
	text []byte
}

func upload(t *testing.T, report any, fields map[string]string) *form {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		_ = w.WriteField(k, v)
	}
	part, err := w.CreateFormFile("file", "bom.json")
	if err == nil {
		err = json.NewEncoder(part).Encode(report)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return &form{w.FormDataContentType(), b.Bytes()}
}

// wait waits for a state, and tells what jobs there are if it is not reached.
func (l *live) wait(what string, reached func() bool) {
	l.t.Helper()
	for range 6000 {
		if reached() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	l.t.Fatalf("%s: not within two minutes; jobs:\n%s", what, l.text(`
		select coalesce(string_agg(kind || ' ' || state::text || ' ' || args::text || coalesce(errors[array_upper(errors, 1)]::text, ''), E'\n'), '')
		from river_job where state <> 'completed'`))
}

func (l *live) text(sql string, args ...any) string {
	l.t.Helper()
	var s string
	if err := l.pool.QueryRow(l.t.Context(), sql, args...).Scan(&s); err != nil {
		l.t.Fatal(err)
	}
	return s
}

func (l *live) exec(sql string, args ...any) {
	l.t.Helper()
	if _, err := l.pool.Exec(l.t.Context(), sql, args...); err != nil {
		l.t.Fatal(err)
	}
}

// told returns how many verdicts were told, and how many of them as one that
// says other than before, once nothing is left to be followed.
func (l *live) told() (events, flips string) {
	l.t.Helper()
	l.wait("all is followed", func() bool {
		return l.text(`select count(*)::text from river_job where kind in ('event', 'review') and state not in ('completed', 'cancelled', 'discarded')`) == "0" &&
			l.text(`select count(*)::text from reviews`) == "0"
	})
	return l.text(`select count(*)::text from river_job where kind = 'event' and args -> 'event' ->> 'kind' = 'verdict'`),
		l.text(`select count(*)::text from river_job where kind = 'event' and args -> 'event' ->> 'kind' = 'verdict' and (args -> 'event' ->> 'flipped')::boolean`)
}

// TestHeals follows a verdict through all that can turn it, on a node that
// works its jobs: each turn is announced once, and what turns nothing is not.
// Nobody runs the pipeline again.
func TestHeals(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	policy := l.call("dev", "POST", "/policies/", map[string]any{
		"name": "strict", "source": "{apiVersion: gate/v1, kind: GatePolicy, metadata: {name: strict}, spec: {rules: [{id: no-critical, select: {severity: critical}, max: 0}]}}",
	})
	in := l.call("dev", "POST", "/reimport-scan/", upload(t, map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5",
		"components": []any{map[string]any{"type": "library", "bom-ref": "a", "name": "a", "version": "1.0", "purl": "pkg:npm/a@1.0"}},
		"vulnerabilities": []any{
			map[string]any{"id": "CVE-2026-0001", "ratings": []any{map[string]any{"severity": "critical"}}, "description": "The critical one", "affects": []any{map[string]any{"ref": "a"}}},
			map[string]any{"id": "CVE-2026-0002", "ratings": []any{map[string]any{"severity": "low"}}, "description": "The low one", "affects": []any{map[string]any{"ref": "a"}}},
		},
	}, map[string]string{
		"scan_type": "CycloneDX Scan", "product_type_name": "t", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true", "branch_tag": "main", "commit_hash": "c1",
	}))
	first := l.call("dev", "POST", "/verdicts/", map[string]any{"engagement": in["engagement_id"], "branch": "main", "commit": "c1", "event": "push"})
	if o := first["verdict"].(map[string]any)["overall"]; o != "fail" {
		t.Fatalf("the first verdict is %v", o)
	}
	finding := func(severity string) string {
		return l.text(`select id::text from findings where severity = $1`, map[string]int{"low": int(gate.Low), "critical": int(gate.Critical)}[severity])
	}
	var waiver map[string]any
	steps := []struct {
		name  string
		do    func()
		want  string
		cause string
	}{
		{"a finding that decides nothing is a false positive", func() {
			l.call("dev", "PATCH", "/findings/"+finding("low")+"/", map[string]any{"false_p": true, "active": false, "verified": false})
		}, "fail", "triage"},
		{"the one that decides is a false positive", func() {
			l.call("dev", "PATCH", "/findings/"+finding("critical")+"/", map[string]any{"false_p": true, "active": false, "verified": false})
		}, "pass", "triage"},
		{"it is none", func() {
			l.call("dev", "PATCH", "/findings/"+finding("critical")+"/", map[string]any{"false_p": false, "active": true})
		}, "fail", "triage"},
		{"a waiver is approved", func() {
			waiver = l.call("dev", "POST", "/waivers/", map[string]any{
				"product": in["product_id"], "match": map[string]any{"vulnerability": "CVE-2026-0001", "purl": "pkg:npm/a@1.0"}, "reason": "template() never sees it", "days": 10,
			})
			l.call("boss", "POST", fmt.Sprintf("/waivers/%v/approve/", waiver["id"]), nil)
		}, "pass", "waiver"},
		{"it expires", func() {
			l.exec(`update waivers set expires = now() - interval '1 minute', document = jsonb_set(document, '{expires}', to_jsonb(now() - interval '1 minute'))`)
			l.exec(`update verdicts set valid_until = now() - interval '1 minute' where superseded_by is null`)
			l.exec(`insert into river_job (args, kind, max_attempts, queue, state) values ('{}', 'expire', 1, 'review', 'available')`) // as each minute
		}, "fail", "expired"},
		{"the policy asks for less", func() {
			l.call("dev", "PATCH", fmt.Sprintf("/policies/%v/", policy["id"]), map[string]any{
				"source": "{apiVersion: gate/v1, kind: GatePolicy, metadata: {name: strict}, spec: {rules: [{id: exploited, when: f.kev, unknown: inconclusive, max: 0}]}}",
			})
		}, "pass", "policy"},
		{"it is exploited now", func() {
			l.exploit("CVE-2026-0001")
			if _, err := l.node.enricher.Refresh(t.Context(), now()); err != nil {
				t.Fatal(err)
			}
		}, "fail", "intel"},
	}
	l.wait("the catalogue is there", func() bool {
		return l.text(`select count(*)::text from vulnerabilities where known_exploited`) == "1000"
	})
	last := "fail"
	for _, s := range steps {
		events, flips := l.told()
		before := l.text(`select max(id)::text from verdicts`)
		s.do()
		l.wait(s.name, func() bool { return l.text(`select max(id)::text from verdicts`) != before })
		gotEvents, gotFlips := l.told()
		overall := l.text(`select overall || ' ' || cause || ' ' || announce::text || ' ' || replaces::text from verdicts where superseded_by is null`)
		turned := s.want != last
		if want := fmt.Sprintf("%s %s %v %s", s.want, s.cause, turned, before); overall != want {
			t.Errorf("%s: the verdict that stands is %q, want %q; why %s", s.name, overall, want, l.text(`select document ->> 'why' from verdicts where superseded_by is null`))
		}
		if more := map[bool]int{true: 1}[turned]; count(gotEvents)-count(events) != more || count(gotFlips)-count(flips) != more {
			t.Errorf("%s: told %s times after %s, %s turns after %s; want %d more", s.name, gotEvents, events, gotFlips, flips, more)
		}
		last = s.want
	}
}

func count(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

// TestBacktestLive has a policy tried by a worker: asked for, polled, cancelled.
func TestBacktestLive(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	in := l.call("dev", "POST", "/reimport-scan/", upload(t, map[string]any{"findings": []any{
		map[string]any{"title": "One", "severity": "Medium", "description": "d", "file_path": "a.go", "line": 1},
	}}, map[string]string{
		"scan_type": "Generic Findings Import", "product_type_name": "t", "product_name": "shop", "engagement_name": "main", "auto_create_context": "true", "branch_tag": "main", "commit_hash": "c1",
	}))
	const verdicts = 3
	for range verdicts {
		l.call("dev", "POST", "/verdicts/", map[string]any{"engagement": in["engagement_id"], "branch": "main", "commit": "c1", "event": "push"})
	}
	body := map[string]any{"days": 7, "source": "{apiVersion: gate/v1, kind: GatePolicy, metadata: {name: candidate}, spec: {rules: [{id: nothing, max: 0}]}}"}
	b := l.call("dev", "POST", "/policies/backtest/", body)
	path := fmt.Sprintf("/backtests/%v/", b["id"])
	l.wait("the backtest is done", func() bool { return l.call("dev", "GET", path, nil)["state"] == "done" })
	done := l.call("dev", "GET", path, nil)
	result := done["result"].(map[string]any)
	if done["percent"] != 100.0 || result["verdicts"] != float64(verdicts) || len(result["newly_blocked"].([]any)) != verdicts {
		t.Errorf("done: %v", done)
	}
	l.node.jobs.Stop(t.Context())
	b = l.call("dev", "POST", "/policies/backtest/", body)
	path = fmt.Sprintf("/backtests/%v/", b["id"])
	if b["state"] != "queued" {
		t.Errorf("nobody works, and it is %v", b["state"])
	}
	if c := l.call("dev", "POST", path+"cancel/", nil); c["state"] != "cancelled" {
		t.Errorf("cancelled: %v", c)
	}
}
