package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"defectdojo/integrations/github/githubtest"
)

// TestConnections goes the way of an administrator who connects GitHub.
func TestConnections(t *testing.T) {
	t.Parallel()
	hub := githubtest.New(t)
	s := shop(t)
	b := s.login(t, "ada")
	form := url.Values{"kind": {"github"}, "name": {"acme"}, "url": {hub.URL}, "app_id": {"x"}, "private_key": {"rubbish CANARY"}, "enabled": {"1"}}
	wrong := b.post("/integrations/connections", form)
	if wrong.code != http.StatusBadRequest || !strings.Contains(wrong.body, "it is not a number") || !strings.Contains(wrong.body, `value="acme"`) || strings.Contains(wrong.body, "CANARY") {
		t.Errorf("a wrong number: %d\n%s", wrong.code, wrong.body)
	}
	form.Set("app_id", "4711")
	if wrong = b.post("/integrations/connections", form); wrong.code != http.StatusBadRequest || !strings.Contains(wrong.body, "it is not in PEM") || strings.Contains(wrong.body, "CANARY") {
		t.Errorf("a wrong key: %d\n%s", wrong.code, wrong.body)
	}
	form.Set("private_key", githubtest.PrivateKey())
	made := b.post("/integrations/connections", form)
	secret := regexp.MustCompile(`<code>([A-Z0-9]{40,})</code>`).FindStringSubmatch(made.body)
	page := regexp.MustCompile(`/integrations/connections/\d+`).FindString(made.body)
	if made.code != http.StatusOK || secret == nil || page == "" || !strings.Contains(made.body, "https://gate.example.org/hooks/github/") {
		t.Fatalf("made: %d\n%s", made.code, made.body)
	}
	if r := b.post(page+"/test", nil); !strings.Contains(r.body, "GitHub knows us as gate, with access to 1 repositories.") {
		t.Errorf("test: %d\n%s", r.code, r.body)
	}
	if r := b.post(page+"/sync", nil); !strings.Contains(r.body, "1 repositories are known") || !strings.Contains(r.body, "acme/shop") {
		t.Errorf("sync: %d\n%s", r.code, r.body)
	}
	repository := regexp.MustCompile(`name="repository" value="(\d+)"`).FindStringSubmatch(b.get(page).body)
	if repository == nil {
		t.Fatal("no repository is shown")
	}
	if r := b.post(page+"/repositories", url.Values{"repository": {repository[1]}, "product": {"1"}, "artifacts": {"*.sarif, trivy-*"}}); r.code != http.StatusSeeOther {
		t.Errorf("map: %d\n%s", r.code, r.body)
	}
	if r := b.get(page); !strings.Contains(r.body, `<option value="1" selected>`) || !strings.Contains(r.body, `value="*.sarif trivy-*"`) || strings.Contains(r.body, "PRIVATE") || strings.Contains(r.body, secret[1]) {
		t.Errorf("the page:\n%s", r.body)
	}
	if r := b.post(page+"/repositories", url.Values{"repository": {repository[1]}, "artifacts": {"["}}); r.code != http.StatusBadRequest {
		t.Errorf("a pattern that is none: %d", r.code)
	}
	part := url.Values{"repository": {repository[1]}, "component": {"my api"}, "paths": {"services/api"}, "product": {"1"}}
	if r := b.post(page+"/parts", part); r.code != http.StatusBadRequest || !strings.Contains(r.body, `value="my api"`) || !strings.Contains(r.body, "a part has a name of letters") || !strings.Contains(r.body, "<details class=\"panel text\" open>") {
		t.Errorf("a part without a name: %d\n%s", r.code, r.body)
	}
	part.Set("component", "api")
	if r := b.post(page+"/parts", part); r.code != http.StatusSeeOther {
		t.Errorf("a part: %d\n%s", r.code, r.body)
	}
	made2 := regexp.MustCompile(`parts/delete"[^>]*>.*?name="repository" value="(\d+)"`).FindStringSubmatch(b.get(page).body)
	if made2 == nil || !strings.Contains(b.get(page).body, `name="paths" value="services/api"`) {
		t.Fatalf("the part is not shown:\n%s", b.get(page).body)
	}
	if r := b.post(page+"/repositories", url.Values{"repository": {made2[1]}, "product": {"1"}, "paths": {"../x"}}); r.code != http.StatusBadRequest || !strings.Contains(r.body, "acme/shop, api: ") {
		t.Errorf("a path that is none: %d", r.code)
	}
	if r := b.post(page+"/repositories", url.Values{"repository": {made2[1]}, "product": {"1"}, "paths": {"services/api, libs"}}); r.code != http.StatusSeeOther || !strings.Contains(b.get(page).body, `value="services/api libs"`) {
		t.Errorf("its paths: %d", r.code)
	}
	if r := b.post(page+"/parts/delete", url.Values{"repository": {made2[1]}}); r.code != http.StatusSeeOther || strings.Contains(b.get(page).body, `value="services/api libs"`) {
		t.Errorf("remove the part: %d", r.code)
	}
	form.Set("private_key", "")
	form.Set("name", "acme 2")
	if r := b.post(page, form); r.code != http.StatusSeeOther {
		t.Errorf("save: %d\n%s", r.code, r.body)
	}
	renewed := b.post(page+"/secret", nil)
	if got := regexp.MustCompile(`<code>([A-Z0-9]{40,})</code>`).FindStringSubmatch(renewed.body); got == nil || got[1] == secret[1] {
		t.Errorf("a new secret: %d\n%s", renewed.code, renewed.body)
	}
	if r := b.get("/integrations"); !strings.Contains(r.body, "acme 2") || !strings.Contains(r.body, "works") {
		t.Errorf("the list:\n%s", r.body)
	}
	if r := s.login(t, "noor").get("/integrations"); r.code != http.StatusForbidden {
		t.Errorf("who may not configure gets %d", r.code)
	}
	if r := b.post(page+"/delete", nil); r.code != http.StatusSeeOther || strings.Contains(b.get("/integrations").body, "acme 2") {
		t.Errorf("delete: %d", r.code)
	}
}
