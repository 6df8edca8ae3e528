package verdict

import (
	"cmp"
	"context"
	"slices"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// history bounds how many imports of a test are looked at.
const history = 20

// gathering collects the inputs of one verdict.
type gathering struct {
	store     *store.Store
	request   Request
	product   store.JudgedProduct
	now       time.Time
	approvers func(ctx context.Context, product int64) ([]gate.User, error)

	own      []int64 // the tests that are judged
	imports  []int64 // that are judged
	tests    map[int64]testFacts
	identity map[string]dedup.Settings // by scan type: of those whose settings were changed
	asked    []gate.Waiver             // the repository's
}

// testFacts are what findings of a test have in common.
type testFacts struct {
	scanner   string
	scanType  string
	algorithm dedup.Algorithm
}

// inputs gathers everything that the verdict rests on, outside knowledge excepted.
func (g *gathering) inputs(ctx context.Context) (policies.Inputs, error) {
	in := policies.Inputs{Context: g.context(), Now: g.now}
	var err error
	if in.Policies, err = g.policies(ctx); err != nil {
		return in, err
	}
	if in.Waivers, in.VEX, err = g.waivers(ctx); err != nil {
		return in, err
	}
	all, err := g.store.JudgedImports(ctx, g.own, history)
	if err != nil {
		return in, err
	}
	if err := g.learnTests(ctx, all); err != nil {
		return in, err
	}
	imports := g.request.ours(all)
	if len(all) > 0 && len(imports) == 0 {
		return in, gate.Errorf(gate.Conflict, "no report of the engagement is of %s: all are of other branches", g.request.line())
	}
	current := g.current(imports, in.Context.HeadCommit)
	for _, i := range imports {
		if slices.Contains(current, i.ID) {
			g.imports = append(g.imports, i.ID)
			in.Runs = append(in.Runs, g.run(i, imports, policies.OnHead))
		}
	}
	found, err := collect(g.store.JudgedFindings(ctx, g.own))
	if err != nil {
		return in, err
	}
	if found, err = g.asOf(ctx, found, all, imports); err != nil {
		return in, err
	}
	for i := range found {
		if !closed(&found[i]) {
			in.Head = append(in.Head, g.finding(&found[i]))
		}
	}
	return in, g.compare(ctx, &in, line{g.own, imports, found}, current)
}

// closed tells whether a finding is there no more; one that was dismissed still is.
func closed(f *store.JudgedFinding) bool {
	return f.Flags.IsMitigated && !f.Flags.FalseP && !f.Flags.OutOfScope
}

func (g *gathering) context() policies.Context {
	r, p := g.request, g.product
	c := policies.Context{
		Product: policies.Product{
			ID: p.ID, Name: p.Name, Type: p.Type, Tags: p.Tags, Criticality: deref(p.BusinessCriticality), Lifecycle: deref(p.Lifecycle), Platform: deref(p.Platform),
			InternetAccessible: p.InternetAccessible, ExternalAudience: p.ExternalAudience,
		},
		Component: r.Component, Repository: r.Repository, Event: r.Event, Branch: r.Branch, TargetBranch: r.TargetBranch, PullRequest: r.PullRequest,
		HeadCommit: r.Commit, BaseCommit: r.BaseCommit, MergeBase: r.MergeBase, Environment: r.Environment, Fork: r.Fork, Actor: r.Actor,
		ArtifactDigests: r.ArtifactDigests,
	}
	if c.Branch == "" {
		c.Branch = first(deref(p.BranchTag), p.EngagementName)
	}
	return c
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

func collect(found func(func(store.JudgedFinding, error) bool)) ([]store.JudgedFinding, error) {
	var out []store.JudgedFinding
	for f, err := range found {
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b store.JudgedFinding) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}
