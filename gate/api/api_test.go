package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob/memblob"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/auth"
	"defectdojo/gate/connection/connectiontest"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/ingest"
	"defectdojo/gate/people"
	"defectdojo/gate/policy"
	"defectdojo/gate/seal"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
	"defectdojo/gate/verdict"
	"defectdojo/gate/waiver"
)

// now is the time of all tests.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const password = "correct horse battery"

var cheap = auth.Params{Memory: 64, Time: 1, Threads: 1}

// site is an API on a fresh database.
type site struct {
	t     *testing.T
	app   *fiber.App
	pool  *pgxpool.Pool
	store *store.Store
	auth  *auth.Auth
	root  string // token of a superuser
	deps  api.Deps
}

func newSite(t *testing.T, change ...func(*api.Deps)) *site {
	t.Helper()
	pool := gatetest.DB(t)
	s := &site{t: t, pool: pool, store: store.New(pool)}
	s.auth = auth.New(s.store, auth.Config{Hash: cheap, Now: func() time.Time { return now }})
	s.deps = api.Deps{
		Store: s.store, Auth: s.auth, Triage: &triage.Triage{Store: s.store}, Version: "test", Now: func() time.Time { return now },
		Identities:  &ingest.Identities{Store: s.store, Later: func(context.Context, pgx.Tx, string) error { return nil }},
		Keys:        &signing.Keys{Store: s.store, Box: seal.New(seal.NewKey())},
		Tracker:     newTracker(s.store),
		Judge:       &verdict.Judge{Store: s.store},
		People:      &people.Desk{Store: s.store, Auth: s.auth},
		Policies:    &policy.Desk{Store: s.store},
		Connections: connectiontest.New(s.store),
	}
	s.deps.Waivers = &waiver.Desk{Store: s.store, Findings: s.deps.Judge.Findings, Policies: s.deps.Judge.Policies}
	s.deps.Notifier = newNotifier(s.store)
	for _, c := range change {
		c(&s.deps)
	}
	s.app = newApp(s.deps)
	s.root = s.token(s.user(gate.User{Username: "root", IsActive: true, IsSuperuser: true}), auth.NewToken{Scope: gate.ScopeAll})
	return s
}

func newApp(d api.Deps) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ErrorHandler:          api.Error, Immutable: true, StreamRequestBody: true, DisablePreParseMultipartForm: true, EnableTrustedProxyCheck: true,
	})
	api.Mount(app, d)
	return app
}

func (s *site) user(u gate.User) gate.User {
	s.t.Helper()
	u.IsActive = true
	u, err := s.store.AddUser(s.t.Context(), store.Account{User: u, PasswordHash: cheap.Hash(password)})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *site) token(u gate.User, want auth.NewToken) string {
	s.t.Helper()
	if want.Name = "test"; want.Scope == "" {
		want.Scope = gate.ScopeAll
	}
	text, _, err := s.auth.AddToken(s.t.Context(), u, want)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// get returns a field of the body by its path: "results.0.name".
func (a answer) get(path string) any {
	var v any
	if json.Unmarshal([]byte(a.body), &v) != nil {
		return nil
	}
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// id returns the body's id.
func (a answer) id() int64 {
	id, _ := a.get("id").(float64)
	return int64(id)
}

// send makes a request. The body is JSON unless a header says otherwise.
func (s *site) send(token, method, path, body string, header ...string) answer {
	s.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Host = "gate.example"
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Token "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.do(req)
}

// appMu: app.Test must not run twice at once on one app.
var appMu sync.Map

func (s *site) do(req *http.Request) answer {
	s.t.Helper()
	mu, _ := appMu.LoadOrStore(s.app, &sync.Mutex{})
	mu.(*sync.Mutex).Lock()
	defer mu.(*sync.Mutex).Unlock()
	resp, err := s.app.Test(req, 30_000)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// must makes a request as root that must get a status, and returns the answer.
func (s *site) must(status int, method, path, body string, header ...string) answer {
	s.t.Helper()
	a := s.send(s.root, method, path, body, header...)
	if a.status != status {
		s.t.Fatalf("%s %s %s = %d %s, want %d", method, path, body, a.status, a.body, status)
	}
	return a
}

// get makes a GET request as root.
func (s *site) get(path string) answer {
	s.t.Helper()
	return s.send(s.root, "GET", "/api/v2"+path, "")
}

// product adds a product with an engagement and a test, and returns their IDs.
func (s *site) product(name string) (product, engagement, test int64) {
	s.t.Helper()
	product = s.must(201, "POST", "/api/v2/products/", fmt.Sprintf(`{"name":%q,"description":"d","prod_type":1}`, name)).id()
	engagement = s.must(201, "POST", "/api/v2/engagements/",
		fmt.Sprintf(`{"name":"main","product":%d,"target_start":"2026-11-01","target_end":"2026-11-30"}`, product)).id()
	test = s.must(201, "POST", "/api/v2/tests/",
		fmt.Sprintf(`{"engagement":%d,"test_type":5,"target_start":"2026-11-22T00:00:00","target_end":"2026-11-22"}`, engagement)).id()
	return product, engagement, test
}

// finding adds a finding and returns its ID.
func (s *site) finding(test int64, title, severity, more string) int64 {
	s.t.Helper()
	return s.must(201, "POST", "/api/v2/findings/", fmt.Sprintf(
		`{"test":%d,"title":%q,"severity":%q,"description":"d","active":true,"verified":false,"found_by":[5]%s}`, test, title, severity, more)).id()
}

// part is a field of a multipart form, or a file if it has a name.
type part struct{ name, value, filename string }

// upload sends a multipart form.
func (s *site) upload(token, path string, parts []part) answer {
	s.t.Helper()
	body, content := multipartBody(s.t, parts)
	return s.send(token, "POST", path, body, "Content-Type", content)
}

// multipartBody returns a multipart form and its content type.
func multipartBody(t *testing.T, parts []part) (body, content string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name="%s"`, p.name)
		if p.filename != "" {
			disposition += fmt.Sprintf(`; filename="%s"`, p.filename)
			h.Set("Content-Type", "text/plain")
		}
		h.Set("Content-Disposition", disposition)
		f, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, p.value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// object returns the body as a JSON object.
func object(a answer) map[string]any {
	var m map[string]any
	_ = json.Unmarshal([]byte(a.body), &m)
	return m
}

// form makes parts of names and values; a report goes under "file".
func form(pairs ...string) []part {
	var out []part
	for i := 0; i+1 < len(pairs); i += 2 {
		p := part{name: pairs[i], value: pairs[i+1]}
		if p.name == "file" {
			p.filename = "report.json"
		}
		out = append(out, p)
	}
	return out
}

// generic is a report for "Generic Findings Import".
func generic(findings ...string) string {
	var out []string
	for i, f := range findings {
		title, severity, _ := strings.Cut(f, ":")
		out = append(out, fmt.Sprintf(`{"title":%q,"severity":%q,"description":"d%d","date":"2026-11-20"}`, title, severity, i))
	}
	return `{"findings":[` + strings.Join(out, ",") + `]}`
}

// withImporter lets the site import.
func withImporter(d *api.Deps) {
	i := &ingest.Importer{Store: d.Store, Blobs: memblob.OpenBucket(nil)}
	d.Import, d.Retry, d.KeepFile, d.OpenFile = i.Import, i.Retry, i.KeepFile, i.OpenFile
	d.Judge = &verdict.Judge{Store: d.Store}
}

// call makes a request over a real connection.
func call(t *testing.T, token, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Authorization", "Token "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// person adds a user with no role.
func (s *site) person(name string) gate.User {
	s.t.Helper()
	return s.user(gate.User{Username: name})
}
