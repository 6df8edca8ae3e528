package server

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"defectdojo/gate/store"
	"defectdojo/integrations/github/githubtest"
)

// says checks what became of a delivery.
func (f *forge) says(what string, d store.Delivery, state, outcome string) {
	f.t.Helper()
	if d.State != state || !strings.Contains(d.Outcome, outcome) {
		f.t.Errorf("%s: %s: %s, want %s: %s", what, d.State, d.Outcome, state, outcome)
	}
}

// event delivers one of an action, and waits for what follows.
func (f *forge) event(name, action string, more map[string]any) store.Delivery {
	f.t.Helper()
	body := map[string]any{"action": action}
	maps.Copy(body, more)
	d := f.deliver(name, githubtest.Event(body))
	f.quiet()
	return d
}

// TestGitHub_merge_queue: the queue is told that its verdict is to come, and then
// what it is; the pull request's comment is not the queue's business.
func TestGitHub_merge_queue(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	for n, c := range []struct {
		report, conclusion string
	}{{sarif(1), "success"}, {sarif(1, 2), "failure"}} {
		head := githubtest.SHA(fmt.Sprint("queued", n))
		branch := fmt.Sprintf("gh-readonly-queue/main/pr-%d-%s", n+1, githubtest.SHA("base"))
		d := f.event("merge_group", "checks_requested", map[string]any{"merge_group": map[string]any{"head_sha": head, "head_ref": "refs/heads/" + branch}})
		f.says("checks requested", d, store.DeliveryDone, "pending at "+head)
		if k := f.check(head); k.Name != "gate/shop" || k.Status != "in_progress" {
			t.Errorf("queued: %+v", k)
		}
		d = f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: int64(10 + n), Event: "merge_group", Branch: branch, SHA: head}, artifact(int64(10+n), c.report)))
		f.quiet()
		f.says("its run", d, store.DeliveryDone, "1 reports")
		if k := f.check(head); k.Conclusion != c.conclusion || k.Status != "completed" {
			t.Errorf("its verdict: %+v, want %s", k, c.conclusion)
		}
	}
	if len(f.hub.Comments) != 0 || len(f.hub.Checks) != 3 {
		t.Errorf("%d comments, %d check runs", len(f.hub.Comments), len(f.hub.Checks))
	}
	f.says("taken out of the queue", f.event("merge_group", "destroyed", nil), store.DeliveryIgnored, "nothing follows")
}

// TestGitHub_push: what is pushed to a branch with reports is to be judged; of
// anything else nothing is said.
func TestGitHub_push(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	head := githubtest.SHA("pushed")
	push := func(ref string, deleted bool) store.Delivery {
		d := f.deliver("push", githubtest.Event(map[string]any{"ref": ref, "after": head, "deleted": deleted}))
		f.quiet()
		return d
	}
	f.says("a tag", push("refs/tags/v1", false), store.DeliveryIgnored, "no branch")
	f.says("a branch that goes", push("refs/heads/main", true), store.DeliveryIgnored, "no branch")
	f.says("a branch without reports", push("refs/heads/new", false), store.DeliveryIgnored, "no reports")
	if k := f.check(head); k.ID != 0 {
		t.Errorf("nothing was to be said: %+v", k)
	}
	f.says("main", push("refs/heads/main", false), store.DeliveryDone, "pending at "+head)
	if k := f.check(head); k.Status != "in_progress" || k.Conclusion != "" || k.Title != "Waiting for reports" {
		t.Errorf("pushed: %+v", k)
	}
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 2, Event: "push", Branch: "main", SHA: head}, artifact(2, sarif(1))))
	f.quiet()
	f.says("main, late", push("refs/heads/main", false), store.DeliveryDone, "pending")
	if k := f.check(head); k.Conclusion != "success" || len(f.hub.Checks) != 2 {
		t.Errorf("judged: %+v, %d check runs", k, len(f.hub.Checks))
	}
}

// TestGitHub_rerequested: who asks at GitHub for a check again gets a new one,
// of a verdict that is there or of reports that are.
func TestGitHub_rerequested(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.baseline()
	base := githubtest.SHA("base")
	for n, name := range []string{"check_suite", "check_run"} {
		d := f.event(name, "rerequested", map[string]any{name: map[string]any{"head_sha": base}})
		f.says(name, d, store.DeliveryDone, "judged again")
		if k := f.check(base); k.Conclusion != "success" || len(f.hub.Checks) != n+2 {
			t.Errorf("%s: %+v, %d check runs", name, k, len(f.hub.Checks))
		}
		missed := githubtest.SHA("missed" + name)
		f.hub.Did(githubtest.Run{ID: int64(20 + n), Event: "push", Branch: "main", SHA: missed}, artifact(int64(20+n), sarif(1, 2, 3+n)))
		d = f.event(name, "rerequested", map[string]any{name: map[string]any{"head_sha": missed}})
		f.says(name+" of a run that nobody told of", d, store.DeliveryDone, "1 reports")
		if k := f.check(missed); k.Conclusion != "failure" {
			t.Errorf("%s of a run that nobody told of: %+v", name, k)
		}
		d = f.event(name, "rerequested", map[string]any{name: map[string]any{"head_sha": githubtest.SHA("nothing")}})
		f.says(name+" where nothing ran", d, store.DeliveryIgnored, "no run")
		f.says(name+" completed", f.event(name, "completed", nil), store.DeliveryIgnored, "nothing follows")
		f.hub.Locked(func() { f.hub.Checks = f.hub.Checks[:n+2] })
	}
}

// TestGitHub_installation: what the App may see changes under way. What it may
// not see is left alone, and keeps what was set of it until it is back.
func TestGitHub_installation(t *testing.T) {
	t.Parallel()
	f := connect(t, true, nil)
	f.says("installed", f.event("installation", "created", nil), store.DeliveryDone, "1 repositories are known")
	f.baseline()
	lost := func() (out []string) {
		list, err := f.node.store.Repositories(t.Context(), f.conn)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.Lost != nil {
				out = append(out, r.FullName)
			}
		}
		return out
	}
	const other = githubtest.Owner + "/blog"
	f.hub.Locked(func() { f.hub.Visible[9005] = other })
	f.says("one more", f.event("installation_repositories", "added", nil), store.DeliveryDone, "2 repositories are known")
	f.hub.Locked(func() { delete(f.hub.Visible, 9005) })
	f.says("one less", f.event("installation_repositories", "removed", nil), store.DeliveryDone, "1 repositories are known, 1 no more")
	if got := lost(); len(got) != 1 || got[0] != other {
		t.Errorf("lost: %v", got)
	}
	f.reconcileQuietly("one is lost")

	for n, c := range []struct {
		gone, back string
		change     func(gone bool)
	}{
		{"suspend", "unsuspend", func(gone bool) { f.hub.Suspended = gone }},
		{"deleted", "created", func(gone bool) { f.hub.Installed = map[bool]int64{true: 0, false: 78}[gone] }},
	} {
		f.hub.Locked(func() { c.change(true) })
		f.says(c.gone, f.event("installation", c.gone, nil), store.DeliveryDone, "0 repositories are known, 1 no more")
		if got := lost(); len(got) != 2 {
			t.Errorf("%s: lost %v", c.gone, got)
		}
		f.reconcileQuietly(c.gone)
		f.hub.Locked(func() { c.change(false) })
		f.says(c.back, f.event("installation", c.back, nil), store.DeliveryDone, "1 repositories are known")
		head := githubtest.SHA(c.back)
		f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: int64(30 + n), Event: "push", Branch: "main", SHA: head}, artifact(int64(30+n), sarif(1))))
		f.quiet()
		if k := f.check(head); k.Conclusion != "success" {
			t.Errorf("%s: %+v", c.back, k)
		}
	}

	// The App is installed anew, and nobody told us: the token that we have is good no more.
	f.hub.Locked(func() { f.hub.Installed = 79 })
	head := githubtest.SHA("untold")
	f.deliver("workflow_run", f.hub.Did(githubtest.Run{ID: 40, Event: "push", Branch: "main", SHA: head}, artifact(40, sarif(1))))
	f.quiet()
	if k := f.check(head); k.Conclusion != "success" {
		t.Errorf("installed anew: %+v", k)
	}
	f.says("an action that changes nothing", f.event("installation", "new_something", nil), store.DeliveryIgnored, "nothing follows")
}

// reconcileQuietly reconciles, which must ask nothing of what may not be seen.
func (f *forge) reconcileQuietly(when string) {
	f.t.Helper()
	f.hub.Forget()
	if err := f.node.reconcile(f.t.Context()); err != nil {
		f.t.Errorf("%s: reconcile: %v", when, err)
	}
	for _, r := range f.hub.Requests() {
		if strings.Contains(r.Path, "/repos/acme/blog") || f.hub.Suspended && strings.Contains(r.Path, "/repos/") {
			f.t.Errorf("%s: %s %s", when, r.Method, r.Path)
		}
	}
	if h, err := f.node.store.Channels(f.t.Context()); err != nil || len(h) != 1 || h[0].Failures != 0 {
		f.t.Errorf("%s: health %+v, %v", when, h, err)
	}
}
