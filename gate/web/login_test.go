package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	s := shop(t)
	b := s.login(t, "")
	if r := b.get("/findings?severity=high"); r.code != http.StatusSeeOther || r.header.Get("Location") != "/login?next=%2Ffindings%3Fseverity%3Dhigh" {
		t.Errorf("without a session: %d to %q", r.code, r.header.Get("Location"))
	}
	if r := b.get("/login?next=/findings"); r.code != http.StatusOK || !strings.Contains(r.body, `name="next" value="/findings"`) {
		t.Errorf("GET /login = %d\n%s", r.code, r.body)
	}
	r := b.post("/login", url.Values{"username": {"ada"}, "password": {"wrong"}})
	if r.code != http.StatusUnauthorized || !strings.Contains(r.body, "user name or the password is wrong") || !strings.Contains(r.body, `value="ada"`) {
		t.Errorf("wrong password: %d\n%s", r.code, r.body)
	}
	r = b.post("/login", url.Values{"username": {"ada"}, "password": {password}, "next": {"/findings?q=x"}})
	cookie := r.header.Get("Set-Cookie")
	if r.code != http.StatusSeeOther || r.header.Get("Location") != "/findings?q=x" {
		t.Errorf("login: %d to %q", r.code, r.header.Get("Location"))
	}
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the session's cookie is %q, without %s", cookie, want)
		}
	}
	if r := b.get("/login"); r.code != http.StatusSeeOther || r.header.Get("Location") != "/" {
		t.Errorf("GET /login with a session: %d to %q", r.code, r.header.Get("Location"))
	}
}

func TestLogin_is_limited(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "")
	var r response
	for range 6 {
		r = b.post("/login", url.Values{"username": {"ada"}, "password": {"wrong"}})
	}
	if r.code != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "Too many failed logins") {
		t.Errorf("the sixth wrong password: %d, Retry-After %q", r.code, r.header.Get("Retry-After"))
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	session := b.cookies["session"]
	if r := b.post("/logout", nil); r.code != http.StatusSeeOther || b.cookies["session"] != "" {
		t.Errorf("logout: %d, cookies %v", r.code, b.cookies)
	}
	b.cookies["session"] = session
	if r := b.get("/"); r.code != http.StatusSeeOther {
		t.Errorf("the old cookie still works: %d", r.code)
	}
}

func TestPost_needs_token_and_origin(t *testing.T) {
	t.Parallel()
	b := shop(t).login(t, "ada")
	tests := []struct {
		name    string
		csrf    string
		headers []string
	}{
		{"no_token", "", nil},
		{"wrong_token", "x" + b.csrf, nil},
		{"other_site", b.csrf, []string{"Sec-Fetch-Site", "cross-site"}},
		{"sibling_site", b.csrf, []string{"Sec-Fetch-Site", "same-site"}},
		{"other_origin", b.csrf, []string{"Origin", "https://evil.example"}},
		{"null_origin", b.csrf, []string{"Origin", "null"}},
	}
	for _, tt := range tests {
		for _, address := range []string{"/tokens", "/tokens/1/revoke", "/logout"} {
			r := b.post(address, url.Values{"csrf": {tt.csrf}, "name": {"n"}, "scope": {"import"}, "days": {"7"}}, tt.headers...)
			if r.code != http.StatusForbidden || !strings.Contains(r.body, "nothing was done") {
				t.Errorf("%s: POST %s = %d, want 403", tt.name, address, r.code)
			}
		}
	}
	if r := b.post("/tokens/1/revoke", nil, "Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"); r.code != http.StatusSeeOther {
		t.Errorf("a form of our own: %d", r.code)
	}
	if r := b.post("/login", url.Values{"username": {"ada"}, "password": {password}}, "Origin", "https://evil.example"); r.code != http.StatusForbidden {
		t.Errorf("a login from another site: %d", r.code)
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"/findings?q=a&b=c": "/findings?q=a&b=c", "/": "/", "": "/", "/login": "/", "/login?next=/x": "/", "/logout": "/",
		"//evil.example": "/", `/\evil.example`: "/", "https://evil.example": "/", "https:evil.example": "/", "javascript:alert(1)": "/",
		"/%2f%2fevil": "/%2f%2fevil", "\t//evil.example": "/", "/a\r\nSet-Cookie: x=y": "/", "findings": "/", "///evil.example": "/",
	}
	for in, want := range tests {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}
