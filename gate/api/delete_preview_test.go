package api_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDeletePreview tells beforehand what goes, and nothing of others.
func TestDeletePreview(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, e, test := s.product("Shop")
	_, _, other := s.product("Other")
	f := s.finding(test, "SQL", "High", "")
	s.finding(other, "XSS", "High", "")
	all := []string{fmt.Sprint("Product ", p, " Shop"), fmt.Sprint("Engagement ", e, " main"), fmt.Sprint("Test ", test, " ", s.get(fmt.Sprintf("/tests/%d/", test)).get("test_type_name")), fmt.Sprint("Finding ", f, " SQL")}
	for path, want := range map[string][]string{
		fmt.Sprintf("/products/%d/", p): all, fmt.Sprintf("/engagements/%d/", e): all[1:], fmt.Sprintf("/tests/%d/", test): all[2:], fmt.Sprintf("/findings/%d/", f): all[3:],
	} {
		a := s.get(path + "delete_preview/")
		got := []string{}
		for i := range int(a.get("count").(float64)) {
			got = append(got, fmt.Sprint(a.get(fmt.Sprintf("results.%d.model", i)), " ", a.get(fmt.Sprintf("results.%d.id", i)), " ", a.get(fmt.Sprintf("results.%d.name", i))))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", path, a.body, diff)
		}
	}
	if a := s.get("/product_types/1/delete_preview/?limit=2&offset=1"); a.get("count") != 9.0 || a.get("results.0.model") != "Product" || a.get("results.2") != nil || a.get("next") == nil {
		t.Errorf("a page: %s", a.body)
	}
	s.must(404, "GET", "/api/v2/findings/999/delete_preview/", "")
}
