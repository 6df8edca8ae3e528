package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/fault"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
	"defectdojo/integrations/github/githubtest"
	"defectdojo/integrations/gitlab"
	"defectdojo/integrations/gitlab/gitlabtest"
	"defectdojo/integrations/integrationtest"
)

// teller is a code host that the server tells of verdicts, and dies meanwhile.
type teller interface {
	// change makes a change with findings that are new and returns its webhook.
	change(n int) (event string, body []byte)
	// fix runs the change's build again, without them; late brings an older build.
	fix(n int) (event string, body []byte)
	late(n int) (event string, body []byte)
	sign(event, id string, body []byte) http.Header
	// shown returns what people see at a change: how often, and whether it is good.
	shown(n int) string
	fake() *integrationtest.Fake
}

const tellerSecret = "the webhook's secret"

// onGitHub is GitHub, told by an App with check runs or by a token with statuses.
type onGitHub struct {
	*githubtest.GitHub
	asApp bool
}

// criticals is a report of n critical findings.
func criticals(n int) map[string]string {
	var results []string
	for i := range n {
		results = append(results, fmt.Sprintf(`{"ruleId":"r","level":"error","message":{"text":"weakness %d"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"app/main.py"},"region":{"startLine":%d}}}]}`, i+1, i+1))
	}
	return map[string]string{"tester.sarif": `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Tester","rules":[{"id":"r","properties":{"security-severity":"9.8"}}]}},"invocations":[{"executionSuccessful":true}],"results":[` + strings.Join(results, ",") + `]}]}`}
}

// annotated is how many annotations a change gets: more than one request takes.
const annotated = 60

func (g onGitHub) build(n, id, findings int) (string, []byte) {
	head, branch := githubtest.SHA(fmt.Sprint(n)), fmt.Sprint("change", n)
	r := githubtest.Run{ID: int64(id), Event: "pull_request", Branch: branch, SHA: head, Pulls: []int{n}}
	if n == 0 {
		r.Event, r.Branch, r.SHA, r.Pulls = "push", "main", githubtest.SHA("base"), nil
	} else {
		g.Locked(func() {
			g.Pulls[n] = githubtest.Pull{Number: n, State: "open", SHA: head, Ref: branch, Base: "main", HeadRepo: githubtest.Repository, HeadOwner: githubtest.Owner}
		})
	}
	return "workflow_run", g.Did(r, githubtest.Artifact{ID: int64(id), Name: "scan-results", Zip: githubtest.Zip(criticals(findings))})
}

func (g onGitHub) change(n int) (string, []byte) { return g.build(n, 10*n+2, min(n, 1)*annotated+1) }
func (g onGitHub) fix(n int) (string, []byte)    { return g.build(n, 10*n+3, 1) }
func (g onGitHub) late(n int) (string, []byte)   { return g.build(n, 10*n+1, annotated+5) }

func (onGitHub) sign(event, id string, body []byte) http.Header {
	return githubtest.Sign(tellerSecret, event, id, body)
}

func (g onGitHub) fake() *integrationtest.Fake { return g.Fake }

func (g onGitHub) shown(n int) (out string) {
	head := githubtest.SHA(fmt.Sprint(n))
	g.Locked(func() {
		for _, k := range g.Checks {
			if k.SHA == head {
				lines := map[any]bool{}
				for _, a := range k.Annotations {
					lines[a["start_line"]] = true
				}
				out += fmt.Sprintf("check %s with %d annotations at %d lines; ", k.Conclusion, len(k.Annotations), len(lines))
			}
		}
		for _, s := range g.Statuses {
			if s.SHA == head {
				out += "status " + s.State + "; "
			}
		}
		for _, k := range g.Comments {
			if k.Number == n {
				out += fmt.Sprintf("comment, passed: %v; ", strings.Contains(k.Body, "Passed"))
			}
		}
	})
	return out
}

// onGitLab is GitLab.
type onGitLab struct{ *gitlabtest.GitLab }

func (g onGitLab) build(n, id int, cves ...string) (string, []byte) {
	ref, source := fmt.Sprintf("refs/merge-requests/%d/head", n), "merge_request_event"
	if n == 0 {
		ref, source = "main", "push"
	}
	g.Run(1, id, ref, source, n+1, append(cves, "CVE-2020-8203")...)
	if n != 0 {
		g.Merge(n, 1, fmt.Sprint("change", n), n+1, id)
	}
	return "", fmt.Appendf(nil, `{"object_kind":"pipeline","object_attributes":{"id":%d,"status":"success"},"project":{"id":1}}`, id)
}

func (g onGitLab) change(n int) (string, []byte) {
	if n == 0 {
		return g.build(0, 12)
	}
	return g.build(n, 10*n+12, "CVE-2021-44228")
}

func (g onGitLab) fix(n int) (string, []byte) { return g.build(n, 10*n+13) }

func (g onGitLab) late(n int) (string, []byte) {
	event, body := g.build(n, 10*n+11, "CVE-2022-22965")
	g.Merge(n, 1, fmt.Sprint("change", n), n+1, 10*n+13) // its newest pipeline stays
	return event, body
}

func (onGitLab) sign(_, id string, _ []byte) http.Header {
	return http.Header{"X-Gitlab-Token": {tellerSecret}, "Idempotency-Key": {id}, "Content-Type": {"application/json"}}
}

func (g onGitLab) fake() *integrationtest.Fake { return g.Fake }

func (g onGitLab) shown(n int) (out string) {
	notes := strings.Count(g.Note(n), "<!-- gate:")
	passed := strings.Contains(g.Note(n), "Passed")
	g.Locked(func() {
		for _, s := range g.Statuses {
			if s["sha"] == gitlabtest.Commit(n+1) {
				out += fmt.Sprintf("status %s; ", s["status"])
			}
		}
	})
	return out + fmt.Sprintf("%d note, passed: %v; ", notes, passed)
}

// telling is a server that is connected to code hosts.
type telling struct {
	t     *testing.T
	host  host
	db    *pgxpool.Pool
	hosts map[string]teller
	sent  int
}

func newTelling(t *testing.T) *telling {
	t.Helper()
	key := seal.NewKey()
	address := database(t, "", "")
	w := &telling{t: t, host: newHost(t, "DD_DATABASE_URL="+address, "DD_CREDENTIAL_AES_256_KEY="+key.String(), "DD_ALLOWED_NETWORKS=127.0.0.0/8,::1/128"), hosts: map[string]teller{
		"app": onGitHub{githubtest.New(t), true}, "token": onGitHub{githubtest.New(t), false}, "gitlab": onGitLab{gitlabtest.New(t)},
	}}
	srv := w.host.start()
	var err error
	if w.db, err = pgxpool.New(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	for name, h := range w.hosts {
		w.connect(name, h, seal.New(key))
		event, body := h.change(0)
		if err := w.deliver(srv, name, event, body); err != nil {
			t.Fatal(err)
		}
	}
	w.quiet()
	srv.end(syscall.SIGTERM)
	return w
}

func (w *telling) connect(name string, h teller, box *seal.Box) {
	w.t.Helper()
	kind := "github"
	settings := map[string]any{"url": h.fake().URL, "create": []string{"*/*"}, "product": name}
	secrets := map[string]string{inbound.WebhookSecret: tellerSecret}
	switch h := h.(type) {
	case onGitLab:
		kind = "gitlab"
		secrets[gitlab.Token] = gitlabtest.Token
	case onGitHub:
		settings["artifact_hosts"] = []string{h.BlobHost()}
		if secrets[github.Token] = githubtest.Token; h.asApp {
			settings["app_id"] = githubtest.AppID
			secrets[github.PrivateKey] = githubtest.PrivateKey()
		}
	}
	text, err := json.Marshal(settings)
	if err != nil {
		w.t.Fatal(err)
	}
	sealed, err := box.SealObject(store.SecretsOf(name), secrets)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := store.New(w.db).AddConnection(w.t.Context(), store.Connection{PublicID: name, Kind: kind, Name: name, Enabled: true, Settings: text, Secrets: sealed}); err != nil {
		w.t.Fatal(err)
	}
}

// deliver sends a webhook, as often as it takes until it is kept.
func (w *telling) deliver(srv *foreground, name, event string, body []byte) error {
	w.sent++
	kind := "github"
	if name == "gitlab" {
		kind = name
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, srv.site+inbound.Path+kind+"/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = w.hosts[name].sign(event, fmt.Sprint("delivery-", w.sent), body)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("webhook: %s", resp.Status)
	}
	return nil
}

// quiet waits until all that came in is worked, and all that follows is told.
func (w *telling) quiet() {
	w.t.Helper()
	for end := time.Now().Add(4 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var left int
		if err := w.db.QueryRow(w.t.Context(), `select count(*) from river_job where kind in ('event', 'send', 'receive') and state not in ('completed', 'cancelled', 'discarded')`).Scan(&left); err != nil {
			w.t.Fatal(err)
		}
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%d jobs are left after minutes", left)
		}
	}
}

// die has the server die over the n-th change of a code host: at a point of its
// own, or when the host has done what a request asked for and has not answered.
func (w *telling) die(name, at string, n int) {
	w.t.Helper()
	doomed := w.host
	method, part, byRequest := strings.Cut(at, " ")
	if !byRequest {
		doomed.env = append(append([]string{}, w.host.env...), "DD_FAULT="+at)
	}
	srv := doomed.start()
	event, body := w.hosts[name].change(n)
	dead := make(chan struct{})
	if byRequest {
		w.hosts[name].fake().After(func(r integrationtest.Request) {
			if r.Method == method && strings.Contains(r.Path, part) {
				srv.Process.Kill()
				<-dead
			}
		})
	}
	err := w.deliver(srv, name, event, body)
	<-srv.rest
	srv.Wait()
	close(dead)
	w.hosts[name].fake().After(nil)
	if err != nil { // it died before, over what an earlier one left: as good, and this change is still to come
		w.die(name, at, n)
		return
	}
	if ws, ok := srv.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		w.t.Errorf("%s, %s: the server ended with %s\n%s", name, at, srv.ProcessState, srv.log)
	}
}

// TestKilledWhileTelling kills the server between telling a code host and noting
// it, at points of its own and after each kind of request: in the end there is
// one check run or status and one comment of each change, and they say what is
// so. An older build that comes late changes nothing.
func TestKilledWhileTelling(t *testing.T) {
	t.Parallel()
	type kill struct{ host, at string }
	kills := []kill{{"app", fault.Told}, {"app", "POST /check-runs"}, {"app", "PATCH /check-runs"}, {"token", "POST /statuses"}, {"gitlab", fault.Told}, {"gitlab", "POST /notes"}}
	rounds, long := 1, os.Getenv("DD_LONG_TESTS") != ""
	if long {
		rounds = 10
		kills = append(kills, kill{"app", fault.Leased}, kill{"app", fault.Noted}, kill{"app", "POST /comments"}, kill{"token", fault.Told}, kill{"gitlab", "POST /statuses"})
	}
	w := newTelling(t)
	count := map[string]int{}
	for range rounds {
		for _, k := range kills {
			count[k.host]++
			w.die(k.host, k.at, count[k.host])
		}
	}
	if !long { // as if others had waited until it is certain that the node is dead
		for _, sql := range []string{
			`update nodes set seen = seen - interval '10 minutes'`, `update river_job set attempted_at = attempted_at - interval '10 minutes' where state = 'running'`,
			`update publications set lease_until = lease_until - interval '10 minutes'`,
		} {
			if _, err := w.db.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	srv := w.host.start()
	again := map[string]int{} // of each host, the last changes are built anew
	for name, n := range count {
		again[name] = n - n/2 + 1
		for i := again[name]; i <= n; i++ { // while what died may still be under way
			event, body := w.hosts[name].fix(i)
			if err := w.deliver(srv, name, event, body); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.quiet()
	for name, n := range count {
		for i := again[name]; i <= n; i++ {
			event, body := w.hosts[name].late(i)
			if err := w.deliver(srv, name, event, body); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.quiet()
	red := map[string]string{
		"app": "check failure with 60 annotations at 60 lines; comment, passed: false; ", "token": "status failure; comment, passed: false; ",
		"gitlab": "status failed; 1 note, passed: false; ",
	}
	good := map[string]*regexp.Regexp{ // what was told before stays behind; of a check run, with the annotations that it had by then
		"app":    regexp.MustCompile(`^(check (failure|cancelled) with (\d+) annotations at (\d+) lines; )*check success with 0 annotations at 0 lines; comment, passed: true; $`),
		"token":  regexp.MustCompile(`^(status (failure|error); )*status success; comment, passed: true; $`),
		"gitlab": regexp.MustCompile(`^(status (failed|canceled); )*status success; 1 note, passed: true; $`),
	}
	for name, n := range count {
		for i := 1; i <= n; i++ {
			got := w.hosts[name].shown(i)
			if i < again[name] && got != red[name] {
				t.Errorf("%s, change %d: %s", name, i, got)
			}
			if i >= again[name] && !good[name].MatchString(got) {
				t.Errorf("%s, change %d, built again: %s", name, i, got)
			}
		}
	}
	srv.end(syscall.SIGTERM)
	t.Logf("%d kills", rounds*len(kills))
}
