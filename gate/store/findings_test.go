package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// findings fills a database with two products and five findings, of which the
// last is the second product's.
func findings(t *testing.T) (*store.Store, [2]int64) {
	t.Helper()
	return findingsOn(t, gatetest.DB(t))
}

func findingsOn(t *testing.T, pool *pgxpool.Pool) (*store.Store, [2]int64) {
	t.Helper()
	s := store.New(pool)
	var products [2]int64
	for i, name := range []string{"Shop", "Bank"} {
		p, err := s.AddProduct(t.Context(), gate.Product{Name: name, ProdTypeID: 1})
		if err != nil {
			t.Fatal(err)
		}
		products[i] = p.ID
	}
	insert(t, pool, `
		insert into users (id, username) values (1, 'jane');
		insert into engagements (id, product_id, name, target_start, target_end, tags)
			select i, id, 'main', '2026-11-01', '2026-11-30', array['eng'||i] from (select id, row_number() over (order by id) i from products) p;
		insert into tests (id, engagement_id, product_id, test_type_id, target_start, target_end, tags)
			select id, id, product_id, 5, now(), now(), array['nightly'] from engagements;
		insert into findings (id, test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, active, verified, date,
			tags, vulnerability_ids, component_name, epss_score, sla_expiration_date, mitigation, created, cwe, found_by)
		select v.id, t.id, t.engagement_id, t.product_id, 5, 1, v.severity, v.title, v.active, v.id = 1, v.date::date,
			v.tags, v.ids, v.component, v.epss, v.sla::date, v.mitigation, '2026-11-20', v.cwe, v.found_by
		from (values
			(1, 1, 4, 'SQL injection', true,  '2026-11-20', array['pci','web'], array['CVE-2026-1'], 'lodash', 0.9, '2026-11-21', 'upgrade', 89, array[7]),
			(2, 1, 3, 'XSS in 100% of pages', true,  '2026-11-19', array['web'], array['CVE-2026-2','GHSA-x'], 'lodash-es', 0.1, '2026-12-21', '', 79, '{}'),
			(3, 1, 3, 'xss old', false, '2026-10-01', '{}', '{}', null, null, null, '', 79, '{}'),
			(4, 1, 0, 'Banner', true, '2026-11-20', '{}', '{}', null, null, null, '', null, '{}'),
			(5, 2, 4, 'Foreign', true, '2026-11-20', array['pci'], array['CVE-2026-1'], 'lodash', 0.9, null, '', 89, '{}')
		) v (id, test, severity, title, active, date, tags, ids, component, epss, sla, mitigation, cwe, found_by)
		join tests t on t.id = v.test`)
	return s, products
}

func insert(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	s, products := findings(t)
	all, shop := gate.Scope{All: true}, gate.Scope{ProductIDs: products[:1]}
	yes, no := true, false
	half, day := 0.5, func(d int) *time.Time { v := time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC); return &v }
	tests := []struct {
		name string
		f    store.FindingFilter
		want []int64
	}{
		{"all", store.FindingFilter{Scope: all}, []int64{5, 1, 2, 3, 4}},
		{"scope", store.FindingFilter{Scope: shop}, []int64{1, 2, 3, 4}},
		{"no_scope", store.FindingFilter{}, nil},
		{"empty_scope", store.FindingFilter{Scope: gate.Scope{ProductIDs: []int64{}}}, nil},
		{"active", store.FindingFilter{Scope: shop, Flags: map[string]bool{"active": true}}, []int64{1, 2, 4}},
		{"inactive", store.FindingFilter{Scope: shop, Flags: map[string]bool{"active": false}}, []int64{3}},
		{"verified_and_active", store.FindingFilter{Scope: shop, Flags: map[string]bool{"active": true, "verified": true}}, []int64{1}},
		{"severities", store.FindingFilter{Scope: shop, Severities: []gate.Severity{gate.Critical, gate.Info}}, []int64{1, 4}},
		{"no_severity", store.FindingFilter{Scope: shop, Severities: []gate.Severity{}}, nil},
		{"title", store.FindingFilter{Scope: shop, Contains: map[string]string{"title": "xss"}}, []int64{2, 3}},
		{"percent_is_no_wildcard", store.FindingFilter{Scope: shop, Contains: map[string]string{"title": "0%"}}, []int64{2}},
		{"exact_title", store.FindingFilter{Scope: shop, Exact: map[string]string{"title": "XSS OLD"}}, []int64{3}},
		{"product_name", store.FindingFilter{Scope: all, Exact: map[string]string{"product_name": "bank"}}, []int64{5}},
		{"component", store.FindingFilter{Scope: shop, Contains: map[string]string{"component_name": "LODASH"}}, []int64{1, 2}},
		{"ids", store.FindingFilter{Scope: shop, In: map[string][]int64{"id": {1, 5, 99}}}, []int64{1}},
		{"cwe", store.FindingFilter{Scope: shop, In: map[string][]int64{"cwe": {0, 89}}}, []int64{1, 4}},
		{"product", store.FindingFilter{Scope: all, In: map[string][]int64{"test__engagement__product": {products[1]}}}, []int64{5}},
		{"found_by_own", store.FindingFilter{Scope: all, In: map[string][]int64{"found_by": {5}}}, []int64{5, 1, 2, 3, 4}},
		{"found_by_other", store.FindingFilter{Scope: all, In: map[string][]int64{"found_by": {7}}}, []int64{1}},
		{"prod_type", store.FindingFilter{Scope: all, In: map[string][]int64{"test__engagement__product__prod_type": {2}}}, nil},
		{"vulnerability", store.FindingFilter{Scope: shop, VulnerabilityIDs: []string{"GHSA-x", "CVE-2026-1"}}, []int64{1, 2}},
		{"dates", store.FindingFilter{Scope: shop, Times: map[string]store.Range{"date": {From: day(19), To: day(20)}}}, []int64{2}},
		{"epss", store.FindingFilter{Scope: shop, Ranges: map[string]store.NumberRange{"epss_score": {Min: &half}}}, []int64{1}},
		{"outside_of_sla", store.FindingFilter{Scope: shop, OutsideOfSLA: &yes, Today: *day(22)}, []int64{1}},
		{"inside_of_sla", store.FindingFilter{Scope: shop, OutsideOfSLA: &no, Today: *day(22)}, []int64{2, 3, 4}},
		{"tags_any", store.FindingFilter{Scope: shop, Tags: store.TagFilter{Any: []string{"pci", "x"}}}, []int64{1}},
		{"tags_all", store.FindingFilter{Scope: shop, Tags: store.TagFilter{All: []string{"pci", "web"}}}, []int64{1}},
		{"tags_none", store.FindingFilter{Scope: shop, Tags: store.TagFilter{None: []string{"pci"}}}, []int64{2, 3, 4}},
		{"tag_contains", store.FindingFilter{Scope: shop, Tags: store.TagFilter{Contains: "EB"}}, []int64{1, 2}},
		{"tag_not_contains", store.FindingFilter{Scope: shop, Tags: store.TagFilter{NotContains: "eb"}}, []int64{3, 4}},
		{"has_tags", store.FindingFilter{Scope: shop, Tags: store.TagFilter{Has: &no}}, []int64{3, 4}},
		{"test_tags", store.FindingFilter{Scope: all, TestTags: store.TagFilter{Any: []string{"nightly"}}}, []int64{5, 1, 2, 3, 4}},
		{"engagement_tags", store.FindingFilter{Scope: all, EngagementTags: store.TagFilter{None: []string{"eng1"}}}, []int64{5}},
		{"text", store.FindingFilter{Scope: shop, Text: "cve-2026"}, []int64{1, 2}},
		{"mitigation_available", store.FindingFilter{Scope: shop, Flags: map[string]bool{"mitigation_available": true}}, []int64{1}},
		{"order", store.FindingFilter{Scope: shop, Page: store.Page{Order: []string{"date", "-title"}}}, []int64{3, 2, 1, 4}},
		{"order_severity", store.FindingFilter{Scope: shop, Page: store.Page{Order: []string{"-numerical_severity"}}}, []int64{4, 2, 3, 1}},
		{"page", store.FindingFilter{Scope: shop, Page: store.Page{Limit: 2, Offset: 1}}, []int64{2, 3}},
		{"beyond_the_end", store.FindingFilter{Scope: shop, Page: store.Page{Limit: 2, Offset: 100}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := s.Findings(t.Context(), tt.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, f := range l.Rows {
				got = append(got, f.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.f.Limit == 0 && l.Count != len(tt.want) {
				t.Errorf("count %d, want %d", l.Count, len(tt.want))
			}
		})
	}
}

func TestFindingsUnknownFilter(t *testing.T) {
	t.Parallel()
	s, _ := findings(t)
	for _, f := range []store.FindingFilter{
		{Flags: map[string]bool{"active; drop table findings": true}},
		{Contains: map[string]string{"password": "x"}},
		{In: map[string][]int64{"x": {1}}},
		{Page: store.Page{Order: []string{"title; --"}}},
	} {
		f.Scope = gate.Scope{All: true}
		if _, err := s.Findings(t.Context(), f); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// TestEveryFindingFilter asks the database for each filter and order once: a
// column that is misspelled fails here.
func TestEveryFindingFilter(t *testing.T) {
	t.Parallel()
	s, _ := findings(t)
	if err := s.TryFindingFilters(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFinding(t *testing.T) {
	t.Parallel()
	s, products := findings(t)
	f, err := s.Finding(t.Context(), gate.Scope{ProductIDs: products[:1]}, 1)
	if err != nil || f.Severity != gate.Critical || f.ProductID != products[0] || *f.CWE != 89 || *f.ComponentName != "lodash" {
		t.Errorf("Finding = %+v, %v", f, err)
	}
	if _, err := s.Finding(t.Context(), gate.Scope{ProductIDs: products[:1]}, 5); gate.KindOf(err) != gate.NotFound {
		t.Errorf("a foreign finding: %v", err)
	}
	if _, err := s.Finding(t.Context(), gate.Scope{All: true}, 99); gate.KindOf(err) != gate.NotFound {
		t.Errorf("no finding: %v", err)
	}
}

func TestFindingsAfter(t *testing.T) {
	t.Parallel()
	s, _ := findings(t)
	var got []int64
	var after *store.FindingKey
	for {
		page, err := s.FindingsAfter(t.Context(), store.FindingFilter{Scope: gate.Scope{All: true}}, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, f := range page {
			got = append(got, f.ID)
		}
		last := page[len(page)-1]
		after = &store.FindingKey{Severity: last.Severity, ID: last.ID}
	}
	if diff := cmp.Diff([]int64{5, 1, 3, 2, 4}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCountBySeverity(t *testing.T) {
	t.Parallel()
	s, products := findings(t)
	got, err := s.CountBySeverity(t.Context(), store.FindingFilter{Scope: gate.Scope{All: true}, Flags: map[string]bool{"active": true}})
	want := []store.SeverityCount{
		{ProductID: products[0], Severity: gate.Critical, Count: 1},
		{ProductID: products[0], Severity: gate.High, Count: 1},
		{ProductID: products[0], Severity: gate.Info, Count: 1},
		{ProductID: products[1], Severity: gate.Critical, Count: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// What belongs to a finding goes with it, whatever it goes with.
func TestDeletedWithTheirFinding(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	s, _ := findingsOn(t, pool)
	insert(t, pool, `
		insert into locations (id, location_value, identity_hash) values (1, 'https://example.org', '\x01');
		insert into location_findings (location_id, finding_id) select 1, id from findings;
		insert into notes (finding_id, entry, author_id) select id, 'x', 1 from findings`)
	left := func() (notes, places int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), `select (select count(*) from notes), (select count(*) from location_findings)`).Scan(&notes, &places); err != nil {
			t.Fatal(err)
		}
		return notes, places
	}
	for _, step := range []struct {
		what string
		do   func() error
		want int
	}{
		{"a finding", func() error { return s.DeleteFinding(t.Context(), 2) }, 4},
		{"a test", func() error { return s.DeleteTest(t.Context(), 2) }, 3},
		{"an engagement", func() error { return s.DeleteEngagement(t.Context(), 1) }, 0},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if notes, places := left(); notes != step.want || places != step.want {
			t.Errorf("after %s was deleted there are %d notes and %d locations, want %d", step.what, notes, places, step.want)
		}
	}
}

// What foreign keys would say of findings and of authors, statements say of all
// the rows that they write.
func TestReferencesByStatement(t *testing.T) {
	t.Parallel()
	pool := gatetest.DB(t)
	findingsOn(t, pool)
	insert(t, pool, `
		select setval('findings_id_seq', 100);
		insert into users (id, username) values (2, 'joe'), (3, 'ann');
		insert into notes (finding_id, entry, author_id) values (1, 'x', 2)`)
	finding := `insert into findings (test_id, engagement_id, product_id, test_type_id, reporter_id, severity, title, date) select t, 1, 1, 5, 1, 1, 'x', now() from `
	for _, tt := range []struct {
		name, sql string
		code      string // of the error
	}{
		{"findings of tests", finding + `unnest(array[1, 2, 1]) t`, ""},
		{"a finding of no test among others", finding + `unnest(array[1, 99, 1]) t`, "23503"},
		{"a finding that goes elsewhere", `update findings set test_id = 2 where id = 1`, "23503"},
		{"a finding that stays", `update findings set test_id = 1, title = 'y' where id = 1`, ""},
		{"notes of users", `insert into notes (finding_id, entry, author_id) select 1, 'y', a from unnest(array[1, 2]) a`, ""},
		{"a note of nobody among others", `insert into notes (finding_id, entry, author_id) select 1, 'y', a from unnest(array[1, 98]) a`, "23503"},
		{"an author who leaves", `delete from users where id = 2`, "23503"},
		{"somebody else who leaves", `delete from users where id = 3`, ""},
	} {
		_, err := pool.Exec(t.Context(), tt.sql)
		code := ""
		if e, ok := errors.AsType[*pgconn.PgError](err); ok {
			code = e.Code
		}
		if code != tt.code || (err == nil) != (tt.code == "") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
		}
	}

	// Who names a test keeps it: its end waits, and takes what was added.
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), finding+`unnest(array[2]) t`); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := pool.Exec(t.Context(), `delete from tests where id = 2`)
		ended <- err
	}()
	for waits := false; !waits; {
		if err := pool.QueryRow(t.Context(), `select exists (select from pg_stat_activity where datname = current_database() and query like 'delete from tests%' and wait_event_type = 'Lock')`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			t.Fatalf("the test went while a finding was added to it: %v", err)
		default:
		}
	}
	if err := errors.Join(tx.Commit(t.Context()), <-ended); err != nil {
		t.Fatal(err)
	}
	var orphans int
	if err := pool.QueryRow(t.Context(), `select count(*) from findings where test_id = 2`).Scan(&orphans); err != nil || orphans > 0 {
		t.Errorf("%d findings without a test, %v", orphans, err)
	}
}
