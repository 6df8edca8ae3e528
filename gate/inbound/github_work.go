package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/integrations/github"
	"defectdojo/policies"
)

// PolicyFile is where a repository keeps its policy. It is read where a change
// is to go, never where it comes from: a change cannot loosen its own gate.
const PolicyFile = ".gate/policy.yaml"

// GitHubWork does what follows from GitHub's deliveries.
type GitHubWork struct {
	Store  *store.Store
	Puller *Puller
	Now    func() time.Time

	// Client returns the client of a connection.
	Client func(context.Context, store.Connection) (*github.Client, error)
	// Want says what should be at a place of GitHub.
	Want func(context.Context, store.Publication) error
	// Rejudge judges again what a verdict was about.
	Rejudge func(context.Context, store.StoredVerdict) error
}

// githubEvent is what is read of a delivery: who to ask about what.
type githubEvent struct {
	Action     string `json:"action"`
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	Repository struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	} `json:"repository"`
	WorkflowRun struct {
		ID int64 `json:"id"`
	} `json:"workflow_run"`
	PullRequest struct {
		Number int `json:"number"`
	} `json:"pull_request"`
	MergeGroup struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
	} `json:"merge_group"`
	CheckSuite struct {
		HeadSHA string `json:"head_sha"`
	} `json:"check_suite"`
	CheckRun struct {
		HeadSHA string `json:"head_sha"`
	} `json:"check_run"`
}

// Work works one delivery.
func (g *GitHubWork) Work(ctx context.Context, d Delivery) (string, error) {
	var e githubEvent
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return "", Ignore("the body is not what GitHub sends")
	}
	event, _, _ := strings.Cut(d.Event, ".")
	c, err := g.Client(ctx, d.Connection)
	if err != nil {
		return "", err
	}
	switch event {
	case "ping":
		return "GitHub reaches us", nil
	case "installation", "installation_repositories", "repository":
		return g.sync(ctx, c, d.Connection)
	}
	parts, err := g.parts(ctx, c, d.Connection, e.Repository.ID, e.Repository.FullName)
	if err != nil {
		return "", err
	}
	switch event {
	case "workflow_run":
		return g.TakeRun(ctx, c, d.Connection, parts, e.WorkflowRun.ID)
	case "pull_request":
		return g.pullRequest(ctx, c, parts, e.PullRequest.Number)
	case "merge_group":
		return "pending at " + e.MergeGroup.HeadSHA, g.pending(ctx, parts, e.MergeGroup.HeadSHA, e.MergeGroup.HeadRef)
	case "push":
		return g.push(ctx, parts, e)
	case "check_suite":
		return g.again(ctx, c, d.Connection, parts, e.CheckSuite.HeadSHA)
	case "check_run":
		return g.again(ctx, c, d.Connection, parts, e.CheckRun.HeadSHA)
	}
	return "", Ignore("nothing follows from this event")
}

// parts returns the parts of a repository that belong to a product.
func (g *GitHubWork) parts(ctx context.Context, c *github.Client, conn store.Connection, id int64, name string) ([]store.Repository, error) {
	all, err := g.Store.RepositoryParts(ctx, conn.ID, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].FullName != name || all[0].DefaultBranch == "" || all[0].Lost != nil { // new to us, called otherwise since, or here again
		r, err := c.Repository(ctx, github.Repo(name))
		if err != nil {
			return nil, err
		}
		if r.ID != id {
			return nil, Ignore("another repository has this name now")
		}
		if all, err = g.known(ctx, conn, r, all); err != nil {
			return nil, err
		}
	}
	var mapped []store.Repository
	for _, r := range all {
		if r.ProductID != nil {
			mapped = append(mapped, r)
		}
	}
	if len(mapped) == 0 {
		return nil, Ignore(name + " belongs to no product")
	}
	return mapped, nil
}

// known brings up to date what a repository is called, and adds one that is new.
func (g *GitHubWork) known(ctx context.Context, conn store.Connection, r github.Repository, parts []store.Repository) ([]store.Repository, error) {
	if len(parts) == 0 {
		product, err := g.newProduct(ctx, conn, r)
		if err != nil {
			return nil, err
		}
		parts = []store.Repository{{ConnectionID: conn.ID, ProviderID: r.ID, ProductID: product}}
	}
	for i := range parts {
		parts[i].FullName, parts[i].DefaultBranch = string(r.Name), r.DefaultBranch
		saved, err := g.Store.SaveRepository(ctx, parts[i])
		if err != nil {
			return nil, err
		}
		parts[i] = saved
	}
	return parts, nil
}

// newProduct returns the product of a repository that is new, if the
// connection's rule gives it one. A product that has a repository is no other's.
func (g *GitHubWork) newProduct(ctx context.Context, conn store.Connection, r github.Repository) (*int64, error) {
	var s github.Settings
	if err := json.Unmarshal(conn.Settings, &s); err != nil {
		return nil, err
	}
	name, ok := s.Creates(string(r.Name))
	if !ok || r.Archived {
		return nil, nil
	}
	return MakeProduct(ctx, g.Store, name, s.ProductType)
}

// defaultProductType is where products go that are made without a type.
const defaultProductType = 1

// MakeProduct returns the product of a name for a repository, which it makes if
// need be; nil if it has a repository already.
func MakeProduct(ctx context.Context, s *store.Store, name, productType string) (*int64, error) {
	kind := int64(defaultProductType)
	var err error
	if productType != "" {
		if kind, err = s.EnsureProductType(ctx, productType); err != nil {
			return nil, err
		}
	}
	id, err := s.EnsureProduct(ctx, name, kind)
	if err != nil {
		return nil, err
	}
	taken, err := s.HasRepository(ctx, id)
	if err != nil || taken {
		return nil, err
	}
	return &id, nil
}

// Sync reads which repositories a connection may see, and returns how many.
// Those that it may see no more keep what was set of them, and are left alone.
func (g *GitHubWork) Sync(ctx context.Context, c *github.Client, conn store.Connection) (known, lost int, err error) {
	list, whole, err := c.Repositories(ctx)
	if err != nil {
		return 0, 0, err
	}
	var seen []int64
	for _, r := range list {
		seen = append(seen, r.ID)
		parts, err := g.Store.RepositoryParts(ctx, conn.ID, r.ID)
		if err != nil {
			return 0, 0, err
		}
		if _, err := g.known(ctx, conn, r, parts); err != nil {
			return 0, 0, err
		}
	}
	if whole {
		lost, err = g.Store.LoseRepositories(ctx, conn.ID, seen, g.Now())
	}
	return len(list), lost, err
}

// sync does what follows when the App is installed, removed, suspended or given
// other repositories.
func (g *GitHubWork) sync(ctx context.Context, c *github.Client, conn store.Connection) (string, error) {
	known, lost, err := g.Sync(ctx, c, conn)
	said := fmt.Sprintf("%d repositories are known", known)
	if lost > 0 {
		said += fmt.Sprintf(", %d no more", lost)
	}
	return said, err
}

// pullRequest says at a pull request's newest commit that its verdict is to come.
func (g *GitHubWork) pullRequest(ctx context.Context, c *github.Client, parts []store.Repository, number int) (string, error) {
	p, err := c.Pull(ctx, github.Repo(parts[0].FullName), number)
	if err != nil {
		return "", err
	}
	if !p.Open {
		return "", Ignore("the pull request is closed")
	}
	return "pending at " + p.HeadCommit, g.pending(ctx, parts, p.HeadCommit, pullRef(number))
}

func pullRef(number int) string { return "refs/pull/" + strconv.Itoa(number) + "/head" }

func (g *GitHubWork) pending(ctx context.Context, parts []store.Repository, commit, ref string) error {
	for _, r := range parts {
		if err := g.Want(ctx, store.Publication{RepositoryID: r.ID, Kind: "status", Target: commit, Ref: ref, State: store.PublishPending}); err != nil {
			return err
		}
	}
	return nil
}

// push says that a verdict is to come where the branch had reports before.
func (g *GitHubWork) push(ctx context.Context, parts []store.Repository, e githubEvent) (string, error) {
	branch, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok || e.Deleted {
		return "", Ignore("no branch was pushed to")
	}
	var scanned []store.Repository
	for _, r := range parts {
		id, err := g.Store.BranchEngagement(ctx, *r.ProductID, branch, 0)
		if err != nil {
			return "", err
		}
		if id != 0 {
			scanned = append(scanned, r)
		}
	}
	if len(scanned) == 0 {
		return "", Ignore("there are no reports of this branch yet")
	}
	return "pending at " + e.After, g.pending(ctx, scanned, e.After, e.Ref)
}

// again judges a commit again, because somebody asked for it at GitHub; if it
// has no verdict, its runs are looked for.
func (g *GitHubWork) again(ctx context.Context, c *github.Client, conn store.Connection, parts []store.Repository, commit string) (string, error) {
	judged := 0
	for _, r := range parts {
		l, err := g.Store.Verdicts(ctx, store.VerdictFilter{
			Scope: gate.Scope{All: true}, Numbers: map[string][]int64{"product": {*r.ProductID}}, Commit: &commit, Page: store.Page{Limit: 1},
		})
		if err != nil {
			return "", err
		}
		if len(l.Rows) == 0 {
			continue
		}
		if err := g.Store.RewritePublication(ctx, r.ID, "status", commit); err != nil {
			return "", err
		}
		if err := g.Rejudge(ctx, l.Rows[0]); err != nil {
			return "", err
		}
		judged++
	}
	if judged > 0 {
		return "judged again", nil
	}
	runs, err := c.Runs(ctx, github.Repo(parts[0].FullName), time.Time{}, commit)
	if err != nil {
		return "", err
	}
	taken := ""
	for _, run := range runs {
		said, err := g.TakeRun(ctx, c, conn, parts, run.ID)
		if _, ignored := errors.AsType[*Ignored](err); err != nil && !ignored {
			return "", err
		}
		taken = said
	}
	if taken == "" {
		return "", Ignore("no run of this commit left a report")
	}
	return taken, nil
}

// TakeRun takes the artifacts of a run in, for each part that wants some.
func (g *GitHubWork) TakeRun(ctx context.Context, c *github.Client, conn store.Connection, parts []store.Repository, id int64) (string, error) {
	repo := github.Repo(parts[0].FullName)
	run, err := c.Run(ctx, repo, id)
	if err != nil {
		return "", err
	}
	if run.Repository.ID != parts[0].ProviderID {
		return "", Ignore("the run is of another repository")
	}
	if run.Status != "completed" {
		return "", Ignore("the run is not over")
	}
	said, err := g.takeRun(ctx, c, conn, parts, run)
	ignored := (*Ignored)(nil)
	unreadable := (*Unreadable)(nil)
	if err == nil || errors.As(err, &ignored) || errors.As(err, &unreadable) {
		err = errors.Join(err, g.Store.SeeBuild(ctx, conn.ID, buildOf(run.ID, run.Attempt)))
	}
	return said, err
}

func (g *GitHubWork) takeRun(ctx context.Context, c *github.Client, conn store.Connection, parts []store.Repository, run github.Run) (string, error) {
	repo := github.Repo(parts[0].FullName)
	list, err := c.Artifacts(ctx, repo, run.ID)
	if err != nil {
		return "", err
	}
	var s github.Settings
	if err := json.Unmarshal(conn.Settings, &s); err != nil {
		return "", err
	}
	wanted := map[int][]github.Artifact{}
	for i, r := range parts {
		for _, a := range list {
			if !a.Expired && s.Takes(r.Artifacts, a.Name) {
				wanted[i] = append(wanted[i], a)
			}
		}
	}
	if len(wanted) == 0 {
		return "", Ignore(fmt.Sprintf("none of the run's %d artifacts has a name that is taken", len(list)))
	}
	build, ok, err := g.build(ctx, c, conn, parts[0], run)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", Ignore("the pull request is closed, or has another commit by now")
	}
	var said []string
	for i, r := range parts {
		if len(wanted[i]) == 0 {
			continue
		}
		build.Repository, build.Elsewhere = r, elsewhere(parts, i)
		text, err := g.take(ctx, c, build, wanted[i])
		if err != nil {
			return strings.Join(said, "; "), err
		}
		said = append(said, text)
	}
	return strings.Join(said, "; "), nil
}

// take takes artifacts of a build in.
func (g *GitHubWork) take(ctx context.Context, c *github.Client, b Build, list []github.Artifact) (string, error) {
	in := &bringing{g.Puller, github.MaxArtifact, func(ctx context.Context, id int64, into *os.File) error {
		return c.Download(ctx, github.Repo(b.Repository.FullName), id, into)
	}, g.Want}
	all := make([]artifact, len(list))
	for i, a := range list {
		all[i] = artifact{a.Name, a.ID, a.Size}
	}
	return in.bring(ctx, b, all)
}

// mergeQueue is how GitHub names the branches of merge queues:
// gh-readonly-queue/main/pr-12-<the commit that it is to follow>.
const mergeQueue = "gh-readonly-queue/"

// build finds out what a run was for. ok is false if its pull request is over.
func (g *GitHubWork) build(ctx context.Context, c *github.Client, conn store.Connection, r store.Repository, run github.Run) (b Build, ok bool, err error) {
	b = Build{
		Kind: "github", Connection: conn, Event: githubBuilds[run.Event], Branch: run.Branch, Commit: run.Commit, ID: strconv.FormatInt(run.ID, 10),
		Sequence: run.Sequence(), Fork: run.IsFork(), Actor: run.Actor, Producer: fmt.Sprintf("%s, run %d of %s", run.Name, run.ID, r.FullName),
		URL: strings.Split(run.URL, "/actions/")[0],
	}
	if run.Attempt > 1 {
		b.ID += "." + strconv.Itoa(run.Attempt)
	}
	if b.Event == "" {
		b.Event = policies.Push
	}
	if b.Fork {
		b.Branch = run.HeadOwner + ":" + run.Branch // no branch of the repository is called so
	}
	repo := github.Repo(r.FullName)
	if rest, queued := strings.CutPrefix(run.Branch, mergeQueue); queued && b.Event == policies.MergeGroup {
		if i := strings.LastIndex(rest, "/pr-"); i > 0 {
			b.Target = rest[:i]
			b.BaseCommit = rest[strings.LastIndexByte(rest, '-')+1:]
		}
	} else if b.Event == policies.PullRequest || b.Event == policies.Push && run.Branch != r.DefaultBranch {
		p, found, err := c.PullOf(ctx, run)
		if err != nil {
			return b, false, err
		}
		found = found && p.HeadCommit == run.Commit
		if !found && b.Event == policies.PullRequest {
			return b, false, nil
		}
		if found {
			b.Event, b.Pull, b.Target, b.BaseCommit = policies.PullRequest, p.Number, p.BaseRef, p.BaseCommit
			cmp, err := c.Compare(ctx, repo, p.BaseCommit, run.Commit)
			if err != nil {
				return b, false, err
			}
			b.MergeBase, b.Changed, b.Renames = cmp.MergeBase, cmp.Changed, cmp.Renames
		}
	}
	b.Policies, err = g.policies(ctx, c, repo, firstOf(b.Target, r.DefaultBranch, run.Branch))
	return b, true, err
}

// githubBuilds are the words of policies for what makes workflows run.
var githubBuilds = map[string]policies.Event{
	"push": policies.Push, "pull_request": policies.PullRequest, "pull_request_target": policies.PullRequest, "merge_group": policies.MergeGroup,
	"release": policies.Release, "schedule": policies.Schedule, "workflow_dispatch": policies.Manual, "repository_dispatch": policies.Manual,
}

// policies reads the repository's policy as it is at a branch.
func (g *GitHubWork) policies(ctx context.Context, c *github.Client, repo github.Repo, branch string) ([]verdict.Source, error) {
	text, err := c.File(ctx, repo, PolicyFile, branch)
	if err != nil || text == nil {
		return nil, err
	}
	return []verdict.Source{{Name: PolicyFile, Text: string(text)}}, nil
}

func firstOf(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
