// Package verdict judges a build: it gathers what a verdict rests on, lets the
// policies judge it, and keeps the verdict with its exact inputs.
package verdict

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// Request says what is to be judged.
type Request struct {
	EngagementID int64 // the branch or line of work whose newest reports are judged
	Event        policies.Event
	Branch       string // of the change; blank is the engagement's
	TargetBranch string // of a pull request
	PullRequest  int
	Commit       string
	BaseCommit   string
	MergeBase    string
	Repository   string
	Component    string
	Environment  string
	BuildID      string
	Fork         bool
	Actor        string
	Policies     []Source // of the repository, as they are on the target branch; its waivers, too

	ArtifactDigests []string          // "sha256:…" of what is built
	Ancestors       []string          // commits from the merge base (of a push: the head) back, the nearest first
	Changed         []string          // paths that the change touches; nil: not known
	Renames         map[string]string // new path → old path
}

// Source is a policy's text with its file's name.
type Source struct{ Name, Text string }

// Judged is a verdict with its id.
type Judged struct {
	ID        int64 `json:"id"`
	ProductID int64 `json:"product_id"`
	gate.Verdict
}

// Judge judges builds.
type Judge struct {
	Store *store.Store

	// Tell tells of a new verdict, in the transaction that keeps it. Nil: nobody is told.
	Tell func(ctx context.Context, tx pgx.Tx, e gate.Event) error

	// Later has a backtest worked once tx has committed. Nil: nobody works it.
	Later func(ctx context.Context, tx pgx.Tx, backtest int64) error

	// Approvers returns who may approve waivers of a product: of a repository's
	// waivers only their approvals count. Nil: nobody's do.
	Approvers func(ctx context.Context, product int64) ([]gate.User, error)
}

// Asked and Imported are the causes of verdicts that are not judged again: a
// build asked, or a report came and no build did.
const (
	Asked    = "asked"
	Imported = "import"
)

// Judge judges the newest reports of an engagement at a time, and keeps the verdict.
func (j *Judge) Judge(ctx context.Context, r Request, now time.Time) (Judged, error) {
	return j.judge(ctx, r, Asked, now, nil)
}

// judge judges and keeps the verdict, unless it says the same as one that it
// would take the place of.
func (j *Judge) judge(ctx context.Context, r Request, cause string, now time.Time, again *store.StoredVerdict) (out Judged, err error) {
	err = j.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		product, err := s.JudgedProduct(ctx, r.EngagementID)
		if err != nil {
			return err
		}
		// No import into the product may run meanwhile: a verdict is never over half of one.
		if err := s.LockProduct(ctx, product.ID); err != nil {
			return err
		}
		own, err := r.own(ctx, s)
		if err != nil {
			return err
		}
		if r.Commit == "" {
			if r.Commit, err = s.NewestCommit(ctx, own); err != nil {
				return err
			}
		}
		g := gathering{store: s, request: r, product: product, own: own, now: now, approvers: j.Approvers}
		v, parts, err := g.evaluate(ctx)
		if err != nil {
			return err
		}
		if again != nil && same(again.Document, v) {
			return s.VerdictChecked(ctx, again.ID, now)
		}
		k, err := g.keep(ctx, v, parts, cause)
		if out = k.Judged; err != nil || j.Tell == nil || !k.announce {
			return err
		}
		return j.Tell(ctx, tx, gate.Event{Kind: gate.EventVerdict, At: now, ProductID: product.ID, EngagementID: product.EngagementID, VerdictID: out.ID, Action: cause, Flipped: k.flipped})
	})
	return out, err
}

// evaluate gathers the inputs and judges them. The inputs are packed meanwhile.
func (g *gathering) evaluate(ctx context.Context) (gate.Verdict, *packing, error) {
	in, err := g.inputs(ctx)
	if err != nil {
		return gate.Verdict{}, nil, err
	}
	if err := g.learn(ctx, &in); err != nil {
		return gate.Verdict{}, nil, err
	}
	p := newPacking()
	v, err := policies.EvaluateKept(in, p.writer)
	return v, p, err
}

// kept is a verdict that was kept, and whether it is news.
type kept struct {
	Judged
	flipped  bool // it says other than the one before it
	announce bool
}

// keep stores a verdict with its inputs. One that somebody asked for is news;
// one that was judged again only if it says other than before.
func (g *gathering) keep(ctx context.Context, v gate.Verdict, p *packing, cause string) (kept, error) {
	parts, digest, err := g.pack(&v.Inputs, p)
	if err != nil {
		return kept{}, err
	}
	n := store.NewVerdict{
		ProductID: g.product.ID, Line: g.verdictLine(), Verdict: v, BuildID: g.request.BuildID, Imports: g.imports,
		Parts: parts, InputsDigest: digest, Cause: cause, Announce: true,
	}
	if g.request.PullRequest != 0 {
		n.PullRequest = strconv.Itoa(g.request.PullRequest)
	}
	out := kept{}
	last, err := g.store.LastVerdict(ctx, n.Line)
	switch {
	case err == nil:
		n.Replaces, out.flipped = &last.ID, Flipped(&last.Document, &v)
		n.Announce = cause == Asked || cause == Imported || out.flipped
	case gate.KindOf(err) != gate.NotFound:
		return out, err
	}
	out.announce = n.Announce
	id, err := g.store.AddVerdict(ctx, n)
	out.Judged = Judged{ID: id, ProductID: g.product.ID, Verdict: v}
	return out, err
}

// Flipped tells whether two verdicts say different things to a build.
func Flipped(before, after *gate.Verdict) bool {
	return before.Overall != after.Overall || before.Exit != after.Exit
}

// same tells whether two verdicts differ in no more than when they were decided.
func same(a, b gate.Verdict) bool {
	for _, v := range []*gate.Verdict{&a, &b} {
		v.ID, v.DecidedAt, v.Inputs = "", time.Time{}, gate.InputDigests{}
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Replay judges the kept inputs of a verdict again and returns both: they are
// the same, unless the program or the stored bytes changed.
func (j *Judge) Replay(ctx context.Context, scope gate.Scope, id int64) (kept, again gate.Verdict, err error) {
	stored, err := j.Store.Verdict(ctx, scope, id)
	if err != nil {
		return kept, again, err
	}
	in, err := j.Inputs(ctx, stored.InputsDigest)
	if err != nil {
		return kept, again, fmt.Errorf("verdict %d: %w", id, err)
	}
	again, err = policies.Evaluate(in)
	return stored.Document, again, err
}

// Inputs returns the kept inputs of a verdict, whose digests are checked.
func (j *Judge) Inputs(ctx context.Context, digest []byte) (policies.Inputs, error) {
	m, err := j.manifest(ctx, digest)
	if err != nil {
		return policies.Inputs{}, err
	}
	parts := make(map[string][]byte, len(m.Parts))
	for name, d := range m.Parts {
		if parts[name], err = j.part(ctx, d); err != nil {
			return policies.Inputs{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return policies.FromParts(parts, m.Now, m.Provisional)
}

func (j *Judge) manifest(ctx context.Context, digest []byte) (inputManifest, error) {
	var m inputManifest
	b, err := j.part(ctx, hex.EncodeToString(digest))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(b, &m)
}

// request returns what a verdict was asked for with.
func (j *Judge) request(ctx context.Context, v *store.StoredVerdict) (Request, error) {
	m, err := j.manifest(ctx, v.InputsDigest)
	if err != nil {
		return Request{}, err
	}
	r := Request{}
	if m.Request == "" { // from before it was kept
		s := v.Document.Subject
		r = Request{
			Event: policies.Event(s.Event), Branch: s.Branch, TargetBranch: s.TargetBranch, PullRequest: s.PullRequest, Commit: s.Commit,
			Repository: s.Repository, Component: s.Component, ArtifactDigests: s.ArtifactDigests,
		}
	} else {
		b, err := j.part(ctx, m.Request)
		if err != nil {
			return r, err
		}
		if err := json.Unmarshal(b, &r); err != nil {
			return r, err
		}
	}
	if v.EngagementID != nil {
		r.EngagementID = *v.EngagementID
	}
	return r, nil
}

func (j *Judge) part(ctx context.Context, digest string) ([]byte, error) {
	sum, err := hex.DecodeString(digest)
	if err != nil {
		return nil, err
	}
	packed, err := j.Store.VerdictInput(ctx, sum)
	if err != nil {
		return nil, err
	}
	b, err := decompress(packed)
	if err != nil {
		return nil, err
	}
	if got := policies.Digest(b); got != "sha256:"+digest {
		return nil, gate.Errorf(gate.Conflict, "the stored inputs were changed: their digest is %s, not sha256:%s", got, digest)
	}
	return b, nil
}

// JudgeLater judges an engagement after an import that nobody had judged: as
// the newest verdict of its line was asked for, with the newest commit.
func (j *Judge) JudgeLater(ctx context.Context, engagement, report int64, now time.Time) error {
	done, err := j.Store.IsJudged(ctx, engagement, report)
	if err != nil || done {
		return err
	}
	r, err := j.requestOf(ctx, engagement, report)
	if err != nil {
		return ignoreGone(err)
	}
	commit, err := j.newestCommit(ctx, &r)
	if err != nil {
		return err
	}
	if commit != r.Commit { // of another commit, nothing that was said of the last holds
		r.Commit, r.Ancestors, r.Changed, r.Renames, r.ArtifactDigests, r.BuildID = commit, nil, nil, nil, nil, ""
	}
	_, err = j.judge(ctx, r, Imported, now, nil)
	return ignoreGone(err)
}

// ignoreGone forgets that something is not there any more: whoever removed it
// wants no verdict.
func ignoreGone(err error) error {
	if gate.KindOf(err) == gate.NotFound {
		return nil
	}
	return err
}

// requestOf returns what the line of an import was last judged as, or else what
// the import says itself.
func (j *Judge) requestOf(ctx context.Context, engagement, report int64) (Request, error) {
	of, err := j.Store.LineImport(ctx, report)
	if err != nil {
		return Request{}, err
	}
	last, err := j.Store.VerdictBefore(ctx, engagement, of)
	if err == nil {
		return j.request(ctx, &last)
	}
	if gate.KindOf(err) != gate.NotFound {
		return Request{}, err
	}
	r := Request{EngagementID: engagement, Repository: of.Repository, Component: of.Component}
	if of.Ref == "" {
		return r, nil
	}
	r.Branch = of.Branch
	if n, ok := of.Line().Pull(); ok {
		r.Event, r.PullRequest = policies.PullRequest, n
	}
	return r, nil
}

// newestCommit returns the commit of the newest report of a request's line.
func (j *Judge) newestCommit(ctx context.Context, r *Request) (string, error) {
	tests, _, err := testsOf(ctx, j.Store, r.EngagementID, r.line())
	if err != nil {
		return "", err
	}
	if !r.isPull() {
		return j.Store.NewestCommit(ctx, tests)
	}
	imports, err := j.Store.JudgedImports(ctx, tests, history)
	if imports = r.ours(imports); err != nil || len(imports) == 0 {
		return "", err
	}
	return imports[0].CommitHash, nil
}
