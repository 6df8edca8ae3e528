package verdict

import (
	"context"
	"iter"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// Findings returns the findings of a product as policies see them, those that
// are closed excepted: of one engagement, or of all for 0.
func (j *Judge) Findings(ctx context.Context, product, engagement int64) ([]policies.Finding, error) {
	g := gathering{store: j.Store}
	imports, err := j.Store.LastImports(ctx, product)
	if err != nil {
		return nil, err
	}
	if err := g.learnTests(ctx, imports); err != nil {
		return nil, err
	}
	rows := j.Store.ProductFindings(ctx, product)
	if engagement != 0 {
		rows = j.Store.EngagementFindings(ctx, engagement)
	}
	return g.seen(rows)
}

// Finding returns one finding of a product as policies see it; NotFound if it is
// not there.
func (j *Judge) Finding(ctx context.Context, product, id int64) (policies.Finding, error) {
	g := gathering{store: j.Store}
	imports, err := j.Store.LastImports(ctx, product)
	if err != nil {
		return policies.Finding{}, err
	}
	if err := g.learnTests(ctx, imports); err != nil {
		return policies.Finding{}, err
	}
	found, err := g.seen(j.Store.JudgedFinding(ctx, id))
	if err == nil && len(found) == 0 {
		err = gate.Errorf(gate.NotFound, "no such finding")
	}
	if err != nil {
		return policies.Finding{}, err
	}
	return found[0], nil
}

func (g *gathering) seen(rows iter.Seq2[store.JudgedFinding, error]) ([]policies.Finding, error) {
	found, err := collect(rows)
	if err != nil {
		return nil, err
	}
	var out []policies.Finding
	for i := range found {
		if !closed(&found[i]) {
			out = append(out, g.finding(&found[i]))
		}
	}
	return out, nil
}

// Policies returns the policies that judge a product, a repository's excepted.
func (j *Judge) Policies(ctx context.Context, product int64) ([]*policies.Policy, error) {
	g := gathering{store: j.Store, product: store.JudgedProduct{ID: product}}
	return g.policies(ctx)
}

// Explain tells of one finding of a verdict why each rule did with it what it did.
func (j *Judge) Explain(ctx context.Context, scope gate.Scope, id, finding int64) (policies.Explanation, error) {
	v, err := j.Store.Verdict(ctx, scope, id)
	if err != nil {
		return policies.Explanation{}, err
	}
	in, err := j.Inputs(ctx, v.InputsDigest)
	if err != nil {
		return policies.Explanation{}, err
	}
	return policies.Explain(in, finding)
}
