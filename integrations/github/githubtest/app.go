package githubtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// admits checks the credentials: the App's own for what is the App's, else a
// token of its installation or of a person.
func (g *GitHub) admits(w http.ResponseWriter, r *http.Request) bool {
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	isApp := strings.HasPrefix(r.URL.Path, "/api/v3/app")
	g.mu.Lock()
	good := g.Installed != 0 && !g.Suspended && bearer == g.appToken()
	g.mu.Unlock()
	if isApp && isAppToken(bearer) || !isApp && (good || bearer == Token) {
		return true
	}
	if isApp || !strings.HasPrefix(bearer, appToken) { // that of an installation that was there before is no fault of whoever sends it
		g.t.Errorf("%s %s with wrong credentials", r.Method, r.URL.Path)
	}
	http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
	return false
}

// appToken is that of the installation that there is now.
func (g *GitHub) appToken() string { return fmt.Sprint(appToken, g.Installed) }

func isAppToken(text string) bool {
	i := strings.LastIndexByte(text, '.')
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	sum := sha256.Sum256([]byte(text[:i]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || rsa.VerifyPKCS1v15(&key().PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Iat, Exp int64
		Iss      string
	}
	return json.Unmarshal(b, &claims) == nil && claims.Iss == strconv.Itoa(AppID) && claims.Exp-claims.Iat <= 600
}

func (g *GitHub) app(*http.Request) (int, any) { return 200, m{"id": AppID, "name": "gate"} }

func (g *GitHub) installations(*http.Request) (int, any) {
	if g.Installed == 0 {
		return 200, []any{}
	}
	i := m{"id": g.Installed, "account": m{"login": Owner}}
	if g.Suspended {
		i["suspended_at"] = "2026-01-01T00:00:00Z"
	}
	return 200, []any{i}
}

func (g *GitHub) token(r *http.Request) (int, any) {
	if g.Installed == 0 || number(r, "id") != g.Installed {
		return notFound()
	}
	if g.Suspended {
		return 403, m{"message": "This installation has been suspended"}
	}
	return 201, m{"token": g.appToken(), "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)} //nolint:forbidigo // the fake has a clock of its own
}

func (g *GitHub) visible(*http.Request) (int, any) {
	list := []any{}
	for id, name := range g.Visible {
		list = append(list, repo(id, name))
	}
	return 200, m{"total_count": len(list), "repositories": list}
}

func (g *GitHub) repository(r *http.Request) (int, any) {
	for id, name := range g.Visible {
		if name == r.PathValue("owner")+"/"+r.PathValue("name") {
			return 200, repo(id, name)
		}
	}
	return notFound()
}

func (g *GitHub) deliveries(*http.Request) (int, any) {
	out := []any{}
	for _, d := range g.Deliveries {
		out = append(out, m{"id": d.ID, "guid": d.GUID, "delivered_at": d.At.UTC().Format(time.RFC3339), "status_code": d.Status, "event": "workflow_run"})
	}
	return 200, out
}

func (g *GitHub) redeliver(r *http.Request) (int, any) {
	g.Redelivers = append(g.Redelivers, number(r, "id"))
	return 202, m{}
}
