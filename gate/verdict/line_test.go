package verdict_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/ingest"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

// bring imports a report of a line of work into one engagement that all share.
func (p *pipeline) bring(l gate.Line, branch, commit string, findings ...map[string]any) (engagement, report int64) {
	p.t.Helper()
	p.clock = p.clock.Add(1000)
	b, err := json.Marshal(map[string]any{"findings": append([]map[string]any{}, findings...)})
	if err != nil {
		p.t.Fatal(err)
	}
	r := ingest.Request{
		User: p.user, ScanType: "Generic Findings Import", Reimport: true, CloseOldFindings: true, AllowEmpty: true, CommitHash: &commit, BranchTag: &branch, Line: l,
		Target: ingest.Target{ProductTypeName: "t", ProductName: "p", EngagementName: "CI", AutoCreateContext: true},
		Report: ingest.Report{Filename: "r.json", Content: bytes.NewReader(b), Size: int64(len(b)), SHA256: sha256.Sum256(b)},
	}
	to, err := ingest.Resolve(context.Background(), p.store, r)
	if err != nil {
		p.t.Fatal(err)
	}
	result, err := p.imp.Import(context.Background(), r, to, p.clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return result.EngagementID, result.ImportID
}

func titles(v gate.Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, f.Title)
	}
	slices.Sort(out)
	return out
}

// TestPullRequestsShareAnEngagement interleaves two pull requests and their
// target in one engagement: neither is judged with what another brought, and
// neither's verdict takes the place of another's.
func TestPullRequestsShareAnEngagement(t *testing.T) {
	t.Parallel()
	old, seven, eight := finding("Old", "Critical"), finding("Seven", "Critical"), finding("Eight", "Critical")
	for _, c := range []struct {
		name string
		line func(ref string) gate.Line
	}{
		{"lines", func(ref string) gate.Line { return gate.Line{Repository: "acme/shop", Ref: ref} }},
		{"refs only", func(ref string) gate.Line { return gate.Line{Ref: ref} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			main, pr7, pr8 := c.line(gate.BranchRef("main")), c.line(gate.PullRef(7)), c.line(gate.PullRef(8))
			ask := func(e int64, n int, commit string) verdict.Judged {
				r := verdict.Request{EngagementID: e, Branch: "main", Commit: commit, Repository: "acme/shop"}
				if n != 0 {
					r.Branch, r.TargetBranch, r.PullRequest = fmt.Sprintf("feature-%d", n), "main", n
				}
				return p.judge(r)
			}
			e, _ := p.bring(main, "main", "m1", old)
			first := ask(e, 0, "m1")
			p.bring(pr7, "feature-7", "a1", old, seven)
			p.bring(pr8, "feature-8", "b1", old, eight)
			seven1, eight1 := ask(e, 7, "a1"), ask(e, 8, "b1")
			for _, v := range []struct {
				verdict.Judged
				new string
			}{{seven1, "Seven"}, {eight1, "Eight"}} {
				if v.Overall != gate.Fail || v.Deltas[gate.DeltaIntroduced] != 1 || v.Deltas[gate.DeltaExisting] != 1 || v.Deltas[gate.DeltaFixed] != 0 || !slices.Equal(titles(v.Verdict), []string{v.new}) {
					t.Errorf("%s: %s, %v, %q; why %q", v.new, v.Overall, v.Deltas, titles(v.Verdict), v.Why)
				}
			}
			p.bring(pr8, "feature-8", "b2", old)
			eight2 := ask(e, 8, "b2")
			if eight2.Overall != gate.Pass {
				t.Errorf("the second pull request is not green once it is fixed: %q", eight2.Why)
			}
			for id, want := range map[int64]int64{first.ID: 0, seven1.ID: 0, eight1.ID: eight2.ID, eight2.ID: 0} {
				v, err := p.store.Verdict(t.Context(), gate.Scope{All: true}, id)
				if err != nil {
					t.Fatal(err)
				}
				if got := deref(v.SupersededBy); got != want {
					t.Errorf("verdict %d is superseded by %d, want %d", id, got, want)
				}
			}
			told := len(p.told)
			p.review(first.ProductID, p.clock.Add(1000))
			if len(p.told) != told {
				t.Errorf("a review in which nothing changed told of %v", p.told[told:])
			}
			_, report := p.bring(pr7, "feature-7", "a2", old)
			if err := p.judger.JudgeLater(t.Context(), e, report, p.clock.Add(2000)); err != nil {
				t.Fatal(err)
			}
			if v := p.last(e); v.Document.Subject.PullRequest != 7 || v.Document.Subject.Commit != "a2" || v.Document.Overall != gate.Pass || deref(v.Replaces) != seven1.ID || v.Document.Deltas[gate.DeltaExisting] != 1 {
				t.Errorf("a report that nobody had judged: %s of %+v in the place of %v", v.Document.Overall, v.Document.Subject, v.Replaces)
			}
		})
	}
}

func deref(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// TestPullRequestsShareATest is of clients that know of no lines, as
// DefectDojo's: they bring all to one test, and say the branch.
func TestPullRequestsShareATest(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.run("main", "", "m1", finding("Old", "Critical"))
	e, _ := p.bring(gate.Line{}, "feature-7", "a1", finding("Old", "Critical"), finding("Seven", "Critical"))
	p.bring(gate.Line{}, "feature-8", "b1", finding("Old", "Critical"), finding("Eight", "Critical"))
	for n, want := range map[int]string{7: "Seven", 8: "Eight"} {
		v := p.judge(verdict.Request{EngagementID: e, Branch: fmt.Sprintf("feature-%d", n), TargetBranch: "main", PullRequest: n, Commit: map[int]string{7: "a1", 8: "b1"}[n]})
		if v.Overall != gate.Fail || !slices.Equal(titles(v.Verdict), []string{want}) || v.Deltas[gate.DeltaExisting] != 1 {
			t.Errorf("pull request %d: %s over %q, %v", n, v.Overall, titles(v.Verdict), v.Deltas)
		}
	}
	_, err := p.judger.Judge(t.Context(), verdict.Request{EngagementID: e, Event: policies.PullRequest, Branch: "feature-9", TargetBranch: "main", PullRequest: 9, Commit: "c1"}, p.clock)
	if gate.KindOf(err) != gate.Conflict {
		t.Errorf("a pull request of which no report came is judged: %v", err)
	}
}

// TestLinesOfRepositories: two repositories of a product have a branch of one
// name; a report of one does not close what the other's found.
func TestLinesOfRepositories(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.policy("strict", "rules: [{id: no-critical, select: {severity: critical}, max: 0}]")
	shop, pay := gate.Line{Repository: "acme/shop", Ref: gate.BranchRef("main")}, gate.Line{Repository: "acme/pay", Ref: gate.BranchRef("main")}
	e, _ := p.bring(shop, "main", "s1", finding("Shop", "Critical"))
	p.bring(pay, "main", "p1")
	of := func(repository, commit string) verdict.Judged {
		return p.judge(verdict.Request{EngagementID: e, Branch: "main", Commit: commit, Repository: repository})
	}
	if a, b := of("acme/shop", "s1"), of("acme/pay", "p1"); a.Overall != gate.Fail || b.Overall != gate.Pass {
		t.Errorf("shop %s, pay %s", a.Overall, b.Overall)
	}
	if _, err := p.judger.Judge(t.Context(), verdict.Request{EngagementID: e, Branch: "main", Repository: "acme/other"}, p.clock); gate.KindOf(err) != gate.Conflict {
		t.Errorf("a repository of which no report came is judged: %v", err)
	}
}
