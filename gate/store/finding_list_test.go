package store_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// load fills a new database with a file of SQL.
func load(t testing.TB, file string) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	sql, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db := gatetest.DB(t)
	if _, err := db.Exec(t.Context(), string(sql)); err != nil {
		t.Fatal(err)
	}
	return store.New(db), db
}

const shopFile = "../web/testdata/shop.sql"

var (
	everything = gate.Scope{All: true}
	allSorts   = []store.FindingSort{store.BySeverity, store.ByEPSS, store.BySLA, store.ByDate, store.ByID}
)

func ids(rows []store.FindingRow) []int64 {
	out := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = r.ID
	}
	return out
}

// TestFindingPage walks through lists forward and back again: every finding is
// on one page, in one order.
func TestFindingPage(t *testing.T) {
	t.Parallel()
	s, _ := load(t, shopFile)
	for _, sort := range allSorts {
		for _, descending := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s_%v", sort, descending), func(t *testing.T) {
				t.Parallel()
				q := store.FindingPageQuery{FindingSearch: store.FindingSearch{Scope: everything}, Sort: sort, Descending: descending, Limit: 1000}
				whole, err := s.FindingPage(t.Context(), q)
				if err != nil || whole.Next != "" || whole.Prev != "" || len(whole.Rows) != 69 {
					t.Fatalf("%d rows, next %q, prev %q, %v", len(whole.Rows), whole.Next, whole.Prev, err)
				}
				q.Limit = 10
				forward, last := walk(t, s, q, func(p store.FindingPage) string { return p.Next }, false)
				if diff := cmp.Diff(ids(whole.Rows), forward); diff != "" {
					t.Errorf("forward (-want +got):\n%s", diff)
				}
				q.Before = last
				back, _ := walk(t, s, q, func(p store.FindingPage) string { return p.Prev }, true)
				if diff := cmp.Diff(ids(whole.Rows)[:60], back); diff != "" {
					t.Errorf("back (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// walk reads page after page, and returns the IDs and where the last page began.
func walk(t *testing.T, s *store.Store, q store.FindingPageQuery, next func(store.FindingPage) string, back bool) ([]int64, *store.FindingPlace) {
	t.Helper()
	var all []int64
	for {
		p, err := s.FindingPage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		both, counts, err := s.FindingPageAndCounts(t.Context(), q)
		if diff := cmp.Diff(p, both); diff != "" || err != nil || counts.Total() != 69 {
			t.Fatalf("in one pass: counted %v, %v (-two +one):\n%s", counts, err, diff)
		}
		if back {
			all = append(ids(p.Rows), all...)
		} else {
			all = append(all, ids(p.Rows)...)
		}
		if next(p) == "" {
			start, err := store.ParseFindingPlace(q.Sort, p.Prev)
			if !back && err != nil {
				t.Fatal(err)
			}
			return all, start
		}
		place, err := store.ParseFindingPlace(q.Sort, next(p))
		if err != nil {
			t.Fatal(err)
		}
		q.After, q.Before = place, nil
		if back {
			q.After, q.Before = nil, place
		}
	}
}

func TestParseFindingPlace_refuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		sort store.FindingSort
		text string
	}{{store.BySeverity, ""}, {store.BySeverity, "x_1"}, {store.ByDate, "2026-99-99_1"}, {store.ByEPSS, "0.5"}, {store.BySLA, "infinity_"}, {store.ByID, "1_2; drop table findings"}} {
		if _, err := store.ParseFindingPlace(bad.sort, bad.text); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s %q: %v", bad.sort, bad.text, err)
		}
	}
}

func TestFindingSearch(t *testing.T) {
	t.Parallel()
	s, _ := load(t, shopFile)
	today := gate.DateOf(time.Now().UTC())
	tests := []struct {
		name   string
		search store.FindingSearch
		want   []int64 // ascending
	}{
		{"nobody", store.FindingSearch{}, nil},
		{"scope", store.FindingSearch{Scope: gate.Scope{ProductIDs: []int64{4}}}, []int64{9, 14}},
		{"scope_and_product", store.FindingSearch{Scope: gate.Scope{ProductIDs: []int64{4}}, ProductIDs: []int64{1}}, nil},
		{"no_ids", store.FindingSearch{Scope: everything, IDs: []int64{}}, nil},
		{"severity", store.FindingSearch{Scope: everything, Status: store.OpenStatus, Severities: []gate.Severity{gate.Critical, gate.Info}}, []int64{1, 2, 9, 12}},
		{"product_name", store.FindingSearch{Scope: everything, Status: store.OpenStatus, Products: []string{"PAYMENTS-w*", "search"}}, []int64{4, 6, 7, 9, 12, 14}},
		{"percent_is_no_wildcard", store.FindingSearch{Scope: everything, Products: []string{"payments%"}}, nil},
		{"test", store.FindingSearch{Scope: everything, TestID: 5}, []int64{6, 7}},
		{"engagement", store.FindingSearch{Scope: everything, EngagementID: 3}, []int64{3, 5, 11}},
		{"scanner", store.FindingSearch{Scope: everything, Scanners: []string{"gitleaks*"}}, []int64{3}},
		{"vulnerability", store.FindingSearch{Scope: everything, VulnerabilityID: "cve-2021-44228"}, []int64{1, 14}},
		{"cwe", store.FindingSearch{Scope: everything, CWE: 502}, []int64{1, 13, 14}},
		{"text_in_title", store.FindingSearch{Scope: everything, Text: "LOG4J"}, []int64{1, 14}},
		{"text_in_path", store.FindingSearch{Scope: everything, Text: "prod.env"}, []int64{3}},
		{"text_is_identifier", store.FindingSearch{Scope: everything, Text: "CVE-2023-4863"}, []int64{9}},
		{"text_is_literal", store.FindingSearch{Scope: everything, Text: "%"}, nil},
		{"component", store.FindingSearch{Scope: everything, Component: "jackson-*"}, []int64{8}},
		{"version", store.FindingSearch{Scope: everything, Component: "log4j-core", Version: "2.13.0"}, []int64{14}},
		{"file", store.FindingSearch{Scope: everything, FilePath: "k8s/"}, []int64{5, 11}},
		{"file_glob", store.FindingSearch{Scope: everything, FilePath: "*/session.go"}, []int64{10}},
		{"tag", store.FindingSearch{Scope: everything, Tags: []string{"internet"}}, []int64{1, 7}},
		{"epss", store.FindingSearch{Scope: everything, MinEPSS: 0.95}, []int64{1, 14}},
		{"kev", store.FindingSearch{Scope: everything, KnownExploited: true}, []int64{1, 9, 14}},
		{"fix", store.FindingSearch{Scope: everything, FixAvailable: true, Severities: []gate.Severity{gate.High}}, []int64{4, 8, 14}},
		{"breached", store.FindingSearch{Scope: everything, SLABreached: true, Today: today}, []int64{1, 8}},
		{"mine", store.FindingSearch{Scope: everything, AssigneeID: 2}, []int64{2, 7}},
		{"nobodys", store.FindingSearch{Scope: everything, Status: store.OpenStatus, AssigneeID: store.Unassigned, Severities: []gate.Severity{gate.Critical}}, []int64{9}},
		{"dates", store.FindingSearch{Scope: everything, From: today.AddDays(-9), Until: today.AddDays(-8)}, []int64{4, 14}},
		{"duplicate", store.FindingSearch{Scope: everything, Status: store.DuplicateStatus}, []int64{101}},
		{"false_positive", store.FindingSearch{Scope: everything, Status: store.FalsePositive}, []int64{102}},
		{"accepted", store.FindingSearch{Scope: everything, Status: store.AcceptedStatus}, []int64{103}},
		{"verified", store.FindingSearch{Scope: everything, Status: store.VerifiedStatus, Severities: []gate.Severity{gate.High}}, []int64{3, 7}},
		{"no_such_status", store.FindingSearch{Scope: everything, Status: "odd"}, nil},
	}
	for _, tt := range tests {
		p, err := s.FindingPage(t.Context(), store.FindingPageQuery{FindingSearch: tt.search, Sort: store.ByID, Limit: 100})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, slices.Concat(nil, ids(p.Rows))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		both, counted, err := s.FindingPageAndCounts(t.Context(), store.FindingPageQuery{FindingSearch: tt.search, Sort: store.ByID, Limit: 100})
		if err != nil || counted.Total() != len(tt.want) {
			t.Errorf("%s in one pass: counted %d, %v", tt.name, counted.Total(), err)
		}
		if diff := cmp.Diff(p, both); diff != "" {
			t.Errorf("%s in one pass (-two +one):\n%s", tt.name, diff)
		}
		if counts, err := s.FindingCounts(t.Context(), tt.search); err != nil || counts.Total() != len(tt.want) {
			t.Errorf("%s: counted %d, %v; want %d", tt.name, counts.Total(), err, len(tt.want))
		}
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	s, db := load(t, shopFile)
	today := gate.DateOf(time.Now().UTC())
	d, err := s.Dashboard(t.Context(), everything, today, 20)
	if err != nil {
		t.Fatal(err)
	}
	if want := (store.Counts{1, 2, 3, 5, 3}); d.Open != want || d.Findings != 69 || d.Products != 4 || !d.Imports || d.Breached.Total() != 2 || d.DueSoon != 2 || d.Known != 3 {
		t.Errorf("%+v", d)
	}
	opened, closed := 0, 0
	for _, w := range d.Weeks {
		opened += w.Opened.Total()
		closed += w.Closed.Total()
	}
	if last := d.Weeks[len(d.Weeks)-1]; opened != 68 || closed != 54 || last.Open != d.Open { // all but the duplicate
		t.Errorf("opened %d, closed %d, open at the end %v", opened, closed, last.Open)
	}
	none, err := s.Dashboard(t.Context(), gate.Scope{}, today, 4)
	if err != nil || none.Findings != 0 || none.Products != 0 || none.Imports || none.Oldest != nil {
		t.Errorf("nobody sees %+v, %v", none, err)
	}
	if _, err := db.Exec(t.Context(), `truncate findings, test_imports cascade`); err != nil {
		t.Fatal(err)
	}
	if empty, err := s.Dashboard(t.Context(), everything, today, 4); err != nil || empty.Imports || empty.Open.Total() != 0 {
		t.Errorf("an empty one: %+v, %v", empty, err)
	}
}

func TestMonday(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"2026-11-22": "2026-11-16", "2026-11-16": "2026-11-16", "2026-11-23": "2026-11-23", "2026-01-01": "2025-12-29"} {
		d, err := gate.ParseDate(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := store.Monday(d).String(); got != want {
			t.Errorf("Monday(%s) = %s, want %s", in, got, want)
		}
	}
}

// BenchmarkLists reads lists out of 100,000 findings.
func BenchmarkLists(b *testing.B) {
	s, db := load(b, "testdata/many.sql")
	if _, err := db.Exec(b.Context(), `vacuum analyze findings`); err != nil {
		b.Fatal(err)
	}
	today := gate.DateOf(time.Now().UTC())
	half := gate.Scope{ProductIDs: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}
	searches := []struct {
		name   string
		search store.FindingSearch
	}{
		{"open", store.FindingSearch{Scope: everything, Status: store.OpenStatus}},
		{"open_in_half", store.FindingSearch{Scope: half, Status: store.OpenStatus}},
		{"any", store.FindingSearch{Scope: everything}},
		{"critical", store.FindingSearch{Scope: everything, Status: store.OpenStatus, Severities: []gate.Severity{gate.Critical}}},
		{"product", store.FindingSearch{Scope: everything, Status: store.OpenStatus, Products: []string{"payments-*"}}},
		{"breached", store.FindingSearch{Scope: everything, Status: store.OpenStatus, SLABreached: true, Today: today}},
		{"text", store.FindingSearch{Scope: everything, Status: store.OpenStatus, Text: "lodash"}},
		{"nothing", store.FindingSearch{Scope: everything, Text: "there is none"}},
		{"cve", store.FindingSearch{Scope: everything, VulnerabilityID: "CVE-2021-10018"}},
		{"file", store.FindingSearch{Scope: everything, FilePath: "services/pay/*"}},
		{"closed", store.FindingSearch{Scope: everything, Status: store.ClosedStatus}},
	}
	for _, tt := range searches {
		for _, sort := range []store.FindingSort{store.BySeverity, store.BySLA} {
			b.Run(tt.name+"/page_by_"+string(sort), func(b *testing.B) {
				for b.Loop() {
					if _, err := s.FindingPage(b.Context(), store.FindingPageQuery{FindingSearch: tt.search, Sort: sort, Descending: true, Limit: 50}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(tt.name+"/page_and_counts", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.FindingPageAndCounts(b.Context(), store.FindingPageQuery{FindingSearch: tt.search, Sort: store.BySeverity, Descending: true, Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(tt.name+"/counts", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.FindingCounts(b.Context(), tt.search); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("dashboard", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Dashboard(b.Context(), everything, today, 12); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("products", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.ProductRows(b.Context(), store.ProductSearch{Scope: everything, Page: store.Page{Limit: 100}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
