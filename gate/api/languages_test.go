package api_test

import (
	"fmt"
	"strconv"
	"testing"
)

// TestImportLanguages counts as dd-import and dd-cli2 do: with what cloc says,
// once more, and what is no longer there is gone.
func TestImportLanguages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	product := strconv.FormatInt(p, 10)
	send := func(status int, file string) {
		t.Helper()
		if a := s.upload(s.root, "/api/v2/import-languages/", form("product", product, "file", file)); a.status != status || status == 201 && a.get("product") != float64(p) {
			t.Errorf("%s: %d %s, want %d", file, a.status, a.body, status)
		}
	}
	send(201, `{"header":{"cloc_version":"1.98","n_files":3},"Go":{"nFiles":2,"blank":3,"comment":4,"code":50},"YAML":{"nFiles":1,"code":9},"SUM":{"nFiles":3,"code":59}}`)
	list := s.get("/languages/?product=" + product)
	if list.get("count") != 2.0 || list.get("results.0.code") != 50.0 || list.get("results.0.comment") != 4.0 || list.get("results.1.files") != 1.0 {
		t.Errorf("%s", list.body)
	}
	send(201, `{"Go":{"nFiles":3,"code":60}}`)
	if a := s.get(fmt.Sprintf("/languages/%v/", list.get("results.0.id"))); a.get("code") != 60.0 || s.get("/languages/").get("count") != 1.0 {
		t.Errorf("%s", a.body)
	}
	for _, wrong := range []string{`[]`, `no json`, `{"Go":{"nFiles":-1}}`, `{"Go":{"code":99999999999}}`, `{"":{"code":1}}`} {
		send(400, wrong)
	}
	product = "999"
	send(400, `{}`)
}
