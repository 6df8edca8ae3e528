package verdict_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
	"defectdojo/policies"
)

// portfolio fills a database: products of so many findings each, in one
// engagement with two imports, of which the second added a hundredth.
func portfolio(b *testing.B, pool *pgxpool.Pool, products, each int) {
	b.Helper()
	for _, sql := range []string{
		`insert into users (id, username) overriding system value values (1, 'ci')`,
		`insert into products (id, name, description, prod_type_id) overriding system value select i, 'p' || i, '', 1 from generate_series(1, @products) i`,
		`insert into engagements (id, product_id, name, target_start, target_end, status, engagement_type, branch_tag) overriding system value
		 select i, i, 'main', current_date, current_date, 'In Progress', 'CI/CD', 'main' from generate_series(1, @products) i`,
		`insert into tests (id, engagement_id, product_id, test_type_id, scan_type, target_start, target_end) overriding system value
		 select i, i, i, t.id, t.name, now(), now() from generate_series(1, @products) i, test_types t where t.name = 'Trivy Scan'`,
		`insert into findings (test_id, engagement_id, product_id, test_type_id, hash_code, severity, title, description, reporter_id, date, created, vulnerability_ids, component_name, component_version,
		                       purl, file_path, epss_score, known_exploited, fix_available, static_finding, dynamic_finding)
		 select p, p, p, t.test_type_id, sha256((p * 10000000 + i)::text::bytea), i % 5, 'Flaw ' || i % 5000 || ' in lib' || i % 3000, repeat('About it. ', 50), 1, current_date, now() - i % 2000 * interval '1 hour',
		        array['CVE-2026-' || 10000 + i % 5000], 'lib' || i % 3000, '1.' || i % 7 || '.0', 'pkg:npm/lib' || i % 3000 || '@1.' || i % 7 || '.0', 'services/s' || i % 40 || '/package-lock.json',
		        (i % 100) / 100.0, i % 97 = 0, i % 2 = 0, true, false
		 from generate_series(1, @products) p join tests t on t.id = p, generate_series(1, @each) i`,
		`insert into test_imports (test_id, product_id, scan_type, commit_hash, branch_tag, outcome, finding_count, created)
		 select t.id, t.product_id, t.scan_type, c, 'main', 'succeeded', @each, now() from (values ('c1'), ('c2')) v (c), tests t order by c`,
		`insert into test_import_actions select i.id, 'N', array(select f.id from findings f where f.test_id = i.test_id order by f.id desc limit @each / 100) from test_imports i where commit_hash = 'c2'`,
		`analyze`,
	} {
		if _, err := pool.Exec(b.Context(), sql, pgx.NamedArgs{"products": products, "each": each}); err != nil {
			b.Fatalf("%.60s: %v", sql, err)
		}
	}
}

const benchPolicy = `
rules:
  - {id: new-critical, select: {severity: critical, delta: new}, max: 0}
  - {id: exploitable, select: {severity_at_least: medium}, when: f.kev || f.epss >= 0.2, max: 0, grace: {default: 30d}}
  - {id: fixable, select: {severity: high}, when: 'f.fix_available && f.reachability != "unreachable"', max: 0, grace: {high: 30d}}
  - {id: budget, level: warn, select: {severity: medium}, per: vulnerability, max: 25}
`

// BenchmarkVerdict tells the time of a whole verdict of the server: gathered
// from PostgreSQL, judged by four rules, and kept with its inputs.
//
//	go test ./gate/verdict -run '^$' -bench Verdict -benchtime 3x -timeout 30m
func BenchmarkVerdict(b *testing.B) {
	for _, c := range []struct{ products, each int }{{1, 100_000}, {100, 10_000}} {
		b.Run(fmt.Sprintf("%d_of_%d", c.each, c.products*c.each), func(b *testing.B) {
			pool := gatetest.DB(b)
			portfolio(b, pool, c.products, c.each)
			s := store.New(pool)
			id, err := s.AddPolicy(b.Context(), "bench", nil, true, now)
			if err == nil {
				_, err = s.AddPolicyVersion(b.Context(), newVersion(id, 1, benchPolicy, now))
			}
			if err != nil {
				b.Fatal(err)
			}
			j := &verdict.Judge{Store: s}
			at := time.Now()
			for b.Loop() {
				at = at.Add(time.Second)
				v, err := j.Judge(b.Context(), verdict.Request{EngagementID: 1, Event: policies.Push, Branch: "main", Commit: "c2"}, at)
				if err != nil {
					b.Fatal(err)
				}
				if v.Baseline == nil || v.Deltas["introduced"]+v.Deltas["disclosed"] != c.each/100 {
					b.Fatalf("not what was meant: %v", v.Deltas)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*c.each), "µs/finding")
		})
	}
}
