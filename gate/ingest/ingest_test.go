package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob/memblob"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// now is when the tests import.
var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// bench is a place to import into.
type bench struct {
	t    testing.TB
	pool *pgxpool.Pool
	imp  *Importer
	user gate.User
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b, _ := newBenchOn(t, gatetest.DB(t))
	return b
}

func newBenchOn(t testing.TB, pool *pgxpool.Pool) (*bench, *pgxpool.Pool) {
	t.Helper()
	blobs := memblob.OpenBucket(nil)
	t.Cleanup(func() { blobs.Close() })
	b := &bench{t: t, pool: pool, imp: &Importer{Store: store.New(pool), Blobs: blobs}}
	if err := pool.QueryRow(context.Background(), `insert into users (username, is_superuser) values ('importer', true) returning id`).Scan(&b.user.ID); err != nil {
		t.Fatal(err)
	}
	return b, pool
}

// generic is a report in DefectDojo's generic format.
func generic(findings ...map[string]any) string {
	for i, f := range findings {
		if f["description"] == nil {
			f["description"] = fmt.Sprint("About ", f["title"])
		}
		if f["severity"] == nil {
			f["severity"] = "High"
		}
		findings[i] = f
	}
	b, err := json.Marshal(map[string]any{"findings": append([]map[string]any{}, findings...)})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// titled makes a finding for each title.
func titled(titles string) []map[string]any {
	var all []map[string]any
	for t := range strings.FieldsSeq(titles) {
		all = append(all, map[string]any{"title": t})
	}
	return all
}

// request imports a report into product p, engagement e.
func (b *bench) request(report string, change ...func(*Request)) Request {
	r := Request{
		User: b.user, ScanType: "Generic Findings Import", CloseOldFindings: true, Reimport: true,
		Target: Target{ProductTypeName: "t", ProductName: "p", EngagementName: "e", AutoCreateContext: true},
		Report: Report{Filename: "report.json", Content: bytes.NewReader([]byte(report)), Size: int64(len(report)), SHA256: sha256.Sum256([]byte(report))},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func asImport(r *Request) { r.Reimport, r.CloseOldFindings = false, false }

func (b *bench) try(r Request) (Result, error) {
	to, err := Resolve(context.Background(), b.imp.Store, r)
	if err != nil {
		return Result{}, err
	}
	return b.imp.Import(context.Background(), r, to, now)
}

func (b *bench) do(report string, change ...func(*Request)) Result {
	b.t.Helper()
	result, err := b.try(b.request(report, change...))
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// findings describes the findings of the database: "title flags".
func (b *bench) findings() []string {
	b.t.Helper()
	rows, err := b.imp.Store.FindingSummaries(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

func (b *bench) want(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.findings()); diff != "" {
		b.t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestReimport(t *testing.T) {
	t.Parallel()
	b := newBench(t)

	first := b.do(generic(titled("A B C")...))
	if first.New != 3 || first.After.Total.Active != 3 || first.Before != nil {
		t.Errorf("first: %+v", first)
	}
	b.want("A active", "B active", "C active")

	second := b.do(generic(titled("B C D")...))
	if second.New != 1 || second.Closed != 1 || second.Untouched != 2 || second.Reactivated != 0 {
		t.Errorf("second: %+v", second)
	}
	if second.TestID != first.TestID {
		t.Errorf("the reimport went to test %d, not %d", second.TestID, first.TestID)
	}
	if got := second.After.Total; got != (Counts{Active: 3, IsMitigated: 1, Total: 4}) {
		t.Errorf("after: %+v", got)
	}
	if got := second.Before.High; got != (Counts{Active: 3, Total: 3}) {
		t.Errorf("before: %+v", got)
	}
	if got := second.Delta.Closed.Total; got != (Counts{IsMitigated: 1, Total: 1}) {
		t.Errorf("delta closed: %+v", got)
	}
	b.want("A mitigated", "B active", "C active", "D active")

	third := b.do(generic(titled("A B C D")...))
	if third.Reactivated != 1 || third.Untouched != 3 || third.New != 0 {
		t.Errorf("third: %+v", third)
	}
	b.want("A active", "B active", "C active", "D active")
}

func TestImport_duplicates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.do(generic(located("A B")...), asImport)
	second := b.do(generic(located("B C C")...), asImport)
	if second.New != 3 || second.After.Total.Duplicate != 2 {
		t.Errorf("second: %+v", second)
	}
	b.want("A active", "B active", "B duplicate of 1", "C active", "C duplicate of 1")
}

// located is titled with a place, without which the legacy algorithm never
// takes two findings for one.
func located(titles string) []map[string]any {
	all := titled(titles)
	for i := range all {
		all[i]["file_path"], all[i]["line"], all[i]["static_finding"] = "a.go", 7, true
	}
	return all
}
