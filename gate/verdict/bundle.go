package verdict

import (
	"context"
	"strings"
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
	if err := g.identities(ctx, out); err != nil {
		return nil, err
	}
	if out.Policies, err = g.policies(ctx); err != nil {
		return out, err
	}
	if out.Waivers, out.VEX, err = g.waivers(ctx); err != nil || engagement == 0 {
		return out, err
	}
	return out, g.fill(ctx, out)
}

// identities says how findings are told apart, where somebody has changed that.
// While those of the product still have other identities, no bundle can be right.
func (g *gathering) identities(ctx context.Context, out *bundle.Bundle) error {
	pending, err := g.store.ProductDedupPending(ctx, g.product.ID)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		return gate.Errorf(gate.Unavailable, "findings of %s are being told apart anew: try again later", strings.Join(pending, ", "))
	}
	rows, err := g.store.AllDedupSettings(ctx)
	for _, r := range rows {
		if out.Identity == nil {
			out.Identity = map[string]bundle.Identity{}
		}
		out.Identity[r.ScanType] = bundle.Identity{Algorithm: r.Algorithm, Fields: r.HashFields, NeedsCWE: !r.AllowsNullCWE}
	}
	return err
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
	var err error
	if g.own, _, err = testsOf(ctx, g.store, g.product.EngagementID, g.request.line()); err != nil {
		return err
	}
	imports, err := g.store.JudgedImports(ctx, g.own, history)
	if err != nil || len(imports) == 0 {
		return err
	}
	if err := g.learnTests(ctx, imports); err != nil {
		return err
	}
	found, err := collect(g.store.JudgedFindings(ctx, g.own))
	if err != nil {
		return err
	}
	c := g.context()
	c.HeadCommit = "" // whatever comes next
	choice := policies.ChooseBaseline(&c, g.tools(), g.scanned(&c, imports, c.Branch))
	for i := range found {
		out.Findings = append(out.Findings, g.finding(&found[i]))
	}
	if choice == nil {
		return g.learnBundle(ctx, out)
	}
	p := past{line: line{g.own, imports, found}, last: lastImports(choice)}
	out.Baseline, out.Runs = choice.Baseline(), g.baseRuns(&p)
	out.Baseline.Kind, out.Baseline.Distance = policies.BaselineAncestor, 0
	if err := g.rewind(ctx, &p, out.Baseline); err != nil {
		return err
	}
	tidy(out.Baseline)
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
	if out.Baseline != nil {
		for i := range out.Baseline.Findings {
			k.Learn(&out.Baseline.Findings[i])
		}
	}
	out.Intel, out.Records, out.KEVWhole, out.EPSSStale = Snapshots(known), k.Records, k.KEVWhole, k.EPSSStale
	return nil
}
