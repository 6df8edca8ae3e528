package api_test

import (
	"fmt"
	"strings"
	"testing"

	"defectdojo/parsers/all"
)

// TestManualFindingIsFoundAgain adds a finding by hand and imports a report
// with the same: the report's is its duplicate.
func TestManualFindingIsFoundAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, withImporter)
	_, e, test := s.product("Shop")
	generic119 := s.get("/test_types/?name=Generic+Findings+Import").get("results.0.id")
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/tests/%d/", test), fmt.Sprintf(`{"test_type":%v}`, generic119))
	id := s.finding(test, "SQL", "Critical", `,"cwe":89,"file_path":"a.go","line":3`)
	if a := s.get(fmt.Sprintf("/tests/%d/", test)); a.get("deduplication_algorithm") == "" {
		t.Errorf("no algorithm: %s", a.body)
	}
	report := `{"findings":[{"title":"SQL","severity":"Critical","description":"d","date":"2026-11-20","cwe":89,"file_path":"a.go","line":3}]}`
	a := s.upload(s.root, "/api/v2/import-scan/", form("scan_type", scan, "engagement", fmt.Sprint(e), "file", report))
	if a.status != 201 {
		t.Fatal(a.body)
	}
	got := s.get(fmt.Sprintf("/findings/?test=%v", a.get("test")))
	own := s.get(fmt.Sprintf("/findings/%d/", id))
	if got.get("results.0.duplicate") != true || got.get("results.0.duplicate_finding") != float64(id) || own.get("hash_code") != got.get("results.0.hash_code") {
		t.Errorf("hash of the one %v, of the other %v: %s", own.get("hash_code"), got.get("results.0.hash_code"), got.body)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, test := s.product("Shop")
	f := s.finding(test, "SQL", "High", "")
	s.must(201, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"product":%d,"name":"scm-type","value":"github"}`, p))
	m := s.must(201, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"finding":"%d","name":"owner","value":"jane"}`, f)).id()
	if a := s.get(fmt.Sprintf("/products/%d/", p)); a.get("product_meta.0.value") != "github" {
		t.Error(a.body)
	}
	if a := s.get(fmt.Sprintf("/findings/%d/", f)); a.get("finding_meta.0.name") != "owner" {
		t.Error(a.body)
	}
	for path, want := range map[string]float64{"/metadata/": 2, fmt.Sprintf("/metadata/?product=%d", p): 1, "/metadata/?name=owner": 1, "/metadata/?finding=999": 0} {
		if a := s.get(path); a.get("count") != want {
			t.Errorf("GET %s: %s", path, a.body)
		}
	}
	s.must(400, "POST", "/api/v2/metadata/", `{"name":"x","value":"y"}`)
	s.must(400, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"product":%d,"finding":%d,"name":"x","value":"y"}`, p, f))
	s.must(400, "POST", "/api/v2/metadata/", fmt.Sprintf(`{"product":%d,"name":"scm-type","value":"y"}`, p))
	s.must(200, "PATCH", fmt.Sprintf("/api/v2/metadata/%d/", m), `{"value":"joe"}`)
	path := fmt.Sprintf("/api/v2/findings/%d/metadata/", f)
	if a := s.must(200, "GET", path, ""); a.body != `[{"name":"owner","value":"joe"}]` {
		t.Error(a.body)
	}
	s.must(200, "PUT", path+"?name=owner", `{"name":"owner","value":"jill"}`)
	s.must(400, "POST", path, `{"name":"owner","value":"x"}`)
	s.must(404, "DELETE", path+"?name=nothing", "")
	s.must(400, "DELETE", path, "")
	s.must(200, "DELETE", path+"?name=owner", "")
	s.must(404, "GET", fmt.Sprintf("/api/v2/metadata/%d/", m), "")
}

// dd-uploader reads the scan types out of the schema; it asks without a token.
func TestSchema(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.send("", "GET", "/api/v2/oa3/schema/?format=json", "", "Accept", "application/json")
	enum, _ := a.get("components.schemas.ImportScanRequest.properties.scan_type.enum").([]any)
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || len(enum) != len(all.Parsers) {
		t.Errorf("%d, %s, %d scan types, want %d", a.status, a.header.Get("Content-Type"), len(enum), len(all.Parsers))
	}
	paths, _ := a.get("paths").(map[string]any)
	seen := map[string]bool{}
	for path, ops := range paths {
		for method, op := range ops.(map[string]any) {
			id, _ := op.(map[string]any)["operationId"].(string)
			if id == "" || seen[id] {
				t.Errorf("%s %s: operationId %q is blank or there twice", method, path, id)
			}
			seen[id] = true
		}
	}
	for _, id := range []string{"findings_list", "findings_create", "findings_retrieve", "findings_partial_update", "products_destroy", "import_scan_create", "api_token_auth_create"} {
		if !seen[id] {
			t.Errorf("no operation %s", id)
		}
	}
	for _, path := range []string{"/api/v2/oa3/openapi.json", "/api/v2/oa3/swagger.json"} {
		if a := s.send(s.root, "GET", path, ""); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
