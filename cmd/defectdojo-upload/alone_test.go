package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "gocloud.dev/blob/memblob" // mem://

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/gatetest"
	node "defectdojo/gate/server"
	"defectdojo/gate/store"
)

// site is a real node, with a proxy before it that can be told to fail.
type site struct {
	url   string // of the proxy
	token string
	store *store.Store
	proxy *proxy
	user  int64
}

func newSite(t *testing.T) *site {
	t.Helper()
	pool := gatetest.DB(t)
	n, err := node.New(node.Config{Role: node.Web, BlobURL: "mem://", MaxReport: 1 << 20, DataDir: t.TempDir()}, pool, "https://gate.example")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go n.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = n.Stop(ctx, func(string) {})
	})
	s := &site{store: store.New(pool)}
	u, err := s.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "ci", IsActive: true, IsSuperuser: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.user = u.ID
	if s.token, _, err = auth.New(s.store, auth.Config{}).AddToken(t.Context(), u, auth.NewToken{Name: "ci", Scope: gate.ScopeImport}); err != nil {
		t.Fatal(err)
	}
	s.proxy = newProxy(t, "http://"+l.Addr().String())
	s.url = s.proxy.url
	return s
}

// proxy passes requests on until it is told where to break.
type proxy struct {
	url   string
	fault atomic.Pointer[fault]
}

// fault is where a request breaks: of a method at a path, how.
type fault struct {
	path string // ends so; "" any
	how  string // connect, upload, lost, hang, status
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	pass := httputil.NewSingleHostReverseProxy(u)
	pass.ErrorLog = nil
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.fault.Load()
		if f == nil || !strings.HasSuffix(r.URL.Path, f.path) {
			pass.ServeHTTP(w, r)
			return
		}
		switch f.how {
		case "upload": // cut in the middle of what is sent
			_, _ = io.CopyN(io.Discard, r.Body, 100)
		case "lost": // done, and the answer does not arrive
			pass.ServeHTTP(discard{http.Header{}}, r)
		case "hang": // never answered
			<-r.Context().Done()
		case "status":
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case "half": // the answer is cut
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"verdict_id": 1, "ver`)
		}
		panic(http.ErrAbortHandler)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	p.url = "http://" + l.Addr().String()
	return p
}

// discard is a ResponseWriter that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// job is a CI job that runs the uploader.
type job struct {
	t   *testing.T
	env map[string]string
}

func (s *site) job(t *testing.T, env ...string) *job {
	t.Helper()
	j := &job{t, map[string]string{"DD_URL": s.url, "DD_TOKEN": s.token, "DD_CACHE_DIR": t.TempDir(), "DD_TIMEOUT": "20s"}}
	for i := 0; i < len(env); i += 2 {
		j.env[env[i]] = env[i+1]
	}
	return j
}

// run runs the uploader, and returns its exit code and what it wrote.
func (j *job) run(args ...string) (gate.ExitCode, string, string) {
	j.t.Helper()
	// kong reads the process's environment, which tests share: flags instead.
	flags := map[string]string{"DD_URL": "--url", "DD_TOKEN": "--token", "DD_CACHE_DIR": "--cache", "DD_TIMEOUT": "--timeout", "DD_KEY_FILE": "--key"}
	for name, flag := range flags {
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, flag+"=") }) {
			continue
		}
		if v := j.env[name]; v != "" && takes(args, flag) {
			args = append(args, flag+"="+v)
		}
	}
	var out, errs bytes.Buffer
	code := run(j.t.Context(), args, terminal{
		stdin: strings.NewReader(j.env["STDIN"]), stdout: &out, stderr: &errs, getenv: func(name string) string { return j.env[name] },
		sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return code, out.String(), errs.String()
}

// takes tells whether a command has a flag.
func takes(args []string, flag string) bool {
	switch args[0] {
	case "policy":
		return args[1] == "explain" && (flag == "--url" || flag == "--cache")
	case "verify":
		return flag == "--cache" || flag == "--key"
	case "waiver":
		return flag != "--cache" && flag != "--key"
	}
	return true
}

// must runs it, and expects an exit code.
func (j *job) must(want gate.ExitCode, args ...string) (stdout, stderr string) {
	j.t.Helper()
	code, stdout, stderr := j.run(args...)
	if code != want {
		j.t.Fatalf("%q: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout, stderr
}

// generic writes a report: "title:severity" each.
func generic(t *testing.T, findings ...string) string {
	t.Helper()
	list := []map[string]any{}
	for _, f := range findings {
		title, severity, _ := strings.Cut(f, ":")
		list = append(list, map[string]any{
			"title": title, "severity": severity, "description": "About " + title, "file_path": "a.go", "line": len(title), "static_finding": true, "dynamic_finding": false,
		})
	}
	b, err := json.Marshal(map[string]any{"findings": list})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// decided is what must be the same here and there.
type decided struct {
	Overall    gate.Decision
	Conclusive bool
	Exit       gate.ExitCode
	Why        []string
	Deltas     map[gate.Delta]int
	Rules      []string
	Baseline   string
	Views      []string
}

func decide(v *gate.Verdict) decided {
	d := decided{Overall: v.Overall, Conclusive: v.Conclusive, Exit: v.Exit, Why: v.Why, Deltas: v.Deltas}
	if v.Baseline != nil {
		d.Baseline = v.Baseline.Kind + " " + v.Baseline.Commit
	}
	for _, p := range v.Policies {
		for _, r := range p.Rules {
			d.Rules = append(d.Rules, fmt.Sprintf("%s/%s %s %d+%d of %d", p.Name, r.ID, r.Outcome, r.Observed, r.Unknown, r.Max))
		}
	}
	for _, f := range v.Findings {
		d.Views = append(d.Views, fmt.Sprintf("%s %s %s %s", f.Fingerprint, f.Title, f.Delta, f.Code))
	}
	return d
}

func verdictOf(t *testing.T, stdout string) *gate.Verdict {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || a.Verdict == nil {
		t.Fatalf("no verdict: %v\n%s", err, stdout)
	}
	return a.Verdict
}

// TestAlone kills the server at each step of the protocol: the verdict that is
// made here is the one that the server makes of the same later.
func TestAlone(t *testing.T) {
	t.Parallel()
	steps := []struct {
		name  string
		fault fault
		args  []string // of the build
		from  []string // its report
		want  gate.ExitCode
	}{
		{"connect", fault{"", "connect"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"upload_cut", fault{"/reimport-scan/", "upload"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"answer_lost", fault{"/reimport-scan/", "lost"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "Second:Low"}, gate.ExitPassed},
		{"unavailable", fault{"/reimport-scan/", "status"}, []string{"--branch=main", "--commit=c2"}, []string{"Second:Low"}, gate.ExitPassed},
		{"verdict_refused", fault{"/verdicts/", "connect"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"verdict_answer_lost", fault{"/verdicts/", "lost"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical"}, gate.ExitPassed},
		{"verdict_cut", fault{"/verdicts/", "half"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"verdict_timeout", fault{"/verdicts/", "hang"}, []string{"--branch=main", "--commit=c2", "--timeout=2s"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"reopened", fault{"", "connect"}, []string{"--branch=main", "--commit=c2"}, []string{"Old:Critical", "Closed:Critical"}, gate.ExitFailed},
		{"pull_request", fault{"", "connect"}, []string{"--branch=feature", "--target-branch=main", "--pull-request=7", "--commit=f1"}, []string{"Old:Critical", "New:Critical"}, gate.ExitFailed},
		{"pull_request_good", fault{"", "connect"}, []string{"--branch=feature", "--target-branch=main", "--pull-request=7", "--commit=f1"}, []string{"Old:Critical"}, gate.ExitPassed},
		{"empty", fault{"", "connect"}, []string{"--branch=main", "--commit=c2"}, nil, gate.ExitPassed},
	}
	s := newSite(t)
	for _, step := range steps { // one after the other: they share the proxy
		j := s.job(t)
		product := "--product=" + step.name
		upload := func(args ...string) []string {
			return append([]string{"upload", product, "--scan-type=Generic Findings Import", "--on-unreachable=local", "--format=json"}, args...)
		}
		j.must(gate.ExitPassed, upload("--branch=main", "--commit=c0", generic(t, "Old:Critical", "Closed:Critical"))...)
		j.must(gate.ExitPassed, upload("--branch=main", "--commit=c1", generic(t, "Old:Critical"))...) // the bundle knows this
		s.proxy.fault.Store(&step.fault)
		code, stdout, stderr := j.run(upload(append(step.args, generic(t, step.from...))...)...)
		if code != step.want || !strings.Contains(stderr, "PROVISIONAL") {
			t.Errorf("%s: exit code %d, want %d\n%s%s", step.name, code, step.want, stdout, stderr)
			s.proxy.fault.Store(nil)
			continue
		}
		here := verdictOf(t, stdout)
		if !here.Provisional {
			t.Errorf("%s: the verdict is not provisional", step.name)
		}
		if _, stderr = j.must(gate.ExitUnreachable, "flush", "--timeout=3s"); step.fault.path == "" && !strings.Contains(stderr, "does not answer") {
			t.Errorf("%s: flush says\n%s", step.name, stderr)
		}
		s.proxy.fault.Store(nil)
		stdout, stderr = j.must(gate.ExitPassed, "flush")
		if !strings.Contains(stdout, "1 sent, 0 refused") || !strings.Contains(stderr, "the server judges it as was judged here") {
			t.Errorf("%s: flush says\n%s%s", step.name, stdout, stderr)
		}
		there := s.lastVerdict(t, step.name)
		if diff := cmp.Diff(decide(there), decide(here)); diff != "" {
			t.Errorf("%s (-server +here):\n%s", step.name, diff)
		}
		if stdout, _ := j.must(gate.ExitPassed, "flush"); !strings.Contains(stdout, "0 sent") {
			t.Errorf("%s: sent twice: %s", step.name, stdout)
		}
	}
}

// lastVerdict is the newest verdict of a product.
func (s *site) lastVerdict(t *testing.T, product string) *gate.Verdict {
	t.Helper()
	p, err := s.store.ProductByName(t.Context(), product)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.store.Verdicts(t.Context(), store.VerdictFilter{Scope: gate.Scope{All: true}, Numbers: map[string][]int64{"product": {p.ID}}, Page: store.Page{Limit: 1}})
	if err != nil || len(list.Rows) == 0 {
		t.Fatalf("no verdict of %s: %v", product, err)
	}
	return &list.Rows[0].Document
}
