package enrich_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob/memblob"

	"defectdojo/gate/enrich"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	epss = "#model_version:v2025.03.14,score_date:2026-11-21T12:55:00Z\ncve,epss,percentile\nCVE-2026-0001,0.5,0.9\nCVE-2026-0002,0.01,0.2\nCVE-2026-0003,0.2,0.7\n"
	kev  = `{"title": "KEV", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T15:00:00.1Z", "count": 2, "vulnerabilities": [
		{"cveID": "CVE-2026-0001", "dateAdded": "2026-11-01", "dueDate": "2026-11-22", "knownRansomwareCampaignUse": "Known"},
		{"cveID": "CVE-2026-0009", "dateAdded": "2026-11-02", "dueDate": "2026-11-23", "knownRansomwareCampaignUse": "Unknown"}]}`
	osv = `{"id": "GHSA-aaaa", "modified": "2026-11-19T00:00:00Z", "published": "2026-11-01T00:00:00Z", "aliases": ["CVE-2026-0001"], "affected": [
		{"package": {"ecosystem": "npm", "name": "lodash", "purl": "pkg:npm/lodash"}, "ranges": [
			{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}, {"introduced": "5.0.0"}]}, {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abcdef"}]}]}]}`
	withdrawn = `{"id": "GHSA-bbbb", "modified": "2026-11-18T00:00:00Z", "withdrawn": "2026-11-18T00:00:00Z"}`
)

// bench is a database, and a server of the three sources that counts.
type bench struct {
	*enrich.Enricher
	t      *testing.T
	pool   *pgxpool.Pool
	bodies map[string][]byte
	asked  map[string]int // status → answers
	url    string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	pool := gatetest.DB(t)
	b := &bench{t: t, pool: pool, bodies: map[string][]byte{"/epss": packed(t, epss), "/kev": []byte(kev), "/osv": zipped(t, map[string]string{"GHSA-aaaa.json": osv, "GHSA-bbbb.json": withdrawn, "MAL-1.json": "{"})}, asked: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := b.bodies[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		tag := fmt.Sprintf(`"%x"`, crc32.ChecksumIEEE(body))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			b.asked["304"]++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		b.asked["200"]++
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	b.url = srv.URL
	blobs := memblob.OpenBucket(nil)
	t.Cleanup(func() { blobs.Close() })
	b.Enricher = &enrich.Enricher{
		Store: store.New(pool), Blobs: blobs, HTTP: integrations.NewClient(integrations.Options{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, MaxBytes: enrich.MaxDownload}),
		Places: enrich.Places{EPSS: srv.URL + "/epss", KEV: srv.URL + "/kev", OSV: srv.URL + "/osv"},
	}
	return b
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// refresh refreshes, and returns the outcomes in the order of the sources.
func (b *bench) refresh(at time.Time) ([]enrich.Outcome, []error) {
	b.t.Helper()
	results, err := b.Refresh(b.t.Context(), at)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []enrich.Outcome
	var errs []error
	for _, r := range results {
		out, errs = append(out, r.Is), append(errs, r.Err)
	}
	return out, errs
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var told []store.IntelName
	b.Changed = func(_ context.Context, _ pgx.Tx, n store.IntelName) error { told = append(told, n); return nil }
	if got, errs := b.refresh(now); !cmp.Equal(got, []enrich.Outcome{enrich.New, enrich.New, enrich.New}) {
		t.Fatalf("outcomes %v, %v", got, errs)
	}
	if !cmp.Equal(told, []store.IntelName{store.EPSS, store.KEV, store.Advisories}) {
		t.Errorf("told of %v", told)
	}
	known, err := b.Store.Intel(t.Context(), []string{"CVE-2026-0001", "CVE-2026-0002"})
	if err != nil {
		t.Fatal(err)
	}
	want := store.Vulnerability{ID: "CVE-2026-0001", IsCVE: true, EPSS: new(0.5), Percentile: new(0.9), Exploited: true, Ransomware: true}
	if diff := cmp.Diff(want, known.Vulnerabilities["CVE-2026-0001"]); diff != "" {
		t.Error(diff)
	}
	a := known.Advisories["CVE-2026-0001"]
	if len(a) != 1 || a[0].FixPublished == nil || !a[0].FixPublished.Equal(*a[0].Published) {
		t.Fatalf("advisories %+v", a)
	}
	if diff := cmp.Diff([]store.VersionRange{{Fixed: "4.17.21"}, {Introduced: "5.0.0"}}, a[0].Affected[0].Ranges); diff != "" {
		t.Error(diff)
	}
	for name, published := range map[store.IntelName]string{store.EPSS: "2026-11-21T12:55:00Z", store.KEV: "2026-11-20T15:00:00.1Z", store.Advisories: "2026-11-19T00:00:00Z"} {
		s := known.Sources[name]
		if got := s.Published.UTC().Format(time.RFC3339Nano); got != published || len(s.Digest) != 64 {
			t.Errorf("%s: %s, digest %q", name, got, s.Digest)
		}
		r, err := b.Content(t.Context(), name, s.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n != s.Bytes {
			t.Errorf("%s: kept %d bytes of %d, %v", name, n, s.Bytes, err)
		}
		_ = r.Close()
	}
}

// TestRefreshAgain checks that what has not changed is neither sent nor read.
func TestRefreshAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refresh(now)
	same := []enrich.Outcome{enrich.Unchanged, enrich.Unchanged, enrich.Unchanged}
	if got, errs := b.refresh(now.Add(time.Hour)); !cmp.Equal(got, same) || b.asked["304"] != 3 || b.asked["200"] != 3 {
		t.Errorf("outcomes %v, %v; answers %v", got, errs, b.asked)
	}
	b.bodies["/epss"] = packed(t, epss+" ")[:len(packed(t, epss))] // another tag; broken
	if got, _ := b.refresh(now.Add(2 * time.Hour)); got[0] != enrich.Failed {
		t.Errorf("broken gzip: %v", got)
	}
	sources, err := b.Store.IntelSources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := sources[0]; s.Error == "" || s.Snapshot == nil || !s.Succeeded.Equal(now.Add(time.Hour)) || !s.Checked.Equal(now.Add(2*time.Hour)) {
		t.Errorf("state %+v", s)
	}
}

// TestRefreshRefuses checks that nothing implausible takes the place of what is known.
func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	long := func(n int, date string) string {
		var s strings.Builder
		s.WriteString("#model_version:v1,score_date:" + date + "\ncve,epss,percentile\n")
		for i := range n {
			fmt.Fprintf(&s, "CVE-2026-%04d,0.1,0.5\n", i+1)
		}
		return s.String()
	}
	tests := []struct {
		name, path, first, second, want string
	}{
		{"cut", "/epss", long(50, "2026-11-20"), strings.TrimSuffix(long(50, "2026-11-21"), "\n"), "middle of a line"},
		{"collapsed", "/epss", long(50, "2026-11-20"), long(40, "2026-11-21"), "40 records where the last had 50"},
		{"empty", "/epss", long(50, "2026-11-20"), long(0, "2026-11-21"), "no records"},
		{"older", "/epss", long(50, "2026-11-20"), long(51, "2026-11-19"), "older than what is in use"},
		{"future", "/epss", long(50, "2026-11-20"), long(51, "2026-12-19"), "yet to come"},
		{"ancient", "/epss", "", long(50, "1970-01-01"), "cannot be"},
		{"score", "/epss", "", strings.Replace(epss, "0.5,0.9", "1.5,0.9", 1), "line 3 is not"},
		{"nan", "/epss", "", strings.Replace(epss, "0.5,0.9", "NaN,0.9", 1), "line 3 is not"},
		{"twice", "/epss", "", epss + "CVE-2026-0001,0.1,0.1\n", "line 6 is not"},
		{"columns", "/epss", "", strings.Replace(epss, "cve,epss", "id,score", 1), "columns"},
		{"html", "/epss", "", "<html>sign in</html>\n", "model's version"},
		{"kev_html", "/kev", kev, "<html>sign in</html>", "not the KEV catalogue"},
		{"kev_count", "/kev", kev, strings.Replace(kev, `"count": 2`, `"count": 3`, 1), "not whole"},
		{"kev_cut", "/kev", kev, kev[:len(kev)/2], "not the KEV catalogue"},
		{"kev_other", "/kev", kev, `{"vulnerabilities": []}`, "neither version nor date"},
		{"kev_collapsed", "/kev", kev, `{"catalogVersion": "x", "dateReleased": "2026-11-21T00:00:00Z", "count": 1, "vulnerabilities": [{"cveID": "CVE-2026-0001"}]}`, "1 records where the last had 2"},
		{"osv_cut", "/osv", osv, osv[:len(osv)-9], "not a record"},
		{"osv_other", "/osv", osv, `{"id": "x"}`, "without id or date"},
		{"osv_empty", "/osv", osv, `[]`, "no record"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			at := map[string]int{"/epss": 0, "/kev": 1, "/osv": 2}[tt.path]
			if tt.first != "" {
				b.bodies[tt.path] = []byte(tt.first)
				if got, errs := b.refresh(now); got[at] != enrich.New {
					t.Fatalf("first: %v, %v", got, errs[at])
				}
			}
			before := dump(t, b.pool)
			b.bodies[tt.path] = []byte(tt.second)
			if tt.first == "" {
				b.Places = enrich.Places{EPSS: b.Places.EPSS}
			}
			got, errs := b.refresh(now.Add(time.Hour))
			if got[at] != enrich.Failed || !strings.Contains(errs[at].Error(), tt.want) {
				t.Errorf("%v, %v, want %q", got[at], errs[at], tt.want)
			}
			if diff := cmp.Diff(before, dump(t, b.pool)); diff != "" {
				t.Error("what was known changed:", diff)
			}
		})
	}
}

// dump returns what is known, as text.
func dump(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var s string
	if err := pool.QueryRow(t.Context(), `
		select concat((select string_agg(v::text, '|' order by vulnerability_id) from vulnerabilities v), '//', (select string_agg(a::text, '|' order by id) from advisories a), '//',
		              (select string_agg(i::text, '|' order by id) from intel_snapshots i))`).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRefreshDropped checks that what leaves a list is known no more.
func TestRefreshDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, "CVE-2025-%04d,0.1,0.5\n", i)
	}
	b.bodies["/epss"] = []byte(epss + many.String())
	b.refresh(now)
	next := strings.Replace(strings.Replace(epss, "2026-11-21T", "2026-11-22T", 1), "CVE-2026-0002,0.01,0.2\n", "", 1)
	b.bodies["/epss"] = []byte(strings.Replace(next, "0.5,0.9", "0.6,0.95", 1) + many.String())
	if got, errs := b.refresh(now.Add(time.Hour)); got[0] != enrich.New {
		t.Fatal(errs[0])
	}
	known, err := b.Store.Intel(t.Context(), []string{"CVE-2026-0001", "CVE-2026-0002"})
	if err != nil {
		t.Fatal(err)
	}
	if v := known.Vulnerabilities; *v["CVE-2026-0001"].EPSS != 0.6 || v["CVE-2026-0002"].EPSS != nil {
		t.Errorf("known %+v", v)
	}
}

// TestFixLater checks that a fix is known since the advisory names one.
func TestFixLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.bodies["/osv"] = []byte(strings.Replace(osv, `, {"fixed": "4.17.21"}`, "", 1))
	b.refresh(now)
	b.bodies["/osv"] = []byte(strings.Replace(osv, "2026-11-19", "2026-11-21", 1))
	if got, errs := b.refresh(now.Add(time.Hour)); got[2] != enrich.New {
		t.Fatal(errs[2])
	}
	known, err := b.Store.Intel(t.Context(), []string{"GHSA-aaaa"})
	if err != nil {
		t.Fatal(err)
	}
	if a := known.Advisories["GHSA-aaaa"][0]; a.FixPublished == nil || a.FixPublished.Day() != 21 {
		t.Errorf("%+v", a)
	}
}

// TestPlaces reads from files and folders, and leaves out what is off.
func TestPlaces(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"scores.csv": epss, "osv/a.json": osv, "osv/b.ndjson": withdrawn + "\n" + withdrawn + "\n", "osv/readme.md": "x", "osv/deep/c.json": "[" + osv + "]"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	b.Places = enrich.Places{EPSS: "file://" + filepath.Join(dir, "scores.csv"), KEV: "off", OSV: filepath.Join(dir, "osv") + ", " + b.url + "/osv"}
	if got, errs := b.refresh(now); !cmp.Equal(got, []enrich.Outcome{enrich.New, enrich.Disabled, enrich.New}) {
		t.Fatalf("%v, %v", got, errs)
	}
	b.Places.EPSS, b.Places.KEV, b.Places.OSV = "ftp://x/y", filepath.Join(dir, "none"), b.url+"/none?token=CANARYCANARY"
	got, errs := b.refresh(now)
	if !cmp.Equal(got, []enrich.Outcome{enrich.Failed, enrich.Failed, enrich.Failed}) || !strings.Contains(errs[2].Error(), "404") {
		t.Errorf("%v, %v", got, errs)
	}
	var leaks int
	if err := b.pool.QueryRow(t.Context(), `select count(*) from intel_sources s where s::text like '%CANARY%'`).Scan(&leaks); err != nil || leaks > 0 {
		t.Errorf("%d states hold a secret, %v", leaks, err)
	}
}

// TestRedirect refuses to be led into a private network.
func TestRedirect(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	srv := httptest.NewServer(http.RedirectHandler("http://10.255.255.1:1/epss", http.StatusFound))
	t.Cleanup(srv.Close)
	b.Places = enrich.Places{EPSS: srv.URL}
	if got, errs := b.refresh(now); got[0] != enrich.Failed || !errors.Is(errs[0], errs[0]) || !strings.Contains(errs[0].Error(), "private network") {
		t.Errorf("%v, %v", got, errs)
	}
}

// TestFindingsLearn checks what is written into findings.
func TestFindingsLearn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.pool.Exec(t.Context(), `
		insert into product_types (id, name) values (71, 't');
		insert into products (id, name, prod_type_id, description) values (1, 'p', 71, '');
		insert into engagements (id, name, product_id, target_start, target_end) values (1, 'e', 1, '2026-01-01', '2026-01-01');
		insert into tests (id, engagement_id, product_id, test_type_id, scan_type, target_start, target_end) values (1, 1, 1, (select min(id) from test_types), 'x', now(), now());
		insert into users (id, username) values (9, 'u');
		insert into findings (id, reporter_id, test_id, engagement_id, product_id, test_type_id, title, severity, date, created, hash_code, vulnerability_ids, epss_score) values
			(1, 9, 1, 1, 1, (select min(id) from test_types), 'a', 4, '2026-11-01', now(), '\x01', '{CVE-2026-0002,CVE-2026-0001}', null),
			(2, 9, 1, 1, 1, (select min(id) from test_types), 'b', 4, '2026-11-01', now(), '\x02', '{CVE-1999-9999}', 0.3),
			(3, 9, 1, 1, 1, (select min(id) from test_types), 'c', 4, '2026-11-01', now(), '\x03', '{}', null)`); err != nil {
		t.Fatal(err)
	}
	b.refresh(now)
	rows, _ := b.pool.Query(t.Context(), `select concat_ws(' ', id, coalesce(epss_score::text, '-'), coalesce(epss_percentile::text, '-'), known_exploited, ransomware_used, kev_date) from findings order by id`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 0.5 0.9 t t 2026-11-01", "2 0.3 - f f", "3 - - f f"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := b.pool.Exec(t.Context(), `update findings set epss_score = null, known_exploited = false where id = 1`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{1, 0} { // what differs, once
		if n, err := b.Store.EnrichFindings(t.Context(), 1); err != nil || n != want {
			t.Errorf("%d findings of the test were changed, want %d, %v", n, want, err)
		}
	}
}
