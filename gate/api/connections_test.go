package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"defectdojo/gate/api"
	"defectdojo/gate/store"
	"defectdojo/integrations/github/githubtest"
)

// connect makes a connection with a repository and a delivery that was worked.
func (s *site) connect() (ids [3]int64) {
	s.t.Helper()
	ids[0] = s.must(201, "POST", "/api/v2/connections/", fmt.Sprintf(`{"kind":"github","name":"hub %d","settings":{"url":"http://127.0.0.1:1"},"secrets":{"token":"t0ken"}}`, time.Now().UnixNano())).id()
	r, err := s.store.SaveRepository(s.t.Context(), store.Repository{ConnectionID: ids[0], ProviderID: 1, FullName: "a/b"})
	if err != nil {
		s.t.Fatal(err)
	}
	ids[1] = r.ID
	if ids[2], err = s.store.AddDelivery(s.t.Context(), store.Delivery{ConnectionID: ids[0], DeliveryID: "d", Body: []byte("{}"), Received: now, State: store.DeliveryDone}); err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// TestConnections: a secret goes in and never comes out.
func TestConnections(t *testing.T) {
	t.Parallel()
	hub := githubtest.New(t)
	s := newSite(t, func(d *api.Deps) {})
	key, err := json.Marshal(githubtest.PrivateKey())
	if err != nil {
		t.Fatal(err)
	}
	made := s.must(201, "POST", "/api/v2/connections/", fmt.Sprintf(
		`{"kind":"github","name":"acme","settings":{"url":%q,"app_id":%d,"create":["acme/*"]},"secrets":{"private_key":%s}}`, hub.URL, githubtest.AppID, key))
	id := made.id()
	path := fmt.Sprintf("/api/v2/connections/%d/", id)
	secret, _ := made.get("webhook_secret").(string)
	if len(secret) < 32 || !strings.HasPrefix(made.get("webhook_url").(string), "https://gate.example.org/hooks/github/") || made.get("secrets.private_key.set") != true || made.get("secrets.token.set") != false {
		t.Fatalf("made: %v", made)
	}
	if said := s.must(200, "POST", path+"test/", ""); said.get("works") != true || !strings.Contains(said.get("message").(string), "gate, with access to 1") {
		t.Errorf("test: %v", said)
	}
	if n := s.must(200, "POST", path+"sync/", ""); n.get("repositories") != 1.0 {
		t.Errorf("sync: %v", n)
	}
	repos := s.must(200, "GET", path+"repositories/", "")
	if repos.get("results.0.full_name") != "acme/shop" || repos.get("results.0.product") == nil {
		t.Errorf("repositories: %v", repos)
	}
	repo := fmt.Sprintf("/api/v2/repositories/%v/", repos.get("results.0.id"))
	if got := s.must(200, "PATCH", repo, `{"product":null,"artifacts":["*.sarif"]}`); got.get("product") != nil || got.get("artifacts.0") != "*.sarif" {
		t.Errorf("unmapped: %v", got)
	}
	s.must(400, "PATCH", repo, `{"product":4711}`)
	s.must(400, "PATCH", repo, `{"artifacts":["["]}`)

	whole := repos.get("results.0.id")
	part := s.must(201, "POST", path+"repositories/", fmt.Sprintf(`{"repository":%v,"component":"api","paths":["/services/api/","libs"],"artifacts":["api-*"]}`, whole))
	if part.get("component") != "api" || part.get("paths.0") != "services/api" || part.get("full_name") != "acme/shop" || part.get("product") != nil {
		t.Errorf("a part: %v", part)
	}
	api := fmt.Sprintf("/api/v2/repositories/%v/", part.get("id"))
	if got := s.must(200, "PATCH", api, `{"paths":["services/api"]}`); fmt.Sprint(got.get("paths")) != "[services/api]" || got.get("artifacts.0") != "api-*" {
		t.Errorf("its paths: %v", got)
	}
	for field, body := range map[string]string{
		"component": fmt.Sprintf(`{"repository":%v,"component":"api","paths":["x"]}`, whole), "repository": `{"repository":4711,"component":"web","paths":["x"]}`,
		"paths": fmt.Sprintf(`{"repository":%v,"component":"web"}`, whole), "product": fmt.Sprintf(`{"repository":%v,"component":"web","paths":["x"],"product":4711}`, whole),
	} {
		if got := s.must(400, "POST", path+"repositories/", body); got.get(field) == nil {
			t.Errorf("%s: %v", body, got)
		}
	}
	for _, wrong := range []string{"..", "a/../..", ".", "", "a/*"} {
		s.must(400, "PATCH", api, fmt.Sprintf(`{"paths":[%q]}`, wrong))
	}
	s.must(400, "PATCH", repo, `{"paths":["services"]}`) // the repository is all of it
	s.must(409, "DELETE", repo, "")
	s.must(204, "DELETE", api, "")
	s.must(404, "PATCH", api, `{}`)

	renewed := s.must(200, "POST", path+"secret/", "").get("webhook_secret")
	if renewed == secret || renewed == "" {
		t.Errorf("the new secret is %v", renewed)
	}
	s.must(200, "PATCH", path, `{"name":"acme 2","settings":{"code_scanning":true}}`) // nothing else changes
	if got := s.must(200, "GET", path, ""); got.get("settings.app_id") != float64(githubtest.AppID) || got.get("name") != "acme 2" || got.get("secrets.private_key.set") != true {
		t.Errorf("changed: %v", got)
	}
	if said := s.must(200, "POST", path+"test/", ""); said.get("works") != true {
		t.Errorf("after a change: %v", said)
	}
	for _, body := range []string{
		`{"kind":"github","name":"acme 2","settings":{"url":"https://x.example"},"secrets":{"token":"t"}}`, `{"kind":"github","name":"","secrets":{"token":"t"}}`,
		`{"kind":"carrier pigeon","name":"x"}`, `{"kind":"github","name":"x"}`, `{"kind":"github","name":"x","settings":{"app_id":1},"secrets":{"private_key":"rubbish CANARY"}}`,
		`{"kind":"github","name":"x","settings":{"url":"ftp://x"},"secrets":{"token":"t"}}`, `{"kind":"github","name":"x","settings":{"artifacts":["["]},"secrets":{"token":"t"}}`, `{`,
	} {
		if got := s.must(400, "POST", "/api/v2/connections/", body); strings.Contains(fmt.Sprint(got), "CANARY") {
			t.Errorf("%s tells the secret: %v", body, got)
		}
	}
	for _, p := range []string{"/api/v2/connections/", path, path + "deliveries/", path + "repositories/"} {
		text := fmt.Sprint(s.must(200, "GET", p, ""))
		for _, canary := range []string{secret, fmt.Sprint(renewed), "PRIVATE KEY", "MII"} {
			if strings.Contains(text, canary) {
				t.Errorf("GET %s tells a secret", p)
			}
		}
	}
	var told int
	if err := s.pool.QueryRow(t.Context(), `select count(*) from audit_events where object in ('connection', 'repository')`).Scan(&told); err != nil || told < 4 {
		t.Errorf("%d entries of the history: %v", told, err)
	}
	var leaked bool
	if err := s.pool.QueryRow(t.Context(), `select exists (select from audit_events where changes::text like '%PRIVATE%' or changes::text like $1)`, "%"+secret+"%").Scan(&leaked); err != nil || leaked {
		t.Error("the history tells a secret")
	}
	s.must(204, "DELETE", path, "")
	s.must(404, "GET", path, "")
}
