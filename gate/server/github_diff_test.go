package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/integrations/github/githubtest"
	"defectdojo/integrations/integrationtest"
)

// sarifAt is a report of findings at "path:line"; those whose path begins with
// "high/" are high, the others critical. Line 0 is none.
func sarifAt(places ...string) string {
	var results []string
	for n, p := range places {
		path, line, _ := strings.Cut(p, ":")
		rule := "critical"
		if strings.HasPrefix(path, "high/") {
			rule = "high"
		}
		region := fmt.Sprintf(`,"region":{"startLine":%s}`, line)
		if line == "0" {
			region = ""
		}
		results = append(results, fmt.Sprintf(`{"ruleId":%q,"level":"error","message":{"text":"weakness %d"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":%q}%s}}]}`, rule, n, path, region))
	}
	return `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Tester","rules":[{"id":"critical","properties":{"security-severity":"9.8"}},{"id":"high","properties":{"security-severity":"7.8"}}]}},
		"invocations":[{"executionSuccessful":true}],"results":[` + strings.Join(results, ",") + `]}]}`
}

// TestGitHub_annotations: a pull request is annotated where it shows lines, worst
// first; the other findings stand in the check's text, which says so.
func TestGitHub_annotations(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.hub.Locked(func() {
		f.hub.Files["main:.gate/policy.yaml"] = "rules: [{id: nothing-new, select: {severity: [critical, high], delta: [introduced]}, max: 0}]\n"
	})
	f.baseline()
	open := func(n int, changes ...githubtest.Change) string {
		head := githubtest.SHA(fmt.Sprint("annotated", n))
		f.hub.Locked(func() {
			f.hub.Pulls[n] = githubtest.Pull{
				Number: n, State: "open", SHA: head, Ref: fmt.Sprint("change", n), Base: "main", HeadRepo: githubtest.Repository, HeadOwner: githubtest.Owner, Changes: changes,
			}
		})
		return head
	}
	scan := func(n, attempt int, head, report string) {
		f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: int64(100 + n), Attempt: attempt, Event: "pull_request", Branch: fmt.Sprint("change", n), SHA: head, Pulls: []int{n}}, artifact(int64(1000*attempt+n), report)))
		f.quiet()
	}
	at := func(k githubtest.Check) []string {
		out := []string{}
		for _, a := range k.Annotations {
			out = append(out, fmt.Sprintf("%v:%v", a["path"], a["start_line"]))
		}
		return out
	}

	head := open(21,
		githubtest.Change{Path: "app/main.py", Status: "modified", Patch: "@@ -10,3 +12,4 @@ def f():\n a\n+b\n c\n d\n@@ -48,2 +51,2 @@\n-x\n+y\n z"},
		githubtest.Change{Path: "high/new.py", Status: "added", Patch: "@@ -0,0 +1,20 @@\n+n"},
		githubtest.Change{Path: "package-lock.json", Status: "modified"}, // too large for a patch
		githubtest.Change{Path: "go.mod", Status: "modified", Patch: "@@ -5,2 +5,3 @@\n a\n+b\n c"},
		githubtest.Change{Path: "gone.py", Status: "removed", Patch: "@@ -1,3 +0,0 @@\n-a"},
	)
	report := sarifAt("high/new.py:7", "app/main.py:11", "app/main.py:12", "app/main.py:15", "app/main.py:16", "app/main.py:52", "package-lock.json:0", "go.mod:0", "gone.py:1")
	f.hub.Forget()
	scan(21, 1, head, report)
	k := f.check(head)
	want := []string{"app/main.py:12", "app/main.py:15", "app/main.py:52", "go.mod:5", "package-lock.json:1", "high/new.py:7"}
	got := at(k)
	if len(got) != len(want) || got[len(got)-1] != "high/new.py:7" || !sameSet(got, want) {
		t.Errorf("annotations:\n%s", cmp.Diff(want, got))
	}
	for _, say := range []string{"3 of the findings are at lines that this pull request does not show", "app/main.py:11", "gone.py:1", "app/main.py:16"} {
		if !strings.Contains(k.Summary, say) {
			t.Errorf("the text does not say %q:\n%s", say, k.Summary)
		}
	}
	t.Logf("%d requests for the verdict of a pull request, check with %d annotations and comment; of these %d to read the change", len(f.hub.Requests()), len(got), f.hub.Count("", "/pulls/21/files"))

	// The same again asks for nothing: not even what the pull request changes.
	f.hub.Forget()
	scan(21, 2, head, report)
	if n := f.hub.Count("", "/pulls/21/files"); n != 0 || f.hub.Count(http.MethodPost, "/repos/")+f.hub.Count(http.MethodPatch, "/repos/") != 0 {
		t.Errorf("the same verdict again: %d times asked for the change", n)
	}

	// All of it elsewhere: no annotation, and the check is red all the same.
	head = open(22, githubtest.Change{Path: "app/main.py", Status: "modified", Patch: "@@ -1 +1 @@\n-a\n+b"}, githubtest.Change{Path: "lib/other.py", Status: "modified", Patch: "@@ -1 +1 @@\n-a\n+b"})
	scan(22, 1, head, sarifAt("app/main.py:3", "lib/other.py:9"))
	if k := f.check(head); len(k.Annotations) != 0 || k.Conclusion != "failure" || !strings.Contains(k.Summary, "2 of the findings are at lines") {
		t.Errorf("all elsewhere: %s with %v", k.Conclusion, at(k))
	}

	// Who may not read the change is told of all lines; who cannot just now waits.
	head = open(23, githubtest.Change{Path: "app/main.py", Status: "modified", Patch: "@@ -1 +1 @@\n-a\n+b"})
	f.hub.Fail(http.MethodGet, "/pulls/23/files", 1, integrationtest.Fault{Status: http.StatusForbidden, Body: `{"message":"Resource not accessible by integration"}`})
	scan(23, 1, head, sarifAt("app/main.py:3"))
	if k := f.check(head); len(k.Annotations) != 1 {
		t.Errorf("not to be read: %v", at(k))
	}
	head = open(24, githubtest.Change{Path: "app/main.py", Status: "modified", Patch: "@@ -1 +1,9 @@\n-a\n+b"}, githubtest.Change{Path: "lib/other.py", Status: "renamed", Patch: "@@ -1 +1 @@\n-a\n+b"})
	f.hub.Fail(http.MethodGet, "/pulls/24/files", 1, integrationtest.Fault{Status: http.StatusBadGateway})
	scan(24, 1, head, sarifAt("app/main.py:4", "lib/other.py:9"))
	if k := f.check(head); len(k.Annotations) != 1 || k.Writes != 1 {
		t.Errorf("later: %v in %d writes", at(k), k.Writes)
	}

	// A push has no page that shows some lines alone.
	head = githubtest.SHA("pushed")
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 200, Event: "push", Branch: "main", SHA: head}, artifact(200, sarifAt("app/main.py:1", "lib/other.py:9"))))
	f.quiet()
	if k := f.check(head); len(k.Annotations) != 2 {
		t.Errorf("a push: %v", at(k))
	}
}

func sameSet(a, b []string) bool {
	in := map[string]int{}
	for _, s := range a {
		in[s]++
	}
	for _, s := range b {
		in[s]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}
