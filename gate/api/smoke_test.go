package api_test

import "testing"

func TestSmoke(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, _, test := s.product("Shop")
	id := s.finding(test, "SQL injection", "Critical", `,"tags":["pci"],"cwe":89,"vulnerability_ids":[{"vulnerability_id":"CVE-2026-1"}]`)
	for _, path := range []string{
		"", "/product_types/", "/products/", "/engagements/", "/tests/", "/test_types/", "/findings/", "/users/", "/user_profile/",
		"/development_environments/", "/products/1/", "/engagements/1/", "/tests/1/", "/findings/1/", "/findings/1/notes/", "/findings/1/tags/", "/findings/1/duplicate/",
		"/findings/?related_fields=true&prefetch=test,found_by&limit=1",
	} {
		if a := s.get(path); a.status != 200 {
			t.Errorf("GET %s = %d %s", path, a.status, a.body)
		} else {
			t.Logf("GET %s = %.1500s", path, a.body)
		}
	}
	_ = id
}
