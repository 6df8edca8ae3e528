package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestTools goes the way of gha-umarhadi, dd-importer and secureCodeBox: a tool
// type, a tool of it, and what a product is called there.
func TestTools(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	typ := s.must(201, "POST", "/api/v2/tool_types/", `{"name":"SonarQube","description":"d"}`).id()
	c := s.must(201, "POST", "/api/v2/tool_configurations/", fmt.Sprintf(`{"name":"sonar","url":"https://sonar.example.org","configuration_url":"x","tool_type":"%d","api_key":"s3cret"}`, typ))
	if c.get("tool_type") != float64(typ) || strings.Contains(c.body, "s3cret") {
		t.Errorf("%s", c.body)
	}
	s.must(400, "POST", "/api/v2/tool_configurations/", `{"name":"x","tool_type":999}`)
	s.must(400, "POST", "/api/v2/tool_configurations/", fmt.Sprintf(`{"name":"x","tool_type":%d,"authentication_type":"magic"}`, typ))
	k := s.must(201, "POST", "/api/v2/product_api_scan_configurations/", fmt.Sprintf(`{"product":%d,"tool_configuration":%d,"service_key_1":"shop"}`, p, c.id()))
	for path, want := range map[string]float64{
		"/tool_types/?name=SonarQube": 1, "/tool_types/?name=Sonar": 0, "/tool_configurations/?name=sonar": 1, "/tool_configurations/?tool_type=999": 0,
		fmt.Sprintf("/product_api_scan_configurations/?product=%d&service_key_1=shop", p): 1, "/product_api_scan_configurations/?tool_configuration=999": 0,
	} {
		if a := s.get(path); a.get("count") != want {
			t.Errorf("GET %s: %s", path, a.body)
		}
	}
	if a := s.must(200, "PATCH", fmt.Sprintf("/api/v2/product_api_scan_configurations/%d/", k.id()), `{"service_key_2":"x"}`); a.get("service_key_1") != "shop" || a.get("service_key_2") != "x" {
		t.Errorf("%s", a.body)
	}
	s.must(409, "DELETE", fmt.Sprintf("/api/v2/tool_types/%d/", typ), "") // there is a tool of it
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/tool_configurations/%d/", c.id()), "")
	s.must(404, "GET", fmt.Sprintf("/api/v2/product_api_scan_configurations/%d/", k.id()), "")
	s.must(204, "DELETE", fmt.Sprintf("/api/v2/tool_types/%d/", typ), "")
}
