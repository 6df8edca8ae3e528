package outbound

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
)

const githubChannel = "github"

// GitHub tells GitHub of verdicts: a check run at the commit, or a status where
// there is no App, and a comment at the pull request.
type GitHub struct {
	Host

	Client func(context.Context, store.Connection) (*github.Client, error)
}

// Follow plans what follows a verdict.
func (g *GitHub) Follow(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	return g.follow(ctx, tx, e, githubChannel, g.plan)
}

// plan notes where a verdict is to be told.
func (g *GitHub) plan(ctx context.Context, tx pgx.Tx, r store.Repository, v *store.StoredVerdict) error {
	settings, err := g.settings(ctx, store.In(tx), r)
	if err != nil {
		return err
	}
	subject := v.Document.Subject
	p := store.Publication{RepositoryID: r.ID, State: store.PublishVerdict, VerdictID: &v.ID, Target: subject.Commit, Ref: ref(subject)}
	kinds := []string{AtCommit}
	if settings.CodeScanning {
		kinds = append(kinds, AsReport)
	}
	for _, p.Kind = range kinds {
		if err := want(ctx, tx, p, githubChannel, g.Enqueue); err != nil {
			return err
		}
	}
	if subject.PullRequest == 0 || settings.NoComment {
		return nil
	}
	p.Kind, p.Target = AtPull, strconv.Itoa(subject.PullRequest)
	return want(ctx, tx, p, githubChannel, g.Enqueue)
}

// ref is what a commit is the newest of.
func ref(s gate.Subject) string {
	if s.PullRequest != 0 {
		return gate.PullRef(s.PullRequest)
	}
	return gate.BranchRef(s.Branch)
}

func (g *GitHub) settings(ctx context.Context, s *store.Store, r store.Repository) (github.Settings, error) {
	var out github.Settings
	conn, err := s.Connection(ctx, r.ConnectionID)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(conn.Settings, &out)
}

// Want says what should be at a place, before there is a verdict.
func (g *GitHub) Want(ctx context.Context, p store.Publication) error {
	return g.want(ctx, p, githubChannel)
}

// Send writes what is wanted at a place by now.
func (g *GitHub) Send(ctx context.Context, body json.RawMessage) error {
	return g.send(ctx, body, g.write)
}

func (g *GitHub) write(ctx context.Context, conn store.Connection, r store.Repository, id int64) error {
	c, err := g.Client(ctx, conn)
	if err != nil {
		return err
	}
	return g.lease(ctx, id, githubChannel, func(ctx context.Context, at *store.Publication) (bool, error) {
		w := &githubWriter{GitHub: g, client: c, repo: github.Repo(r.FullName), repository: r, at: *at}
		err := w.write(ctx)
		if err == nil {
			*at = w.at
		}
		return w.wrote, err
	})
}

// githubWriter writes at one place.
type githubWriter struct {
	*GitHub

	client     *github.Client
	repo       github.Repo
	repository store.Repository
	at         store.Publication
	verdict    store.StoredVerdict
	wrote      bool // something, even if the rest failed
}

func (w *githubWriter) write(ctx context.Context) error {
	if w.at.State == store.PublishVerdict {
		if w.at.VerdictID == nil {
			return nil // deleted since
		}
		var err error
		if w.verdict, err = w.Store.Verdict(ctx, gate.Scope{All: true}, *w.at.VerdictID); err != nil {
			return err
		}
	}
	switch w.at.Kind {
	case AtPull:
		return w.comment(ctx)
	case AsReport:
		return w.report(ctx)
	}
	if w.client.IsApp() {
		return w.check(ctx)
	}
	return w.status(ctx)
}

// said is what a check or status says.
type said struct {
	Name        string
	Conclusion  string // of a check; blank: it is not over
	State       string // of a status
	Title       string
	Summary     string
	URL         string
	Annotations []github.Annotation
	digest      []byte // nil in no case
}

// say words what is wanted.
func (w *githubWriter) say(ctx context.Context) (said, error) {
	product, e := w.Store.Product(ctx, gate.Scope{All: true}, *w.repository.ProductID)
	if e != nil {
		return said{}, e
	}
	s := said{Name: contextName(product.Name, w.repository.Component), URL: w.Site}
	told := ""
	switch w.at.State {
	case store.PublishPending:
		s.State, s.Title, s.Summary = "pending", "Waiting for reports", "The verdict follows when the scans are over."
	case store.PublishProblem:
		s.State, s.Conclusion, s.Title, s.Summary = "error", "failure", "The reports could not be read", plain(w.at.Message)
	case store.PublishSuperseded:
		s.State, s.Conclusion, s.Title, s.Summary = "error", "cancelled", "A newer run was here before", "Reports of a newer commit or run have been judged already."
	default:
		v := &w.verdict.Document
		t, err := tell(v)
		if err != nil {
			return s, err
		}
		s.Title, s.Summary, s.URL, told = t.title, t.summary, verdictURL(w.Site, w.verdict.ID), t.digest
		s.State, s.Conclusion = states[v.Overall], conclusions[v.Overall]
		s.Annotations = annotations(v)
	}
	if told == "" {
		told = s.Summary
	}
	var err error
	s.digest, err = digest([]any{s.Name, s.State, s.Conclusion, s.Title, told, s.Annotations})
	return s, err
}

// A warning does not stop a merge: GitHub takes neutral for passed.
var (
	conclusions = map[gate.Decision]string{gate.Pass: "success", gate.Warn: "neutral", gate.Fail: "failure"}
	states      = map[gate.Decision]string{gate.Pass: "success", gate.Warn: "success", gate.Fail: "failure"}
)

// check writes a check run. Annotations can be added to one and never removed:
// where others are wanted, a new check run of the same name takes its place.
func (w *githubWriter) check(ctx context.Context) error {
	s, err := w.say(ctx)
	if err != nil || string(s.digest) == string(w.at.Digest) {
		return err
	}
	if err := w.place(ctx, &s); err != nil {
		return err
	}
	sum, err := digest(s.Annotations)
	if err != nil {
		return err
	}
	lines := hex.EncodeToString(sum)
	k := github.Check{
		Name: s.Name, Commit: w.at.Target, External: external(w.at), Conclusion: s.Conclusion, Title: s.Title, Summary: s.Summary, URL: s.URL,
		Annotations: s.Annotations, At: w.Now(),
	}
	if id, err := strconv.ParseInt(w.at.ExternalID, 10, 64); err == nil && (w.at.Detail == "" || w.at.Detail == lines) {
		if k.ID = id; w.at.Detail == lines {
			k.Annotations = nil
		}
	}
	if w.at.Tries > 1 {
		if err := w.resume(ctx, &k, s); err != nil {
			return err
		}
	}
	id, err := w.client.PutCheck(ctx, w.repo, k)
	if w.wrote = id != 0; err != nil {
		return err
	}
	w.at.ExternalID, w.at.Digest, w.at.Detail = strconv.FormatInt(id, 10), s.digest, ""
	if len(s.Annotations) > 0 {
		w.at.Detail = lines
	}
	return nil
}

// resume looks how an earlier try ended, of which nobody knows: what it wrote is
// gone on with, or changed to what is wanted now, and not made a second time. A
// check run with annotations of which we do not know stays behind a new one:
// they cannot be taken away.
func (w *githubWriter) resume(ctx context.Context, k *github.Check, s said) error {
	there, err := w.client.FindCheck(ctx, w.repo, k.Commit, k.Name, fmt.Sprintf("gate-%d-", w.at.ID))
	if err != nil || there.ID == 0 {
		return err
	}
	noted := strconv.FormatInt(there.ID, 10) == w.at.ExternalID
	switch {
	case there.External == k.External:
		k.ID, k.Annotations = there.ID, k.Annotations[min(there.Annotations, len(k.Annotations)):]
	case noted && (w.at.Detail != "" || there.Annotations == 0): // it is as we know it
	case there.Annotations == 0:
		k.ID, k.Annotations = there.ID, s.Annotations
	default:
		k.ID, k.Annotations = 0, s.Annotations
	}
	return nil
}

// status writes a commit status.
func (w *githubWriter) status(ctx context.Context) error {
	s, err := w.say(ctx)
	if err != nil {
		return err
	}
	if s.digest, err = digest([]string{s.Name, s.State, s.Title}); err != nil || string(s.digest) == string(w.at.Digest) {
		return err
	}
	w.at.Digest = s.digest
	status := github.Status{State: s.State, Context: s.Name, Description: s.Title, URL: s.URL}
	if w.at.Tries > 1 { // nobody knows how an earlier try ended
		if there, err := w.client.Shows(ctx, w.repo, w.at.Target, status); there || err != nil {
			return err
		}
	}
	return w.client.PutStatus(ctx, w.repo, w.at.Target, status)
}

// comment writes the one comment of a pull request, unless the pull request has
// another commit by now: then that one's verdict is what people want to read.
func (w *githubWriter) comment(ctx context.Context) error {
	number, err := strconv.Atoi(w.at.Target)
	if err != nil {
		return err
	}
	t, err := tell(&w.verdict.Document)
	if err != nil {
		return err
	}
	sum, err := digest(t.digest)
	if err != nil || string(sum) == string(w.at.Digest) {
		return err
	}
	p, err := w.client.Pull(ctx, w.repo, number)
	if err != nil || !p.Open || p.HeadCommit != w.verdict.Document.Subject.Commit {
		return err
	}
	id, _ := strconv.ParseInt(w.at.ExternalID, 10, 64)
	if id, err = w.client.PutComment(ctx, w.repo, number, id, marker(&w.verdict.Document), t.summary); err != nil {
		return err
	}
	w.at.ExternalID, w.at.Digest = strconv.FormatInt(id, 10), sum
	return nil
}
