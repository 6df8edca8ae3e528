package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate/auth"
)

// TestRoutes: every address says who may use it, and only the login is open.
func TestRoutes(t *testing.T) {
	t.Parallel()
	s := shop(t)
	nobody := s.login(t, "")
	listed := map[string]bool{}
	for _, r := range (&web{}).routes() {
		listed[r.method+" "+r.path] = true
		if r.may == "" {
			t.Errorf("%s %s does not say who may use it", r.method, r.path)
		}
		if r.may == auth.Public && r.path != "/login" {
			t.Errorf("%s %s is open to anybody", r.method, r.path)
		}
		if r.path == "/login" {
			continue
		}
		address := strings.ReplaceAll(r.path, ":id", "1")
		answer := nobody.get(address)
		if r.method == fiber.MethodPost {
			answer = nobody.post(address, url.Values{})
		}
		if answer.code != http.StatusSeeOther && answer.code != http.StatusUnauthorized {
			t.Errorf("%s %s without a session = %d", r.method, address, answer.code)
		}
		if strings.Contains(answer.body, "payments") {
			t.Errorf("%s %s shows something without a session", r.method, address)
		}
	}
	for _, r := range s.app.GetRoutes(true) {
		if !listed[r.Method+" "+r.Path] && r.Method != fiber.MethodHead && !strings.HasPrefix(r.Path, assetPath) && r.Path != "/favicon.ico" && !strings.HasPrefix(r.Path, badgePath) {
			t.Errorf("%s %s is not in the list of routes", r.Method, r.Path)
		}
	}
}

// TestScope: everybody sees what they may, on every page, and nothing of the rest.
func TestScope(t *testing.T) {
	t.Parallel()
	s := shop(t)
	noor := s.login(t, "noor") // of product 4, search, alone
	for _, a := range addresses {
		if a.address == "" || a.page == "scan-types.html" {
			continue
		}
		r := noor.get(a.address)
		for _, foreign := range []string{"payments-api", "payments-web", "payments-infra", "feature/refunds", "prod.env", "ada@example.org"} {
			if strings.Contains(a.address, "payments") { // the filter's own words come back
				continue
			}
			if strings.Contains(r.body, foreign) {
				t.Errorf("GET %s tells noor %q", a.address, foreign)
			}
		}
	}
	if r := noor.get("/findings"); !strings.Contains(r.body, "2 open of 2 findings") || !strings.Contains(r.body, "Heap overflow in libwebp") {
		t.Error("noor does not see her own findings")
	}
	for _, address := range []string{"/findings/1", "/findings/4711", "/products/1", "/products/4711", "/verdicts/1", "/verdicts/4711", "/verdicts?product=1"} {
		if r := noor.get(address); r.code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404 whether it is there or not", address, r.code)
		}
	}
	if r := noor.get("/findings/14"); r.code != http.StatusOK || strings.Contains(r.body, "payments") {
		t.Errorf("GET /findings/14 = %d; a finding of another product with the same CVE must not show", r.code)
	}
	if got := noor.get("/findings.csv?status=any").body; strings.Count(got, "\n") != 3 || strings.Contains(got, "payments") {
		t.Errorf("noor exports\n%s", got)
	}
}

// TestScope_of_notes: a private note is its author's, and the administrators'.
func TestScope_of_notes(t *testing.T) {
	t.Parallel()
	s := shop(t)
	if _, err := s.db.Exec(t.Context(), `insert into members (user_id, product_id, role) values (3, 1, 'reader')`); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]bool{"ada": true, "mika": true, "noor": false} {
		if got := strings.Contains(s.login(t, user).get("/findings/1").body, "Ask the platform team first."); got != want {
			t.Errorf("%s sees mika's private note: %v, want %v", user, got, want)
		}
	}
}

// TestErrors_say_nothing_inward: an internal error shows no more than a number.
func TestErrors_say_nothing_inward(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "ada")
	if _, err := s.db.Exec(t.Context(), `alter table verdicts rename to hidden`); err != nil {
		t.Fatal(err)
	}
	r := b.get("/verdicts")
	if r.code != http.StatusInternalServerError || strings.Contains(r.body, "verdicts v") || strings.Contains(r.body, "SQLSTATE") || !strings.Contains(r.body, "Something went wrong here") {
		t.Errorf("an internal error: %d\n%s", r.code, r.body)
	}
}
