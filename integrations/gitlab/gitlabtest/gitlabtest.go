// Package gitlabtest makes a GitLab for tests: projects with their pipelines and
// merge requests. It remembers what it is told, and checks every request against
// GitLab's own description.
package gitlabtest

import (
	"archive/zip"
	"bytes"
	_ "embed" // the description
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/integrations/integrationtest"
)

// api is GitLab's description, cut down to what is in use:
// https://gitlab.com/gitlab-org/gitlab/-/blob/master/doc/api/openapi/openapi_v3.yaml
//
//go:embed api.json
var api []byte

// GitLab is a GitLab with projects, pipelines and merge requests, which
// checks every request against GitLab's own description.
type GitLab struct {
	*integrationtest.Fake

	t         testing.TB
	mu        sync.Mutex
	Pipelines map[string]map[string]any // by project and id: "1/31"
	Archives  map[string][]byte         // by job's path: "1/310"
	merges    map[int]map[string]any
	Statuses  []map[string]any
	notes     map[string][]map[string]any // by merge request
	Answers   []map[string]any
	Policy    string
}

// Token is the one that is good here.
const Token = "glpat-of-the-test-0123456789" //nolint:gosec // it opens nothing

// New starts a fake.
func New(t testing.TB) *GitLab {
	t.Helper()
	f := &GitLab{
		t: t, Fake: integrationtest.New(t, api, ""), Pipelines: map[string]map[string]any{}, Archives: map[string][]byte{}, merges: map[int]map[string]any{}, notes: map[string][]map[string]any{},
	}
	get := func(pattern string, of func(r *http.Request) any) {
		f.Handle("GET /api/v4/"+pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("PRIVATE-TOKEN") != Token {
				answer(w, http.StatusUnauthorized, map[string]any{"message": "401 Unauthorized"})
				return
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if v := of(r); v != nil {
				answer(w, http.StatusOK, v)
				return
			}
			answer(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
		})
	}
	get("user", func(*http.Request) any { return map[string]any{"id": 7, "username": "gate-bot"} })
	get("version", func(*http.Request) any { return map[string]any{"version": "18.5.0"} })
	get("groups/{id}/projects", func(*http.Request) any {
		return []map[string]any{{"id": 1, "path_with_namespace": "group/shop", "default_branch": "main"}}
	})
	get("projects/{id}", func(r *http.Request) any {
		if r.PathValue("id") != "1" {
			return nil
		}
		return map[string]any{"id": 1, "path_with_namespace": "group/shop", "default_branch": "main", "web_url": f.URL + "/group/shop"}
	})
	get("projects/{id}/pipelines/{pipeline}", func(r *http.Request) any {
		return orNil(f.Pipelines[r.PathValue("id")+"/"+r.PathValue("pipeline")])
	})
	get("projects/{id}/pipelines", func(r *http.Request) any {
		list := []map[string]any{}
		for key, p := range f.Pipelines {
			if strings.HasPrefix(key, r.PathValue("id")+"/") {
				list = append(list, p)
			}
		}
		return list
	})
	get("projects/{id}/pipelines/{pipeline}/jobs", func(r *http.Request) any {
		jobs := []map[string]any{{"id": 1, "name": "build"}}
		at := r.PathValue("id") + "/" + r.PathValue("pipeline") + "0"
		if z, ok := f.Archives[at]; ok {
			n, _ := strconv.Atoi(r.PathValue("pipeline") + "0")
			jobs = append(jobs, map[string]any{"id": n, "name": "trivy-scan", "artifacts_file": map[string]any{"filename": "artifacts.zip", "size": len(z)}})
		}
		return jobs
	})
	f.Handle("GET /api/v4/projects/{id}/jobs/{job}/artifacts", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, _ = w.Write(f.Archives[r.PathValue("id")+"/"+r.PathValue("job")])
	})
	get("projects/1/merge_requests/{mr}", func(r *http.Request) any {
		n, _ := strconv.Atoi(r.PathValue("mr"))
		return orNil(f.merges[n])
	})
	get("projects/1/merge_requests", func(r *http.Request) any {
		list := []map[string]any{}
		for _, m := range f.merges {
			if b := r.URL.Query().Get("source_branch"); b == "" || b == m["source_branch"] {
				short := maps.Clone(m)
				delete(short, "head_pipeline")
				list = append(list, short)
			}
		}
		return list
	})
	get("projects/1/merge_requests/{mr}/diffs", func(*http.Request) any {
		return []map[string]any{{"new_path": "package-lock.json", "old_path": "package-lock.json"}}
	})
	f.Handle("GET /api/v4/projects/1/repository/files/{path}/raw", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.URL.Query().Get("ref") != "main" || f.Policy == "" {
			answer(w, http.StatusNotFound, map[string]any{"message": "404 File Not Found"})
			return
		}
		_, _ = io.WriteString(w, f.Policy)
	})
	get("projects/1/repository/commits/{sha}/statuses", func(r *http.Request) any {
		list := []map[string]any{}
		for _, s := range f.Statuses {
			if s["sha"] == r.PathValue("sha") {
				list = append(list, s)
			}
		}
		return list
	})
	f.Handle("POST /api/v4/projects/1/statuses/{sha}", f.setStatus)
	get("projects/1/merge_requests/{mr}/notes", func(r *http.Request) any {
		return append([]map[string]any{}, f.notes[r.PathValue("mr")]...)
	})
	f.Handle("POST /api/v4/projects/1/merge_requests/{mr}/notes", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		n := read(r)
		n["id"], n["author"] = 100+len(f.notes[r.PathValue("mr")]), map[string]any{"id": 7}
		f.notes[r.PathValue("mr")] = append(f.notes[r.PathValue("mr")], n)
		answer(w, http.StatusCreated, n)
	})
	note := func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, n := range f.notes[r.PathValue("mr")] {
			if fmt.Sprint(n["id"]) == r.PathValue("note") {
				if r.Method == http.MethodPut {
					maps.Copy(n, read(r))
				}
				answer(w, http.StatusOK, n)
				return
			}
		}
		answer(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
	}
	f.Handle("GET /api/v4/projects/1/merge_requests/{mr}/notes/{note}", note)
	f.Handle("PUT /api/v4/projects/1/merge_requests/{mr}/notes/{note}", note)
	get("projects/1/merge_requests/{mr}/status_checks", func(*http.Request) any {
		return []map[string]any{{"id": 5, "name": "DefectDojo gate", "status": "pending"}}
	})
	f.Handle("POST /api/v4/projects/1/merge_requests/{mr}/status_check_responses", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		b := read(r)
		b["mr"] = r.PathValue("mr")
		f.Answers = append(f.Answers, b)
		answer(w, http.StatusCreated, map[string]any{"id": 1})
	})
	return f
}

func orNil(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func read(r *http.Request) map[string]any {
	var v map[string]any
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// setStatus refuses what GitLab's state machine refuses.
func (f *GitLab) setStatus(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := read(r)
	for _, s := range slices.Backward(f.Statuses) {
		if s["sha"] != r.PathValue("sha") || s["name"] != b["name"] {
			continue
		}
		if s["status"] == "pending" && b["state"] == "pending" {
			answer(w, http.StatusBadRequest, map[string]any{"message": "Cannot transition status via :enqueue from :pending"})
			return
		}
		if s["status"] == "pending" {
			s["status"], s["description"], s["target_url"] = b["state"], b["description"], b["target_url"]
			answer(w, http.StatusCreated, s)
			return
		}
		break
	}
	s := map[string]any{"id": len(f.Statuses) + 1, "sha": r.PathValue("sha"), "name": b["name"], "status": b["state"], "description": b["description"], "target_url": b["target_url"]}
	f.Statuses = append(f.Statuses, s)
	answer(w, http.StatusCreated, s)
}

// Status is what people see at a commit.
func (f *GitLab) Status(sha string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range slices.Backward(f.Statuses) {
		if s["sha"] == sha {
			return fmt.Sprintf("%s %s: %s", s["name"], s["status"], s["description"])
		}
	}
	return ""
}

// Note is the one note of a merge request; all of them if there are more.
func (f *GitLab) Note(merge int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, n := range f.notes[strconv.Itoa(merge)] {
		all = append(all, n["body"].(string))
	}
	return strings.Join(all, "\n=== ANOTHER NOTE ===\n")
}

// Commit makes a commit's name of a number.
func Commit(n int) string { return fmt.Sprintf("%040x", n) }

// Run adds a finished pipeline of a project with a report of Trivy.
func (f *GitLab) Run(project, id int, ref, source string, commit int, cves ...string) {
	vulnerabilities := []map[string]string{}
	for _, cve := range cves {
		vulnerabilities = append(vulnerabilities, map[string]string{
			"VulnerabilityID": cve, "PkgName": "lib-" + cve, "InstalledVersion": "1.0.0", "FixedVersion": "1.0.1", "Severity": "CRITICAL", "Title": "Weakness " + cve,
		})
	}
	report, err := json.Marshal(map[string]any{
		"SchemaVersion": 2, "ArtifactName": "shop", "ArtifactType": "filesystem",
		"Results": []map[string]any{{"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": vulnerabilities}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range map[string]string{"trivy.json": string(report), "README.txt": "not a report"} {
		w, err := z.Create(name)
		if err != nil {
			f.t.Fatal(err)
		}
		_, _ = io.WriteString(w, content)
	}
	if err := z.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := fmt.Sprintf("%d/%d", project, id)
	f.Archives[key+"0"] = b.Bytes()
	f.Pipelines[key] = map[string]any{
		"id": id, "project_id": project, "status": "success", "ref": ref, "source": source, "sha": Commit(commit), "user": map[string]any{"username": "ada"},
		"web_url": f.URL + "/group/shop/-/pipelines/" + strconv.Itoa(id), "updated_at": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), //nolint:forbidigo // the fake has a clock of its own
	}
}

// Merge sets what a merge request is now.
func (f *GitLab) Merge(number, source int, branch string, commit, pipeline int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string]any{
		"iid": number, "state": "opened", "sha": Commit(commit), "source_branch": branch, "target_branch": "main", "source_project_id": source, "target_project_id": 1, "author": map[string]any{"username": "mallory"},
		"diff_refs": map[string]any{"base_sha": Commit(1), "start_sha": Commit(1), "head_sha": Commit(commit)},
	}
	if pipeline != 0 {
		m["head_pipeline"] = map[string]any{"id": pipeline, "project_id": source, "status": "success", "sha": Commit(commit), "updated_at": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)} //nolint:forbidigo // the fake has a clock of its own
	}
	f.merges[number] = m
}

// Locked calls do while nobody else looks at the fake.
func (f *GitLab) Locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}
