// Package verdict judges a build: it gathers what a verdict rests on, lets the
// policies judge it, and keeps the verdict with its exact inputs.
package verdict

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
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
	Policies     []Source // of the repository, as they are on the target branch
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
}

// Judge judges the newest reports of an engagement at a time, and keeps the verdict.
func (j *Judge) Judge(ctx context.Context, r Request, now time.Time) (Judged, error) {
	var out Judged
	err := j.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		product, err := s.JudgedProduct(ctx, r.EngagementID)
		if err != nil {
			return err
		}
		// No import into the product may run meanwhile: a verdict is never over half of one.
		if err := s.LockProduct(ctx, product.ID); err != nil {
			return err
		}
		g := gathering{store: s, request: r, product: product, now: now}
		in, err := g.inputs(ctx)
		if err != nil {
			return err
		}
		if err := g.learn(ctx, &in); err != nil {
			return err
		}
		v, err := policies.Evaluate(in)
		if err != nil {
			return err
		}
		if out, err = g.keep(ctx, in, v); err != nil || j.Tell == nil {
			return err
		}
		return j.Tell(ctx, tx, gate.Event{Kind: gate.EventVerdict, At: now, ProductID: product.ID, EngagementID: product.EngagementID, VerdictID: out.ID})
	})
	return out, err
}

// keep stores a verdict with its inputs.
func (g *gathering) keep(ctx context.Context, in policies.Inputs, v gate.Verdict) (Judged, error) {
	in.Normalize()
	parts, err := in.Parts()
	if err != nil {
		return Judged{}, err
	}
	byDigest := map[string][]byte{}
	manifest := inputManifest{Now: in.Now, Provisional: in.Provisional, Parts: map[string]string{}}
	for name, content := range parts {
		digest := strings.TrimPrefix(policies.Digest(content), "sha256:")
		manifest.Parts[name] = digest
		if byDigest[digest], err = compress(content); err != nil {
			return Judged{}, err
		}
	}
	m, err := json.Marshal(manifest)
	if err != nil {
		return Judged{}, err
	}
	digest := strings.TrimPrefix(policies.Digest(m), "sha256:")
	if byDigest[digest], err = compress(m); err != nil {
		return Judged{}, err
	}
	sum, err := hex.DecodeString(digest)
	if err != nil {
		return Judged{}, err
	}
	pr := ""
	if g.request.PullRequest != 0 {
		pr = strconv.Itoa(g.request.PullRequest)
	}
	id, err := g.store.AddVerdict(ctx, store.NewVerdict{
		ProductID: g.product.ID, EngagementID: g.product.EngagementID, Verdict: v, PullRequest: pr, BuildID: g.request.BuildID, Imports: g.imports,
		Parts: byDigest, InputsDigest: sum,
	})
	return Judged{ID: id, ProductID: g.product.ID, Verdict: v}, err
}

// inputManifest names the parts of a verdict's inputs by their digests.
type inputManifest struct {
	Now         time.Time         `json:"now"`
	Provisional bool              `json:"provisional"`
	Parts       map[string]string `json:"parts"`
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decompress(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
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
	b, err := j.part(ctx, hex.EncodeToString(digest))
	if err != nil {
		return policies.Inputs{}, err
	}
	var m inputManifest
	if err := json.Unmarshal(b, &m); err != nil {
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
// its newest verdict was asked for, with the newest commit.
func (j *Judge) JudgeLater(ctx context.Context, engagement, report int64, now time.Time) error {
	done, err := j.Store.IsJudged(ctx, engagement, report)
	if err != nil || done {
		return err
	}
	r := Request{EngagementID: engagement}
	if r.Commit, err = j.Store.NewestCommit(ctx, engagement); err != nil {
		return err
	}
	last, err := j.Store.LastVerdict(ctx, engagement)
	switch {
	case err == nil:
		s := last.Document.Subject
		r.Event, r.Branch, r.TargetBranch, r.PullRequest, r.Repository, r.Component = policies.Event(s.Event), s.Branch, s.TargetBranch, s.PullRequest, s.Repository, s.Component
	case gate.KindOf(err) != gate.NotFound:
		return err
	}
	_, err = j.Judge(ctx, r, now)
	if gate.KindOf(err) == gate.NotFound {
		return nil // the engagement is gone
	}
	return err
}
