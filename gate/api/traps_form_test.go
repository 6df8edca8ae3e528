package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// upload-sarif sends `name=" active"`.
func TestFieldNamesAreTrimmed(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Shop")
	report := `{"findings":[{"title":"x","severity":"High","description":"d","date":"2026-11-20","active":true,"verified":false}]}`
	a := s.upload(s.root, "/api/v2/import-scan/", []part{
		{" scan_type", scan, ""}, {" engagement", strconv.FormatInt(e, 10), ""}, {" active", "false", ""}, {" verified", "true", ""}, {" file", report, "r.json"},
	})
	if a.status != 201 || a.get("statistics.after.high.active") != 0.0 || a.get("statistics.after.high.verified") != 1.0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.upload(s.root, "/api/v2/product_types/", []part{{" name", "x", ""}}); a.status != 201 {
		t.Errorf("other forms: %d %s", a.status, a.body)
	}
}

// Jenkins sends environment="", defectdojo_api build_id="", bancolombia many more.
func TestBlankFormFieldIsAbsent(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, _ := s.product("Shop")
	parts := form("scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", generic("SQL:High"))
	for _, name := range []string{
		"environment", "build_id", "version", "branch_tag", "commit_hash", "service", "lead", "api_scan_configuration", "endpoint_to_add", "scan_date",
		"group_by", "minimum_severity", "active", "verified", "close_old_findings", "push_to_jira", "tags", "product_name", "engagement_name", "product_type_name",
		"test_title", "source_code_management_uri", "engagement_end_date", "auto_create_context", "test", "create_finding_groups_for_all_findings",
	} {
		parts = append(parts, part{name, "", ""})
	}
	a := s.upload(s.root, "/api/v2/import-scan/", parts)
	if a.status != 201 || a.get("statistics.after.high.active") != 1.0 || a.get("create_finding_groups_for_all_findings") != true || a.get("minimum_severity") != "Info" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if env := s.get(fmt.Sprintf("/tests/%v/?prefetch=environment", a.get("test"))); !strings.Contains(env.body, "Development") {
		t.Errorf("environment: %s", env.body)
	}
	b := s.upload(s.root, "/api/v2/products/", []part{
		{"name", "P", ""}, {"description", "d", ""}, {"prod_type", "1", ""}, {"lifecycle", "", ""}, {"revenue", "", ""}, {"team_manager", "", ""}, {"sla_configuration", "", ""},
	})
	if b.status != 201 || b.get("lifecycle") != nil || b.get("team_manager") != nil || b.get("sla_configuration") != 1.0 {
		t.Errorf("product: %d %s", b.status, b.body)
	}
}

func TestActiveAndVerifiedOnlyForceWhenSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	report := `{"findings":[
		{"title":"a","severity":"High","description":"d","date":"2026-11-20","active":false,"verified":true},
		{"title":"b","severity":"High","description":"d","date":"2026-11-20","active":true,"verified":false}]}`
	tests := []struct {
		name             string
		fields           []string
		active, verified float64
	}{
		{"absent", nil, 1, 1},
		{"true", []string{"active", "true", "verified", "true"}, 2, 2},
		{"false", []string{"active", "False", "verified", "False"}, 0, 0},
		{"one", []string{"active", "1"}, 2, 1},
	}
	for _, tt := range tests {
		_, e, _ := s.product(tt.name)
		a := s.upload(s.root, "/api/v2/import-scan/", form(append([]string{"scan_type", scan, "engagement", strconv.FormatInt(e, 10), "file", report}, tt.fields...)...))
		if a.status != 201 {
			t.Fatalf("%s: %d %s", tt.name, a.status, a.body)
		}
		for flag, want := range map[string]float64{"active": tt.active, "verified": tt.verified} {
			if n := s.get(fmt.Sprintf("/findings/?test=%v&%s=true", a.get("test"), flag)).get("count"); n != want {
				t.Errorf("%s: %v %s, want %v", tt.name, n, flag, want)
			}
		}
	}
}

func TestBooleansInAllSpellings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	path := fmt.Sprintf("/api/v2/products/%d/", p)
	for _, word := range []string{"t", "y", "yes", "true", "on", "1", "True", "TRUE", "Yes", "ON"} {
		for _, body := range []string{fmt.Sprintf(`{"external_audience":%q}`, word)} {
			s.must(200, "PATCH", path, `{"external_audience":false}`)
			if a := s.must(200, "PATCH", path, body); a.get("external_audience") != true {
				t.Errorf("%s is not true", body)
			}
			if a := s.must(200, "PATCH", path, "external_audience="+word, "Content-Type", "application/x-www-form-urlencoded"); a.get("external_audience") != true {
				t.Errorf("%s in a form is not true", word)
			}
		}
	}
	for _, word := range []string{"f", "n", "no", "false", "off", "0", "False", "NO"} {
		s.must(200, "PATCH", path, `{"external_audience":true}`)
		if a := s.must(200, "PATCH", path, fmt.Sprintf(`{"external_audience":%q}`, word)); a.get("external_audience") != false {
			t.Errorf("%q is not false", word)
		}
	}
	s.must(200, "PATCH", path, `{"external_audience":1}`)
	s.must(200, "PATCH", path, `{"external_audience":0}`)
	for _, body := range []string{`{"external_audience":"maybe"}`, `{"external_audience":2}`, `{"external_audience":[]}`} {
		if a := s.must(400, "PATCH", path, body); a.get("external_audience.0") != "Must be a valid boolean." {
			t.Errorf("%s: %s", body, a.body)
		}
	}
	if a := s.must(400, "PATCH", path, `{"external_audience":null}`); a.get("external_audience.0") != "This field may not be null." {
		t.Error(a.body)
	}
	// Jenkins, ddtool and umarhadi send IDs as text.
	if a := s.must(201, "POST", "/api/v2/engagements/", fmt.Sprintf(
		`{"product":"%d","target_start":"2026-11-01","target_end":"2026-11-02","deduplication_on_engagement":"true","lead":"1"}`, p)); a.get("deduplication_on_engagement") != true || a.get("lead") != 1.0 {
		t.Error(a.body)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, _ := s.product("Shop")
	for in, want := range map[string]string{
		"2026-11-22T00:00:00":         "2026-11-22T00:00:00Z",
		"2026-11-22 07:08:09+0000":    "2026-11-22T07:08:09Z", // secureCodeBox
		"2026-11-22":                  "2026-11-22T00:00:00Z", // Smithy
		"2026-11-22T07:00:00.123456Z": "2026-11-22T07:00:00.123456Z",
		"2026-11-22T09:00:00+02:00":   "2026-11-22T07:00:00Z",
		"2026-11-22T07:00Z":           "2026-11-22T07:00:00Z",
		"2026-11-22T07:00:00.5":       "2026-11-22T07:00:00.500000Z",
	} {
		a := s.must(201, "POST", "/api/v2/tests/", fmt.Sprintf(`{"engagement":%d,"test_type":5,"target_start":%q,"target_end":%q}`, e, in, in))
		if a.get("target_start") != want {
			t.Errorf("%s is answered as %v, want %s", in, a.get("target_start"), want)
		}
	}
	a := s.must(400, "POST", "/api/v2/engagements/", fmt.Sprintf(`{"product":%d,"target_start":"22.11.2026","target_end":""}`, p))
	for _, field := range []string{"target_start", "target_end"} {
		if a.get(field+".0") != "Date has wrong format. Use one of these formats instead: YYYY-MM-DD." {
			t.Errorf("%s: %s", field, a.body)
		}
	}
	a = s.must(400, "POST", "/api/v2/engagements/", fmt.Sprintf(`{"product":%d,"target_start":"2026-11-22","target_end":"2026-11-21"}`, p))
	if a.get("non_field_errors.0") != "Your target start date exceeds your target end date" {
		t.Error(a.body)
	}
}
