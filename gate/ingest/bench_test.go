package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"

	"defectdojo/gate/gatetest"
	"defectdojo/parsers/stream"
)

// bigReport writes a report with findings from..to of about 1.2 kB each, the
// size that scanners of dependencies and code write, to a file.
func bigReport(b testing.TB, from, to int) *os.File {
	b.Helper()
	f, err := os.CreateTemp(b.TempDir(), "report")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	severities := []string{"Critical", "High", "Medium", "Low", "Info"}
	text := bytes.Repeat([]byte("The input reaches the query without being checked. "), 16)
	fmt.Fprint(f, `{"findings": [`)
	for i := from; i < to; i++ {
		if i > from {
			fmt.Fprint(f, ",\n")
		}
		one, err := json.Marshal(map[string]any{
			"title": fmt.Sprintf("Weakness %d in component %d", i, i%977), "severity": severities[i%5], "description": fmt.Sprintf("%d. %s", i, text),
			"mitigation": "Raise the component to its newest version.", "references": "https://example.org/advisories/" + strconv.Itoa(i), "cwe": 79,
			"vulnerability_ids": []string{fmt.Sprintf("CVE-2024-%d", 10000+i%50000)}, "component_name": fmt.Sprintf("component-%d", i%977), "component_version": "1.2.3",
			"file_path": fmt.Sprintf("src/module%d/file%d.go", i%100, i), "line": i%400 + 1, "static_finding": true,
		})
		if err != nil {
			b.Fatal(err)
		}
		f.Write(one)
	}
	fmt.Fprint(f, "]}")
	return f
}

func ofFile(f *os.File) func(*Request) {
	return func(r *Request) {
		h := sha256.New()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			panic(err)
		}
		size, err := io.Copy(h, f)
		if err != nil {
			panic(err)
		}
		r.Report = Report{Filename: "report.json", Content: f, Size: size}
		h.Sum(r.Report.SHA256[:0])
	}
}

// folder keeps reports in files, as a single node does.
func folder(b testing.TB) *blob.Bucket {
	b.Helper()
	bucket, err := fileblob.OpenBucket(b.TempDir(), &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { bucket.Close() })
	return bucket
}

func inProduct(name string) func(*Request) {
	return func(r *Request) { r.Target.ProductName = name }
}

// copied times PostgreSQL's own COPY of the rows of a product into an empty
// table with the same columns and indexes.
func copied(b testing.TB, pool *pgxpool.Pool, product int64) time.Duration {
	b.Helper()
	ctx := context.Background()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	rows, err := os.CreateTemp(b.TempDir(), "rows")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	pg := conn.Conn().PgConn()
	if _, err := pg.CopyTo(ctx, rows, fmt.Sprintf(`copy (select * from findings where product_id = %d order by id) to stdout (format binary)`, product)); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `create table copied (like findings including all)`); err != nil {
		b.Fatal(err)
	}
	defer conn.Exec(ctx, `drop table copied`)
	if _, err := rows.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if _, err := pg.CopyFrom(ctx, rows, `copy copied from stdin (format binary)`); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// watchMemory watches the memory of this process; what it returns ends that and
// tells the most that was resident.
func watchMemory() func() uint64 {
	debug.FreeOSMemory()
	done, most := make(chan bool), make(chan uint64)
	go func() {
		var peak uint64
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			peak = max(peak, resident())
			select {
			case <-done:
				tick.Stop()
				most <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 { close(done); return <-most }
}

// resident is this process's resident memory in bytes, or 0 where /proc does not tell it.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// BenchmarkImport imports a report of n new findings, reimports it unchanged,
// and reimports one of which half is known, each beside COPY of the same rows
// into the same indexed table in the same run. The ratios are of speed: 1 is as
// fast as COPY.
func BenchmarkImport(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000}
	if os.Getenv("DD_LONG_TESTS") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			whole, half := bigReport(b, 0, n), bigReport(b, n/2, n+n/2)
			var took, unchanged, halfKnown, copying time.Duration
			var memory uint64
			for i := range b.N {
				bench, pool := newBenchOn(b, gatetest.DB(b))
				bench.imp.Blobs, bench.imp.Limits = folder(b), stream.Limits{Bytes: 4 << 30, Observations: 2_000_000}
				run := func(f *os.File) (Result, time.Duration) {
					began := time.Now()
					r := bench.do("", ofFile(f), inProduct("p"+strconv.Itoa(i)))
					return r, time.Since(began)
				}
				stop := watchMemory()
				r, d := run(whole)
				took += d
				memory = max(memory, stop())
				if r.New != n {
					b.Fatalf("%d new, want %d", r.New, n)
				}
				copying += copied(b, pool, r.ProductID)
				r, d = run(whole)
				unchanged += d
				if r.Untouched != n {
					b.Fatalf("%d untouched, want %d", r.Untouched, n)
				}
				r, d = run(half)
				halfKnown += d
				if r.New != n/2 || r.Closed != n/2 {
					b.Fatalf("%d new and %d closed, want %d", r.New, r.Closed, n/2)
				}
			}
			b.ReportMetric(float64(n*b.N)/took.Seconds(), "findings/s")
			b.ReportMetric(float64(n*b.N)/copying.Seconds(), "COPY-rows/s")
			b.ReportMetric(copying.Seconds()/took.Seconds(), "import/COPY")
			b.ReportMetric(copying.Seconds()/halfKnown.Seconds(), "half-known/COPY")
			b.ReportMetric(unchanged.Seconds()/took.Seconds(), "unchanged/import-time")
			b.ReportMetric(float64(memory)/(1<<20), "MiB-RSS")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkGrown imports 1,000 new findings into an empty database, and into
// one that holds many in other products and in the same one. The ratio is of time.
func BenchmarkGrown(b *testing.B) {
	stored := 100_000
	if os.Getenv("DD_LONG_TESTS") != "" {
		stored = 1_000_000
	}
	b.Run(strconv.Itoa(stored), func(b *testing.B) {
		empty, _ := newBenchOn(b, gatetest.DB(b))
		full, pool := newBenchOn(b, gatetest.DB(b))
		for _, bench := range []*bench{empty, full} {
			bench.imp.Blobs, bench.imp.Limits = folder(b), stream.Limits{Bytes: 4 << 30, Observations: 2_000_000}
		}
		for i := range 10 {
			full.do("", ofFile(bigReport(b, i*stored/10, (i+1)*stored/10)), inProduct("old"+strconv.Itoa(i)))
		}
		if _, err := pool.Exec(b.Context(), `analyze`); err != nil {
			b.Fatal(err)
		}
		fill := func(bench *bench, from int) time.Duration {
			f := bigReport(b, from, from+1000)
			began := time.Now()
			if r := bench.do("", ofFile(f), inProduct("old0"), func(r *Request) { r.Target.EngagementName = strconv.Itoa(from) }); r.New != 1000 {
				b.Fatalf("%d new, want 1000", r.New)
			}
			return time.Since(began)
		}
		var small, large []time.Duration
		b.ResetTimer()
		for i := range max(b.N, 15) { // the two in turn, so that what else the machine does meets both
			from := 10_000_000 + i*1000
			small, large = append(small, fill(empty, from)), append(large, fill(full, from))
		}
		slices.Sort(small)
		slices.Sort(large)
		b.ReportMetric(large[len(large)/2].Seconds()/small[len(small)/2].Seconds(), "full/empty")
		b.ReportMetric(float64(small[len(small)/2].Milliseconds()), "ms-empty")
		b.ReportMetric(0, "ns/op")
	})
}
