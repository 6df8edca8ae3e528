package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/integrations/integrationtest"
)

// fakeGitLab is a GitLab with projects, pipelines and merge requests, which
// checks every request against GitLab's own description.
type fakeGitLab struct {
	*integrationtest.Fake

	mu        sync.Mutex
	pipelines map[string]map[string]any // by project and id: "1/31"
	archives  map[string][]byte         // by job's path: "1/310"
	merges    map[int]map[string]any
	statuses  []map[string]any
	notes     map[string][]map[string]any // by merge request
	answers   []map[string]any
	policy    string
}

const labToken = "glpat-of-the-test-0123456789"

func newFakeGitLab(t *testing.T) *fakeGitLab {
	t.Helper()
	description, err := os.ReadFile("../../integrations/gitlab/testdata/api.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeGitLab{
		Fake: integrationtest.New(t, description, ""), pipelines: map[string]map[string]any{}, archives: map[string][]byte{}, merges: map[int]map[string]any{}, notes: map[string][]map[string]any{},
	}
	read := func(pattern string, of func(r *http.Request) any) {
		f.Handle("GET /api/v4/"+pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("PRIVATE-TOKEN") != labToken {
				tellJSON(w, http.StatusUnauthorized, map[string]any{"message": "401 Unauthorized"})
				return
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if v := of(r); v != nil {
				tellJSON(w, http.StatusOK, v)
				return
			}
			tellJSON(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
		})
	}
	read("user", func(*http.Request) any { return map[string]any{"id": 7, "username": "gate-bot"} })
	read("version", func(*http.Request) any { return map[string]any{"version": "18.5.0"} })
	read("groups/{id}/projects", func(*http.Request) any {
		return []map[string]any{{"id": 1, "path_with_namespace": "group/shop", "default_branch": "main"}}
	})
	read("projects/{id}", func(r *http.Request) any {
		if r.PathValue("id") != "1" {
			return nil
		}
		return map[string]any{"id": 1, "path_with_namespace": "group/shop", "default_branch": "main", "web_url": f.URL + "/group/shop"}
	})
	read("projects/{id}/pipelines/{pipeline}", func(r *http.Request) any {
		return orNilMap(f.pipelines[r.PathValue("id")+"/"+r.PathValue("pipeline")])
	})
	read("projects/{id}/pipelines", func(r *http.Request) any {
		list := []map[string]any{}
		for key, p := range f.pipelines {
			if strings.HasPrefix(key, r.PathValue("id")+"/") {
				list = append(list, p)
			}
		}
		return list
	})
	read("projects/{id}/pipelines/{pipeline}/jobs", func(r *http.Request) any {
		jobs := []map[string]any{{"id": 1, "name": "build"}}
		at := r.PathValue("id") + "/" + r.PathValue("pipeline") + "0"
		if z, ok := f.archives[at]; ok {
			n, _ := strconv.Atoi(r.PathValue("pipeline") + "0")
			jobs = append(jobs, map[string]any{"id": n, "name": "trivy-scan", "artifacts_file": map[string]any{"filename": "artifacts.zip", "size": len(z)}})
		}
		return jobs
	})
	f.Handle("GET /api/v4/projects/{id}/jobs/{job}/artifacts", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, _ = w.Write(f.archives[r.PathValue("id")+"/"+r.PathValue("job")])
	})
	read("projects/1/merge_requests/{mr}", func(r *http.Request) any {
		n, _ := strconv.Atoi(r.PathValue("mr"))
		return orNilMap(f.merges[n])
	})
	read("projects/1/merge_requests", func(r *http.Request) any {
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
	read("projects/1/merge_requests/{mr}/diffs", func(*http.Request) any {
		return []map[string]any{{"new_path": "package-lock.json", "old_path": "package-lock.json"}}
	})
	f.Handle("GET /api/v4/projects/1/repository/files/{path}/raw", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.URL.Query().Get("ref") != "main" || f.policy == "" {
			tellJSON(w, http.StatusNotFound, map[string]any{"message": "404 File Not Found"})
			return
		}
		_, _ = io.WriteString(w, f.policy)
	})
	read("projects/1/repository/commits/{sha}/statuses", func(r *http.Request) any {
		list := []map[string]any{}
		for _, s := range f.statuses {
			if s["sha"] == r.PathValue("sha") {
				list = append(list, s)
			}
		}
		return list
	})
	f.Handle("POST /api/v4/projects/1/statuses/{sha}", f.setStatus)
	read("projects/1/merge_requests/{mr}/notes", func(r *http.Request) any {
		return append([]map[string]any{}, f.notes[r.PathValue("mr")]...)
	})
	f.Handle("POST /api/v4/projects/1/merge_requests/{mr}/notes", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		n := readBody(r)
		n["id"], n["author"] = 100+len(f.notes[r.PathValue("mr")]), map[string]any{"id": 7}
		f.notes[r.PathValue("mr")] = append(f.notes[r.PathValue("mr")], n)
		tellJSON(w, http.StatusCreated, n)
	})
	note := func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, n := range f.notes[r.PathValue("mr")] {
			if fmt.Sprint(n["id"]) == r.PathValue("note") {
				if r.Method == http.MethodPut {
					maps.Copy(n, readBody(r))
				}
				tellJSON(w, http.StatusOK, n)
				return
			}
		}
		tellJSON(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
	}
	f.Handle("GET /api/v4/projects/1/merge_requests/{mr}/notes/{note}", note)
	f.Handle("PUT /api/v4/projects/1/merge_requests/{mr}/notes/{note}", note)
	read("projects/1/merge_requests/{mr}/status_checks", func(*http.Request) any {
		return []map[string]any{{"id": 5, "name": "DefectDojo gate", "status": "pending"}}
	})
	f.Handle("POST /api/v4/projects/1/merge_requests/{mr}/status_check_responses", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		b := readBody(r)
		b["mr"] = r.PathValue("mr")
		f.answers = append(f.answers, b)
		tellJSON(w, http.StatusCreated, map[string]any{"id": 1})
	})
	return f
}

func orNilMap(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func tellJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func readBody(r *http.Request) map[string]any {
	var v map[string]any
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// setStatus refuses what GitLab's state machine refuses.
func (f *fakeGitLab) setStatus(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := readBody(r)
	for _, s := range slices.Backward(f.statuses) {
		if s["sha"] != r.PathValue("sha") || s["name"] != b["name"] {
			continue
		}
		if s["status"] == "pending" && b["state"] == "pending" {
			tellJSON(w, http.StatusBadRequest, map[string]any{"message": "Cannot transition status via :enqueue from :pending"})
			return
		}
		if s["status"] == "pending" {
			s["status"], s["description"], s["target_url"] = b["state"], b["description"], b["target_url"]
			tellJSON(w, http.StatusCreated, s)
			return
		}
		break
	}
	s := map[string]any{"id": len(f.statuses) + 1, "sha": r.PathValue("sha"), "name": b["name"], "status": b["state"], "description": b["description"], "target_url": b["target_url"]}
	f.statuses = append(f.statuses, s)
	tellJSON(w, http.StatusCreated, s)
}

// status is what people see at a commit.
func (f *fakeGitLab) status(sha string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range slices.Backward(f.statuses) {
		if s["sha"] == sha {
			return fmt.Sprintf("%s %s: %s", s["name"], s["status"], s["description"])
		}
	}
	return ""
}

// note is the one note of a merge request; all of them if there are more.
func (f *fakeGitLab) note(merge int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, n := range f.notes[strconv.Itoa(merge)] {
		all = append(all, n["body"].(string))
	}
	return strings.Join(all, "\n=== ANOTHER NOTE ===\n")
}

func commitSHA(n int) string { return fmt.Sprintf("%040x", n) }

// run adds a finished pipeline of a project with a report of Trivy.
func (f *fakeGitLab) run(t *testing.T, project, id int, ref, source string, commit int, cves ...string) {
	t.Helper()
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
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range map[string]string{"trivy.json": string(report), "README.txt": "not a report"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := fmt.Sprintf("%d/%d", project, id)
	f.archives[key+"0"] = b.Bytes()
	f.pipelines[key] = map[string]any{
		"id": id, "project_id": project, "status": "success", "ref": ref, "source": source, "sha": commitSHA(commit), "user": map[string]any{"username": "ada"},
		"web_url": f.URL + "/group/shop/-/pipelines/" + strconv.Itoa(id), "updated_at": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
	}
}

// merge sets what a merge request is now.
func (f *fakeGitLab) merge(number, source int, branch string, commit, pipeline int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string]any{
		"iid": number, "state": "opened", "sha": commitSHA(commit), "source_branch": branch, "target_branch": "main", "source_project_id": source, "target_project_id": 1, "author": map[string]any{"username": "mallory"},
		"diff_refs": map[string]any{"base_sha": commitSHA(1), "start_sha": commitSHA(1), "head_sha": commitSHA(commit)},
	}
	if pipeline != 0 {
		m["head_pipeline"] = map[string]any{"id": pipeline, "project_id": source, "status": "success", "sha": commitSHA(commit), "updated_at": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
	}
	f.merges[number] = m
}
