package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// TestIntel looks vulnerabilities up by their own id and by an alias.
func TestIntel(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	if _, err := pool.Exec(t.Context(), `
		insert into intel_snapshots (id, source, digest, version, published, url, records, bytes, fetched)
		values (7, 'kev', '\xab', '2026.11.20', '2026-11-20Z', 'file:///kev.json', 1, 9, '2026-11-21Z');
		insert into intel_sources (source, snapshot_id) values ('kev', 7), ('epss', null);
		insert into vulnerabilities (vulnerability_id, epss_score, epss_percentile, known_exploited, ransomware_used)
		values ('CVE-2026-0001', 0.1, 0.5, null, null), ('CVE-2026-0002', 0.9, 0.99, true, true);
		insert into advisories (id, aliases, published, fix_published, affected) values
			('GHSA-a', '{CVE-2026-0001,CVE-2026-0002}', '2026-11-01Z', '2026-11-02Z', '[{"ecosystem": "npm", "name": "x", "ranges": [{"fixed": "1.2"}]}]');
		insert into advisory_ids (id, advisory) values ('GHSA-a', 'GHSA-a'), ('CVE-2026-0001', 'GHSA-a'), ('CVE-2026-0002', 'GHSA-a')`); err != nil {
		t.Fatal(err)
	}
	known, err := store.New(pool).Intel(t.Context(), []string{"GHSA-a", "CVE-2026-0001", "OTHER-1", "GHSA-a"})
	if err != nil {
		t.Fatal(err)
	}
	if s := known.Sources[store.KEV]; s.ID != 7 || s.Digest != "ab" || s.Version != "2026.11.20" || s.Published.IsZero() || len(known.Sources) != 1 {
		t.Errorf("sources %+v", known.Sources)
	}
	if diff := cmp.Diff(map[string]store.Vulnerability{
		"GHSA-a":        {ID: "GHSA-a", IsCVE: true, EPSS: new(0.9), Percentile: new(0.99), Exploited: true, Ransomware: true},
		"CVE-2026-0001": {ID: "CVE-2026-0001", IsCVE: true, EPSS: new(0.1), Percentile: new(0.5)},
		"OTHER-1":       {ID: "OTHER-1"},
	}, known.Vulnerabilities); diff != "" {
		t.Error(diff)
	}
	if a := known.Advisories["CVE-2026-0001"]; len(a) != 1 || a[0].ID != "GHSA-a" || a[0].Affected[0].Ranges[0].Fixed != "1.2" || a[0].FixPublished == nil {
		t.Errorf("advisories %+v", a)
	}
	empty, err := store.New(pool).Intel(t.Context(), nil)
	if err != nil || len(empty.Vulnerabilities) > 0 || len(empty.Sources) != 1 {
		t.Errorf("of nothing: %+v, %v", empty, err)
	}
}

// BenchmarkIntel looks ten thousand vulnerabilities up among 100,000 with scores
// and 50,000 advisories.
func BenchmarkIntel(b *testing.B) {
	pool := gatetest.DB(b)
	if _, err := pool.Exec(b.Context(), `
		insert into vulnerabilities (vulnerability_id, epss_score) select 'CVE-2026-' || n, 0.1 from generate_series(10000, 110000) n;
		insert into advisories (id, aliases) select 'GHSA-' || n, array['CVE-2026-' || n] from generate_series(10000, 60000) n;
		insert into advisory_ids (id, advisory) select unnest(aliases || id), id from advisories;
		analyze`); err != nil {
		b.Fatal(err)
	}
	var ids []string
	for n := range 10_000 {
		ids = append(ids, fmt.Sprintf("CVE-2026-%d", 10_000+7*n))
	}
	for b.Loop() {
		if _, err := store.New(pool).Intel(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
}
