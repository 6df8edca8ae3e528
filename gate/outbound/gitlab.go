package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/gitlab"
)

const gitlabChannel = "gitlab"

// GitLab tells GitLab of verdicts: a status at the commit, and at the merge
// request a note and the answer to an external status check.
type GitLab struct {
	Store *store.Store
	Site  string // where people see verdicts
	Now   func() time.Time

	Client  func(context.Context, store.Connection) (*gitlab.Client, error)
	Enqueue func(context.Context, pgx.Tx, jobs.Send) error
}

// Follow plans what follows a verdict.
func (g *GitLab) Follow(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	if e.Kind != gate.EventVerdict {
		return nil
	}
	s := store.In(tx)
	parts, err := s.RepositoriesOf(ctx, gitlabChannel, e.ProductID)
	if err != nil || len(parts) == 0 {
		return err
	}
	v, err := s.Verdict(ctx, gate.Scope{All: true}, e.VerdictID)
	if gate.KindOf(err) == gate.NotFound {
		return nil // it is gone with its product
	}
	if err != nil || !commitPattern.MatchString(v.Document.Subject.Commit) {
		return err
	}
	subject := v.Document.Subject
	for _, r := range places(parts, subject) {
		p := store.Publication{RepositoryID: r.ID, State: store.PublishVerdict, VerdictID: &v.ID, Kind: AtCommit, Target: subject.Commit}
		if err := want(ctx, tx, p, gitlabChannel, g.Enqueue); err != nil {
			return err
		}
		if subject.PullRequest == 0 || subject.Event == "merge_group" { // a train's verdict is of the train
			continue
		}
		p.Kind, p.Target = AtPull, strconv.Itoa(subject.PullRequest)
		if err := want(ctx, tx, p, gitlabChannel, g.Enqueue); err != nil {
			return err
		}
	}
	return nil
}

// Want says what should be at a place, before there is a verdict.
func (g *GitLab) Want(ctx context.Context, p store.Publication) error {
	return g.Store.Tx(ctx, func(_ *store.Store, tx pgx.Tx) error { return want(ctx, tx, p, gitlabChannel, g.Enqueue) })
}

// Send writes what is wanted at a place by now.
func (g *GitLab) Send(ctx context.Context, body json.RawMessage) error {
	var s send
	if err := json.Unmarshal(body, &s); err != nil {
		return err
	}
	r, err := g.Store.Repository(ctx, s.RepositoryID)
	if gate.KindOf(err) == gate.NotFound {
		return nil // nobody wants it any more
	}
	if err != nil {
		return err
	}
	conn, err := g.Store.Connection(ctx, r.ConnectionID)
	if err != nil || !conn.Enabled || r.ProductID == nil {
		return err
	}
	now := g.Now()
	if until, err := g.Store.ChannelOpenUntil(ctx, gitlabChannel, conn.ID, now); err != nil || !until.IsZero() {
		return errors.Join(err, errResting(gitlabChannel, until, now))
	}
	err = g.write(ctx, conn, r, s.Publication)
	g.health(ctx, conn, err)
	return err
}

func (g *GitLab) health(ctx context.Context, conn store.Connection, err error) {
	e, foreign := errors.AsType[*integrations.Error](err)
	var noted error
	switch {
	case err == nil:
		noted = g.Store.ChannelWorked(ctx, gitlabChannel, conn.ID, g.Now())
	case foreign && e.Ails():
		noted = g.Store.ChannelFailed(ctx, gitlabChannel, conn.ID, e.Error(), g.Now())
	}
	if noted != nil {
		slog.ErrorContext(ctx, "health not noted", "kind", gitlabChannel, "error", noted)
	}
}

// write takes the lease of a place and writes what is wanted there.
func (g *GitLab) write(ctx context.Context, conn store.Connection, r store.Repository, id int64) error {
	w := &gitlabWriter{GitLab: g, repository: r}
	if err := json.Unmarshal(conn.Settings, &w.settings); err != nil {
		return err
	}
	var err error
	if w.client, err = g.Client(ctx, conn); err != nil {
		return err
	}
	now := g.Now()
	var ok bool
	if w.at, ok, err = g.Store.ClaimPublication(ctx, id, now, now.Add(leaseTime)); err != nil {
		return err
	}
	if !ok {
		return errTaken(gitlabChannel)
	}
	limited, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err = w.write(limited)
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		return errors.Join(err, g.Store.ReleasePublication(ctx, w.at, untouched(err)))
	}
	return g.Store.WrotePublication(ctx, w.at, g.Now())
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
