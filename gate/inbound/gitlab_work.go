package inbound

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/integrations/gitlab"
	"defectdojo/policies"
)

// GitLabWork does what follows from GitLab's deliveries.
type GitLabWork struct {
	Store  *store.Store
	Puller *Puller
	Now    func() time.Time

	// Client returns the client of a connection.
	Client func(context.Context, store.Connection) (*gitlab.Client, error)
	// Want says what should be at a place of GitLab.
	Want func(context.Context, store.Publication) error
}

// Work works one delivery.
func (g *GitLabWork) Work(ctx context.Context, d Delivery) (string, error) {
	var e gitlabEvent
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return "", Ignore("the body is not what GitLab sends")
	}
	w, err := g.at(ctx, d.Connection, e.project())
	if err != nil {
		return "", err
	}
	switch e.Kind {
	case "pipeline":
		return w.takePipeline(ctx, w.project(), e.Attributes.ID)
	case "build":
		return w.takePipeline(ctx, w.project(), e.PipelineID)
	case "merge_request":
		return w.mergeRequest(ctx, e.Attributes.IID)
	case "push":
		return w.push(ctx, e)
	}
	return "", Ignore("nothing follows from this event")
}

// gitlabProject is a project at work: its connection, client and parts.
type gitlabProject struct {
	*GitLabWork

	client   *gitlab.Client
	conn     store.Connection
	settings gitlab.Settings
	parts    []store.Repository // that belong to a product: at least one
}

func (w *gitlabProject) project() int64 { return w.parts[0].ProviderID }

// at returns a project by GitLab's number for it. Names count for nothing: they
// can be given to another project. They are brought up to date on the way.
func (g *GitLabWork) at(ctx context.Context, conn store.Connection, id int64) (*gitlabProject, error) {
	w := &gitlabProject{GitLabWork: g, conn: conn}
	if err := json.Unmarshal(conn.Settings, &w.settings); err != nil {
		return nil, err
	}
	if id == 0 {
		return nil, Ignore("it says no project")
	}
	var err error
	if w.client, err = g.Client(ctx, conn); err != nil {
		return nil, err
	}
	all, err := g.Store.RepositoryParts(ctx, conn.ID, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || all[0].DefaultBranch == "" {
		p, err := w.client.Project(ctx, id)
		if err != nil {
			return nil, err
		}
		if all, err = g.known(ctx, conn, w.settings, p, all); err != nil {
			return nil, err
		}
	}
	for _, r := range all {
		if r.ProductID != nil {
			w.parts = append(w.parts, r)
		}
	}
	if len(w.parts) == 0 {
		return nil, Ignore(all[0].FullName + " belongs to no product")
	}
	return w, nil
}

// known brings up to date what a project is called, and adds one that is new.
func (g *GitLabWork) known(ctx context.Context, conn store.Connection, s gitlab.Settings, p gitlab.Project, parts []store.Repository) ([]store.Repository, error) {
	if len(parts) == 0 {
		parts = []store.Repository{{ConnectionID: conn.ID, ProviderID: p.ID}}
		if name, ok := s.Creates(p.Path); ok && !p.Archived {
			var err error
			if parts[0].ProductID, err = MakeProduct(ctx, g.Store, name, s.ProductType); err != nil {
				return nil, err
			}
		}
	}
	for i := range parts {
		parts[i].FullName, parts[i].DefaultBranch = p.Path, p.DefaultBranch
		saved, err := g.Store.SaveRepository(ctx, parts[i])
		if err != nil {
			return nil, err
		}
		parts[i] = saved
	}
	return parts, nil
}

// Sync reads which projects the connection's group has, and returns how many.
func (g *GitLabWork) Sync(ctx context.Context, conn store.Connection) (int, error) {
	var s gitlab.Settings
	if err := json.Unmarshal(conn.Settings, &s); err != nil {
		return 0, err
	}
	c, err := g.Client(ctx, conn)
	if err != nil || s.Group == "" {
		return 0, err
	}
	list, err := c.Projects(ctx, s.Group)
	if err != nil {
		return 0, err
	}
	for _, p := range list {
		parts, err := g.Store.RepositoryParts(ctx, conn.ID, p.ID)
		if err != nil {
			return 0, err
		}
		if _, err := g.known(ctx, conn, s, p, parts); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// mergeRequest says at a merge request's newest commit that its verdict is to
// come. That of a fork has its pipeline in the fork, of which nobody tells us.
func (w *gitlabProject) mergeRequest(ctx context.Context, number int) (string, error) {
	m, err := w.client.Merge(ctx, w.project(), number)
	if err != nil {
		return "", err
	}
	if !m.Open || m.Head == "" {
		return "", Ignore("the merge request is closed")
	}
	if m.IsFork() && m.Pipeline != nil && m.Pipeline.Finished {
		return w.takePipeline(ctx, m.Pipeline.Project, m.Pipeline.ID)
	}
	return "pending at " + m.Head, w.pending(ctx, w.parts, m.Head)
}

// push says that a verdict is to come where the branch had reports before.
func (w *gitlabProject) push(ctx context.Context, e gitlabEvent) (string, error) {
	branch, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok || strings.Trim(e.After, "0") == "" {
		return "", Ignore("no branch was pushed to")
	}
	var scanned []store.Repository
	for _, r := range w.parts {
		id, err := w.Store.BranchEngagement(ctx, *r.ProductID, branch, 0)
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
	return "pending at " + e.After, w.pending(ctx, scanned, e.After)
}

func (w *gitlabProject) pending(ctx context.Context, parts []store.Repository, commit string) error {
	for _, r := range parts {
		if err := w.Want(ctx, store.Publication{RepositoryID: r.ID, Kind: "status", Target: commit, State: store.PublishPending}); err != nil {
			return err
		}
	}
	return nil
}

// takePipeline takes what the jobs of a pipeline left in, for each part that
// wants some. project is the pipeline's: a fork's is not ours.
func (w *gitlabProject) takePipeline(ctx context.Context, project, id int64) (string, error) {
	p, err := w.client.Pipeline(ctx, project, id)
	if err != nil {
		return "", err
	}
	if p.Project != 0 && p.Project != project {
		return "", Ignore("the pipeline is of another project")
	}
	if p.Project = project; !p.Finished {
		return "", Ignore("the pipeline is not over")
	}
	said, err := w.take(ctx, p)
	ignored, unreadable := (*Ignored)(nil), (*Unreadable)(nil)
	if err == nil || errors.As(err, &ignored) || errors.As(err, &unreadable) {
		err = errors.Join(err, w.Store.SeeBuild(ctx, w.conn.ID, pipelineOf(p)))
	}
	return said, err
}

// pipelineOf names what was looked at: a pipeline in which a job was run again
// is worth another look.
func pipelineOf(p gitlab.Pipeline) string { return fmt.Sprintf("%d@%d", p.ID, p.Updated.Unix()) }

func (w *gitlabProject) take(ctx context.Context, p gitlab.Pipeline) (string, error) {
	jobs, err := w.client.Jobs(ctx, p.Project, p.ID)
	if err != nil {
		return "", err
	}
	wanted := map[int][]gitlab.Job{}
	for i, r := range w.parts {
		for _, j := range jobs {
			if w.settings.Takes(r.Artifacts, j.Name) {
				wanted[i] = append(wanted[i], j)
			}
		}
	}
	if len(wanted) == 0 {
		return "", Ignore(fmt.Sprintf("none of the %d jobs that left an archive has a name that is taken", len(jobs)))
	}
	b, why, err := w.build(ctx, p)
	if err != nil || why != "" {
		return "", cmp.Or(err, Ignore(why))
	}
	var said []string
	for i, r := range w.parts {
		if len(wanted[i]) == 0 {
			continue
		}
		b.Repository, b.Elsewhere = r, elsewhere(w.parts, i)
		text, err := w.bring(ctx, p, b, wanted[i])
		if err != nil {
			return strings.Join(said, "; "), err
		}
		said = append(said, text)
	}
	return strings.Join(said, "; "), nil
}

// bring takes archives of a pipeline's jobs in.
func (w *gitlabProject) bring(ctx context.Context, p gitlab.Pipeline, b Build, jobs []gitlab.Job) (string, error) {
	in := &bringing{w.Puller, gitlab.MaxArtifact, func(ctx context.Context, id int64, into *os.File) error {
		return w.client.Download(ctx, p.Project, id, into)
	}, w.Want}
	all := make([]artifact, len(jobs))
	for i, j := range jobs {
		all[i] = artifact{j.Name, j.ID, j.Size}
	}
	return in.bring(ctx, b, all)
}

// gitlabBuilds are the words of policies for what makes pipelines run:
// https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
var gitlabBuilds = map[string]policies.Event{
	"push": policies.Push, "schedule": policies.Schedule, "web": policies.Manual, "api": policies.Manual, "trigger": policies.Manual, "pipeline": policies.Manual, "chat": policies.Manual,
}

// build finds out what a pipeline was for. why says that it does not matter any more.
func (w *gitlabProject) build(ctx context.Context, p gitlab.Pipeline) (b Build, why string, err error) {
	r := w.parts[0]
	b = Build{
		Kind: "gitlab", Connection: w.conn, Event: cmp.Or(gitlabBuilds[p.Source], policies.Push), Branch: p.Ref, Commit: p.Commit, ID: strconv.FormatInt(p.ID, 10), Sequence: p.ID,
		Actor: p.User, Producer: fmt.Sprintf("pipeline %d of %s", p.ID, r.FullName), URL: strings.Split(p.URL, "/-/")[0], Fork: p.Project != w.project(),
	}
	if p.Tag {
		b.Event = policies.Release
	}
	number, train := p.Merge()
	m, found := gitlab.Merge{}, number != 0
	switch {
	case found:
		m, err = w.client.Merge(ctx, w.project(), number)
	case b.Fork:
		return b, "it is the pipeline of a fork's branch", nil
	case b.Event == policies.Push && p.Ref != r.DefaultBranch:
		m, found, err = w.client.MergeOf(ctx, w.project(), p.Ref)
		found = found && m.Head == p.Commit
	}
	if err != nil {
		return b, "", err
	}
	if found {
		if !m.Open {
			return b, "the merge request is closed", nil
		}
		if m.Pipeline != nil && m.Pipeline.ID > p.ID && !train {
			return b, "the merge request has a newer pipeline by now", nil
		}
		if err := w.ofMerge(ctx, &b, m, train); err != nil {
			return b, "", err
		}
	}
	text, err := w.client.File(ctx, w.project(), PolicyFile, firstOf(b.Target, r.DefaultBranch, p.Ref))
	if text != nil {
		b.Policies = []verdict.Source{{Name: PolicyFile, Text: string(text)}}
	}
	return b, "", err
}

// ofMerge says of a build that it is a merge request's. Whoever made the change
// of a fork decides what its pipeline says, wherever it runs.
func (w *gitlabProject) ofMerge(ctx context.Context, b *Build, m gitlab.Merge, train bool) error {
	b.Event, b.Pull, b.Target, b.BaseCommit, b.MergeBase, b.Branch = policies.PullRequest, m.Number, m.TargetBranch, m.Base, m.MergeBase, m.SourceBranch
	if m.IsFork() {
		b.Fork, b.Branch = true, fmt.Sprintf("%s:%s", cmp.Or(m.Author, strconv.FormatInt(m.Source, 10)), m.SourceBranch) // no branch of the project is called so
	}
	if train { // a line of its own: what the train's other changes bring is not the merge request's
		b.Event, b.Branch = policies.MergeGroup, fmt.Sprintf("refs/merge-requests/%d/train", m.Number)
	}
	var err error
	b.Changed, b.Renames, err = w.client.Changes(ctx, w.project(), m.Number)
	return err
}
