package github

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"
)

// Run is a run of a workflow.
type Run struct {
	ID         int64
	Attempt    int
	Name       string
	Event      string // push, pull_request, merge_group …
	Status     string // completed, in_progress …
	Branch     string
	Commit     string
	Repository Repository // where it ran
	HeadID     int64      // the repository that the commit comes from
	HeadOwner  string
	Actor      string
	URL        string
	Updated    time.Time
	Pulls      []int // those of this repository alone; none for forks
}

// IsFork tells whether the commit comes from another repository, which may be
// gone by now.
func (r Run) IsFork() bool { return r.HeadID != r.Repository.ID }

// Sequence orders runs and their attempts as the uploader does.
func (r Run) Sequence() int64 { return r.ID*100 + int64(r.Attempt) }

func run(w *github.WorkflowRun) Run {
	r := Run{
		ID: w.GetID(), Attempt: max(w.GetRunAttempt(), 1), Name: w.GetName(), Event: w.GetEvent(), Status: w.GetStatus(), Branch: w.GetHeadBranch(), Commit: w.GetHeadSHA(),
		Repository: Repository{ID: w.GetRepository().GetID(), Name: Repo(w.GetRepository().GetFullName()), DefaultBranch: w.GetRepository().GetDefaultBranch()},
		HeadID:     w.GetHeadRepository().GetID(), HeadOwner: w.GetHeadRepository().GetOwner().GetLogin(),
		Actor: w.GetActor().GetLogin(), URL: w.GetHTMLURL(), Updated: w.GetUpdatedAt().Time,
	}
	for _, p := range w.PullRequests {
		r.Pulls = append(r.Pulls, p.GetNumber())
	}
	return r
}

// Run reads one: https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run
func (c *Client) Run(ctx context.Context, repo Repo, id int64) (Run, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Run{}, err
	}
	w, resp, err := gh.Actions.GetWorkflowRunByID(ctx, owner, name, id)
	if err != nil {
		return Run{}, c.failed("read workflow run", http.MethodGet, resp, err)
	}
	return run(w), nil
}

// Runs lists the completed runs made since a time, or of one commit if it is
// not blank, the newest first:
// https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
func (c *Client) Runs(ctx context.Context, repo Repo, since time.Time, commit string) ([]Run, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return nil, err
	}
	ask := &github.ListWorkflowRunsOptions{Status: "completed", HeadSHA: commit}
	if !since.IsZero() {
		ask.Created = ">=" + since.UTC().Format(time.RFC3339)
	}
	var out []Run
	resp, err := each(10, func(o github.ListOptions) (*github.Response, error) { // GitHub lists a thousand at most
		ask.ListOptions = o
		l, resp, err := gh.Actions.ListRepositoryWorkflowRuns(ctx, owner, name, ask)
		if err == nil {
			for _, w := range l.WorkflowRuns {
				out = append(out, run(w))
			}
		}
		return resp, err
	})
	return out, c.failed("list workflow runs", http.MethodGet, resp, err)
}

// Pull is a pull request.
type Pull struct {
	Number     int
	Open       bool
	HeadCommit string
	HeadRef    string
	HeadRepo   int64
	HeadOwner  string
	BaseRef    string
	BaseCommit string
	BaseRepo   int64
	Author     string
}

func pull(p *github.PullRequest) Pull {
	return Pull{
		Number: p.GetNumber(), Open: p.GetState() == "open", HeadCommit: p.GetHead().GetSHA(), HeadRef: p.GetHead().GetRef(), HeadRepo: p.GetHead().GetRepo().GetID(),
		HeadOwner: p.GetHead().GetUser().GetLogin(), BaseRef: p.GetBase().GetRef(), BaseCommit: p.GetBase().GetSHA(), BaseRepo: p.GetBase().GetRepo().GetID(),
		Author: p.GetUser().GetLogin(),
	}
}

// Pull reads one: https://docs.github.com/rest/pulls/pulls#get-a-pull-request
func (c *Client) Pull(ctx context.Context, repo Repo, number int) (Pull, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Pull{}, err
	}
	p, resp, err := gh.PullRequests.Get(ctx, owner, name, number)
	if err != nil {
		return Pull{}, c.failed("read pull request", http.MethodGet, resp, err)
	}
	return pull(p), nil
}

// PullOf finds the open pull request that a run was for. GitHub names it in the
// run for the repository's own branches only, so those of forks are found by
// where the commit comes from and its SHA. ok is false if there is none.
func (c *Client) PullOf(ctx context.Context, r Run) (p Pull, ok bool, err error) {
	owner, name := r.Repository.Name.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Pull{}, false, err
	}
	var found []Pull
	resp, err := each(3, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.PullRequests.List(ctx, owner, name, &github.PullRequestListOptions{State: "open", Head: r.HeadOwner + ":" + r.Branch, ListOptions: o})
		for _, p := range l {
			found = append(found, pull(p))
		}
		return resp, err
	})
	if err != nil {
		return Pull{}, false, c.failed("list pull requests", http.MethodGet, resp, err)
	}
	for _, p := range found {
		if p.HeadRepo == r.HeadID && p.HeadCommit == r.Commit && p.BaseRepo == r.Repository.ID {
			return p, true, nil
		}
	}
	for _, p := range found { // it has moved on since: this run is of an older commit of it
		if p.HeadRepo == r.HeadID && (slices.Contains(r.Pulls, p.Number) || len(found) == 1) {
			return p, true, nil
		}
	}
	return Pull{}, false, nil
}

// Comparison is how one commit differs from another.
type Comparison struct {
	MergeBase string            // the commit from which head left base
	Changed   []string          // paths that head changed since; nil if they are too many to be told
	Renames   map[string]string // new path → old path
}

// maxCompared is how many files GitHub tells of a comparison.
const maxCompared = 300

// Compare compares head with base: https://docs.github.com/rest/commits/commits#compare-two-commits
func (c *Client) Compare(ctx context.Context, repo Repo, base, head string) (Comparison, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Comparison{}, err
	}
	cmp, resp, err := gh.Repositories.CompareCommits(ctx, owner, name, base, head, &github.ListOptions{PerPage: 1})
	if err != nil {
		return Comparison{}, c.failed("compare commits", http.MethodGet, resp, err)
	}
	out := Comparison{MergeBase: cmp.GetMergeBaseCommit().GetSHA()}
	if len(cmp.Files) >= maxCompared {
		return out, nil
	}
	out.Changed, out.Renames = []string{}, map[string]string{}
	for _, f := range cmp.Files {
		out.Changed = append(out.Changed, f.GetFilename())
		if old := f.GetPreviousFilename(); old != "" {
			out.Renames[f.GetFilename()] = old
		}
	}
	return out, nil
}
