package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/connection"
	"defectdojo/gate/store"
	"defectdojo/integrations/github/githubtest"
	"defectdojo/integrations/gitlab/gitlabtest"
)

// addPart makes a part of a repository with a product of its own.
func addPart(t *testing.T, s *Server, repository store.Repository, name string, paths ...string) {
	t.Helper()
	product, err := s.store.EnsureProduct(t.Context(), name, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.connections.AddPart(t.Context(), store.AuditEvent{Actor: "ada"}, repository.ID, name, connection.Mapping{Product: product, Paths: paths}); err != nil {
		t.Fatal(err)
	}
}

// openAt lists the open findings of main, as "product path".
func openAt(t *testing.T, s *Server) string {
	t.Helper()
	var out string
	if err := s.pool.QueryRow(t.Context(), `
		select coalesce(string_agg(p.name || ' ' || f.file_path, ', ' order by p.name, f.file_path), '')
		from findings f join engagements e on e.id = f.engagement_id join products p on p.id = e.product_id where e.name = 'main' and f.active`).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGitHub_monorepo: one report of a repository is several products', each
// with what is at its paths; each has a check and a comment of its own, and one
// that passes says nothing of the other's findings.
func TestGitHub_monorepo(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.event("installation", "created", nil)
	list, err := f.node.store.Repositories(t.Context(), f.conn)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := f.node.connections.Map(t.Context(), store.AuditEvent{Actor: "ada"}, list[0].ID, connection.Mapping{}); err != nil { // all of it is nobody's
		t.Fatal(err)
	}
	addPart(t, f.node, list[0], "api", "services/api", "libs/http")
	addPart(t, f.node, list[0], "web", "services/web")
	scan := func(run int64, event, branch, sha string, pulls []int, places ...string) {
		d := f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: run, Event: event, Branch: branch, SHA: sha, Pulls: pulls}, artifact(run, sarifAt(places...))))
		f.quiet()
		f.says("a run", d, store.DeliveryDone, "; ")
	}
	known := []string{"services/api/a.go:1", "services/web/b.js:2", "libs/http/c.go:3", "Dockerfile:4"}
	scan(1, "push", "main", githubtest.SHA("base"), nil, known...)
	if got, want := openAt(t, f.node), "api Dockerfile, api libs/http/c.go, api services/api/a.go, web Dockerfile, web services/web/b.js"; got != want {
		t.Errorf("open: %s\nwant: %s", got, want)
	}
	head := githubtest.SHA("change")
	f.hub.Locked(func() {
		f.hub.Pulls[5] = githubtest.Pull{
			Number: 5, State: "open", SHA: head, Ref: "change", Base: "main", HeadRepo: githubtest.Repository, HeadOwner: githubtest.Owner,
			Changes: []githubtest.Change{{Path: "services/web/b.js", Status: "modified", Patch: "@@ -1,2 +1,20 @@\n+x"}},
		}
	})
	f.hub.Forget()
	scan(2, "pull_request", "change", head, []int{5}, append(known, "services/web/b.js:9")...)
	got := map[string]string{}
	f.hub.Locked(func() {
		for _, k := range f.hub.Checks {
			if k.SHA == head {
				got[k.Name] = fmt.Sprintf("%s, %d annotations", k.Conclusion, len(k.Annotations))
			}
		}
	})
	if got["gate/api/api"] != "success, 0 annotations" || got["gate/web/web"] != "failure, 1 annotations" || len(got) != 2 {
		t.Errorf("checks: %v", got)
	}
	if len(f.hub.Comments) != 2 || !strings.HasPrefix(f.hub.Comments[0].Body, "<!-- gate:") || f.hub.Comments[0].Body[:20] == f.hub.Comments[1].Body[:20] {
		t.Errorf("%d comments", len(f.hub.Comments))
	}
	t.Logf("%d requests for two verdicts", len(f.hub.Requests()))
}

// TestGitLab_monorepo is the same of a project's jobs.
func TestGitLab_monorepo(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	var conn int64
	if err := g.pool.QueryRow(t.Context(), `select id from connections`).Scan(&conn); err != nil {
		t.Fatal(err)
	}
	g.Run(1, 30, "main", "push", 1, "CVE-2020-8203")
	g.says("all of it", pipelineEvent(30), store.DeliveryDone, "1 reports")
	list, err := g.s.store.Repositories(t.Context(), conn)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	addPart(t, g.s, list[0], "web", "web")
	g.Run(1, 31, "main", "push", 2, "CVE-2020-8203") // in package-lock.json, which is nobody's alone
	g.says("all of it, and a part", pipelineEvent(31), store.DeliveryDone, "; ")
	got := map[any]any{} // in either order
	g.Locked(func() {
		for _, status := range g.Statuses {
			if status["sha"] == gitlabtest.Commit(2) {
				got[status["name"]] = status["status"]
			}
		}
	})
	if diff := cmp.Diff(map[any]any{"gate/shop": "success", "gate/web/web": "success"}, got); diff != "" {
		t.Errorf("statuses of the commit (-want +got):\n%s", diff)
	}
	if got := openAt(t, g.s); got != "shop package-lock.json, web package-lock.json" {
		t.Errorf("open: %s", got)
	}
}
