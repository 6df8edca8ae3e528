// Package githubtest makes a GitHub for tests: an Enterprise Server with one App
// and one repository, which remembers what it is told, and checks every request
// against GitHub's own description and that its credentials are right.
package githubtest

import (
	"archive/zip"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	_ "embed" // the description
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/integrations/integrationtest"
)

// api is GitHub's description, cut down to what is in use:
// https://github.com/github/rest-api-description
//
//go:embed api.json
var api []byte

// What there is on the fake.
const (
	AppID      = 4711
	Owner      = "acme"
	Name       = "shop"
	Repository = 9001
	ForkID     = 9002
	Token      = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	appToken   = "ghs_installation0123456789abcdefghijklm"
)

// key is made once for all fakes.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// PrivateKey returns the App's private key in PEM.
func PrivateKey() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())}))
}

// GitHub is a fake.
type GitHub struct {
	*integrationtest.Fake

	t    testing.TB
	blob *httptest.Server // keeps artifacts

	mu         sync.Mutex
	next       int64
	Runs       map[int64]Run
	Artifacts  map[int64][]Artifact // by run
	Pulls      map[int]Pull
	Files      map[string]string // "ref:path"
	Checks     []*Check
	Statuses   []Status
	Comments   []*Comment
	SARIFs     []json.RawMessage
	Deliveries []Delivery
	Redelivers []int64
	Merge      string // merge base of any two commits

	Installed int64            // the App's installation at Owner; 0: there is none
	Suspended bool             // it is, for now
	Visible   map[int64]string // the repositories that the App may see, by number
}

// Run is a workflow run.
type Run struct {
	ID, HeadRepo       int64
	Attempt            int
	Event, Branch, SHA string
	HeadOwner, Status  string
	Pulls              []int
	Updated            time.Time
}

// Artifact is one that a run left.
type Artifact struct {
	ID   int64
	Name string
	Zip  []byte
}

// Pull is a pull request.
type Pull struct {
	Number         int
	State          string
	SHA, Ref, Base string
	HeadRepo       int64
	HeadOwner      string
	Changes        []Change // none: much of app/main.py
}

// Change is what a pull request does to a file.
type Change struct{ Path, Status, Patch string }

// Check is a check run as it is now.
type Check struct {
	ID                                      int64
	Name, SHA, Status, Conclusion, External string
	Title, Summary, URL                     string
	Annotations                             []map[string]any
	Writes                                  int
}

// Status is a commit status.
type Status struct{ SHA, State, Context, Description, URL string }

// Comment is one at a pull request.
type Comment struct {
	ID      int64
	Number  int
	Body    string
	Edits   int
	Foreign bool // not the App's
}

// Delivery is one of the App's webhook.
type Delivery struct {
	ID     int64
	GUID   string
	At     time.Time
	Status int
}

// New starts a fake.
func New(t testing.TB) *GitHub {
	t.Helper()
	g := &GitHub{
		t: t, Fake: integrationtest.New(t, api, "/api/v3"), next: 100, Runs: map[int64]Run{}, Artifacts: map[int64][]Artifact{}, Pulls: map[int]Pull{},
		Files: map[string]string{}, Merge: SHA("base"), Installed: 77, Visible: map[int64]string{Repository: Owner + "/" + Name},
	}
	g.blob = httptest.NewServer(http.HandlerFunc(g.serveBlob))
	t.Cleanup(g.blob.Close)
	r := "/api/v3/repos/" + Owner + "/" + Name
	for pattern, h := range map[string]func(*http.Request) (int, any){
		"GET /api/v3/app":                                   g.app,
		"GET /api/v3/user":                                  func(*http.Request) (int, any) { return 200, m{"login": "ada"} },
		"GET /api/v3/user/repos":                            func(*http.Request) (int, any) { return 200, []any{repo(Repository, Owner+"/"+Name)} },
		"GET /api/v3/app/installations":                     g.installations,
		"POST /api/v3/app/installations/{id}/access_tokens": g.token,
		"GET /api/v3/app/hook/deliveries":                   g.deliveries,
		"POST /api/v3/app/hook/deliveries/{id}/attempts":    g.redeliver,
		"GET /api/v3/installation/repositories":             g.visible,
		"GET /api/v3/repos/{owner}/{name}":                  g.repository,
		"GET " + r + "/actions/runs":                        g.runs,
		"GET " + r + "/actions/runs/{id}":                   g.run,
		"GET " + r + "/actions/runs/{id}/artifacts":         g.artifacts,
		"POST " + r + "/check-runs":                         g.addCheck,
		"PATCH " + r + "/check-runs/{id}":                   g.changeCheck,
		"GET " + r + "/commits/{sha}/check-runs":            g.checks,
		"POST " + r + "/statuses/{sha}":                     g.addStatus,
		"GET " + r + "/commits/{sha}/statuses":              g.statuses,
		"GET " + r + "/issues/{number}/comments":            g.comments,
		"POST " + r + "/issues/{number}/comments":           g.addComment,
		"PATCH " + r + "/issues/comments/{id}":              g.editComment,
		"GET " + r + "/pulls":                               g.pulls,
		"GET " + r + "/pulls/{number}":                      g.pull,
		"GET " + r + "/pulls/{number}/files":                g.changes,
		"GET " + r + "/compare/{basehead...}":               g.compare,
		"GET " + r + "/contents/{path...}":                  g.contents,
		"POST " + r + "/code-scanning/sarifs":               g.sarif,
	} {
		g.Handle(pattern, g.answer(h))
	}
	g.Handle("GET "+r+"/actions/artifacts/{id}/zip", g.download)
	return g
}

type m = map[string]any

// SHA makes a commit's name of a word.
func SHA(word string) string {
	sum := sha256.Sum256([]byte(word))
	return hex.EncodeToString(sum[:20])
}

// Zip packs files.
func Zip(files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(content))
	}
	_ = z.Close()
	return b.Bytes()
}

// Did adds a completed run with its artifacts and returns the body of the
// delivery that tells of it.
func (g *GitHub) Did(r Run, artifacts ...Artifact) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Status == "" {
		r.Status = "completed"
	}
	if r.HeadRepo == 0 {
		r.HeadRepo, r.HeadOwner = Repository, Owner
	}
	r.Attempt = max(r.Attempt, 1)
	g.Runs[r.ID], g.Artifacts[r.ID] = r, artifacts
	return Event(m{"action": "completed", "workflow_run": m{"id": r.ID}})
}

// Event returns the body of a delivery.
func Event(e m) []byte {
	e["repository"] = m{"id": Repository, "full_name": Owner + "/" + Name}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return b
}

// Locked calls f while nobody else looks at the fake.
func (g *GitHub) Locked(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// BlobHost is where artifacts are kept: another host than the API's.
func (g *GitHub) BlobHost() string { return "localhost" }

// Sign returns the headers of a delivery.
func Sign(secret, event, id string, body []byte) http.Header {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(body)
	return http.Header{
		"X-Github-Event": {event}, "X-Github-Delivery": {id}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(h.Sum(nil))}, "Content-Type": {"application/json"},
	}
}

// answer serves a request whose credentials are right.
func (g *GitHub) answer(h func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !g.admits(w, r) {
			return
		}
		g.mu.Lock()
		status, body := h(r)
		b, err := json.Marshal(body)
		g.mu.Unlock()
		if err != nil {
			g.t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(b)
	}
}

func (g *GitHub) id() int64 {
	g.next++
	return g.next
}

func repo(id int64, fullName string) m {
	owner, name, _ := strings.Cut(fullName, "/")
	return m{"id": id, "name": name, "full_name": fullName, "default_branch": "main", "owner": m{"login": owner}}
}

func number(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return n
}

func (g *GitHub) show(r Run) m {
	pulls := []any{}
	for _, n := range r.Pulls {
		pulls = append(pulls, m{"number": n})
	}
	return m{
		"id": r.ID, "run_attempt": r.Attempt, "name": "scan", "event": r.Event, "status": r.Status, "head_branch": r.Branch, "head_sha": r.SHA, "pull_requests": pulls,
		"repository": m{"id": Repository, "full_name": Owner + "/" + Name}, "head_repository": m{"id": r.HeadRepo, "owner": m{"login": r.HeadOwner}},
		"html_url": fmt.Sprintf("https://github.example.org/%s/%s/actions/runs/%d", Owner, Name, r.ID), "actor": m{"login": "ada"},
		"updated_at": r.Updated.UTC().Format(time.RFC3339),
	}
}

func (g *GitHub) runs(r *http.Request) (int, any) {
	list := []any{}
	for _, run := range g.Runs {
		if sha := r.URL.Query().Get("head_sha"); sha == "" || sha == run.SHA {
			list = append(list, g.show(run))
		}
	}
	return 200, m{"total_count": len(list), "workflow_runs": list}
}

func (g *GitHub) run(r *http.Request) (int, any) {
	run, ok := g.Runs[number(r, "id")]
	if !ok {
		return notFound()
	}
	return 200, g.show(run)
}

func notFound() (int, any) { return 404, m{"message": "Not Found"} }

func (g *GitHub) artifacts(r *http.Request) (int, any) {
	list := []any{}
	for _, a := range g.Artifacts[number(r, "id")] {
		list = append(list, m{"id": a.ID, "name": a.Name, "size_in_bytes": len(a.Zip)})
	}
	return 200, m{"total_count": len(list), "artifacts": list}
}

func (g *GitHub) download(w http.ResponseWriter, r *http.Request) {
	if !g.admits(w, r) {
		return
	}
	http.Redirect(w, r, strings.Replace(g.blob.URL, "127.0.0.1", g.BlobHost(), 1)+"/"+r.PathValue("id")+"?sig=secret-of-the-address", http.StatusFound) //nolint:gosec // to another fake
}

func (g *GitHub) serveBlob(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		g.t.Error("the artifact's host was sent credentials")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, list := range g.Artifacts {
		for _, a := range list {
			if "/"+strconv.FormatInt(a.ID, 10) == r.URL.Path {
				_, _ = w.Write(a.Zip)
				return
			}
		}
	}
	http.NotFound(w, r)
}

func (g *GitHub) contents(r *http.Request) (int, any) {
	text, ok := g.Files[r.URL.Query().Get("ref")+":"+r.PathValue("path")]
	if !ok {
		return notFound()
	}
	return 200, m{"type": "file", "encoding": "base64", "size": len(text), "path": r.PathValue("path"), "content": base64.StdEncoding.EncodeToString([]byte(text))}
}
