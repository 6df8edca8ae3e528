package verdict_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob/memblob"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/ingest"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// pipeline imports reports and judges them, as a pipeline does.
type pipeline struct {
	t      *testing.T
	pool   *pgxpool.Pool
	store  *store.Store
	imp    *ingest.Importer
	judger *verdict.Judge
	user   gate.User
	clock  time.Time
	told   []gate.Event

	policies []verdict.Source // of the repository
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	pool := gatetest.DB(t)
	blobs := memblob.OpenBucket(nil)
	t.Cleanup(func() { blobs.Close() })
	p := &pipeline{t: t, pool: pool, store: store.New(pool), clock: now}
	p.judger = &verdict.Judge{Store: p.store, Tell: func(_ context.Context, _ pgx.Tx, e gate.Event) error { p.told = append(p.told, e); return nil }}
	p.imp = &ingest.Importer{Store: p.store, Blobs: blobs}
	if err := pool.QueryRow(context.Background(), `insert into users (username) values ('ci') returning id`).Scan(&p.user.ID); err != nil {
		t.Fatal(err)
	}
	return p
}

// run imports a report of a branch at a commit and judges the branch.
func (p *pipeline) run(branch, target, commit string, findings ...map[string]any) verdict.Judged {
	p.t.Helper()
	engagement := p.upload("Generic Findings Import", branch, commit, map[string]any{"findings": append([]map[string]any{}, findings...)})
	return p.judge(verdict.Request{EngagementID: engagement, Branch: branch, TargetBranch: target, Commit: commit})
}

// upload imports a report of a branch at a commit and returns the engagement.
func (p *pipeline) upload(scanType, branch, commit string, content any) int64 {
	p.t.Helper()
	p.clock = p.clock.Add(time.Minute)
	report, err := json.Marshal(content)
	if err != nil {
		p.t.Fatal(err)
	}
	r := ingest.Request{
		User: p.user, ScanType: scanType, Reimport: true, CloseOldFindings: true, AllowEmpty: true, CommitHash: &commit, BranchTag: &branch,
		Target: ingest.Target{ProductTypeName: "t", ProductName: "p", EngagementName: branch, AutoCreateContext: true},
		Report: ingest.Report{Filename: "r.json", Content: bytes.NewReader(report), Size: int64(len(report)), SHA256: sha256.Sum256(report)},
	}
	to, err := ingest.Resolve(context.Background(), p.store, r)
	if err != nil {
		p.t.Fatal(err)
	}
	result, err := p.imp.Import(context.Background(), r, to, p.clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return result.EngagementID
}

// judge has the newest reports judged.
func (p *pipeline) judge(r verdict.Request) verdict.Judged {
	p.t.Helper()
	p.clock = p.clock.Add(time.Second)
	r.Event = policies.Push
	if r.TargetBranch != "" {
		r.Event = policies.PullRequest
	}
	r.Policies = append(r.Policies, p.policies...)
	j, err := p.judger.Judge(context.Background(), r, p.clock)
	if err != nil {
		p.t.Fatal(err)
	}
	return j
}

func finding(title, severity string) map[string]any {
	return map[string]any{"title": title, "severity": severity, "description": "About " + title, "file_path": "a.go", "line": 7, "static_finding": true, "dynamic_finding": false}
}

// TestJudge follows a branch and a pull request through their builds.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	old, added := finding("Old", "Critical"), finding("New", "Critical")
	steps := []struct {
		name                   string
		branch, target, commit string
		findings               []map[string]any
		want                   gate.Decision
		deltas                 map[gate.Delta]int
	}{
		{"first_scan_is_the_baseline", "main", "", "c1", []map[string]any{old}, gate.Pass, map[gate.Delta]int{gate.DeltaNoBaseline: 1}},
		{"unchanged", "main", "", "c2", []map[string]any{old}, gate.Pass, map[gate.Delta]int{gate.DeltaExisting: 1}},
		{"new_critical", "main", "", "c3", []map[string]any{old, added}, gate.Fail, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaIntroduced: 1}},
		{"same_commit_again", "main", "", "c3", []map[string]any{old, added}, gate.Fail, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaIntroduced: 1}},
		{"fixed", "main", "", "c4", []map[string]any{old}, gate.Pass, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaFixed: 1}},
		{"reopened", "main", "", "c5", []map[string]any{old, added}, gate.Fail, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaReopened: 1}},
		{"fixed_again", "main", "", "c6", []map[string]any{old}, gate.Pass, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaFixed: 1}},
		{"pull_request_with_what_is_on_main", "feature", "main", "f1", []map[string]any{old}, gate.Pass, map[gate.Delta]int{gate.DeltaExisting: 1}},
		{"pull_request_adds", "feature", "main", "f2", []map[string]any{old, finding("Feature", "Critical")}, gate.Fail, map[gate.Delta]int{gate.DeltaExisting: 1, gate.DeltaIntroduced: 1}},
	}
	for _, s := range steps {
		j := p.run(s.branch, s.target, s.commit, s.findings...)
		if j.Overall != s.want || !j.Conclusive {
			t.Errorf("%s: %s (conclusive %v), want %s; why %q", s.name, j.Overall, j.Conclusive, s.want, j.Why)
		}
		if diff := cmp.Diff(s.deltas, j.Deltas); diff != "" {
			t.Errorf("%s: deltas (-want +got):\n%s", s.name, diff)
		}
		kept, again, err := (&verdict.Judge{Store: p.store}).Replay(t.Context(), gate.Scope{All: true}, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(kept)
		got, _ := json.Marshal(again)
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: replayed otherwise (-kept +again):\n%s", s.name, diff)
		}
	}
}

func newVersion(policy, author int64, source string, at time.Time) store.NewPolicyVersion {
	sum := sha256.Sum256([]byte(source))
	return store.NewPolicyVersion{PolicyID: policy, Source: source, Digest: sum[:], AuthorID: author, Now: at}
}
