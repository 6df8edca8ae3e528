package verdict

import (
	"context"
	"slices"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// line is the line of work that the request names: a pull request, or a branch.
// What is merged in a queue is a branch of its own, whatever it is of.
func (r *Request) line() gate.Line {
	l := gate.Line{Repository: r.Repository, Component: r.Component, Ref: gate.BranchRef(r.Branch)}
	if r.isPull() {
		l.Ref = gate.PullRef(r.PullRequest)
	}
	return l
}

func (r *Request) isPull() bool { return r.PullRequest != 0 && r.Event != policies.MergeGroup }

// testsOf returns the tests of an engagement whose reports are of a line. all
// tells how many tests there are.
func testsOf(ctx context.Context, s *store.Store, engagement int64, l gate.Line) (ids []int64, all int, err error) {
	tests, err := s.LineTests(ctx, engagement)
	for _, t := range tests {
		if l.Holds(t.Line()) {
			ids = append(ids, t.ID)
		}
	}
	return ids, len(tests), err
}

// own returns the tests that a request is about. That an engagement has tests,
// and none of what is asked for, must not look like one without findings.
func (r *Request) own(ctx context.Context, s *store.Store) ([]int64, error) {
	l := r.line()
	ids, all, err := testsOf(ctx, s, r.EngagementID, l)
	if err == nil && all > 0 && len(ids) == 0 {
		err = gate.Errorf(gate.Conflict, "no report of the engagement is of %s: upload with the same pull_request, branch_tag, repository and component", l)
	}
	return ids, err
}

// verdictLine is what the verdict takes the place of those before it in.
func (g *gathering) verdictLine() store.VerdictLine {
	r := g.request
	r.Branch = g.context().Branch
	return store.VerdictLine{Engagement: g.product.EngagementID, Environment: r.Environment, Line: r.line()}
}

// branchTests returns the tests of a branch that a change is to go into: those
// of its own engagement that are said to be the branch's, else those of the
// engagement that stands for the branch.
func (g *gathering) branchTests(ctx context.Context, branch string) ([]int64, error) {
	l := gate.Line{Repository: g.request.Repository, Component: g.request.Component, Ref: gate.BranchRef(branch)}
	tests, err := g.store.LineTests(ctx, g.product.EngagementID)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, t := range tests {
		if t.Ref == l.Ref && l.Holds(t.Line()) {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	engagement, err := g.store.BranchEngagement(ctx, g.product.ID, branch, g.product.EngagementID)
	if err != nil || engagement == 0 {
		return nil, err
	}
	ids, _, err = testsOf(ctx, g.store, engagement, l)
	return ids, err
}

// ours leaves out, of a pull request, the imports that say that they are of
// another branch: clients that know of no lines bring all to one test.
func (r *Request) ours(imports []store.JudgedImport) []store.JudgedImport {
	if !r.isPull() || r.Branch == "" {
		return imports
	}
	return slices.DeleteFunc(slices.Clone(imports), func(i store.JudgedImport) bool {
		return i.Branch != "" && i.Branch != r.Branch && (r.Commit == "" || i.CommitHash != r.Commit)
	})
}

// asOf gives findings the state that they had after our newest import into their
// test, where others' came after it; those of tests that only others brought
// reports to are left out.
func (g *gathering) asOf(ctx context.Context, found []store.JudgedFinding, imports, ours []store.JudgedImport) ([]store.JudgedFinding, error) {
	newest, last := newestOf(imports), newestOf(ours)
	var later []int64
	first := int64(0)
	for test, id := range newest {
		if own := last[test]; own != 0 && own < id {
			later = append(later, test)
			if first == 0 || own < first {
				first = own
			}
		}
	}
	if len(later) == 0 && len(last) == len(newest) {
		return found, nil
	}
	actions, err := g.store.ImportActions(ctx, later, first)
	if err != nil {
		return nil, err
	}
	did := map[int64]byte{}
	for _, a := range actions { // the newest first: an older one has the last word
		if a.ImportID > last[a.TestID] {
			for _, id := range a.FindingIDs {
				did[id] = a.Action[0]
			}
		}
	}
	for i := range found {
		if did[found[i].ID] == 'C' {
			found[i].Flags.IsMitigated, found[i].Flags.Active = false, true
		}
	}
	return slices.DeleteFunc(found, func(f store.JudgedFinding) bool {
		return newest[f.TestID] != 0 && last[f.TestID] == 0 || did[f.ID] == 'N' || did[f.ID] == 'R'
	}), nil
}

// newestOf returns the newest import into each test.
func newestOf(imports []store.JudgedImport) map[int64]int64 {
	out := map[int64]int64{}
	for _, i := range imports {
		out[i.TestID] = max(out[i.TestID], i.ID)
	}
	return out
}
