package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"defectdojo/gate"
	"defectdojo/parsers/all"
)

// state is everything in the database that an import may change, as text.
func (b *bench) state() []string {
	b.t.Helper()
	rows, err := b.imp.Store.FindingStates(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

// TestTwice imports a report of every parser twice: the second time changes
// nothing, and writes no row of a finding.
func TestTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tried := 0
	for _, p := range all.Parsers {
		for _, path := range ownReports(p.Name) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			as := func(r *Request) {
				r.ScanType, r.Target.ProductName, r.Target.EngagementName = p.ScanType, p.Name, p.ScanType+filepath.Base(path)
			}
			first, err := b.try(b.request(string(content), as))
			if err != nil {
				continue // a report for another scan type of the tool
			}
			before := b.state()
			second := b.do(string(content), as)
			if second.New+second.Closed+second.Reactivated != 0 || second.TestID != first.TestID {
				t.Errorf("%s, %s: the second import: %d new, %d closed, %d reactivated", p.ScanType, path, second.New, second.Closed, second.Reactivated)
			}
			if diff := cmp.Diff(before, b.state()); diff != "" {
				t.Errorf("%s, %s: the second import changed (-before +after):\n%s", p.ScanType, path, diff)
			}
			if diff := cmp.Diff(first.After, second.After); diff != "" {
				t.Errorf("%s, %s: statistics (-first +second):\n%s", p.ScanType, path, diff)
			}
			tried++
			break
		}
	}
	if tried < len(all.Parsers)*9/10 {
		t.Errorf("only %d of %d parsers were tried", tried, len(all.Parsers))
	}
}

// ownReports are a parser's own test reports with several findings.
func ownReports(name string) []string {
	files, _ := filepath.Glob(filepath.Join("..", "..", "parsers", name, "testdata", "*many*"))
	return slices.DeleteFunc(files, func(s string) bool { return strings.HasSuffix(s, ".golden") || strings.Contains(s, "bad") })
}

// random makes a report of findings of which some are told twice.
func random(r *rand.Rand, n int) []map[string]any {
	var list []map[string]any
	severities := []string{"Critical", "High", "Medium", "Low", "Info"}
	for i := range n {
		f := map[string]any{
			"title": fmt.Sprintf("T%d", r.IntN(n)), "severity": severities[r.IntN(5)], "description": fmt.Sprintf("D%d", r.IntN(3)), "file_path": fmt.Sprintf("f%d.go", r.IntN(4)),
			"line": r.IntN(5) + 1, "static_finding": true, "mitigation": fmt.Sprintf("M%d", i),
		}
		if r.IntN(3) == 0 {
			f["unique_id_from_tool"] = fmt.Sprintf("U%d", r.IntN(n))
		}
		list = append(list, f)
	}
	return list
}

func clone(list []map[string]any) []map[string]any {
	out := make([]map[string]any, len(list))
	for i, f := range list {
		out[i] = maps.Clone(f)
	}
	return out
}

// TestOrder imports the same findings in several orders: what is stored is the
// same, also which of several twins.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	for round := range 6 {
		list, next := random(r, 60), random(r, 60)
		var want []string
		for order := range 3 {
			b := newBench(t)
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			r.Shuffle(len(next), func(i, j int) { next[i], next[j] = next[j], next[i] })
			b.do(generic(titled("seed")...)) // the test is there: what follows are reimports
			b.do(generic(clone(list)...))
			b.do(generic(clone(next)...))
			got := b.contents()
			if order == 0 {
				want = got
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("round %d, order %d (-first +this):\n%s", round, order, diff)
			}
		}
	}
}

// contents describes all findings without their ids, in an order of their own.
func (b *bench) contents() []string {
	b.t.Helper()
	rows, err := b.imp.Store.FindingContents(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

// TestAllOrNothing ends imports at random moments: there is all of an import or
// nothing of it.
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := rand.New(rand.NewPCG(3, 3))
	b.do(generic(titled("A B C")...))
	report := generic(located(strings.Repeat("X ", 1) + manyTitles(5000))...)
	done, ended := 0, 0
	for range 25 {
		before := b.state()
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(120))*time.Millisecond)
		req := b.request(report, func(q *Request) { q.Target.EngagementName = fmt.Sprint("e", done) })
		to, err := Resolve(context.Background(), b.imp.Store, req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.imp.Import(ctx, req, to, now)
		cancel()
		after := b.state()
		switch {
		case err == nil:
			done++
			if len(after)-len(before) != 5001 {
				t.Errorf("an import that succeeded added %d findings, want 5001", len(after)-len(before))
			}
		case !cmp.Equal(before, after):
			t.Errorf("an import that failed (%v) left something behind: %d findings, %d before", err, len(after), len(before))
		default:
			ended++
		}
	}
	if ended == 0 {
		t.Error("no import was ended before it was done: the test shows nothing")
	}
}

func manyTitles(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "T%d ", i)
	}
	return s.String()
}

// TestNeverCloses imports reports that must not close anything.
func TestNeverCloses(t *testing.T) {
	t.Parallel()
	sarif := func(invocations, results string) string {
		return `{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{"tool":{"driver":{"name":"t","rules":[]}},` + invocations + `"results":[` + results + `]}]}`
	}
	result := func(id string) string {
		return `{"ruleId":"` + id + `","level":"error","message":{"text":"` + id + `"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.c"},"region":{"startLine":1}}}]}`
	}
	whole := sarif("", result("A")+","+result("B"))
	as := func(r *Request) { r.ScanType = "SARIF" }
	tests := []struct {
		name, report string
		change       func(*Request)
		fails        bool
		closed       int
	}{
		{"no_results_and_nothing_said_of_success", sarif("", ""), nil, false, 0},
		{"no_results_and_the_caller_says_so", sarif("", ""), func(r *Request) { r.AllowEmpty = true }, false, 2},
		{"no_results_and_the_scan_succeeded", sarif(`"invocations":[{"executionSuccessful":true}],`, ""), nil, false, 2},
		{"the_scan_failed", sarif(`"invocations":[{"executionSuccessful":false}],`, result("A")), nil, false, 0},
		{"cut_short", whole[:len(whole)-40], nil, true, 0},
		{"empty_file", "", nil, true, 0},
		{"another_format", `<html></html>`, nil, true, 0},
		{"one_is_gone", sarif("", result("A")), nil, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.do(whole, as)
			before := b.findings()
			req := b.request(tt.report, as)
			if tt.change != nil {
				tt.change(&req)
			}
			got, err := b.try(req)
			if (err != nil) != tt.fails {
				t.Fatalf("error %v, want one: %v", err, tt.fails)
			}
			if got.Closed != tt.closed {
				t.Errorf("%d closed, want %d; notes %q", got.Closed, tt.closed, got.Notes)
			}
			if tt.closed == 0 {
				if diff := cmp.Diff(before, b.findings()); diff != "" {
					t.Errorf("findings (-before +after):\n%s", diff)
				}
			}
			if tt.fails && gate.KindOf(err) != gate.Invalid {
				t.Errorf("error %v is not about the report", err)
			}
		})
	}
}

// TestStatistics compares the statistics of random imports with what is stored.
func TestStatistics(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := rand.New(rand.NewPCG(9, 9))
	for round := range 12 {
		change := []func(*Request){func(q *Request) { q.Target.EngagementName = fmt.Sprint("e", round%2) }}
		if round%5 == 4 {
			change = append(change, asImport)
		}
		got := b.do(generic(random(r, 40)...), change...)
		var want Statistics
		for k, err := range b.imp.Store.TestFindings(context.Background(), got.TestID, false) {
			if err != nil {
				t.Fatal(err)
			}
			want.count(k.Severity, k.Flags)
		}
		if diff := cmp.Diff(want, got.After); diff != "" {
			t.Errorf("round %d (-stored +answered):\n%s", round, diff)
		}
	}
}

// TestTwoNodes imports the same report by many at once: the result is as if one
// had come after the other.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	report := generic(located(manyTitles(300))...)
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.try(b.request(report)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := len(b.findings()); got != 300 {
		t.Errorf("%d findings, want 300", got)
	}
}

// TestIdempotency sends one upload many times at once, and then another with
// its key.
func TestIdempotency(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	keyed := func(r *Request) { r.IdempotencyKey = "build-1" }
	report := generic(titled("A B")...)
	var wg sync.WaitGroup
	results, errs := make([]Result, 40), make([]error, 40)
	for i := range results {
		wg.Go(func() { results[i], errs[i] = b.try(b.request(report, keyed)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for _, r := range results {
		if r.Replayed {
			replayed++
		}
		if diff := cmp.Diff(results[0], r, cmpopts.IgnoreFields(Result{}, "Replayed", "Asked")); diff != "" {
			t.Errorf("an answer differs (-first +this):\n%s", diff)
		}
	}
	if replayed != len(results)-1 {
		t.Errorf("%d of %d answers were replayed, want all but one", replayed, len(results))
	}
	_, err := b.try(b.request(generic(titled("C")...), keyed))
	if gate.KindOf(err) != gate.Conflict {
		t.Errorf("another report with the same key: %v, want a conflict", err)
	}
}

// TestOlderRun imports four CI runs in all 24 orders: the newest decides.
func TestOlderRun(t *testing.T) {
	t.Parallel()
	runs := []string{"A", "A B", "B C", "C D"}
	var want []string
	for n, order := range permutations(len(runs)) {
		b := newBench(t)
		for _, i := range order {
			b.do(generic(titled(runs[i])...), func(r *Request) { r.Sequence = int64(i + 1) })
		}
		var open []string
		for _, f := range b.findings() {
			if strings.HasSuffix(f, " active") {
				open = append(open, f)
			}
		}
		if n == 0 {
			want = open
			if diff := cmp.Diff([]string{"C active", "D active"}, want); diff != "" {
				t.Fatalf("in order (-want +got):\n%s", diff)
			}
		} else if diff := cmp.Diff(want, open); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", order, diff)
		}
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for at := len(p); at >= 0; at-- {
			out = append(out, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return out
}

// TestFailedImport keeps the report of an import that failed, and its reason.
func TestFailedImport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	report := `{"findings": [{"title": "A", "severity": "High", "description": "d"}, {"title": `
	_, err := b.try(b.request(report))
	if err == nil || !strings.Contains(err.Error(), "cut short") || !strings.Contains(err.Error(), "Generic Findings Import") {
		t.Errorf("error %v", err)
	}
	sum := sha256.Sum256([]byte(report))
	kept, err := b.imp.Blobs.ReadAll(t.Context(), BlobKey(sum[:]))
	if err != nil || !bytes.Equal(kept, []byte(report)) {
		t.Errorf("the report was not kept: %v", err)
	}
	if got := b.findings(); len(got) != 0 {
		t.Errorf("findings: %v", got)
	}
}
