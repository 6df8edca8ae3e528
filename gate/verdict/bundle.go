package verdict

import (
	"context"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
	"defectdojo/policies/bundle"
)

// BundleRequest says what a bundle is for.
type BundleRequest struct {
	ProductID int64
	Branch    string // that is judged, or that a change is to go into
	Component string
	Server    string        // our address
	Life      time.Duration // how long it is good for
}

// Bundle collects what an uploader needs to judge a build without the server:
// what Judge would look at for the branch, were its next report to come now.
func (j *Judge) Bundle(ctx context.Context, r BundleRequest, now time.Time) (*bundle.Bundle, error) {
	out := &bundle.Bundle{Server: r.Server, Component: r.Component, Branch: r.Branch, CreatedAt: now.UTC(), Expires: now.Add(r.Life).UTC()}
	engagement, err := j.Store.BranchEngagement(ctx, r.ProductID, r.Branch, 0)
	if err != nil {
		return nil, err
	}
	product, err := j.judgedProduct(ctx, r.ProductID, engagement)
	if err != nil {
		return nil, err
	}
	g := gathering{store: j.Store, request: Request{Branch: r.Branch, Component: r.Component}, product: product, now: now}
	out.Product = g.context().Product
	if out.Policies, err = g.policies(ctx); err != nil || engagement == 0 {
		return out, err
	}
	return out, g.fill(ctx, out)
}

// judgedProduct returns a product with an engagement, or without one.
func (j *Judge) judgedProduct(ctx context.Context, product, engagement int64) (store.JudgedProduct, error) {
	if engagement != 0 {
		return j.Store.JudgedProduct(ctx, engagement)
	}
	return j.Store.ProductToJudge(ctx, product)
}

// fill adds what is known of the branch: what is there now is the baseline of
// what comes next.
func (g *gathering) fill(ctx context.Context, out *bundle.Bundle) error {
	imports, err := g.store.JudgedImports(ctx, g.product.EngagementID, history)
	if err != nil || len(imports) == 0 {
		return err
	}
	g.learnTests(imports)
	base := &policies.Baseline{Kind: policies.BaselineAncestor, Branch: out.Branch, Commit: imports[0].CommitHash}
	seen := map[int64]bool{}
	for _, i := range imports {
		if seen[i.TestID] || i.Outcome == gate.Failed || i.Outcome == gate.Partial {
			continue
		}
		seen[i.TestID] = true
		run := g.run(i, imports, policies.OnBase)
		out.Runs = append(out.Runs, run)
		base.Scanners = append(base.Scanners, run.Tool)
	}
	for f, err := range g.store.JudgedFindings(ctx, g.product.EngagementID) {
		if err != nil {
			return err
		}
		known := g.finding(&f)
		out.Findings = append(out.Findings, known)
		if f.Flags.IsMitigated && !f.Flags.FalseP && !f.Flags.OutOfScope {
			base.Closed = append(base.Closed, known.Fingerprint)
		} else {
			base.Findings = append(base.Findings, known)
		}
	}
	if base.Inventory, err = g.store.Inventory(ctx, g.product.EngagementID); err != nil {
		return err
	}
	if len(base.Inventory) == 0 {
		base.Inventory = nil // no report there lists components: not known
	}
	out.Baseline = tidy(base)
	return g.learnBundle(ctx, out)
}

// learnBundle adds what is known of the findings' vulnerabilities, and the whole
// KEV catalogue: what a report brings that is new here can then be told exploited
// or not.
func (g *gathering) learnBundle(ctx context.Context, out *bundle.Bundle) error {
	exploited, err := g.store.KnownExploited(ctx)
	if err != nil {
		return err
	}
	of := policies.Inputs{Head: out.Findings, Baseline: out.Baseline}
	known, err := g.store.Intel(ctx, append(vulnerabilities(&of), exploited...))
	if err != nil {
		return err
	}
	k := Knowledge(known, g.now)
	for i := range out.Findings {
		k.Learn(&out.Findings[i])
	}
	for i := range out.Baseline.Findings {
		k.Learn(&out.Baseline.Findings[i])
	}
	out.Intel, out.Records, out.KEVWhole, out.EPSSStale = Snapshots(known), k.Records, k.KEVWhole, k.EPSSStale
	return nil
}
