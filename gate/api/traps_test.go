package api_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/parsers/all"
)

// The tests in the files of traps are the places where clients of DefectDojo break when
// a server is not just like it: each names the trap, and the client if only one
// falls into it.

// Smithy, Dracon, secureCodeBox, Jenkins and dd-report call paths without the
// slash at their end, and some do not follow a redirect of a POST.
func TestTrailingSlashOrNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	for _, path := range []string{"/products", "/test_types", "/findings", "/engagements", fmt.Sprintf("/products/%d", p), "/user_profile"} {
		with, without := s.get(path+"/?limit=1"), s.get(path+"?limit=1")
		if with.status != 200 || without.status != 200 {
			t.Errorf("GET %s/ = %d, without the slash %d", path, with.status, without.status)
		}
	}
	s.must(201, "POST", "/api/v2/product_types", `{"name":"a"}`)
	s.must(201, "POST", "/api/v2/product_types/", `{"name":"b"}`)
}

// concourse filters by eng_type, others by search, build_id__contains, is_Mitigated.
func TestUnknownIsIgnored(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	p, e, test := s.product("Shop")
	s.finding(test, "SQL", "High", `,"product":7,"engagement":9,"nonsense":{"a":[1]}`)
	for path, want := range map[string]float64{
		"/engagements/?eng_type=CI/CD": 1, "/findings/?search=nothing&severity__in=Low&is_Mitigated=true&status=x": 1, "/products/?name__icontains=zzz": 1, "/test_types/?o=junk": float64(s.testTypes()),
	} {
		if a := s.get(path); a.get("count") != want {
			t.Errorf("GET %s: %d, count %v, want %v", path, a.status, a.get("count"), want)
		}
	}
	s.must(201, "POST", "/api/v2/engagements/", fmt.Sprintf(
		`{"product":%d,"target_start":"2026-11-01","target_end":"2026-11-02","orchestration_engine":1,"active":false,"risk_path":"x","progress":"y","report_type":1}`, p))
	a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", generic("X:Low"),
		"skip_duplicates", "true", "sonarqube_config", "", "cobaltio_config", "1", "minimum-severity", "High", "test_type", "9", "product_id", "77"))
	if a.status != 201 || a.get("statistics.after.low.total") != 1.0 {
		t.Errorf("import: %d %s", a.status, a.body)
	}
}

func TestForeignKeyFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	s.finding(test, "SQL", "High", "")
	const bad = "Select a valid choice. That choice is not one of the available choices."
	for path, field := range map[string]string{
		"/engagements/?product=999": "product", "/engagements/?product=x": "product", "/tests/?engagement=999": "engagement", "/tests/?test_type=9999": "test_type",
		"/findings/?test=999": "test", "/findings/?test=abc": "test",
	} {
		if a := s.get(path); a.status != 400 || a.get(field+".0") != bad {
			t.Errorf("GET %s = %d %s", path, a.status, a.body)
		}
	}
	for path, want := range map[string]float64{
		fmt.Sprintf("/engagements/?product=%d", p): 1, fmt.Sprintf("/tests/?engagement=%d", e): 1, fmt.Sprintf("/findings/?test=%d", test): 1,
		"/findings/?test__engagement=999": 0, fmt.Sprintf("/findings/?test__engagement=999,%d", e): 1, "/findings/?test__engagement__product=999": 0,
		"/products/?prod_type=999": 0, "/products/?prod_type=1": 1, "/findings/?id=999": 0, "/findings/?id=1,2": 1, "/findings/?test__engagement=": 1,
	} {
		if a := s.get(path); a.status != 200 || a.get("count") != want {
			t.Errorf("GET %s = %d, count %v, want %v", path, a.status, a.get("count"), want)
		}
	}
	if a := s.get("/findings/?id=x"); a.status != 400 || a.get("id.0") != "Enter a number." {
		t.Errorf("junk: %d %s", a.status, a.body)
	}
}

func TestNameFilterDiffersByResource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Web Shop")
	s.must(201, "POST", "/api/v2/product_types/", `{"name":"Retail Team"}`)
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/tests/%d/", test), `{"title":"Nightly Scan"}`)
	s.finding(test, "SQL injection", "High", "")
	for path, want := range map[string]float64{
		"/products/?name=shop": 1, "/products/?name_exact=web+SHOP": 1, "/products/?name_exact=shop": 0,
		"/engagements/?name=main": 1, "/engagements/?name=mai": 0, "/engagements/?name=MAIN": 0,
		"/product_types/?name=Retail+Team": 1, "/product_types/?name=Retail": 0, "/product_types/?name=retail+team": 0,
		"/test_types/?name=Trivy+Scan": 1, "/test_types/?name=Trivy": 0, "/test_types/?name=trivy+scan": 0,
		"/users/?username=ROO": 1, "/users/?username=x": 0,
		"/tests/?title=Nightly+Scan": 1, "/tests/?title=Nightly": 0, "/tests/?title=nightly+scan": 0,
		"/findings/?title=sql": 1, "/findings/?exact_title=sql": 0, "/findings/?exact_title=SQL+INJECTION": 1,
		"/findings/?product_name=WEB+shop": 1, "/findings/?product_name=shop": 0, "/findings/?product_name_contains=shop": 1,
	} {
		if a := s.get(path); a.status != 200 || a.get("count") != want {
			t.Errorf("GET %s = %d, count %v, want %v", path, a.status, a.get("count"), want)
		}
	}
}

// DependencyTrack, PortSwigger and bancolombia compare the status with one number.
func TestStatusCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, test := s.product("Shop")
	f := s.finding(test, "SQL", "High", "")
	engagement, finding := fmt.Sprintf("/api/v2/engagements/%d/", e), fmt.Sprintf("/api/v2/findings/%d/", f)
	if a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", generic("X:Low"))); a.status != 201 {
		t.Errorf("import %d", a.status)
	}
	if a := s.must(200, "POST", engagement+"close/", "", "Content-Type", "application/json"); a.body != "{}" {
		t.Errorf("close answers %s", a.body)
	}
	if a := s.must(200, "GET", engagement, ""); a.get("active") != false || a.get("status") != "Completed" {
		t.Errorf("closed: %s", a.body)
	}
	s.must(200, "POST", engagement+"reopen/", "")
	s.must(200, "PATCH", engagement, `{"build_id":null}`)
	s.must(201, "POST", finding+"notes/", `{"entry":"seen"}`)
	s.must(200, "POST", finding+"tags/", `{"tags":["a"]}`)
	s.must(204, "PUT", finding+"remove_tags/", `{"tags":["a"]}`)
	s.must(200, "POST", finding+"close/", `{"is_mitigated":true}`)
	if a := s.must(204, "DELETE", fmt.Sprintf("/api/v2/tests/%d/", test), ""); a.body != "" {
		t.Errorf("delete answers %q", a.body)
	}
	s.must(404, "DELETE", "/api/v2/tests/null/", "") // umarhadi
	s.must(405, "POST", "/api/v2/roles/", `{}`)
	if a := s.send(s.root, "DELETE", "/api/v2/findings/", ""); a.status != 405 || a.body != `{"detail":"Method \"DELETE\" not allowed."}` {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// bancolombia, backstage and the exporter follow next as it is.
func TestNextIsAbsolute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	for i := range 5 {
		s.finding(test, fmt.Sprintf("f%d", i), "High", "")
	}
	a := s.get("/findings/?severity=High&limit=2&active=true&tags=")
	if want := "http://gate.example/api/v2/findings/?active=true&limit=2&offset=2&severity=High&tags="; a.get("next") != want || a.get("previous") != nil {
		t.Errorf("next %v, previous %v, want %s", a.get("next"), a.get("previous"), want)
	}
	u, err := url.Parse(a.get("next").(string))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{a.get("results.0.id"): true, a.get("results.1.id"): true}
	second := s.send(s.root, "GET", u.RequestURI(), "")
	if want := "http://gate.example/api/v2/findings/?active=true&limit=2&severity=High&tags="; second.get("previous") != want {
		t.Errorf("previous %v, want %s", second.get("previous"), want)
	}
	u, err = url.Parse(second.get("next").(string))
	if err != nil {
		t.Fatal(err)
	}
	third := s.send(s.root, "GET", u.RequestURI(), "")
	seen[second.get("results.0.id")], seen[second.get("results.1.id")], seen[third.get("results.0.id")] = true, true, true
	if len(seen) != 5 || third.get("next") != nil {
		t.Errorf("%d different findings on three pages, next %v", len(seen), third.get("next"))
	}
	if a := s.send(s.root, "GET", "/api/v2/findings/?limit=1", "", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example"); a.get("next") != "http://gate.example/api/v2/findings/?limit=1&offset=1" {
		t.Errorf("headers of nobody trusted are believed: %v", a.get("next"))
	}
}

// PortSwigger asks for limit=<count>, also when that is 0; Jenkins for ever more.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := func(path string) int {
		l, _ := s.get(path).get("results").([]any)
		return len(l)
	}
	for path, want := range map[string]int{
		"/test_types/": 25, "/test_types/?limit=0": 25, "/test_types/?limit=-3": 25, "/test_types/?limit=x": 25, "/test_types/?limit=9999": s.testTypes(),
		"/test_types/?limit=100&offset=200": s.testTypes() - 200, "/test_types/?offset=100000": 0, "/test_types/?offset=-1&limit=5": 5, "/test_types/?limit=": 25,
	} {
		if got := rows(path); got != want {
			t.Errorf("GET %s has %d rows, want %d", path, got, want)
		}
	}
	if a := s.get("/test_types/?offset=100000"); !strings.HasSuffix(a.body, `"results":[]}`) || a.get("count") != float64(s.testTypes()) {
		t.Errorf("beyond the end: %s", a.body)
	}
}

func TestMissingCredentialsAre403(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct{ name, header, body string }{
		{"none", "", `{"detail":"Authentication credentials were not provided."}`},
		{"unknown", "Token 0123456789abcdef0123456789abcdef01234567", `{"detail":"Invalid token."}`},
		{"junk", "Token x", `{"detail":"Invalid token."}`},
		{"blank", "Token", `{"detail":"Invalid token header. No credentials provided."}`},
		{"spaces", "Token a b", `{"detail":"Invalid token header. Token string should not contain spaces."}`},
		{"basic", "Basic cm9vdDpyb290", `{"detail":"Invalid username/password."}`},
		{"basic_blank", "Basic", `{"detail":"Invalid basic header. No credentials provided."}`},
		{"basic_spaces", "Basic a b", `{"detail":"Invalid basic header. Credentials string should not contain spaces."}`},
		{"basic_junk", "Basic %%%", `{"detail":"Invalid basic header. Credentials not correctly base64 encoded."}`},
		{"basic_no_colon", "Basic cm9vdA==", `{"detail":"Invalid basic header. Credentials not correctly base64 encoded."}`},
		{"other", "Digest x", `{"detail":"Authentication credentials were not provided."}`},
	}
	for _, tt := range tests {
		var header []string
		if tt.header != "" {
			header = []string{"Authorization", tt.header}
		}
		if a := s.send("", "GET", "/api/v2/products/", "", header...); a.status != 403 || a.body != tt.body {
			t.Errorf("%s: %d %s, want 403 %s", tt.name, a.status, a.body, tt.body)
		}
	}
	for _, scheme := range []string{"Token", "token", "TOKEN", "Bearer"} {
		if a := s.send("", "GET", "/api/v2/products/", "", "Authorization", scheme+" "+s.root); a.status != 200 {
			t.Errorf("%s: %d", scheme, a.status)
		}
	}
	if a := s.send("", "GET", "/api/v2/products/", "", "Cookie", "session="+s.root+"; __Host-session="+s.root); a.status != 403 {
		t.Errorf("a token counts as a cookie: %d", a.status)
	}
}

// dd-import and secureCodeBox look a scan type up before they import; Smithy
// and Dracon have 119 built in.
func TestTestTypesAreThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	names := map[any]bool{}
	l, _ := s.get("/test_types/?limit=1000").get("results").([]any)
	for _, v := range l {
		names[v.(map[string]any)["name"]] = true
	}
	for _, p := range all.Parsers {
		if !names[p.ScanType] {
			t.Errorf("no test type %q", p.ScanType)
		}
	}
	if a := s.get("/test_types/119/"); a.status != 200 {
		t.Errorf("test type 119: %d", a.status)
	}
}

func TestWhatClientsTakeForGranted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if a := s.get("/product_types/1/"); a.get("name") != "Research and Development" {
		t.Errorf("product type 1 (Jenkins, secureCodeBox): %s", a.body)
	}
	if !strings.Contains(s.get("/development_environments/").body, `"Development"`) {
		t.Error("no environment Development")
	}
	s.must(201, "POST", "/api/v2/products/", `{"name":"x","description":"d","prod_type":"1","sla_configuration":"1"}`) // ddtool
}

// fields are those of DefectDojo 2.57's serializers and of 3.2's: a client may
// take any of them for granted.
var fields = map[string]string{
	"/product_types/1/": `id name description critical_product key_product updated created authorized_users members authorization_groups prefetch`,
	"/products/1/": `id findings_count findings_list tags product_meta name description created prod_numeric_grade business_criticality platform lifecycle
		origin user_records revenue external_audience internet_accessible enable_product_tag_inheritance enable_simple_risk_acceptance
		enable_full_risk_acceptance disable_sla_breach_notifications product_manager technical_contact team_manager prod_type sla_configuration
		regulations authorized_users members authorization_groups prefetch`,
	"/engagements/1/": `id tags name description version first_contacted target_start target_end reason updated created active tracker test_strategy
		threat_model api_test pen_test check_list status progress tmodel_path done_testing engagement_type build_id commit_hash branch_tag
		source_code_management_uri deduplication_on_engagement lead requester preset report_type product build_server
		source_code_management_server orchestration_engine cicd_build_server cicd_scm_server cicd_orchestration_engine notes files risk_acceptance`,
	"/tests/1/": `id tags test_type_name finding_groups scan_type title description target_start target_end percent_complete updated created version
		build_id commit_hash branch_tag engagement lead test_type environment api_scan_configuration notes files deduplication_algorithm
		hash_code_fields prefetch`,
	"/test_types/1/":               `id name static_tool dynamic_tool active tags`,
	"/development_environments/1/": `id name`,
	"/users/1/": `id username first_name last_name email date_joined last_login is_active is_staff is_superuser token_last_reset password_last_reset
		configuration_permissions`,
	"/user_profile/": `user user_contact_info global_role dojo_group_member product_type_member product_member`,
	"/findings/1/": `id tags request_response accepted_risks push_to_jira found_by age sla_days_remaining finding_meta related_fields jira_creation
		jira_change display_status finding_groups vulnerability_ids cwes reporter endpoints title date sla_start_date sla_expiration_date cwe
		epss_score epss_percentile known_exploited ransomware_used kev_date cvssv3 cvssv3_score cvssv4 cvssv4_score url severity description
		mitigation fix_available fix_version impact steps_to_reproduce severity_justification references active verified false_p duplicate
		out_of_scope risk_accepted under_review last_status_update under_defect_review is_mitigated thread_id mitigated numerical_severity
		last_reviewed param payload hash_code line file_path component_name component_version static_finding dynamic_finding created updated
		scanner_confidence unique_id_from_tool vuln_id_from_tool sast_source_object sast_sink_object sast_source_line sast_source_file_path
		nb_occurences publish_date service planned_remediation_date planned_remediation_version effort_for_fixing test duplicate_finding
		review_requested_by defect_review_requested_by mitigated_by last_reviewed_by sonarqube_issue notes files reviewers prefetch`,
}

// prempador's SDK fails when a field is missing; null is fine.
func TestEveryFieldIsThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, test := s.product("Shop")
	s.finding(test, "SQL", "High", "")
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/products/%d/", p), `{"revenue":1234.5}`)
	for path, names := range fields {
		a := s.get(path)
		var got []string
		for k := range object(a) {
			got = append(got, k)
		}
		want := strings.Fields(names)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || a.status != 200 {
			t.Errorf("%s: %d (-want +got):\n%s", path, a.status, diff)
		}
	}
	if v := s.get("/products/1/").get("revenue"); v != "1234.50" {
		t.Errorf("revenue is %#v: it is a decimal, as text", v)
	}
	a := s.get("/findings/")
	got := slices.Sorted(maps.Keys(object(a)))
	if diff := cmp.Diff([]string{"count", "next", "prefetch", "previous", "results"}, got); diff != "" {
		t.Errorf("a list (-want +got):\n%s", diff)
	}
	if _, has := object(s.get("/engagements/"))["prefetch"]; has {
		t.Error("engagements offer prefetch")
	}
}

// testTypes is how many test types there are.
func (s *site) testTypes() (n int) {
	s.t.Helper()
	if err := s.pool.QueryRow(s.t.Context(), `select count(*) from test_types`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}
