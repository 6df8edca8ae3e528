package api_test

import (
	"fmt"
	"testing"

	"defectdojo/gate/auth"
)

// TestFindingFilters asks with parameters as clients write them. The store's
// own tests go through all filters.
func TestFindingFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	a := s.finding(test, "today", "Critical", `,"date":"2026-11-22","epss_score":0.9,"tags":["pci","web"],"cvssv3_score":9.8,"fix_available":true`)
	b := s.finding(test, "last week", "High", `,"date":"2026-11-15","epss_score":0.5,"tags":["web"],"fix_available":false`)
	c := s.finding(test, "last month", "Medium", `,"date":"2026-10-30","mitigation":"upgrade"`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/findings/%d/", c), `{"sla_start_date":"2026-01-01"}`)
	d := s.finding(test, "last year", "Low", `,"date":"2025-11-30"`)
	s.must(200, "POST", fmt.Sprintf("/api/v2/findings/%d/close/", d), `{"is_mitigated":true}`)
	if _, err := s.pool.Exec(t.Context(), `
		insert into jira_instances (id, url) values (1, 'https://jira.example');
		insert into jira_projects (id, jira_instance_id, product_id) values (1, 1, 1);
		insert into jira_issues (id, jira_id, jira_key, jira_project_id, finding_id, jira_creation) values (1, '10001', 'SHOP-1', 1, 1, '2026-11-22T08:00:00Z')`); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]int64{
		"date=1": {a}, "date=2": {a, b}, "date=3": {a, b, c}, "date=4": {a, b, c}, "date=5": {a, b}, "date=6": {a, b, c}, "date=7": {a, b, c, d},
		"discovered_on=2026-11-15": {b}, "discovered_before=2026-11-15": {c, d}, "discovered_after=2026-11-15": {a},
		"discovered_after=2025-12-01&discovered_before=2026-11-22": {b, c},
		"mitigated_on=2026-11-22":                                  {d}, "mitigated_before=2026-11-22T12:00:00Z": nil, "mitigated_after=2026-11-22T11:00:00Z": {d}, "mitigated_after=2026-11-22": nil, "mitigated=1": {d},
		"epss_score_min=0.6": {a}, "epss_score_max=0.6": {b}, "epss_score_min=0.4&epss_score_max=0.6": {b},
		"severity=Critical,High": {a, b}, "severity=critical": nil, "numerical_severity=S0": {a}, "severity=Nonsense": nil,
		"is_mitigated=true": {d}, "is_mitigated=True": {d}, "is_mitigated=2": {d}, "is_mitigated=3": {a, b, c}, "is_mitigated=1": {a, b, c, d}, "is_mitigated=junk": {a, b, c, d},
		"tags=pci,x": {a}, "tags=WEB": {a, b}, "tags__and=pci,web": {a}, "not_tags=web": {c, d}, "tag=eb": {a, b}, "has_tags=true": {a, b},
		"fix_available=true": {a}, "fix_available=false": {b}, "mitigation_available=true": {c}, "has_jira=true": {a}, "jira_creation=1": {a},
		"outside_of_sla=1": {c}, "outside_of_sla=0": {a, b}, "found_by=5": {a, b, c, d}, "found_by=6": nil, "reporter=1": {a, b, c, d}, "cwe=0": {a, b, c, d},
		"o=-date": {a, b, c, d}, "o=date": {d, c, b, a}, "o=title": {c, b, d, a}, "o=-numerical_severity,title": {d, c, b, a}, "limit=2&offset=1": {b, c},
	} {
		l := s.get("/findings/?" + query)
		var got []int64
		rows, _ := l.get("results").([]any)
		for _, r := range rows {
			got = append(got, int64(r.(map[string]any)["id"].(float64)))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v: %.200s", query, got, want, l.body)
		}
	}
	issue := s.get(fmt.Sprintf("/findings/%d/?related_fields=true", a))
	if issue.get("related_fields.jira.url") != "https://jira.example/browse/SHOP-1" || issue.get("jira_creation") != "2026-11-22T08:00:00Z" {
		t.Errorf("JIRA: %s", issue.body)
	}
	for _, query := range []string{"mitigated_on=x", "epss_score_min=x", "outside_of_sla=7", "cwe=x,1"} {
		if l := s.get("/findings/?" + query); l.status != 400 {
			t.Errorf("%s: %d", query, l.status)
		}
	}
}

// TestOtherFilters asks for the other lists.
func TestOtherFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/products/%d/", p), `{"lifecycle":"production","tags":["pci"],"external_audience":true,"team_manager":1}`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/engagements/%d/", e), `{"status":"In Progress","version":"1.2","tags":["ci"]}`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/tests/%d/", test), `{"scan_type":"Trivy Scan","branch_tag":"main","build_id":"7","commit_hash":"abc","tags":["nightly"]}`)
	for path, want := range map[string]float64{
		"/products/?lifecycle=production": 1, "/products/?lifecycle=production&lifecycle=construction": 1, "/products/?lifecycle=construction": 0, "/products/?tags=pci": 1,
		"/products/?not_tags=pci": 0, "/products/?external_audience=true": 1, "/products/?external_audience=false": 0, "/products/?team_manager=1": 1, "/products/?created=7": 1, "/products/?description=D": 1,
		"/engagements/?status=In+Progress": 1, "/engagements/?status=Completed": 0, "/engagements/?version=1.2": 1, "/engagements/?tags=ci": 1, "/engagements/?product__tags=pci": 1,
		"/engagements/?not_product__tags=pci": 0, "/engagements/?product__prod_type=1": 1, "/engagements/?active=true": 1, "/engagements/?target_start=2026-11-01": 1,
		"/engagements/?target_end=2026-11-01": 0, "/engagements/?o=-updated": 1, "/engagements/?threat_model=false": 0, "/engagements/?id=1,2": 1, "/engagements/?report_type=1": 1,
		"/tests/?scan_type=Trivy+Scan": 1, "/tests/?scan_type=Trivy": 0, "/tests/?branch_tag=main&build_id=7&commit_hash=abc": 1, "/tests/?tags=nightly": 1, "/tests/?tags__and=nightly,x": 0,
		"/tests/?engagement__tags=ci": 1, "/tests/?engagement__product__tags=x": 0, "/tests/?test_type=5": 1, "/tests/?target_start=2026-11-22T00:00:00Z": 1,
		"/product_types/?critical_product=true": 1, "/product_types/?critical_product=1": 1, "/product_types/?key_product=1": 0, "/product_types/?id=1": 1,
		"/users/?is_active=true&is_superuser=1": 1, "/users/?email=x": 0, "/users/?id=1": 1,
	} {
		if a := s.get(path); a.status != 200 || a.get("count") != want {
			t.Errorf("GET %s = %d, count %v, want %v: %.200s", path, a.status, a.get("count"), want, a.body)
		}
	}
}

// TestVerdictOfNothing asks for verdicts of what is not there and of what is
// not the sender's: the answers are the same.
func TestVerdictOfNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Bank")
	nobody := s.token(s.person("nobody"), auth.NewToken{})
	want := `{"detail":"No Engagement matches the given query."}`
	for _, body := range []string{
		fmt.Sprintf(`{"engagement":%d}`, e), `{"engagement":999}`, `{"product_name":"Bank","engagement_name":"main"}`,
		`{"product_name":"Bank","engagement_name":"x"}`, `{"product_name":"x","engagement_name":"main"}`,
	} {
		if a := s.send(nobody, "POST", "/api/v2/verdicts/", body); a.status != 404 || a.body != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := s.must(201, "POST", "/api/v2/verdicts/", `{"product_name":"Bank","engagement_name":"main"}`); a.get("verdict.overall") == nil {
		t.Error(a.body)
	}
}
