package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab/gitlabtest"
)

// says tells a delivery, waits until all that follows is done, and checks what
// became of it.
func (g *gitlabNode) says(what, event, state, outcome string) {
	g.t.Helper()
	g.tell(event)
	g.still()
	var gotState, gotOutcome string
	if err := g.pool.QueryRow(g.t.Context(), `select state, outcome from webhook_deliveries order by id desc limit 1`).Scan(&gotState, &gotOutcome); err != nil {
		g.t.Fatal(err)
	}
	if gotState != state || !strings.Contains(gotOutcome, outcome) {
		g.t.Errorf("%s: %s: %s, want %s: %s", what, gotState, gotOutcome, state, outcome)
	}
}

// shows checks how the status at a commit begins.
func (g *gitlabNode) shows(what string, commit int, status string) {
	g.t.Helper()
	if got := g.Status(gitlabtest.Commit(commit)); !strings.HasPrefix(got, status) || status == "" && got != "" {
		g.t.Errorf("%s: the commit shows %q, want %q", what, got, status)
	}
}

// TestGitLab_push: what is pushed to a branch with reports is to be judged; of
// anything else nothing is said.
func TestGitLab_push(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	g.Run(1, 30, "main", "push", 1, "CVE-2020-8203")
	g.tell(pipelineEvent(30))
	g.still()
	push := func(ref, after string) string {
		return fmt.Sprintf(`{"object_kind":"push","ref":%q,"after":%q,"project":{"id":1}}`, ref, after)
	}
	head := gitlabtest.Commit(2)
	g.says("a tag", push("refs/tags/v1", head), store.DeliveryIgnored, "no branch")
	g.says("a branch that goes", push("refs/heads/main", strings.Repeat("0", 40)), store.DeliveryIgnored, "no branch")
	g.says("a branch without reports", push("refs/heads/new", head), store.DeliveryIgnored, "no reports")
	g.shows("nothing was to be said", 2, "")
	g.says("main", push("refs/heads/main", head), store.DeliveryDone, "pending at "+head)
	g.shows("pushed", 2, "gate/shop pending: Waiting for reports")
	writes := g.Count(http.MethodPost, "/statuses/")
	g.says("main, once more", push("refs/heads/main", head), store.DeliveryDone, "pending")
	if n := g.Count(http.MethodPost, "/statuses/"); n != writes {
		t.Errorf("pending was written %d times again", n-writes)
	}
	g.Run(1, 31, "main", "push", 2, "CVE-2020-8203")
	g.says("its pipeline", pipelineEvent(31), store.DeliveryDone, "1 reports")
	g.shows("judged", 2, "gate/shop success")
	g.says("main, late", push("refs/heads/main", head), store.DeliveryDone, "pending")
	g.shows("judged, and told late of the push", 2, "gate/shop success")
}

// TestGitLab_job: a job that is over brings the reports of its pipeline, if that
// is over, too; one that was run again brings them again.
func TestGitLab_job(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	job := func(pipeline int, status string) string {
		return fmt.Sprintf(`{"object_kind":"build","build_status":%q,"pipeline_id":%d,"project_id":1}`, status, pipeline)
	}
	g.Run(1, 30, "main", "push", 1, "CVE-2020-8203")
	g.Locked(func() { g.Pipelines["1/30"]["status"] = "running" })
	g.says("a job that runs", job(30, "running"), store.DeliveryIgnored, "the job is not over")
	g.says("a job of a pipeline that runs", job(30, "success"), store.DeliveryIgnored, "the pipeline is not over")
	g.shows("nothing is known yet", 1, "")
	g.Locked(func() { g.Pipelines["1/30"]["status"] = "success" })
	g.says("the last job", job(30, "success"), store.DeliveryDone, "1 reports, verdict")
	g.shows("judged", 1, "gate/shop success")
	g.says("another of its jobs", job(30, "failed"), store.DeliveryDone, "taken in and judged before")
	g.says("a pipeline that waits for a person", strings.Replace(pipelineEvent(30), "success", "manual", 1), store.DeliveryDone, "judged before")
	g.says("a pipeline that runs", strings.Replace(pipelineEvent(30), "success", "running", 1), store.DeliveryIgnored, "not over")
	g.says("a job of nobody", `{"object_kind":"build","build_status":"success"}`, store.DeliveryIgnored, "no project")
}

// TestGitLab_train: a merge train's commit is its own, and so is its verdict: it
// is told at that commit, and the merge request keeps its own.
func TestGitLab_train(t *testing.T) {
	t.Parallel()
	g := newGitLabNode(t)
	const known, added = "CVE-2020-8203", "CVE-2021-44228"
	g.Run(1, 30, "main", "push", 1, known)
	g.tell(pipelineEvent(30))
	g.still()
	g.Run(1, 31, "refs/merge-requests/12/head", "merge_request_event", 2, known)
	g.Merge(12, 1, "feature", 2, 31)
	g.says("the merge request", pipelineEvent(31), store.DeliveryDone, "pass")
	note, answers := g.Note(12), len(g.Answers)
	if !strings.Contains(note, "Passed") || answers != 1 {
		t.Errorf("the merge request: %d answers, %s", answers, note)
	}
	// Together with what goes before it, it brings something.
	g.Run(1, 32, "refs/merge-requests/12/train", "merge_request_event", 3, known, added)
	g.says("the train", pipelineEvent(32), store.DeliveryDone, "fail")
	g.shows("the train", 3, "gate/shop failed: Failed: new-critical: 1 > 0")
	g.shows("the merge request", 2, "gate/shop success")
	// The train goes again without it, and the pipeline that was is late.
	g.Run(1, 33, "refs/merge-requests/12/train", "merge_request_event", 4, known)
	g.says("the train, again", pipelineEvent(33), store.DeliveryDone, "pass")
	g.shows("the train, again", 4, "gate/shop success")
	g.Locked(func() {
		g.Pipelines["1/32"]["updated_at"] = time.Now().Add(-10 * time.Minute).UTC().Format(time.RFC3339)
	})
	g.says("the first train, late", pipelineEvent(32), store.DeliveryDone, "")
	g.shows("the train, again", 4, "gate/shop success")
	if g.Note(12) != note || len(g.Answers) != answers {
		t.Errorf("a train wrote at the merge request: %s", g.Note(12))
	}
}
