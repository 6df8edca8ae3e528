package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/integrations"
	"defectdojo/integrations/integrationtest"
)

var (
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	noon     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

const (
	token = "glpat-very-secret-0123456789"
	sha   = "bcbb5ec396a2c0f828686f14fac9b80b780504f2"
)

// lab is a GitLab that checks every request against its description.
type lab struct {
	*integrationtest.Fake

	mu       sync.Mutex
	statuses []map[string]any
	notes    []map[string]any
	answers  []map[string]any
}

func newLab(t *testing.T) (*lab, *Client) {
	t.Helper()
	description, err := os.ReadFile("gitlabtest/api.json")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Fake: integrationtest.New(t, description, "")}
	l.Handle("GET /api/v4/user", reply(map[string]any{"id": 7, "username": "gate-bot"}))
	l.Handle("GET /api/v4/projects/1/repository/commits/{sha}/statuses", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		answer(w, http.StatusOK, l.statuses)
	})
	l.Handle("POST /api/v4/projects/1/statuses/{sha}", l.setStatus)
	l.Handle("GET /api/v4/projects/1/merge_requests/12/notes", func(w http.ResponseWriter, _ *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		answer(w, http.StatusOK, l.notes)
	})
	l.Handle("POST /api/v4/projects/1/merge_requests/12/notes", func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		n := body(r)
		n["id"], n["author"] = 100+len(l.notes), map[string]any{"id": 7}
		l.notes = append(l.notes, n)
		answer(w, http.StatusCreated, n)
	})
	l.Handle("GET /api/v4/projects/1/merge_requests/12/notes/{note}", l.note)
	l.Handle("PUT /api/v4/projects/1/merge_requests/12/notes/{note}", l.note)
	l.Handle("GET /api/v4/projects/1/merge_requests/12/status_checks", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []map[string]any{{"id": 5, "name": "gate", "status": "pending"}, {"id": 6, "name": "other", "status": "pending"}})
	})
	l.Handle("POST /api/v4/projects/1/merge_requests/12/status_check_responses", func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answers = append(l.answers, body(r))
		answer(w, http.StatusCreated, map[string]any{"id": 1})
	})
	c, err := New(Config{URL: l.URL, Token: token, Allowed: loopback}, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func reply(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, v) }
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func body(r *http.Request) map[string]any {
	var v map[string]any
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// setStatus is GitLab's state machine, as far as it refuses:
// https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/models/commit_status.rb
func (l *lab) setStatus(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := body(r)
	if n := len(l.statuses); n > 0 {
		last := l.statuses[n-1]
		open := last["status"] == "pending" || last["status"] == "running"
		if open && (last["status"] == b["state"] || last["status"] == "running" && b["state"] == "pending") {
			answer(w, http.StatusBadRequest, map[string]any{"message": fmt.Sprintf(`Cannot transition status via :enqueue from :%s (Reason(s): Status cannot transition via "enqueue")`, last["status"])})
			return
		}
		if open {
			last["status"], last["description"], last["target_url"] = b["state"], b["description"], b["target_url"]
			answer(w, http.StatusCreated, last)
			return
		}
	}
	s := map[string]any{"id": len(l.statuses) + 1, "name": b["name"], "status": b["state"], "description": b["description"], "target_url": b["target_url"], "pipeline_id": b["pipeline_id"]}
	l.statuses = append(l.statuses, s)
	answer(w, http.StatusCreated, s)
}

func (l *lab) note(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.notes {
		if fmt.Sprint(n["id"]) == r.PathValue("note") {
			if r.Method == http.MethodPut {
				maps.Copy(n, body(r))
			}
			answer(w, http.StatusOK, n)
			return
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	l, c := newLab(t)
	set := func(state, description string, want bool) {
		t.Helper()
		written, err := c.SetStatus(t.Context(), 1, sha, Status{Name: "gate/shop", State: state, Description: description, URL: "https://gate.example.org/verdicts/1", Ref: "main"})
		if err != nil || written != want {
			t.Errorf("%s: written %v, %v", state, written, err)
		}
	}
	set(Pending, "", true)
	set(Pending, "", false)                      // it is there
	set(Pending, "waiting for a report", false)  // GitLab cannot, and says 400
	set(Failed, "new-critical: 1 > 0", true)     // pending → failed
	set(Failed, "new-critical: 1 > 0", false)    // a verdict again, the same
	set(Success, strings.Repeat("é", 400), true) // healed: a status of its own
	if n := l.Count("POST", "/statuses/"); n != 4 {
		t.Errorf("%d writes", n)
	}
	if got := []rune(l.statuses[1]["description"].(string)); len(got) != maxDescription {
		t.Errorf("a description of %d", len(got))
	}
	if len(l.statuses) != 2 || l.statuses[0]["status"] != "failed" || l.statuses[1]["status"] != "success" {
		t.Errorf("%v", l.statuses)
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	l, c := newLab(t)
	const marker = "<!-- gate:shop: -->"
	l.notes = []map[string]any{{"id": 99, "body": marker + " forged", "author": map[string]any{"id": 66}}}
	put := func(n Note, want bool) int64 {
		t.Helper()
		n.Marker = marker
		id, written, err := c.PutNote(t.Context(), 1, 12, n)
		if err != nil || written != want {
			t.Errorf("%q: written %v, %v", n.Body, written, err)
		}
		return id
	}
	id := put(Note{Body: marker + "\nFailed"}, true)
	if again := put(Note{Body: marker + "\nFailed"}, false); again != id {
		t.Errorf("note %d, then %d", id, again)
	}
	put(Note{Body: marker + "\nPassed", ID: id}, true)
	put(Note{Body: marker + "\nPassed", ID: id}, false)
	put(Note{Body: marker + "\nPassed", ID: 4711}, false) // somebody gave a wrong id: it is found by its marker
	if len(l.notes) != 2 || l.notes[0]["body"] != marker+" forged" || l.notes[1]["body"] != marker+"\nPassed" {
		t.Errorf("notes: %v", l.notes)
	}
	if n := l.Count("POST", "/notes"); n != 1 {
		t.Errorf("%d notes were made", n)
	}
	// Nobody knows whether it was made: it is looked for before another one is.
	l.notes = nil
	l.Fail("POST", "/notes", 1, integrationtest.Fault{Name: "reset after", Reset: true, After: true})
	if _, _, err := c.PutNote(t.Context(), 1, 12, Note{Marker: marker, Body: marker}); err == nil {
		t.Error("a reset is no error")
	}
	put(Note{Body: marker}, false)
	if len(l.notes) != 1 {
		t.Errorf("notes after a reset: %v", l.notes)
	}
}

func TestExternalStatusCheck(t *testing.T) {
	t.Parallel()
	l, c := newLab(t)
	if written, err := c.Answer(t.Context(), 1, 12, "gate", sha, "failed"); err != nil || !written {
		t.Error(written, err)
	}
	if written, err := c.Answer(t.Context(), 1, 12, "gate", sha, "pending"); err != nil || written {
		t.Error("pending is there", written, err)
	}
	if written, err := c.Answer(t.Context(), 1, 12, "nothing", sha, "failed"); err != nil || written {
		t.Error(written, err)
	}
	if len(l.answers) != 1 || l.answers[0]["external_status_check_id"] != 5.0 || l.answers[0]["status"] != "failed" {
		t.Errorf("%v", l.answers)
	}
	l.Fail("GET", "/status_checks", 1, integrationtest.Fault{Status: http.StatusNotFound})
	if written, err := c.Answer(t.Context(), 1, 12, "gate", sha, "failed"); err != nil || written {
		t.Error("a GitLab without them", written, err)
	}
}

// TestArtifacts follows GitLab to its object storage, without credentials, and nowhere else.
func TestArtifacts(t *testing.T) {
	t.Parallel()
	l, c := newLab(t)
	var got http.Header
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		_, _ = io.WriteString(w, "zip")
	}))
	t.Cleanup(storage.Close)
	elsewhere := strings.Replace(storage.URL, "127.0.0.1", "localhost", 1)
	where := ""
	l.Handle("GET /api/v4/projects/1/jobs/380/artifacts", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("PRIVATE-TOKEN") != token {
			t.Error("no credentials")
		}
		if where == "" {
			_, _ = io.WriteString(w, "zip")
			return
		}
		http.Redirect(w, r, where, http.StatusFound)
	})
	for _, c2 := range []struct{ name, where, says string }{
		{"from_gitlab", "", ""},
		{"known_host", storage.URL + "/bucket/x?signature=abc", ""},
		{"unknown_host", elsewhere + "/bucket/x", "add it to artifact_hosts"},
		{"with_a_user", strings.Replace(storage.URL, "http://", "http://a:b@", 1), "not a host"},
		{"another_scheme", "file:///etc/passwd", "not a host"},
	} {
		where, got = c2.where, nil
		var b bytes.Buffer
		err := c.Download(t.Context(), 1, 380, &b)
		if c2.says == "" && (err != nil || b.String() != "zip") || c2.says != "" && (err == nil || !strings.Contains(err.Error(), c2.says) || !integrations.IsPermanent(err)) {
			t.Errorf("%s: %q, %v", c2.name, b.String(), err)
		}
		if got.Get("PRIVATE-TOKEN") != "" || got.Get("Authorization") != "" {
			t.Errorf("%s: the storage was given %v", c2.name, got)
		}
	}
	l.Handle("GET /api/v4/projects/1/pipelines/31/jobs", reply([]map[string]any{
		{"id": 380, "name": "trivy", "artifacts_file": map[string]any{"filename": "artifacts.zip", "size": 3}},
		{"id": 381, "name": "build"},
		{"id": 382, "name": "old", "artifacts_file": map[string]any{"filename": "artifacts.zip", "size": 3}, "artifacts_expire_at": noon.Add(-time.Hour)},
	}))
	jobs, err := c.Jobs(t.Context(), 1, 31)
	if err != nil || len(jobs) != 1 || jobs[0].ID != 380 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
}

// TestReads reads GitLab's own answers.
func TestReads(t *testing.T) {
	t.Parallel()
	l, c := newLab(t)
	l.Handle("GET /api/v4/projects/1/merge_requests/12", reply(map[string]any{
		"iid": 12, "state": "opened", "sha": sha, "source_branch": "feature", "target_branch": "main", "source_project_id": 2, "target_project_id": 1,
		"diff_refs":     map[string]any{"base_sha": "b", "head_sha": sha, "start_sha": "s"},
		"head_pipeline": map[string]any{"id": 31, "project_id": 2, "status": "success", "ref": "refs/merge-requests/12/head", "sha": sha, "source": "merge_request_event"},
	}))
	m, err := c.Merge(t.Context(), 1, 12)
	if err != nil || !m.Open || !m.IsFork() || m.MergeBase != "b" || m.Base != "s" || m.Pipeline == nil || m.Pipeline.Project != 2 || !m.Pipeline.Finished {
		t.Errorf("%+v, %v", m, err)
	}
	if n, train := m.Pipeline.Merge(); n != 12 || train {
		t.Errorf("merge %d, train %v", n, train)
	}
	if n, train := (Pipeline{Ref: "refs/merge-requests/8/train"}).Merge(); n != 8 || !train {
		t.Errorf("merge %d, train %v", n, train)
	}
	l.Handle("GET /api/v4/projects/1/merge_requests/12/diffs", reply([]map[string]any{{"new_path": "a.go", "old_path": "a.go"}, {"new_path": "b.go", "old_path": "c.go", "renamed_file": true}}))
	changed, renames, err := c.Changes(t.Context(), 1, 12)
	if err != nil || !slices.Equal(changed, []string{"a.go", "b.go"}) || renames["b.go"] != "c.go" || len(renames) != 1 {
		t.Errorf("%v %v %v", changed, renames, err)
	}
	l.Handle("GET /api/v4/projects/1/repository/files/{path}/raw", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("path") != ".gate/policy.yaml" || r.URL.Query().Get("ref") != "main" {
			answer(w, http.StatusNotFound, map[string]any{"message": "404 File Not Found"})
			return
		}
		_, _ = io.WriteString(w, "rules: []\n")
	})
	if b, err := c.File(t.Context(), 1, ".gate/policy.yaml", "main"); err != nil || string(b) != "rules: []\n" {
		t.Errorf("%q %v", b, err)
	}
	if b, err := c.File(t.Context(), 1, "none", "main"); err != nil || b != nil {
		t.Errorf("%q %v", b, err)
	}
	l.Handle("GET /api/v4/projects/1/pipelines", reply([]map[string]any{{"id": 31, "status": "success", "ref": "main", "sha": sha}, {"id": 32, "status": "running"}}))
	if p, err := c.PipelinesSince(t.Context(), 1, noon); err != nil || len(p) != 1 || p[0].ID != 31 {
		t.Errorf("%+v %v", p, err)
	}
	l.Handle("GET /api/v4/projects/1/pipelines/31", reply(map[string]any{"id": 31, "project_id": 1, "status": "failed", "ref": "main", "sha": sha, "source": "push", "user": map[string]any{"username": "ada"}}))
	if p, err := c.Pipeline(t.Context(), 1, 31); err != nil || p.User != "ada" || !p.Finished {
		t.Errorf("%+v %v", p, err)
	}
	l.Handle("GET /api/v4/groups/{id}/projects", reply([]map[string]any{{"id": 1, "path_with_namespace": "group/shop", "default_branch": "main"}}))
	if p, err := c.Projects(t.Context(), "group/sub"); err != nil || len(p) != 1 || p[0].Path != "group/shop" {
		t.Errorf("%+v %v", p, err)
	}
}

// TestFaults meets every call with every way to fail: what may be tried again is
// told as such, and no error tells the token.
func TestFaults(t *testing.T) {
	t.Parallel()
	calls := map[string]func(*testing.T, *Client) error{
		"status": func(t *testing.T, c *Client) error {
			_, err := c.SetStatus(t.Context(), 1, sha, Status{Name: "gate/shop", State: Failed})
			return err
		},
		"note": func(t *testing.T, c *Client) error {
			_, _, err := c.PutNote(t.Context(), 1, 12, Note{Marker: "m", Body: "m"})
			return err
		},
		"user":     func(t *testing.T, c *Client) error { _, err := c.Self(t.Context()); return err },
		"download": func(t *testing.T, c *Client) error { return c.Download(t.Context(), 1, 9, io.Discard) },
	}
	for name, call := range calls {
		for _, f := range integrationtest.Faults(noon) {
			if strings.Contains(f.Name, "rubbish") && name == "download" {
				continue // a body is a body
			}
			l, c := newLab(t)
			l.Fail("", "/api/v4", 1, f.Fault)
			err := call(t, c)
			e, ok := errors.AsType[*integrations.Error](err)
			if !ok || e.Permanent == f.Temporary {
				t.Errorf("%s meets %s: %#v", name, f.Name, err)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("%s meets %s: it tells the token: %v", name, f.Name, err)
			}
			if f.Header.Get("Retry-After") != "" && integrations.RetryAfter(err) == 0 {
				t.Errorf("%s meets %s: it does not say when to try again", name, f.Name)
			}
		}
	}
}

// TestProves tries the example of https://github.com/standard-webhooks/standard-webhooks,
// and that a wrong signature is not made good by a right token.
func TestProves(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	at := time.Unix(1614265330, 0)
	h := http.Header{}
	h.Set(MessageIDHeader, "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set(TimestampHeader, "1614265330")
	h.Set(SignatureHeader, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	b := []byte(`{"test": 2432232314}`)
	for name, c := range map[string]struct {
		change  func(http.Header)
		secrets []string
		at      time.Time
		want    bool
	}{
		"vector":       {nil, []string{secret}, at, true},
		"rotated":      {nil, []string{"whsec_AAAA", secret}, at, true},
		"two":          {func(h http.Header) { h.Set(SignatureHeader, "v1,AAAA "+h.Get(SignatureHeader)) }, []string{secret}, at, true},
		"5_minutes":    {nil, []string{secret}, at.Add(5 * time.Minute), true},
		"late":         {nil, []string{secret}, at.Add(301 * time.Second), false},
		"early":        {nil, []string{secret}, at.Add(-301 * time.Second), false},
		"no_secret":    {nil, nil, at, false},
		"blank":        {nil, []string{""}, at, false},
		"another_id":   {func(h http.Header) { h.Set(MessageIDHeader, "x") }, []string{secret}, at, false},
		"another_time": {func(h http.Header) { h.Set(TimestampHeader, "1614265331") }, []string{secret}, at, false},
		"v2":           {func(h http.Header) { h.Set(SignatureHeader, strings.Replace(h.Get(SignatureHeader), "v1", "v2", 1)) }, []string{secret}, at, false},
		"token_too": {func(h http.Header) {
			h.Set(TokenHeader, secret)
			h.Set(SignatureHeader, "v1,AAAA")
		}, []string{secret}, at, false},
		"token_alone": {func(h http.Header) { h.Del(SignatureHeader); h.Set(TokenHeader, secret) }, []string{secret}, at, true},
		"no_token":    {func(h http.Header) { h.Del(SignatureHeader) }, []string{secret}, at, false},
	} {
		v := h.Clone()
		if c.change != nil {
			c.change(v)
		}
		if got := Proves(v.Get, b, c.secrets, c.at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
