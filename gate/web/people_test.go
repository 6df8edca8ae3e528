package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestPeoplePages adds somebody, makes them a member, and takes it all back; what
// is wrong is told beside its field, with what was typed.
func TestPeoplePages(t *testing.T) {
	t.Parallel()
	s := shop(t)
	ada := s.login(t, "ada")
	form := url.Values{"username": {"lin"}, "email": {"lin@example.org"}, "password": {"short"}}
	if r := ada.post("/people", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "at least 12 characters") || !strings.Contains(r.body, `value="lin@example.org"`) || strings.Contains(r.body, "short") {
		t.Errorf("a short password: %d\n%s", r.code, r.body)
	}
	form.Set("password", password)
	r := ada.post("/people", form)
	if r.code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", r.code, r.body)
	}
	address := r.header.Get("Location")
	if r := ada.post("/people", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, "already exists") {
		t.Errorf("the same name: %d", r.code)
	}
	lin := s.login(t, "lin")
	if r := lin.get("/products/1"); r.code != http.StatusNotFound {
		t.Errorf("lin sees a product without a role: %d", r.code)
	}
	if r := lin.get("/people"); r.code != http.StatusForbidden || strings.Contains(r.body, "ada@example.org") {
		t.Errorf("lin sees people: %d", r.code)
	}
	id := address[strings.LastIndex(address, "/")+1:]
	if r := ada.post("/products/1/members", url.Values{"who": {""}, "role": {"reader"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Choose who it is") {
		t.Errorf("nobody: %d", r.code)
	}
	if r := ada.post("/products/1/members", url.Values{"who": {"u" + id}, "role": {"maintainer"}}); r.code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", r.code, r.body)
	}
	page := lin.get("/products/1/members").body
	seats := regexp.MustCompile(`/products/1/members/(\d+)`).FindAllString(page, -1)
	if len(seats) == 0 || !strings.Contains(lin.get("/products/1").body, `href="/products/1/members"`) {
		t.Fatalf("lin cannot manage members\n%s", page)
	}
	own := seats[len(seats)-1]
	if r := lin.post(own, url.Values{"role": {"owner"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Only owners") {
		t.Errorf("lin makes themselves owner: %d", r.code)
	}
	if r := lin.post("/products/1/members", url.Values{"who": {"u3"}, "role": {"owner"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Only owners make owners") {
		t.Errorf("lin makes an owner: %d", r.code)
	}
	if r := lin.post("/products/2/members", url.Values{"who": {"u" + id}, "role": {"reader"}}); r.code != http.StatusNotFound {
		t.Errorf("another product: %d", r.code)
	}
	if body := ada.get(address).body; !strings.Contains(body, "payments-api") || !strings.Contains(body, "maintainer") {
		t.Errorf("the person's page does not tell their role\n%s", body)
	}
	if r := ada.post(own, url.Values{"remove": {"1"}}); r.code != http.StatusSeeOther || lin.get("/products/1").code != http.StatusNotFound {
		t.Errorf("the role holds after it was taken: %d", r.code)
	}
	if r := ada.post("/people/1", url.Values{"username": {"ada"}, "is_superuser": {"1"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "Nobody can shut themselves out") {
		t.Errorf("ada shuts herself out: %d", r.code)
	}
	if r := ada.post(address, url.Values{"username": {"lin"}, "email": {"lin@example.org"}}); r.code != http.StatusSeeOther {
		t.Errorf("%d\n%s", r.code, r.body)
	}
	if r := lin.get("/tokens"); r.code == http.StatusOK {
		t.Errorf("lin is inactive, and still there: %d", r.code)
	}
}

// TestPassword changes one's own password: the other sessions end.
func TestPassword(t *testing.T) {
	t.Parallel()
	s := shop(t)
	here, there := s.login(t, "mika"), s.login(t, "mika")
	const next = "another good password"
	for name, form := range map[string]url.Values{
		"This is not your password": {"old": {"x"}, "new": {next}, "again": {next}},
		"This is not the same":      {"old": {password}, "new": {next}, "again": {"x"}},
		"at least 12 characters":    {"old": {password}, "new": {"short"}, "again": {"short"}},
	} {
		if r := here.post("/password", form); r.code != http.StatusBadRequest || !strings.Contains(r.body, name) {
			t.Errorf("%s: %d", name, r.code)
		}
	}
	if r := here.post("/password", url.Values{"old": {password}, "new": {next}, "again": {next}}); r.code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", r.code, r.body)
	}
	if a, b := here.get("/tokens").code, there.get("/tokens").code; a != http.StatusOK || b == http.StatusOK {
		t.Errorf("here %d, elsewhere %d", a, b)
	}
}
