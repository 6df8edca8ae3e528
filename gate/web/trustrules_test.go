package web

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestTrustRules(t *testing.T) {
	t.Parallel()
	s := shop(t)
	if _, err := s.db.Exec(t.Context(), `insert into members (user_id, product_id, role) values (3, 3, 'maintainer')`); err != nil {
		t.Fatal(err)
	}
	b := s.login(t, "noor")
	form := url.Values{"product": {"3"}, "issuer": {"https://gitlab.com"}, "repository_id": {"20"}, "owner_id": {"72"}, "repository": {"group/infra"}, "default_branch": {"trunk"}}
	if r := b.post("/trust-rules", form); r.code != http.StatusSeeOther {
		t.Fatalf("POST /trust-rules = %d\n%s", r.code, r.body)
	}
	page := b.get("/trust-rules").body
	if !strings.Contains(page, "group/infra") || !strings.Contains(page, "without a token now") || strings.Contains(page, "payments-api") {
		t.Errorf("the page\n%s", page)
	}
	for name, c := range map[string]struct {
		field, value string
		code         int
		says         string
	}{
		"again":   {"repository_id", "20", http.StatusBadRequest, "trusts this repository already"},
		"a_name":  {"repository_id", "group/infra", http.StatusBadRequest, "the ID is a number"},
		"owner":   {"owner_id", "", http.StatusBadRequest, "the ID is a number"},
		"issuer":  {"issuer", "https://evil.example.org", http.StatusBadRequest, "is not one of"},
		"foreign": {"product", "1", http.StatusNotFound, "Not here"},
		"reader":  {"product", "4", http.StatusForbidden, "may not"},
	} {
		wrong := url.Values{}
		maps.Copy(wrong, form)
		wrong.Set(c.field, c.value)
		if r := b.post("/trust-rules", wrong); r.code != c.code || c.code == http.StatusBadRequest && (!strings.Contains(r.body, c.says) || !strings.Contains(r.body, `value="trunk"`)) {
			t.Errorf("%s: %d\n%s", name, r.code, r.body)
		}
	}
	remove := regexp.MustCompile(`/trust-rules/\d+/delete`).FindString(page)
	if r := s.login(t, "mika").post(remove, nil); r.code != http.StatusNotFound {
		t.Errorf("somebody else deletes it: %d", r.code)
	}
	if r := b.post(remove, nil); r.code != http.StatusSeeOther {
		t.Errorf("POST %s = %d", remove, r.code)
	}
	if page := b.get("/trust-rules").body; !strings.Contains(page, "No repository is trusted yet") {
		t.Errorf("the page\n%s", page)
	}
}
