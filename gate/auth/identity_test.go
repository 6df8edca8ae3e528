package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

const audience = "https://gate.example.org"

// vouch stands for an issuer: a server with discovery and keys.
type vouch struct {
	*httptest.Server

	mu      sync.Mutex
	keys    jose.JSONWebKeySet
	issuer  string // that it says it is; blank: its own
	jwks    string // where it says its keys are; blank: its own
	down    atomic.Bool
	fetches atomic.Int32
}

func newVouch(t *testing.T) *vouch {
	t.Helper()
	v := &vouch{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			doc := map[string]any{"issuer": v.URL, "jwks_uri": v.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
			if v.issuer != "" {
				doc["issuer"] = v.issuer
			}
			if v.jwks != "" {
				doc["jwks_uri"] = v.jwks
			}
			_ = json.NewEncoder(w).Encode(doc)
		case "/keys":
			v.fetches.Add(1)
			_ = json.NewEncoder(w).Encode(v.keys)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vouch) set(keys ...jose.JSONWebKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys.Keys = keys
}

func public(id string, k any) jose.JSONWebKey {
	return jose.JSONWebKey{Key: k, KeyID: id, Algorithm: "RS256", Use: "sig"}
}

func newKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a token of any header and payload, whatever a library thinks of them.
func sign(t *testing.T, k *rsa.PrivateKey, header, payload string) string {
	t.Helper()
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(sig)
}

type identities struct {
	fixture

	github, gitlab *vouch
	key            *rsa.PrivateKey
	product        int64
	root           gate.User
	n              atomic.Int64
}

const header = `{"alg":"RS256","typ":"JWT","kid":"k1"}`

func newIdentities(t *testing.T) *identities {
	t.Helper()
	x := &identities{github: newVouch(t), gitlab: newVouch(t), key: newKey(t, 2048)}
	x.github.set(public("k1", &x.key.PublicKey))
	x.gitlab.set(public("k1", &x.key.PublicKey))
	x.fixture = newFixture(t, auth.Config{OIDC: auth.OIDCConfig{
		Audience: audience, Client: x.github.Client(), Issuers: []auth.Issuer{{Provider: "github", URL: x.github.URL}, {Provider: "gitlab", URL: x.gitlab.URL}},
	}})
	x.root = x.user(t, "root")
	typ, err := x.store.AddProductType(t.Context(), gate.ProductType{Name: "Web"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := x.store.AddProduct(t.Context(), gate.Product{Name: "shop", Description: "d", ProdTypeID: typ.ID, SLAConfigurationID: 1})
	if err != nil {
		t.Fatal(err)
	}
	x.product = p.ID
	for _, r := range []store.TrustRule{
		{ProductID: p.ID, Provider: "github", Issuer: x.github.URL, RepositoryID: "74", OwnerID: "65", Repository: "octo/shop"},
		{ProductID: p.ID, Provider: "gitlab", Issuer: x.gitlab.URL, RepositoryID: "20", OwnerID: "72", Repository: "group/shop"},
	} {
		x.trust(t, r)
	}
	return x
}

func (x *identities) trust(t *testing.T, r store.TrustRule) store.TrustRule {
	t.Helper()
	r, err := x.AddTrustRule(t.Context(), gate.Principal{User: x.root}, r, auth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// job returns the claims of a job, changed: a nil value takes a claim away.
func (x *identities) job(provider string, change map[string]any) map[string]any {
	now := x.clock.Now().Unix()
	c := map[string]any{"aud": audience, "exp": now + 300, "nbf": now, "iat": now, "jti": fmt.Sprint("id", x.n.Add(1)), "sha": "c0ffee", "ref_type": "branch"}
	if provider == "github" {
		maps.Copy(c, map[string]any{
			"iss": x.github.URL, "sub": "repo:octo@65/shop@74:ref:refs/heads/main", "ref": "refs/heads/main", "repository": "octo/shop", "repository_id": "74", "repository_owner": "octo",
			"repository_owner_id": "65", "event_name": "push", "run_id": "77", "run_attempt": "1", "actor_id": "12", "job_workflow_ref": "octo/shop/.github/workflows/ci.yml@refs/heads/main",
		})
	} else {
		maps.Copy(c, map[string]any{
			"iss": x.gitlab.URL, "sub": "project_path:group/shop:ref_type:branch:ref:main", "ref": "main", "ref_path": "refs/heads/main", "ref_protected": "true", "project_path": "group/shop",
			"project_id": "20", "namespace_id": "72", "namespace_path": "group", "pipeline_source": "push", "pipeline_id": "574", "user_id": "1",
		})
	}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func (x *identities) token(t *testing.T, provider string, change map[string]any) string {
	t.Helper()
	b, err := json.Marshal(x.job(provider, change))
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, x.key, header, string(b))
}

func (x *identities) exchange(t *testing.T, token string) (auth.Exchanged, error) {
	t.Helper()
	return x.Exchange(t.Context(), token, auth.Client{IP: fmt.Sprint("192.0.2.", x.n.Add(1))})
}

// TestForgedIdentities presents every token that must not be believed.
func TestForgedIdentities(t *testing.T) {
	t.Parallel()
	x := newIdentities(t)
	now := x.clock.Now().Unix()
	another := newKey(t, 2048)
	short := newKey(t, 1024)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x.github.set(public("k1", &x.key.PublicKey), public("short", &short.PublicKey), jose.JSONWebKey{Key: &another.PublicKey, KeyID: "enc", Use: "enc"},
		jose.JSONWebKey{Key: &ec.PublicKey, KeyID: "ec", Use: "sig"})
	payload := func(change map[string]any) string {
		b, err := json.Marshal(x.job("github", change))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	hs := func(secret []byte) string {
		text := b64([]byte(`{"alg":"HS256","typ":"JWT","kid":"k1"}`)) + "." + b64([]byte(payload(nil)))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return text + "." + b64(mac.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(&x.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	good := x.token(t, "github", nil)
	parts := strings.Split(good, ".")
	used := x.token(t, "github", nil)
	if _, err := x.exchange(t, used); err != nil {
		t.Fatal("a good token:", err)
	}
	ecText := b64([]byte(`{"alg":"ES256","kid":"ec"}`)) + "." + b64([]byte(payload(nil)))
	sum := sha256.Sum256([]byte(ecText))
	er, es, err := ecdsa.Sign(rand.Reader, ec, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	ecSig := append(er.FillBytes(make([]byte, 32)), es.FillBytes(make([]byte, 32))...)
	embedded, _ := json.Marshal(map[string]any{"alg": "RS256", "jwk": public("", &another.PublicKey)})
	hub := func(change map[string]any) string { return x.token(t, "github", change) }
	lab := func(change map[string]any) string { return x.token(t, "gitlab", change) }

	forged := []struct{ name, token string }{
		{"alg_none", b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."},
		{"alg_none_signed", b64([]byte(`{"alg":"None","kid":"k1"}`)) + "." + parts[1] + "." + parts[2]},
		{"hs256_with_the_public_key", hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		{"hs256_with_its_der", hs(der)},
		{"no_signature", parts[0] + "." + parts[1] + "."},
		{"cut_signature", good[:len(good)-4]},
		{"changed_payload", parts[0] + "." + b64([]byte(payload(map[string]any{"repository_id": "74", "ref": "refs/heads/release"}))) + "." + parts[2]},
		{"unknown_kid", sign(t, x.key, `{"alg":"RS256","kid":"k2"}`, payload(nil))},
		{"no_kid", sign(t, x.key, `{"alg":"RS256"}`, payload(nil))},
		{"kid_of_another_key", sign(t, another, header, payload(nil))},
		{"key_in_the_header", sign(t, another, string(embedded), payload(nil))},
		{"jku", sign(t, another, `{"alg":"RS256","kid":"k1","jku":"`+x.gitlab.URL+`/keys"}`, payload(nil))},
		{"crit", sign(t, x.key, `{"alg":"RS256","kid":"k1","crit":["exp"],"exp":1}`, payload(nil))},
		{"key_for_encryption", sign(t, another, `{"alg":"RS256","kid":"enc"}`, payload(nil))},
		{"short_key", sign(t, short, `{"alg":"RS256","kid":"short"}`, payload(nil))},
		{"es256_that_the_issuer_does_not_list", ecText + "." + b64(ecSig)},
		{"json_serialisation", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`},
		{"aud_of_another", hub(map[string]any{"aud": "https://github.com/octo"})},
		{"aud_list", hub(map[string]any{"aud": []string{audience}})},
		{"aud_list_with_another", hub(map[string]any{"aud": []string{"https://vault.example.org", audience}})},
		{"aud_with_a_slash", hub(map[string]any{"aud": audience + "/"})},
		{"no_aud", hub(map[string]any{"aud": nil})},
		{"iss_of_another", hub(map[string]any{"iss": "https://evil.example.org"})},
		{"iss_with_a_slash", hub(map[string]any{"iss": x.github.URL + "/"})},
		{"iss_in_capitals", hub(map[string]any{"iss": strings.ToUpper(x.github.URL)})},
		{"no_iss", hub(map[string]any{"iss": nil})},
		{"expired", hub(map[string]any{"exp": now - 61, "iat": now - 300, "nbf": now - 300})},
		{"of_the_future", hub(map[string]any{"iat": now + 61, "exp": now + 900})},
		{"not_yet", hub(map[string]any{"nbf": now + 61})},
		{"old", hub(map[string]any{"iat": now - 661, "nbf": now - 661})},
		{"no_exp", hub(map[string]any{"exp": nil})},
		{"no_iat", hub(map[string]any{"iat": nil})},
		{"no_jti", hub(map[string]any{"jti": nil})},
		{"no_repository_id", hub(map[string]any{"repository_id": nil})},
		{"no_owner_id", hub(map[string]any{"repository_owner_id": nil})},
		{"id_as_a_number", sign(t, x.key, header, strings.Replace(payload(nil), `"repository_id":"74"`, `"repository_id":74`, 1))},
		{"another_repository_of_the_same_name", hub(map[string]any{"repository_id": "75"})},
		{"the_old_name_of_a_renamed_repository", hub(map[string]any{"repository_id": "76", "repository_owner_id": "65", "repository": "octo/shop"})},
		{"a_recycled_owner_name", hub(map[string]any{"repository_owner_id": "66", "repository": "octo/shop"})},
		{"used_before", used},
		{"1_mb", hub(map[string]any{"x": strings.Repeat("x", 1<<20)})},
		{"a_claim_twice", sign(t, x.key, header, strings.TrimSuffix(payload(nil), "}")+`,"repository_id":"74"}`)},
		{"a_claim_twice_in_other_case", sign(t, x.key, header, strings.Replace(payload(nil), `"repository_id"`, `"Repository_ID"`, 1))},
		{"github_claims_of_the_gitlab_issuer", hub(map[string]any{"iss": x.gitlab.URL})},
		{"gitlab_unprotected_default_branch", lab(map[string]any{"ref_protected": "false"})},
		{"gitlab_no_ref_protected", lab(map[string]any{"ref_protected": nil})},
		{"gitlab_another_namespace", lab(map[string]any{"namespace_id": "73"})},
		{"gitlab_another_project", lab(map[string]any{"project_id": "21"})},
		{"a_tag_called_main", hub(map[string]any{"ref": "refs/tags/main", "ref_type": "tag"})},
		{"nothing", ""},
		{"words", "not.a.token"},
	}
	refused := 0
	for _, f := range forged {
		got, err := x.exchange(t, f.token)
		if err == nil || got.Token != "" || gate.KindOf(err) != gate.Unauthorized {
			t.Errorf("%s: %+v, %v", f.name, got, err)
			continue
		}
		refused++
		if len(f.token) > 20 && strings.Contains(err.Error(), f.token[len(f.token)-20:]) {
			t.Errorf("%s: the error tells the token: %v", f.name, err)
		}
	}
	t.Logf("forged tokens refused: %d/%d", refused, len(forged))
	if len(forged) < 40 {
		t.Errorf("only %d forged tokens", len(forged))
	}
	if n := x.github.fetches.Load(); n > 3 {
		t.Errorf("the issuer was asked %d times for its keys by tokens with unknown keys", n)
	}
}

// TestIdentityOutage: without its keys an issuer is believed no more than a day.
func TestIdentityOutage(t *testing.T) {
	t.Parallel()
	x := newIdentities(t)
	x.github.down.Store(true)
	if _, err := x.exchange(t, x.token(t, "github", nil)); gate.KindOf(err) != gate.Unavailable {
		t.Fatalf("keys that never were there: %v", err)
	}
	x.github.down.Store(false)
	x.clock.pass(10 * time.Second)
	try := func(what string, want gate.Kind) {
		t.Helper()
		_, err := x.exchange(t, x.token(t, "github", nil))
		if (err == nil) != (want == gate.Internal) || err != nil && gate.KindOf(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	try("keys are there", gate.Internal)
	try("and are kept", gate.Internal)
	if n := x.github.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	x.github.down.Store(true)
	x.clock.pass(23 * time.Hour)
	try("23 hours without the issuer", gate.Internal)
	x.clock.pass(2 * time.Hour)
	try("25 hours without the issuer", gate.Unavailable)
	x.github.down.Store(false)
	x.clock.pass(2 * time.Minute)
	try("it is back", gate.Internal)

	// The key changes: at once if it was not asked within a minute.
	old := x.key
	x.key = newKey(t, 2048)
	x.github.set(public("k1", &old.PublicKey), public("k2", &x.key.PublicKey))
	x.clock.pass(2 * time.Minute)
	b, _ := json.Marshal(x.job("github", nil))
	if _, err := x.exchange(t, sign(t, x.key, `{"alg":"RS256","kid":"k2"}`, string(b))); err != nil {
		t.Errorf("rotated: %v", err)
	}
	x.github.set(public("k2", &x.key.PublicKey))
	x.clock.pass(61 * time.Minute)
	b, _ = json.Marshal(x.job("github", nil))
	if _, err := x.exchange(t, sign(t, old, header, string(b))); gate.KindOf(err) != gate.Unauthorized {
		t.Errorf("a key that was withdrawn: %v", err)
	}

	// An issuer that says it is another, or whose keys are elsewhere.
	for _, change := range []func(*vouch){func(v *vouch) { v.issuer = "https://evil.example.org" }, func(v *vouch) { v.jwks = x.github.URL + "/keys" }} {
		y := newIdentities(t)
		change(y.gitlab)
		if _, err := y.exchange(t, y.token(t, "gitlab", nil)); gate.KindOf(err) != gate.Unavailable {
			t.Errorf("a wrong discovery: %v", err)
		}
	}
}

// TestIdentityBounds: what a job may bring follows from what its issuer says of it.
func TestIdentityBounds(t *testing.T) {
	t.Parallel()
	x := newIdentities(t)
	pr := map[string]any{"event_name": "pull_request", "ref": "refs/pull/12/merge", "head_ref": "feature", "base_ref": "main", "ref_type": "branch"}
	with := func(m map[string]any, kv ...any) map[string]any {
		m = maps.Clone(m)
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	mr := map[string]any{"pipeline_source": "merge_request_event", "ref": "feature", "ref_path": "refs/merge-requests/12/head", "ref_protected": "false"}
	for _, c := range []struct {
		name, provider string
		change         map[string]any
		branch, commit string
		pull, toMain   bool // it is a pull request's; it may bring main's reports
	}{
		{"push_main", "github", nil, "main", "c0ffee", false, true},
		{"push_feature", "github", map[string]any{"ref": "refs/heads/feature"}, "feature", "c0ffee", false, false},
		{"renamed", "github", map[string]any{"repository": "neo/store", "repository_owner": "neo"}, "main", "c0ffee", false, true},
		{"schedule", "github", map[string]any{"event_name": "schedule"}, "main", "c0ffee", false, true},
		{"tag", "github", map[string]any{"ref": "refs/tags/v1", "ref_type": "tag", "event_name": "release"}, "v1", "c0ffee", false, false},
		{"merge_queue", "github", map[string]any{"event_name": "merge_group", "ref": "refs/heads/gh-readonly-queue/main/pr-1-abc"}, "gh-readonly-queue/main/pr-1-abc", "c0ffee", false, false},
		{"pull_request", "github", pr, "feature", "", true, false},
		{"pull_request_target", "github", with(pr, "event_name", "pull_request_target"), "feature", "", true, false},
		{"fork_called_main", "github", with(pr, "event_name", "pull_request_target", "head_ref", "main"), "pull/12", "", true, false},
		{"into_a_release_branch_of_that_name", "github", with(pr, "head_ref", "release", "base_ref", "release"), "pull/12", "", true, false},
		{"workflow_run", "github", map[string]any{"event_name": "workflow_run"}, "pull/main", "", true, false},
		{"issue_comment", "github", map[string]any{"event_name": "issue_comment"}, "pull/main", "", true, false},
		{"gitlab_push", "gitlab", nil, "main", "c0ffee", false, true},
		{"gitlab_feature", "gitlab", map[string]any{"ref": "feature", "ref_path": "refs/heads/feature", "ref_protected": "false"}, "feature", "c0ffee", false, false},
		{"gitlab_merge_request", "gitlab", mr, "feature", "", true, false},
		{"gitlab_fork_called_main", "gitlab", with(mr, "ref", "main"), "pull/12", "", true, false},
	} {
		got, err := x.exchange(t, x.token(t, c.provider, c.change))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p, err := x.Token(t.Context(), got.Token)
		if err != nil {
			t.Fatal(err)
		}
		b := p.Token.Bounds
		if got.Branch != c.branch || b.Branch != c.branch || b.Commit != c.commit || b.PullRequest != c.pull || (b.Within("main", "") == "") != c.toMain || b.Within(c.branch, c.branch) != "" {
			t.Errorf("%s: %+v", c.name, b)
		}
		for _, engagement := range [][2]string{{"main", c.branch}, {"main", "main"}, {"nightly", "main"}, {"other", ""}} {
			if !c.toMain && b.Within(engagement[0], engagement[1]) == "" {
				t.Errorf("%s may bring reports of %v", c.name, engagement)
			}
		}
		if p.Token.Scope != gate.ScopeImport || len(p.Token.ProductIDs) != 1 || p.Token.Expires.Sub(x.clock.Now()) != 15*time.Minute {
			t.Errorf("%s: %+v", c.name, p.Token)
		}
		for do, want := range map[auth.Action]bool{auth.Import: true, auth.ViewVerdict: true, auth.View: false, auth.EditFinding: false, auth.ManageChannels: false} {
			if err := x.May(t.Context(), p, do, x.product); (err == nil) != want {
				t.Errorf("%s: %s: %v", c.name, do, err)
			}
		}
	}
}

// TestTrustRules: conditions hold, and a rule that is removed ends its tokens.
func TestTrustRules(t *testing.T) {
	t.Parallel()
	x := newIdentities(t)
	who := gate.Principal{User: x.root}
	r := x.trust(t, store.TrustRule{
		ProductID: x.product, Provider: "github", Issuer: x.github.URL, RepositoryID: "80", OwnerID: "65", Environment: "production", Workflow: "octo/api/.github/workflows/gate.yml",
	})
	job := map[string]any{"repository_id": "80", "environment": "production", "job_workflow_ref": "octo/api/.github/workflows/gate.yml@refs/heads/main"}
	for name, change := range map[string]any{"environment": "staging", "job_workflow_ref": "octo/api/.github/workflows/ci.yml@refs/heads/main"} {
		wrong := maps.Clone(job)
		wrong[name] = change
		if _, err := x.exchange(t, x.token(t, "github", wrong)); gate.KindOf(err) != gate.Unauthorized {
			t.Errorf("%s %v: %v", name, change, err)
		}
	}
	got, err := x.exchange(t, x.token(t, "github", job))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.RemoveTrustRule(t.Context(), who, r, auth.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Token(t.Context(), got.Token); gate.KindOf(err) != gate.Unauthorized {
		t.Errorf("the token of a rule that is gone: %v", err)
	}
	if _, err := x.exchange(t, x.token(t, "github", job)); gate.KindOf(err) != gate.Unauthorized {
		t.Errorf("a job of a rule that is gone: %v", err)
	}
	again := x.trust(t, store.TrustRule{ProductID: x.product, Provider: "github", Issuer: x.github.URL, RepositoryID: "80", OwnerID: "65"})
	if _, err := x.exchange(t, x.token(t, "github", job)); err != nil {
		t.Errorf("a rule that is there again: %v", err)
	}
	events, err := x.store.AuditEvents(t.Context(), "trust_rule", again.ID, 10)
	if err != nil || len(events) != 2 || events[0].Action != "exchange" || events[1].Action != "add" {
		t.Errorf("audit: %+v, %v", events, err)
	}
	for field, bad := range map[string]store.TrustRule{
		"provider":      {Provider: "bitbucket", RepositoryID: "1", OwnerID: "1"},
		"issuer":        {Provider: "github", Issuer: "https://evil.example.org", RepositoryID: "1", OwnerID: "1"},
		"repository_id": {Provider: "github", RepositoryID: "octo/shop", OwnerID: "1"},
		"owner_id":      {Provider: "github", RepositoryID: "1", OwnerID: ""},
	} {
		bad.ProductID = x.product
		if _, err := x.AddTrustRule(t.Context(), who, bad, auth.Client{}); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	// An address that only brings bad tokens has to wait; others do not.
	for range 40 {
		_, err = x.Exchange(t.Context(), "x", auth.Client{IP: "198.51.100.7"})
	}
	if gate.KindOf(err) != gate.Limited {
		t.Errorf("40 bad tokens: %v", err)
	}
	// Two exchanges at once of one token: one wins.
	token := x.token(t, "gitlab", nil)
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := x.Exchange(t.Context(), token, auth.Client{IP: "203.0.113.1"}); err == nil {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("one token was exchanged %d times", won.Load())
	}
}
