package ingest

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
)

// with returns a finding with fields of its own.
func with(title string, fields ...any) map[string]any {
	f := map[string]any{"title": title, "file_path": "a.go", "line": 7, "static_finding": true}
	for i := 0; i < len(fields); i += 2 {
		f[fields[i].(string)] = fields[i+1]
	}
	return f
}

// exec changes the database as people do by other means.
func (b *bench) exec(sql string) {
	b.t.Helper()
	if _, err := b.pool.Exec(context.Background(), sql); err != nil {
		b.t.Fatal(err)
	}
}

// step is an import and what is there after it.
type step struct {
	report string
	change func(*Request)
	sql    string // before the import
	want   []string
	check  func(*testing.T, *bench, Result)
}

func flags(change ...func(*Request)) func(*Request) {
	return func(r *Request) {
		for _, c := range change {
			c(r)
		}
	}
}

func forceActive(on bool) func(*Request)   { return func(r *Request) { r.Active = &on } }
func forceVerified(on bool) func(*Request) { return func(r *Request) { r.Verified = &on } }
func keepClosed(r *Request)                { r.KeepClosedByReport = true }
func engagement(name string) func(*Request) {
	return func(r *Request) { r.Target.EngagementName = name }
}

// TestRules follows tests through imports: each row of the rules for import,
// reimport and deduplication, and each quirk of DefectDojo's that is decided
// otherwise here, by its number in the list that we keep of them.
func TestRules(t *testing.T) {
	t.Parallel()
	tests := map[string][]step{
		"Q1_active_wins_over_what_the_report_says": {
			{report: generic(with("A", "is_mitigated", true), with("B", "false_p", true)), want: []string{"A active", "B active"}},
			{report: generic(with("A", "is_mitigated", true), with("B", "false_p", true)), want: []string{"A active", "B active"}},
		},
		"Q1_unless_it_says_inactive": {
			{report: generic(with("A", "is_mitigated", true, "active", false), with("B", "false_p", true, "active", false)), want: []string{"A mitigated", "B mitigated false_p"}},
		},
		"Q1_unless_the_caller_wants_it": {
			{report: generic(with("A", "is_mitigated", true)), change: keepClosed, want: []string{"A mitigated"}},
		},
		"Q1_forced_active": {
			{report: generic(with("A", "is_mitigated", true, "active", false)), change: forceActive(true), want: []string{"A active"}},
		},
		"Q2_omitted_version_stays": {
			{report: generic(with("A")), change: func(r *Request) { r.Version, r.BranchTag = new("1.2"), new("main") }, want: []string{"A active"}},
			{report: generic(with("A")), want: []string{"A active"}, check: func(t *testing.T, b *bench, r Result) {
				t.Helper()
				if v := b.text(`select version || ' ' || branch_tag from tests where id = $1`, r.TestID); v != "1.2 main" {
					t.Errorf("version and branch: %q", v)
				}
			}},
		},
		"Q3_raising_minimum_severity_closes_and_warns": {
			{report: generic(with("A"), with("L", "severity", "Low")), want: []string{"A active", "L active"}},
			{report: generic(with("A"), with("L", "severity", "Low")), change: func(r *Request) { r.MinimumSeverity = gate.High }, want: []string{"A active", "L mitigated"}, check: func(t *testing.T, _ *bench, r Result) {
				t.Helper()
				if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "minimum severity") {
					t.Errorf("notes %q", r.Notes)
				}
			}},
		},
		"Q4_risk_accepted_and_active_is_not_closed": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A")), sql: `update findings set risk_accepted = true`, want: []string{"A active risk_accepted"}, check: counts(0, 0, 0, 1)},
		},
		"Q5_closed_by_the_scanner_is_recorded_once": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A", "is_mitigated", true, "active", false)), want: []string{"A mitigated"}, check: counts(0, 1, 0, 0)},
			{report: generic(with("A", "is_mitigated", true, "active", false)), want: []string{"A mitigated"}, check: counts(0, 0, 0, 1)},
		},
		"Q6_fix_is_refreshed": {
			{report: generic(with("A", "fix_available", false)), want: []string{"A active"}},
			{report: generic(with("A", "fix_available", true, "fix_version", "2.0")), want: []string{"A active"}, check: func(t *testing.T, b *bench, _ Result) {
				t.Helper()
				if v := b.text(`select fix_available || ' ' || fix_version from findings`); v != "true 2.0" {
					t.Errorf("fix: %q", v)
				}
			}},
		},
		"Q6_exploitation_is_refreshed_and_never_taken_back": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A", "known_exploited", true)), want: []string{"A active"}},
			{report: generic(with("A")), want: []string{"A active"}, check: func(t *testing.T, b *bench, _ Result) {
				t.Helper()
				if v := b.text(`select known_exploited::text from findings`); v != "true" {
					t.Errorf("known exploited: %q", v)
				}
			}},
		},
		"Q9_hash_matches_across_scan_types": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: `{"type":"Other tool","findings":[{"title":"A","severity":"High","description":"About A","file_path":"a.go","line":7,"static_finding":true}]}`, change: engagement("other"), want: []string{"A active", "A duplicate of 1"}},
		},
		"Q10_one_side_without_endpoints_is_another_finding": {
			{report: generic(map[string]any{"title": "A", "endpoints": []string{"https://a.example/x"}}), want: []string{"A active"}},
			{report: generic(map[string]any{"title": "A"}), change: flags(asImport, engagement("other")), want: []string{"A active", "A active"}},
			{report: generic(map[string]any{"title": "A", "endpoints": []string{"http://a.example:81/x?q"}}), change: flags(asImport, engagement("third")), want: []string{"A active", "A active", "A duplicate of 1"}},
		},
		"Q11_attaches_to_a_false_positive": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A")), sql: `update findings set false_p = true, active = false, is_mitigated = true`, change: flags(asImport, engagement("other")), want: []string{"A mitigated false_p", "A duplicate of 1"}},
		},
		"Q11_but_not_to_a_fixed_one": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A")), sql: `update findings set active = false, is_mitigated = true, mitigated = now()`, change: flags(asImport, engagement("other")), want: []string{"A mitigated", "A active"}},
		},
		"forced_inactive_and_verified": {
			{report: generic(with("A")), change: flags(forceActive(false), forceVerified(true)), want: []string{"A verified"}},
		},
		"false_positive_stays": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A")), sql: `update findings set false_p = true, active = false, is_mitigated = true, mitigated = now()`, want: []string{"A mitigated false_p"}, check: counts(0, 0, 0, 1)},
			{report: generic(with("B")), want: []string{"A mitigated false_p", "B active"}, check: counts(1, 0, 0, 0)},
		},
		"accepted_risk_stays_and_ends_when_it_is_gone": {
			{report: generic(with("A"), with("B")), want: []string{"A active", "B active"}},
			{report: generic(with("A"), with("B")), sql: `update findings set risk_accepted = true, active = false`, want: []string{"A risk_accepted", "B risk_accepted"}},
			{report: generic(with("B")), want: []string{"A mitigated", "B risk_accepted"}, check: counts(0, 1, 0, 1)},
		},
		"do_not_reactivate": {
			{report: generic(with("A"), with("B")), want: []string{"A active", "B active"}},
			{report: generic(with("B")), want: []string{"A mitigated", "B active"}},
			{report: generic(with("A"), with("B")), change: func(r *Request) { r.DoNotReactivate = true }, want: []string{"A mitigated", "B active"}, check: counts(0, 0, 0, 1)},
			{report: generic(with("A"), with("B")), change: func(r *Request) { r.DoNotReactivate = true }, want: []string{"A mitigated", "B active"}, check: func(t *testing.T, b *bench, _ Result) {
				t.Helper()
				if n := b.text(`select count(*)::text from notes n join findings f on f.id = n.finding_id where f.title = 'A' and entry like 'Left closed%'`); n != "1" {
					t.Errorf("%s notes, want one", n)
				}
			}},
		},
		"report_says_false_positive": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A", "false_p", true, "active", false)), want: []string{"A mitigated false_p"}, check: counts(0, 1, 0, 0)},
		},
		"reactivated_duplicate_stays_inactive": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("A")), change: flags(engagement("other")), want: []string{"A active", "A duplicate of 1"}},
			{report: generic(with("B")), change: flags(engagement("other")), want: []string{"A active", "A mitigated duplicate of 1", "B active"}},
			{report: generic(with("A"), with("B")), change: flags(engagement("other")), want: []string{"A active", "A duplicate of 1", "B active"}, check: counts(0, 0, 1, 1)},
		},
		"close_old_off": {
			{report: generic(with("A")), want: []string{"A active"}},
			{report: generic(with("B")), change: func(r *Request) { r.CloseOldFindings = false }, want: []string{"A active", "B active"}, check: counts(1, 0, 0, 0)},
		},
		"only_the_service_given_is_closed": {
			{report: generic(with("A", "service", "one"), with("B", "service", "two")), want: []string{"A active", "B active"}},
			{report: generic(with("C")), change: func(r *Request) { r.Service = new("one") }, want: []string{"A mitigated", "B active", "C active"}},
			{report: generic(with("D")), want: []string{"A mitigated", "B active", "C active", "D active"}},
		},
		"import_closes_old_of_the_engagement": {
			{report: generic(with("A"), with("B")), change: asImport, want: []string{"A active", "B active"}},
			{report: generic(with("X")), change: flags(asImport, engagement("other")), want: []string{"A active", "B active", "X active"}},
			{report: generic(with("B")), change: flags(asImport, func(r *Request) { r.CloseOldFindings = true }), want: []string{"A mitigated", "B active", "B duplicate of 1", "X active"}, check: counts(1, 1, 0, 0)},
		},
		"import_closes_old_of_the_product": {
			{report: generic(with("A")), change: asImport, want: []string{"A active"}},
			{report: generic(with("B")), change: flags(asImport, engagement("other"), func(r *Request) { r.CloseOldFindings, r.CloseOldFindingsProductScope = true, true }), want: []string{"A mitigated", "B active"}},
		},
		"deduplication_within_the_engagement": {
			{report: generic(with("A")), change: asImport, want: []string{"A active"}},
			{report: generic(with("A")), change: flags(asImport, engagement("own"), func(r *Request) { r.Target.DeduplicationOnEngagement = true }), want: []string{"A active", "A active"}},
			{report: generic(with("A")), change: flags(asImport, engagement("own")), want: []string{"A active", "A active", "A duplicate of 1"}},
			{report: generic(with("A")), change: flags(asImport, engagement("third")), want: []string{"A active", "A active", "A duplicate of 1", "A duplicate of 1"}},
		},
		"minimum_severity": {
			{report: generic(with("A"), with("L", "severity", "Low")), change: func(r *Request) { r.MinimumSeverity = gate.Medium }, want: []string{"A active"}, check: counts(1, 0, 0, 0)},
		},
		"ids_are_refreshed": {
			{report: generic(with("A", "vulnerability_ids", []string{"CVE-2024-0001"})), want: []string{"A active"}},
			{report: generic(with("A", "vulnerability_ids", []string{"CVE-2024-0002", "GHSA-1"})), want: []string{"A active"}, check: func(t *testing.T, b *bench, _ Result) {
				t.Helper()
				if v := b.text(`select array_to_string(vulnerability_ids, ' ') from findings`); v != "CVE-2024-0002 GHSA-1" {
					t.Errorf("ids: %q", v)
				}
			}},
		},
		"endpoints_follow_the_report": {
			{report: generic(with("A", "dynamic_finding", true, "endpoints", []string{"https://a.example/x", "https://b.example"})), want: []string{"A active"}, check: places("Active https://a.example/x, Active https://b.example")},
			{report: generic(with("A", "dynamic_finding", true, "endpoints", []string{"https://b.example"})), want: []string{"A active"}, check: places("Mitigated https://a.example/x, Active https://b.example")},
			{report: generic(with("A", "dynamic_finding", true, "endpoints", []string{"https://a.example/x", "https://b.example"})), want: []string{"A active"}, check: places("Active https://a.example/x, Active https://b.example")},
			{report: generic(with("B")), want: []string{"A mitigated", "B active"}, check: places("Mitigated https://a.example/x, Mitigated https://b.example")},
		},
		"groups": {
			{report: generic(with("A"), with("B", "file_path", "b.go"), with("C")), change: func(r *Request) {
				r.GroupBy, r.CreateFindingGroupsForAllFindings = "file_path", true
			}, want: []string{"A active", "B active", "C active"}, check: grouped("Findings in: a.go: A C, Findings in: b.go: B")},
		},
		"groups_of_several_only": {
			{report: generic(with("A"), with("B", "file_path", "b.go"), with("C")), change: func(r *Request) { r.GroupBy = "file_path" }, want: []string{"A active", "B active", "C active"}, check: grouped("Findings in: a.go: A C")},
		},
		"tags": {
			{report: generic(with("A", "tags", []string{"Own Tag"})), change: func(r *Request) { r.Tags, r.ApplyTagsToFindings = []string{"CI", "x,y"}, true }, want: []string{"A active"}, check: func(t *testing.T, b *bench, _ Result) {
				t.Helper()
				if v := b.text(`select array_to_string(f.tags, ' ') || ' / ' || array_to_string(t.tags, ' ') from findings f join tests t on t.id = f.test_id`); v != "own_tag ci x_y / ci x_y" {
					t.Errorf("tags: %q", v)
				}
			}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for n, s := range steps {
				if s.sql != "" {
					b.exec(s.sql)
				}
				r := b.do(s.report, flags(nonNil(s.change)...))
				if diff := cmp.Diff(s.want, b.findings()); diff != "" {
					t.Errorf("step %d: findings (-want +got):\n%s", n+1, diff)
				}
				if s.check != nil {
					s.check(t, b, r)
				}
			}
		})
	}
}

func nonNil(f func(*Request)) []func(*Request) {
	if f == nil {
		return nil
	}
	return []func(*Request){f}
}

// text returns the one text that a query gives.
func (b *bench) text(sql string, args ...any) string {
	b.t.Helper()
	var v string
	if err := b.pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		b.t.Fatal(err)
	}
	return v
}

// counts checks what an import says that it did.
func counts(added, closed, reactivated, untouched int) func(*testing.T, *bench, Result) {
	return func(t *testing.T, b *bench, r Result) {
		t.Helper()
		if got, want := [4]int{r.New, r.Closed, r.Reactivated, r.Untouched}, [4]int{added, closed, reactivated, untouched}; got != want {
			t.Errorf("new, closed, reactivated, untouched: %v, want %v", got, want)
		}
		history := b.text(`select coalesce(string_agg(action::text || cardinality(finding_ids), ' ' order by action::text), '') from test_import_actions where test_import_id = $1`, r.ImportID)
		var want []string
		for _, a := range []struct {
			name string
			n    int
		}{{"C", closed}, {"N", added}, {"R", reactivated}, {"U", untouched}} {
			if a.n > 0 {
				want = append(want, a.name+string(rune('0'+a.n)))
			}
		}
		if want := strings.Join(want, " "); history != want {
			t.Errorf("history %q, want %q", history, want)
		}
	}
}

func places(want string) func(*testing.T, *bench, Result) {
	return func(t *testing.T, b *bench, _ Result) {
		t.Helper()
		got := b.text(`select coalesce(string_agg(r.status || ' ' || l.location_value, ', ' order by l.location_value), '') from location_findings r join locations l on l.id = r.location_id`)
		if got != want {
			t.Errorf("places %q, want %q", got, want)
		}
	}
}

func grouped(want string) func(*testing.T, *bench, Result) {
	return func(t *testing.T, b *bench, _ Result) {
		t.Helper()
		got := b.text(`select coalesce(string_agg(name || ': ' || members, ', ' order by name), '') from (
			select g.name, string_agg(f.title, ' ' order by f.title) as members
			from finding_groups g join finding_group_members m on m.group_id = g.id join findings f on f.id = m.finding_id group by g.id) x`)
		if got != want {
			t.Errorf("groups %q, want %q", got, want)
		}
	}
}
