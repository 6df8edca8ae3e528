package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/auth"
	"defectdojo/gate/connection/connectiontest"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/ingest"
	"defectdojo/gate/people"
	"defectdojo/gate/policy"
	"defectdojo/gate/seal"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/gate/triage"
	"defectdojo/gate/verdict"
	"defectdojo/gate/waiver"
)

// site is the pages on a database of their own, with the small shop in it.
type site struct {
	app  *fiber.App
	db   *pgxpool.Pool
	auth *auth.Auth

	judge *verdict.Judge
}

const password = "correct horse battery"

// cheap makes the tests' passwords cost next to nothing.
var cheap = auth.Params{Memory: 64, Time: 1, Threads: 1}

// siteKey seals the tests' secrets.
var siteKey = seal.NewKey()

// newSite starts the pages on db. With files, testdata of these names is in it.
func newSite(t testing.TB, db *pgxpool.Pool, files ...string) *site {
	t.Helper()
	for _, name := range files {
		sql, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), string(sql)); err != nil {
			t.Fatal(name, err)
		}
		if _, err := db.Exec(t.Context(), `update users set password_hash = $1`, cheap.Hash(password)); err != nil {
			t.Fatal(err)
		}
	}
	s := store.New(db)
	a := auth.New(s, auth.Config{Hash: cheap})
	judge, keys := &verdict.Judge{Store: s}, &signing.Keys{Store: s, Box: seal.New(siteKey)}
	if len(files) > 0 {
		if err := keys.Prepare(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	app := fiber.New(fiber.Config{ErrorHandler: Error, Immutable: true, DisableStartupMessage: true})
	Mount(app, Deps{
		Store: s, Auth: a, Triage: &triage.Triage{Store: s}, Identities: &ingest.Identities{Store: s, Later: func(context.Context, pgx.Tx, string) error { return nil }}, Tracker: newTracker(s), Notifier: newNotifier(s), SiteURL: "https://gate.example.org", Now: time.Now,
		Judge: judge, Keys: keys, People: &people.Desk{Store: s, Auth: a}, Policies: &policy.Desk{Store: s}, Waivers: &waiver.Desk{Store: s, Findings: judge.Findings, Policies: judge.Policies}, Connections: connectiontest.New(s),
	})
	return &site{app, db, a, judge}
}

// shop is a site with the small shop.
func shop(t testing.TB) *site {
	t.Helper()
	return newSite(t, gatetest.DB(t), "shop.sql")
}

// browser is somebody who looks at a site.
type browser struct {
	*site
	t       testing.TB
	cookies map[string]string
	csrf    string
}

// login returns a browser of a user who is logged in; a blank name is of nobody.
func (s *site) login(t testing.TB, username string) *browser {
	t.Helper()
	b := &browser{site: s, t: t, cookies: map[string]string{}}
	if username == "" {
		return b
	}
	if r := b.post("/login", url.Values{"username": {username}, "password": {password}}); r.code != http.StatusSeeOther {
		t.Fatalf("login of %s: %d %s", username, r.code, r.body)
	}
	b.csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(b.get("/keys").body)[1]
	return b
}

// response is an answer, read whole.
type response struct {
	code   int
	header http.Header
	body   string
}

func (b *browser) get(address string, headers ...string) response {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, address, nil), headers...)
}

// post sends a form with the session's CSRF token.
func (b *browser) post(address string, form url.Values, headers ...string) response {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if b.csrf != "" && !form.Has("csrf") {
		form.Set("csrf", b.csrf)
	}
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r, headers...)
}

// do sends a request with the cookies, and keeps those that come back.
func (b *browser) do(r *http.Request, headers ...string) response {
	b.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.app.Test(r, 20_000)
	if err != nil {
		b.t.Fatal(r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return response{resp.StatusCode, resp.Header, string(body)}
}

// expires is a day on which a waiver may end.
func (b *browser) expires() string { return time.Now().AddDate(0, 0, 5).Format(time.DateOnly) }
