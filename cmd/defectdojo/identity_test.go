package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ciIssuer stands for GitHub's and GitLab's identity services, of which one
// signs tokens and the other asks for its keys.
type ciIssuer struct {
	*httptest.Server

	key    *rsa.PrivateKey
	claims map[string]any
	n      atomic.Int64
}

func newCIIssuer(t *testing.T) *ciIssuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &ciIssuer{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
		case "/keys":
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
		case "/request": // of the runner
			if r.Header.Get("Authorization") != "Bearer of-the-runner" || r.URL.Query().Get("api-version") != "2.0" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"value": i.sign(t, r.URL.Query().Get("audience"))})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *ciIssuer) sign(t *testing.T, audience string) string {
	now := time.Now().Unix()
	c := map[string]any{"iss": i.URL, "aud": audience, "iat": now, "nbf": now, "exp": now + 300, "jti": fmt.Sprint(i.n.Add(1))}
	maps.Copy(c, i.claims)
	b, _ := json.Marshal(c)
	e := base64.RawURLEncoding.EncodeToString
	text := e([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + e(b)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return text + "." + e(sig)
}

// TestKeyless uploads from jobs that have no token, only what the CI vouches for.
func TestKeyless(t *testing.T) {
	t.Parallel()
	hub, lab := newCIIssuer(t), newCIIssuer(t)
	h := newHost(t, "DD_OIDC_ISSUERS=github="+hub.URL+",gitlab="+lab.URL, "DD_ALLOWED_NETWORKS=127.0.0.0/8")
	srv := h.start()
	if code, _, stderr := srv.pipeline(h).run("defectdojo-upload", "--product", "shop", "--branch", "main", "--commit", "c0", report(t, oldFinding)); code != 0 {
		t.Fatal(stderr)
	}
	admin := adminToken(t, srv)
	for _, rule := range []string{
		`{"product":%d,"provider":"github","issuer":"` + hub.URL + `","repository_id":"74","owner_id":"65","repository":"octo/shop"}`,
		`{"product":%d,"provider":"gitlab","issuer":"` + lab.URL + `","repository_id":"20","owner_id":"72","repository":"group/shop"}`,
	} {
		var added struct{ ID int64 }
		call(t, srv.site, admin, http.MethodPost, "/trust_rules/", fmt.Sprintf(rule, productID(t, srv.site, admin, "shop")), http.StatusCreated, &added)
	}
	hub.claims = map[string]any{
		"repository_id": "74", "repository_owner_id": "65", "repository": "octo/shop", "ref": "refs/heads/main", "ref_type": "branch", "event_name": "push", "sha": strings.Repeat("a", 40),
		"run_id": "7", "run_attempt": "1",
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "DD_URL=" + srv.site, "GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=octo/shop", "GITHUB_REF_NAME=main", "GITHUB_SHA=" + strings.Repeat("a", 40), "GITHUB_RUN_ID=7",
		"GITHUB_EVENT_NAME=push", "ACTIONS_ID_TOKEN_REQUEST_URL=" + hub.URL + "/request?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-runner",
	}
	job := func(env []string, args ...string) (int, string) {
		t.Helper()
		ci := h
		ci.env = env
		code, stdout, stderr := ci.run("defectdojo-upload", args...)
		return code, stdout + stderr
	}
	if code, said := job(env, report(t, oldFinding)); code != 0 || !strings.Contains(said, "PASSED  shop") {
		t.Errorf("push: exit code %d\n%s", code, said)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"another_branch":  {[]string{"--engagement", "release", "--branch", "release"}, "it cannot bring reports of release"},
		"another_commit":  {[]string{"--commit", strings.Repeat("b", 40)}, "cannot bring reports of another"},
		"another_product": {[]string{"--product", "payments"}, "permission"},
	} {
		if code, said := job(env, append(c.args, report(t, oldFinding))...); code != 4 || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d\n%s", name, code, said)
		}
	}
	// A pull request: its own branch, never the one that it goes into.
	event := t.TempDir() + "/event.json"
	if err := os.WriteFile(event, []byte(`{"number":12,"pull_request":{"head":{"sha":"`+strings.Repeat("c", 40)+`","repo":{"full_name":"fork/shop"}},"base":{"sha":"`+strings.Repeat("a", 40)+`","repo":{"full_name":"octo/shop"}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	hub.claims["event_name"], hub.claims["ref"], hub.claims["head_ref"], hub.claims["base_ref"] = "pull_request_target", "refs/pull/12/merge", "main", "main"
	pull := slices.Concat(env, []string{"GITHUB_EVENT_NAME=pull_request_target", "GITHUB_HEAD_REF=main", "GITHUB_BASE_REF=main", "GITHUB_EVENT_PATH=" + event})
	if code, said := job(pull, report(t, oldFinding, newFinding)); code != 1 || !strings.Contains(said, "#12") {
		t.Errorf("a fork's branch called main: exit code %d\n%s", code, said)
	}
	if code, said := job(pull, "--engagement", "main", report(t)); code == 0 {
		t.Errorf("a pull request as main: exit code %d\n%s", code, said)
	}
	var engagements struct {
		Results []struct{ Name string }
	}
	call(t, srv.site, admin, http.MethodGet, "/engagements/?limit=100", "", http.StatusOK, &engagements)
	if s := fmt.Sprint(engagements.Results); s != "[{pull/12} {main}]" && s != "[{main} {pull/12}]" {
		t.Errorf("engagements: %s", s)
	}
	// GitLab hands the token over in the environment.
	lab.claims = map[string]any{
		"project_id": "20", "namespace_id": "72", "project_path": "group/shop", "ref": "main", "ref_type": "branch", "ref_protected": "true", "pipeline_source": "push", "sha": strings.Repeat("d", 40), "pipeline_id": "9",
	}
	gitlab := []string{"PATH=" + os.Getenv("PATH"), "DD_URL=" + srv.site, "GITLAB_CI=true", "CI_PROJECT_PATH=group/shop", "CI_COMMIT_REF_NAME=main", "CI_COMMIT_SHA=" + strings.Repeat("d", 40), "CI_PIPELINE_ID=9"}
	if code, said := job(append(gitlab, "DD_ID_TOKEN="+lab.sign(t, srv.site)), report(t, oldFinding)); code != 0 || !strings.Contains(said, "PASSED  shop") {
		t.Errorf("GitLab: exit code %d\n%s", code, said)
	}
	if code, said := job(append(gitlab, "DD_ID_TOKEN="+lab.sign(t, "https://elsewhere.example.org")), report(t, oldFinding)); code != 4 || !strings.Contains(said, "audience") {
		t.Errorf("GitLab, for another server: exit code %d\n%s", code, said)
	}
	if code, said := job(append(slices.Clip(env), "ACTIONS_ID_TOKEN_REQUEST_TOKEN=wrong"), report(t, oldFinding)); code != 4 || !strings.Contains(said, "id-token") {
		t.Errorf("no permission: exit code %d\n%s", code, said)
	}
}

var passwordIn = regexp.MustCompile(`password +(\S{16,}) +\(shown this once\)`)

// adminToken logs the first administrator in.
func adminToken(t *testing.T, srv *foreground) string {
	t.Helper()
	m := passwordIn.FindStringSubmatch(srv.welcome)
	var got struct{ Token string }
	call(t, srv.site, "", http.MethodPost, "/api-token-auth/", fmt.Sprintf(`{"username":"admin","password":%q}`, m[1]), http.StatusOK, &got)
	return got.Token
}

func productID(t *testing.T, site, token, name string) int64 {
	t.Helper()
	var list struct{ Results []struct{ ID int64 } }
	call(t, site, token, http.MethodGet, "/products/?name_exact="+name, "", http.StatusOK, &list)
	if len(list.Results) != 1 {
		t.Fatalf("%d products called %s", len(list.Results), name)
	}
	return list.Results[0].ID
}

// call sends a request to the API and decodes the answer.
func call(t *testing.T, site, token, method, path, body string, want int, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, site+"/api/v2"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, b, err)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
}
