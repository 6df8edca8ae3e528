package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "gocloud.dev/blob/memblob" // mem://

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/client"
	"defectdojo/gate/gatetest"
	node "defectdojo/gate/server"
	"defectdojo/gate/store"
)

// server is a node on a real listener.
type server struct {
	url, token string
	store      *store.Store
}

func newServer(t *testing.T) server {
	t.Helper()
	pool := gatetest.DB(t)
	node, err := node.New(node.Config{Role: node.Web, BlobURL: "mem://", MaxReport: 1 << 20}, pool, "https://gate.example")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go node.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = node.Stop(ctx, func(string) {})
	})
	s := store.New(pool)
	u, err := s.AddUser(t.Context(), store.Account{User: gate.User{Username: "ci", IsActive: true, IsSuperuser: true}})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := auth.New(s, auth.Config{}).AddToken(t.Context(), u, auth.NewToken{Name: "ci", Scope: gate.ScopeImport})
	if err != nil {
		t.Fatal(err)
	}
	return server{"http://" + l.Addr().String(), token, s}
}

// behind returns the address of a proxy that gives each request to handle
// before, or instead of, the server.
func (s server) behind(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) string {
	t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	next := httputil.NewSingleHostReverseProxy(u)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, next) }))
	t.Cleanup(p.Close)
	return p.URL
}

// newClient returns a client that does not wait, and what it would have waited.
func newClient(t *testing.T, address, token string) (*client.Client, *[]time.Duration) {
	t.Helper()
	c, err := client.New(address, token)
	if err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	c.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	return c, &waits
}

const report = `{"findings":[{"title":"SQL","severity":"Critical","description":"d","date":"2026-11-20"}]}`

func upload(key string) client.Upload {
	return client.Upload{
		Name: "dir/report.json", Size: int64(len(report)), IdempotencyKey: key,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(report)), nil },
		Fields: map[string]string{
			"scan_type": "Generic Findings Import", "product_type_name": "Team", "product_name": "Shop", "engagement_name": "main", "auto_create_context": "true",
		},
	}
}

func TestUploadAndVerdict(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c, _ := newClient(t, s.url+"/api/v2/", s.token)
	first, err := c.Reimport(t.Context(), upload(""))
	if err != nil || first.TestID == 0 || first.EngagementID == 0 || first.Statistics.After.Total.Active != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := c.Reimport(t.Context(), upload(""))
	if err != nil || second.TestID != first.TestID || second.Statistics.Delta == nil || second.Statistics.Delta.Untouched.Total.Total != 1 {
		t.Errorf("%+v, %v", second, err)
	}
	j, err := c.Judge(t.Context(), client.Judge{Engagement: first.EngagementID, Branch: "main", Event: "push"})
	if err != nil || j.VerdictID == 0 || j.Verdict.Overall == "" || !strings.HasSuffix(j.URL, "/verdicts/"+strconv.FormatInt(j.VerdictID, 10)) {
		t.Errorf("%+v, %v", j, err)
	}
}

// TestRetries lets a server say no for now, or vanish, and then work.
func TestRetries(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	tests := []struct {
		name  string
		fail  func(w http.ResponseWriter)
		waits func(d []time.Duration) bool
	}{
		{"unavailable", func(w http.ResponseWriter) { w.WriteHeader(503) }, func(d []time.Duration) bool {
			return d[0] >= 500*time.Millisecond && d[0] < 1500*time.Millisecond && d[1] >= time.Second && d[1] < 3*time.Second
		}},
		{"retry_after", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, func(d []time.Duration) bool { return d[0] == 7*time.Second }},
		{"retry_after_long", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "86400"); w.WriteHeader(503) }, func(d []time.Duration) bool { return d[0] == time.Minute }},
		{"cut", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, func(d []time.Duration) bool { return d[0] > 0 }},
		{"timeout", func(w http.ResponseWriter) { w.WriteHeader(408) }, func(d []time.Duration) bool { return d[0] > 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			address := s.behind(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n.Add(1) <= 2 {
					tt.fail(w)
					return
				}
				next.ServeHTTP(w, r)
			})
			c, waits := newClient(t, address, s.token)
			if _, err := c.Reimport(t.Context(), upload("")); err != nil {
				t.Fatal(err)
			}
			if len(*waits) != 2 || !tt.waits(*waits) {
				t.Errorf("waited %v", *waits)
			}
		})
	}
}

// TestLostAnswer loses the answer to an upload that was imported: the second
// try must not import it again.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var n atomic.Int32
	address := s.behind(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n.Add(1) == 1 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	c, _ := newClient(t, address, s.token)
	got, err := c.Reimport(t.Context(), upload("run-1/report.json"))
	if err != nil || got.Statistics.Delta != nil || got.Statistics.After.Total.Total != 1 {
		t.Fatalf("%+v, %v: want the answer to the first", got, err)
	}
	imports, err := s.store.CountFindings(t.Context(), store.FindingFilter{Scope: gate.Scope{All: true}})
	if err != nil || imports != 1 || n.Load() != 2 {
		t.Errorf("%d findings, %v, after %d requests", imports, err, n.Load())
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	tests := []struct {
		name   string
		token  string
		change func(*client.Upload)
		status int
		words  string
	}{
		{"token", "gate_nonsense", func(*client.Upload) {}, 403, "Invalid token."},
		{"scan_type", s.token, func(u *client.Upload) { u.Fields["scan_type"] = "Nope" }, 400, `"Nope" is not a valid choice.`},
		{"target", s.token, func(u *client.Upload) { delete(u.Fields, "product_name") }, 400, "product_name parameter missing"},
		{"large", s.token, func(u *client.Upload) {
			b := bytes.Repeat([]byte(" "), 8<<20)
			u.Size, u.Open = int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		}, 413, "the server takes at most 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, waits := newClient(t, s.url, tt.token)
			u := upload("")
			tt.change(&u)
			_, err := c.Reimport(t.Context(), u)
			rejected, ok := errors.AsType[*client.RejectedError](err)
			if !ok || rejected.Status != tt.status || !strings.Contains(rejected.Message, tt.words) || len(*waits) != 0 {
				t.Errorf("%v after %d waits, want status %d: %s", err, len(*waits), tt.status, tt.words)
			}
			if strings.Contains(err.Error(), s.token) {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	c, waits := newClient(t, nobody, "x")
	_, err = c.Judge(t.Context(), client.Judge{Engagement: 1})
	if _, ok := errors.AsType[*client.UnreachableError](err); !ok || len(*waits) != 4 {
		t.Errorf("%v after %v", err, *waits)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server see the client go
		<-r.Context().Done()
	}))
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	c, _ = newClient(t, silent.URL, "x")
	_, err = c.Judge(ctx, client.Judge{Engagement: 1})
	if u, ok := errors.AsType[*client.UnreachableError](err); !ok || !strings.Contains(u.Error(), "time limit") {
		t.Errorf("at the deadline: %v", err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer page.Close()
	c, _ = newClient(t, page.URL, "x")
	if _, err = c.Judge(t.Context(), client.Judge{Engagement: 1}); !strings.Contains(err.Error(), "is DD_URL right?") {
		t.Errorf("a page of something else: %v", err)
	}
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "gate.example", "ftp://gate.example", "http://", "://x"} {
		if _, err := client.New(address, ""); gate.KindOf(err) != gate.Invalid {
			t.Errorf("New(%q): %v", address, err)
		}
	}
}
