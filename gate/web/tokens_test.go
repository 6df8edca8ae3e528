package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"defectdojo/gate"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "mika")
	r := b.post("/tokens", url.Values{"name": {"ci"}, "scope": {"import"}, "days": {"30"}, "product": {"1"}})
	text := regexp.MustCompile(`gate_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}`).FindString(r.body)
	if r.code != http.StatusOK || text == "" || !strings.Contains(r.body, "export DD_URL=https://gate.example.org") {
		t.Fatalf("POST /tokens = %d\n%s", r.code, r.body)
	}
	p, err := s.auth.Token(t.Context(), text)
	if err != nil || p.User.Username != "mika" || p.Token.Scope != gate.ScopeImport || len(p.Token.ProductIDs) != 1 {
		t.Errorf("the token is of %+v, %v", p, err)
	}
	if list := b.get("/tokens").body; strings.Contains(list, text) || !strings.Contains(list, p.Token.PublicID) {
		t.Error("the list shows the token, or not its public part")
	}
	revoke := regexp.MustCompile(`/tokens/\d+/revoke`).FindString(b.get("/tokens").body)
	if r := s.login(t, "noor").post(revoke, nil); r.code != http.StatusNotFound {
		t.Errorf("somebody else revokes it: %d", r.code)
	}
	if r := b.post(revoke, nil); r.code != http.StatusSeeOther {
		t.Errorf("POST %s = %d", revoke, r.code)
	}
	if !strings.Contains(b.get("/tokens").body, "The token is revoked.") || strings.Contains(b.get("/tokens").body, "The token is revoked.") {
		t.Error("the next page says what was done, and only that one")
	}
	if _, err := s.auth.Token(t.Context(), text); gate.KindOf(err) != gate.Unauthorized {
		t.Errorf("the revoked token: %v", err)
	}
}

func TestTokens_refused(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "mika")
	tests := []struct {
		name string
		form url.Values
		code int
		text string
	}{
		{"no_name", url.Values{"scope": {"import"}, "days": {"30"}}, http.StatusBadRequest, "a token has a name"},
		{"scope", url.Values{"name": {"n"}, "scope": {"root"}, "days": {"30"}}, http.StatusBadRequest, "is not a scope"},
		{"for_ever", url.Values{"name": {"n"}, "scope": {"all"}, "days": {"4000"}}, http.StatusBadRequest, "within a year"},
		{"foreign_product", url.Values{"name": {"n"}, "scope": {"all"}, "days": {"30"}, "product": {"4"}}, http.StatusNotFound, "Not here"},
	}
	for _, tt := range tests {
		if r := b.post("/tokens", tt.form); r.code != tt.code || !strings.Contains(r.body, tt.text) || strings.Contains(r.body, "Your new token") {
			t.Errorf("%s: %d\n%s", tt.name, r.code, r.body)
		}
	}
}
