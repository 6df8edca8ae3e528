package api_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// TestBasic sends a user name and a password with each request, as clients of
// DefectDojo may.
func TestBasic(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	other, _, _ := s.product("Other")
	ada := s.user(gate.User{Username: "ada:lovelace"}) // a colon ends the name, so this one can never log in so
	writer := s.user(gate.User{Username: "writer"})
	if _, err := s.store.AddMember(t.Context(), store.Member{UserID: &writer.ID, ProductID: &p, Role: gate.Writer}); err != nil {
		t.Fatal(err)
	}
	get := func(username, password string, product int64) answer {
		return s.send("", "GET", fmt.Sprintf("/api/v2/products/%d/", product), "", "Authorization", basic(username, password))
	}
	for range 2 { // the second time it is known
		if a := get("writer", password, p); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := get("writer", password, other); a.status != 404 {
		t.Errorf("what they may not see: %d %s", a.status, a.body)
	}
	if a := get(ada.Username, password, p); a.status != 403 {
		t.Errorf("a name with a colon: %d", a.status)
	}
	if a := s.send("", "DELETE", fmt.Sprintf("/api/v2/products/%d/", p), "", "Authorization", basic("writer", password)); a.status != 403 {
		t.Errorf("what they may not do: %d", a.status)
	}
	if err := s.auth.SetPassword(t.Context(), writer, "another good password", ""); err != nil {
		t.Fatal(err)
	}
	if a := get("writer", password, p); a.status != 403 {
		t.Errorf("the password of before counts: %d", a.status)
	}
	if a := get("writer", "another good password", p); a.status != 200 {
		t.Errorf("the new password: %d %s", a.status, a.body)
	}
	if err := s.store.SetUserActive(t.Context(), writer.ID, false); err != nil {
		t.Fatal(err)
	}
	if a := get("writer", "another good password", p); a.status != 403 || a.body != `{"detail":"Invalid username/password."}` {
		t.Errorf("somebody shut out: %d %s", a.status, a.body)
	}
}

// TestBasicGuessing: who guesses has to wait, as at the login.
func TestBasicGuessing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 8 {
		a := s.send("", "GET", "/api/v2/products/", "", "Authorization", basic("root", fmt.Sprint("guess", i)))
		want := 403
		if i >= 5 {
			want = 429
		}
		if a.status != want || want == 429 && a.header.Get("Retry-After") == "" {
			t.Errorf("guess %d: %d %s", i, a.status, a.body)
		}
	}
}

// TestSession uses the API from a browser that is logged in to the pages.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, _, _ := s.product("Shop")
	session, err := s.auth.Login(t.Context(), "root", password, auth.Client{IP: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	cookie := "session=" + session.ID
	path := fmt.Sprintf("/api/v2/products/%d/", p)
	a := s.send("", "GET", path, "", "Cookie", cookie)
	if a.status != 200 || a.header.Get("X-CSRFToken") != session.CSRF {
		t.Errorf("%d %s, token %q", a.status, a.body, a.header.Get("X-CSRFToken"))
	}
	if a := s.send("", "PATCH", path, `{"description":"new"}`, "Cookie", cookie, "X-CSRFToken", session.CSRF); a.status != 200 || a.get("description") != "new" {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Nothing that changes something does so for a cookie alone.
	n := 0
	for route, do := range api.Permissions() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || do == auth.Public {
			continue
		}
		n++
		path = strings.ReplaceAll(path, ":", "1")
		for _, token := range []string{"", "x", session.CSRF[:42]} {
			a := s.send("", method, path, "", "Cookie", cookie, "X-CSRFToken", token)
			if a.status != 403 || !strings.HasPrefix(a.body, `{"detail":"CSRF Failed: CSRF token`) || a.header.Get("X-CSRFToken") != "" {
				t.Errorf("%s with the token %q: %d %s", route, token, a.status, a.body)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d routes", n)
	}
	// A header counts before the cookie, so that a script's own token is what it is.
	if a := s.send("x", "GET", path, "", "Cookie", cookie); a.status != 403 {
		t.Errorf("a bad token with a good cookie: %d", a.status)
	}
	if a := s.send("", "GET", path, "", "Cookie", "__Host-"+cookie); a.status != 403 {
		t.Errorf("the cookie of TLS counts without: %d", a.status)
	}
	if err := s.auth.Logout(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	if a := s.send("", "GET", path, "", "Cookie", cookie); a.status != 403 {
		t.Errorf("after the logout: %d", a.status)
	}
}
