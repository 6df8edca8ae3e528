package outbound

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
)

const gitlabChannel = "gitlab"

// GitLab tells GitLab of verdicts: a status at the commit, and at the merge
// request a note and the answer to an external status check.
type GitLab struct {
	Host

	Client func(context.Context, store.Connection) (*gitlab.Client, error)
}

// Follow plans what follows a verdict.
func (g *GitLab) Follow(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	return g.follow(ctx, tx, e, gitlabChannel, g.plan)
}

// plan notes where a verdict is to be told.
func (g *GitLab) plan(ctx context.Context, tx pgx.Tx, r store.Repository, v *store.StoredVerdict) error {
	subject := v.Document.Subject
	p := store.Publication{RepositoryID: r.ID, State: store.PublishVerdict, VerdictID: &v.ID, Kind: AtCommit, Target: subject.Commit}
	if err := want(ctx, tx, p, gitlabChannel, g.Enqueue); err != nil {
		return err
	}
	if subject.PullRequest == 0 || subject.Event == "merge_group" { // a train's verdict is of the train
		return nil
	}
	p.Kind, p.Target = AtPull, strconv.Itoa(subject.PullRequest)
	return want(ctx, tx, p, gitlabChannel, g.Enqueue)
}

// Want says what should be at a place, before there is a verdict.
func (g *GitLab) Want(ctx context.Context, p store.Publication) error {
	return g.want(ctx, p, gitlabChannel)
}

// Send writes what is wanted at a place by now.
func (g *GitLab) Send(ctx context.Context, body json.RawMessage) error {
	return g.send(ctx, body, g.write)
}

func (g *GitLab) write(ctx context.Context, conn store.Connection, r store.Repository, id int64) error {
	w := &gitlabWriter{GitLab: g, repository: r}
	if err := json.Unmarshal(conn.Settings, &w.settings); err != nil {
		return err
	}
	var err error
	if w.client, err = g.Client(ctx, conn); err != nil {
		return err
	}
	return g.lease(ctx, id, gitlabChannel, func(ctx context.Context, at *store.Publication) (bool, error) {
		w.at = *at
		err := w.write(ctx)
		*at = w.at
		return false, err
	})
}

// gitlabWriter writes at one place.
type gitlabWriter struct {
	*GitLab

	client     *gitlab.Client
	settings   gitlab.Settings
	repository store.Repository
	at         store.Publication
	verdict    store.StoredVerdict
}

func (w *gitlabWriter) write(ctx context.Context) error {
	if w.at.State == store.PublishVerdict {
		if w.at.VerdictID == nil {
			return nil // deleted since
		}
		var err error
		if w.verdict, err = w.Store.Verdict(ctx, gate.Scope{All: true}, *w.at.VerdictID); err != nil {
			return err
		}
	}
	if w.at.Kind == AtPull {
		return w.merge(ctx)
	}
	return w.status(ctx)
}

// gitlabStates are GitLab's words; a warning does not stop a merge.
var gitlabStates = map[gate.Decision]string{gate.Pass: gitlab.Success, gate.Warn: gitlab.Success, gate.Fail: gitlab.Failed}

// status writes the commit's status.
func (w *gitlabWriter) status(ctx context.Context) error {
	product, err := w.Store.Product(ctx, gate.Scope{All: true}, *w.repository.ProductID)
	if err != nil {
		return err
	}
	s := gitlab.Status{Name: contextName(product.Name, w.repository.Component), URL: w.Site}
	switch w.at.State {
	case store.PublishPending:
		s.State, s.Description = gitlab.Pending, "Waiting for reports"
	case store.PublishProblem:
		s.State, s.Description = gitlab.Failed, "The reports could not be read: "+w.at.Message
	case store.PublishSuperseded:
		s.State, s.Description = gitlab.Canceled, "A newer pipeline was here before"
	default:
		s.State, s.Description, s.URL = gitlabStates[w.verdict.Document.Overall], headline(&w.verdict.Document), verdictURL(w.Site, w.verdict.ID)
	}
	// The address leads to a verdict that says the same: it alone is no reason to write.
	sum, err := digest([]string{s.Name, s.State, s.Description})
	if err != nil || string(sum) == string(w.at.Digest) {
		return err
	}
	if _, err := w.client.SetStatus(ctx, w.repository.ProviderID, w.at.Target, s); err != nil {
		return err
	}
	w.at.Digest = sum
	return nil
}

// merge writes the note of a merge request and answers its external status
// check, unless it has another commit by now: then that one's verdict is what
// counts.
func (w *gitlabWriter) merge(ctx context.Context) error {
	number, err := strconv.Atoi(w.at.Target)
	if err != nil {
		return err
	}
	v := &w.verdict.Document
	t, err := tell(v)
	if err != nil {
		return err
	}
	sum, err := digest([]string{t.digest, v.Subject.Commit})
	if err != nil || string(sum) == string(w.at.Digest) {
		return err
	}
	m, err := w.client.Merge(ctx, w.repository.ProviderID, number)
	if err != nil {
		return err
	}
	if !m.Open || m.Head != v.Subject.Commit && (m.Pipeline == nil || m.Pipeline.Commit != v.Subject.Commit) { // a pipeline's own is that of the merged result
		return nil
	}
	if w.settings.ExternalCheck != "" {
		if _, err := w.client.Answer(ctx, w.repository.ProviderID, number, w.settings.ExternalCheck, m.Head, checks[v.Overall]); err != nil {
			return err
		}
	}
	if !w.settings.NoComment {
		id, _ := strconv.ParseInt(w.at.ExternalID, 10, 64)
		id, _, err = w.client.PutNote(ctx, w.repository.ProviderID, number, gitlab.Note{Marker: marker(v), Body: t.summary, ID: id})
		if err != nil {
			return err
		}
		w.at.ExternalID = strconv.FormatInt(id, 10)
	}
	w.at.Digest = sum
	return nil
}

// checks are the answers to an external status check.
var checks = map[gate.Decision]string{gate.Pass: "passed", gate.Warn: "passed", gate.Fail: "failed"}
