package fsck_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/memblob"

	"defectdojo/gate/fsck"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/ingest"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

// TestCheck breaks what an import and its verdict have stored, one thing after
// the other: each flaw is found, and nothing else. The flaws that the database
// alone shows have their test beside their queries.
func TestCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool, blobs := gatetest.DB(t), memblob.OpenBucket(nil)
	t.Cleanup(func() { blobs.Close() })
	s := store.New(pool)
	c := fsck.Checker{Store: s, Blobs: blobs, Judge: &verdict.Judge{Store: s}}

	report := []byte(`{"findings": [{"title": "SQL injection", "severity": "High", "description": "x", "file_path": "a.go", "line": 7}]}`)
	sum := sha256.Sum256(report)
	r := ingest.Request{
		ScanType: "Generic Findings Import", Target: ingest.Target{ProductTypeName: "t", ProductName: "p", EngagementName: "main", AutoCreateContext: true},
		Report: ingest.Report{Filename: "r.json", Content: bytes.NewReader(report), Size: int64(len(report)), SHA256: sum},
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.QueryRow(ctx, `insert into users (username) values ('ci') returning id`).Scan(&r.User.ID); err != nil {
		t.Fatal(err)
	}
	to, err := ingest.Resolve(ctx, s, r)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	done, err := (&ingest.Importer{Store: s, Blobs: blobs}).Import(ctx, r, to, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Judge.Judge(ctx, verdict.Request{EngagementID: done.EngagementID, Event: policies.Push, Commit: "a1b2c3d"}, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}

	key := ingest.BlobKey(sum[:])
	for _, step := range []struct {
		name    string
		do      func()
		flaws   []string
		restore func()
	}{
		{"nothing", func() {}, nil, func() {}},
		{
			"a finding twice",
			func() {
				exec(`insert into findings (test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, date, hash_code, created)
					select test_id, engagement_id, product_id, test_type_id, reporter_id, severity, 'twin', date, hash_code, '2020-01-01' from findings`)
			},
			[]string{"no two open findings of a test are the same"},
			func() { exec(`delete from findings where title = 'twin'`) },
		},
		{
			"a report that is gone",
			func() {
				if err := blobs.Delete(ctx, key); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"every report that was kept is there, byte for byte"},
			func() {},
		},
		{
			"another report in its place",
			func() {
				if err := blobs.WriteAll(ctx, key, []byte("{}"), nil); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"every report that was kept is there, byte for byte"},
			func() {
				if err := blobs.WriteAll(ctx, key, report, nil); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			"a verdict with another exit code",
			func() { exec(`update verdicts set document = jsonb_set(document, '{exit_code}', '3')`) },
			[]string{"a verdict is what its kept inputs give"},
			func() {},
		},
	} {
		step.do()
		var flaws []string
		rules, err := c.Check(ctx, func(f store.Flaw) { flaws = append(flaws, f.Rule) })
		if err != nil || len(rules) != len(store.FlawRules())+3 {
			t.Fatalf("%s: checked %q, %v", step.name, rules, err)
		}
		if diff := cmp.Diff(step.flaws, flaws); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		step.restore()
	}
}
