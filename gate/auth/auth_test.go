package auth_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/store"
)

// cheap makes passwords cost next to nothing.
var cheap = auth.Params{Memory: 64, Time: 1, Threads: 1}

const password = "correct horse battery"

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

type fixture struct {
	*auth.Auth
	store *store.Store
	clock *clock
}

func newFixture(t *testing.T, cfg auth.Config) fixture {
	t.Helper()
	c := &clock{t: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	cfg.Now = c.Now
	if cfg.Hash == (auth.Params{}) {
		cfg.Hash = cheap
	}
	s := store.New(gatetest.DB(t))
	return fixture{auth.New(s, cfg), s, c}
}

func (f fixture) user(t *testing.T, name string) gate.User {
	t.Helper()
	u, err := f.store.AddUser(t.Context(), store.Account{User: gate.User{Username: name, IsActive: true}, PasswordHash: cheap.Hash(password)})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLogin(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{LoginFailures: 100})
	u := f.user(t, "jane")
	out := f.user(t, "gone")
	if err := f.store.SetUserActive(t.Context(), out.ID, false); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, username, password string
		kind                     gate.Kind
		ok                       bool
	}{
		{"right", "jane", password, 0, true},
		{"wrong", "jane", "correct horse batterz", gate.Unauthorized, false},
		{"blank", "jane", "", gate.Unauthorized, false},
		{"unknown", "joe", password, gate.Unauthorized, false},
		{"inactive", "gone", password, gate.Unauthorized, false},
		{"no_name", "", "", gate.Unauthorized, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := f.Login(t.Context(), tt.username, tt.password, auth.Client{IP: "192.0.2.1"})
			if tt.ok != (err == nil) || err != nil && gate.KindOf(err) != tt.kind {
				t.Fatalf("Login = %v, want kind %v", err, tt.kind)
			}
			if tt.ok && (s.User.ID != u.ID || len(s.ID) != 43 || s.CSRF == s.ID) {
				t.Errorf("session of user %d, ID of %d characters", s.User.ID, len(s.ID))
			}
		})
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{})
	f.user(t, "jane")
	login := func() auth.Session {
		t.Helper()
		s, err := f.Login(t.Context(), "jane", password, auth.Client{IP: "192.0.2.1", UserAgent: strings.Repeat("x", 9000)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := func(id string) bool { _, err := f.Session(t.Context(), id); return err == nil }

	first, second := login(), login()
	if first.ID == second.ID {
		t.Error("two logins gave the same session ID")
	}
	again, err := f.Session(t.Context(), first.ID)
	if err != nil || again.User.Username != "jane" || !again.ValidCSRF(first.CSRF) || again.ValidCSRF("") || again.ValidCSRF(second.CSRF) {
		t.Errorf("Session = %+v, %v", again, err)
	}
	if err := f.Logout(t.Context(), first.ID); err != nil || good(first.ID) || !good(second.ID) {
		t.Errorf("after Logout (%v) of the first: first good %v, second good %v", err, good(first.ID), good(second.ID))
	}
	for range 23 { // used every half hour but a minute
		f.clock.pass(29 * time.Minute)
		if !good(second.ID) {
			t.Fatal("a session in use is over before its time")
		}
	}
	f.clock.pass(31 * time.Minute)
	if good(second.ID) {
		t.Error("a session unused for half an hour is good")
	}
	third := login()
	for range 30 {
		f.clock.pass(25 * time.Minute)
		good(third.ID)
	}
	if good(third.ID) {
		t.Error("a session is good after 12 hours")
	}
	if good("") || good("nonsense") {
		t.Error("no session is good")
	}
	fourth := login()
	if err := f.store.SetUserActive(t.Context(), fourth.User.ID, false); err != nil || good(fourth.ID) {
		t.Error("a user who was shut out has a session")
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{AddressLimit: 40})
	f.user(t, "jane")
	try := func(name, pw, ip string) gate.Kind {
		_, err := f.Verify(t.Context(), name, pw, ip)
		if err == nil {
			return -1
		}
		return gate.KindOf(err)
	}
	for i := range 20 {
		want := gate.Unauthorized
		if i >= 5 {
			want = gate.Limited
		}
		if got := try("jane", "wrong", "192.0.2.1"); got != want {
			t.Fatalf("guess %d: kind %v, want %v", i+1, got, want)
		}
	}
	if got := try("jane", password, "192.0.2.1"); got != gate.Limited {
		t.Errorf("right password while limited: kind %v", got)
	}
	if got := try("jane", password, "192.0.2.2"); got != -1 {
		t.Errorf("another address: kind %v; one address must not shut an account out", got)
	}
	f.clock.pass(61 * time.Second)
	if got := try("jane", "wrong", "192.0.2.1"); got != gate.Unauthorized {
		t.Errorf("after a minute: kind %v", got)
	}
	f.clock.pass(61 * time.Second)
	if got := try("jane", password, "192.0.2.1"); got != gate.Limited {
		t.Errorf("the wait after the sixth failure is not longer: kind %v", got)
	}
	f.clock.pass(time.Minute)
	if got := try("jane", password, "192.0.2.1"); got != -1 {
		t.Errorf("after the wait: kind %v", got)
	}
	if got := try("jane", "wrong", "192.0.2.1"); got != gate.Unauthorized {
		t.Errorf("a good login did not start the count again: kind %v", got)
	}
	for i := range 60 {
		try("user"+strings.Repeat("x", i), "wrong", "192.0.2.3")
	}
	if got := try("jane", password, "192.0.2.3"); got != gate.Limited {
		t.Errorf("an address that guesses at many accounts: kind %v", got)
	}
}

// TestGuessesAtOnce sends many guesses together: they must not all slip
// through before the first is counted.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{Hashings: 2})
	f.user(t, "jane")
	var mu sync.Mutex
	checked := 0
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := f.Verify(t.Context(), "jane", "wrong", "192.0.2.1"); gate.KindOf(err) == gate.Unauthorized {
				mu.Lock()
				checked++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if checked > 6 {
		t.Errorf("%d of 50 guesses were checked, want at most 5 and one on its way", checked)
	}
}

// TestTiming compares how long unknown users, wrong passwords and inactive
// users take: an attacker must not tell them apart.
func TestTiming(t *testing.T) {
	t.Parallel()
	p := auth.Params{Memory: 8 << 10, Time: 1, Threads: 1}
	f := newFixture(t, auth.Config{Hash: p, LoginFailures: 1 << 30, AddressLimit: 1 << 30})
	if _, err := f.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "jane", IsActive: true}, PasswordHash: p.Hash(password)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "gone"}, PasswordHash: p.Hash(password)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.AddUser(t.Context(), store.Account{User: gate.User{Username: "sso", IsActive: true}}); err != nil {
		t.Fatal(err)
	}
	names := []string{"jane", "gone", "sso", "unknown"}
	took := map[string][]time.Duration{}
	for range 40 {
		for _, n := range names {
			start := time.Now()
			_, err := f.Verify(t.Context(), n, "wrong", "192.0.2.1")
			took[n] = append(took[n], time.Since(start))
			if gate.KindOf(err) != gate.Unauthorized {
				t.Fatal(err)
			}
		}
	}
	median := func(n string) time.Duration { slices.Sort(took[n]); return took[n][len(took[n])/2] }
	for _, n := range names[1:] {
		if r := float64(median(n)) / float64(median("jane")); r < 0.6 || r > 1.6 {
			t.Errorf("%s takes %v, a known user %v", n, median(n), median("jane"))
		}
	}
}

func TestRehash(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{Hash: auth.Params{Memory: 128, Time: 1, Threads: 1}})
	f.user(t, "jane") // hashed with the cheap ones
	for range 2 {
		if _, err := f.Verify(t.Context(), "jane", password, ""); err != nil {
			t.Fatal(err)
		}
	}
	a, err := f.store.Account(t.Context(), "jane")
	if err != nil || !strings.Contains(a.PasswordHash, "$m=128,") {
		t.Errorf("hash is %s, %v", a.PasswordHash, err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{})
	u := f.user(t, "jane")
	holder := func(text string) int64 {
		p, err := f.Token(t.Context(), text)
		if err != nil && gate.KindOf(err) != gate.Unauthorized {
			t.Error(err)
		}
		return p.User.ID
	}
	text, tok, err := f.AddToken(t.Context(), u, auth.NewToken{Name: "ci", Scope: gate.ScopeImport, ProductIDs: []int64{7}})
	if err != nil {
		t.Fatal(err)
	}
	if want := f.clock.Now().Add(90 * 24 * time.Hour); !tok.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", tok.Expires, want)
	}
	if !strings.HasPrefix(text, "gate_") || len(text) != 77 || !strings.HasPrefix(text, tok.PublicID) {
		t.Errorf("token %q of %d characters, public ID %q", text, len(text), tok.PublicID)
	}
	p, err := f.Token(t.Context(), text)
	if err != nil || p.User.ID != u.ID || p.Token.Scope != gate.ScopeImport || !slices.Equal(p.Token.ProductIDs, []int64{7}) {
		t.Errorf("Token = %+v, %v", p, err)
	}
	for name, bad := range map[string]string{
		"changed": text[:70] + "A" + text[71:], "cut": text[:76], "none": "", "other": "gate_" + strings.Repeat("0", 72), "long": text + text,
	} {
		if holder(bad) != 0 {
			t.Errorf("%s token is good", name)
		}
	}
	if err := f.RevokeToken(t.Context(), gate.User{ID: u.ID + 1}, tok.ID); gate.KindOf(err) != gate.NotFound {
		t.Errorf("somebody else revokes it: %v", err)
	}
	if err := f.RevokeToken(t.Context(), u, tok.ID); err != nil || holder(text) != 0 {
		t.Errorf("revoked (%v) token is good", err)
	}
	if _, _, err := f.AddToken(t.Context(), u, auth.NewToken{Name: "x", Scope: "root"}); gate.KindOf(err) != gate.Invalid {
		t.Errorf("unknown scope: %v", err)
	}
	if _, _, err := f.AddToken(t.Context(), u, auth.NewToken{Name: "x", Scope: gate.ScopeAll, Expires: f.clock.Now().AddDate(2, 0, 0)}); gate.KindOf(err) != gate.Invalid {
		t.Errorf("two years: %v", err)
	}
	short, _, err := f.AddToken(t.Context(), u, auth.NewToken{Name: "x", Scope: gate.ScopeAll, Expires: f.clock.Now().Add(time.Hour)})
	if err != nil || holder(short) != u.ID {
		t.Errorf("token of an hour: %v", err)
	}
	f.clock.pass(time.Hour)
	if holder(short) != 0 {
		t.Error("expired token is good")
	}
	dojo := strings.Repeat("0123456789abcdef", 3)[:40]
	if holder(dojo) != 0 {
		t.Error("unknown token of DefectDojo is good")
	}
	if _, err := f.ImportToken(t.Context(), u, dojo, auth.NewToken{Name: "old", Scope: gate.ScopeAll}); err != nil || holder(dojo) != u.ID {
		t.Errorf("stored token of DefectDojo is not good: %v", err)
	}
	if err := f.store.SetUserActive(t.Context(), u.ID, false); err != nil || holder(dojo) != 0 {
		t.Errorf("token of a user who was shut out is good (%v)", err)
	}
}

func TestFromHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, token string
		ok, bad             bool
	}{
		{"token", "Token abc", "abc", true, false},
		{"lower_case", "token abc", "abc", true, false},
		{"bearer", "Bearer abc", "abc", true, false},
		{"none", "", "", false, false},
		{"basic", "Basic YTpi", "", false, false},
		{"blank", "Token", "", true, true},
		{"three_parts", "Token a b", "", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			token, ok, err := auth.FromHeader(tt.header)
			if token != tt.token || ok != tt.ok || (err != nil) != tt.bad {
				t.Errorf("FromHeader(%q) = %q, %v, %v", tt.header, token, ok, err)
			}
		})
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for pw, ok := range map[string]bool{
		password: true, "elevenchars": false, strings.Repeat("ab", 65): false, "adminadminadmin": false, strings.Repeat("z", 20): false, "": false,
		"ünïcödë püß": false, "ünïcödë püßw": true,
	} {
		if err := auth.CheckPassword("admin", pw); (err == nil) != ok {
			t.Errorf("CheckPassword(%q) = %v", pw, err)
		}
	}
}

func TestEnsureAdmin(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{})
	var wg sync.WaitGroup
	made := make(chan auth.Admin, 4)
	for range 4 { // nodes that start at once
		wg.Go(func() {
			a, err := auth.EnsureAdmin(t.Context(), f.store, "admin", "")
			if err != nil {
				t.Error(err)
			}
			if a.Created {
				made <- a
			}
		})
	}
	wg.Wait()
	close(made)
	if len(made) != 1 {
		t.Fatalf("%d admins were made", len(made))
	}
	a := <-made
	u, err := f.Verify(t.Context(), "admin", a.Password, "")
	if err != nil || !u.IsSuperuser {
		t.Errorf("the admin cannot log in: %v", err)
	}
	again, err := auth.EnsureAdmin(t.Context(), f.store, "other", "")
	if err != nil || again.Created {
		t.Errorf("a second admin: %+v, %v", again, err)
	}
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, auth.Config{})
	u := f.user(t, "jane")
	var sessions []auth.Session
	for range 2 {
		s, err := f.Login(t.Context(), "jane", password, auth.Client{})
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	if err := f.SetPassword(t.Context(), u, "short", ""); gate.KindOf(err) != gate.Invalid {
		t.Errorf("a short one: %v", err)
	}
	const next = "a new and longer one"
	if err := f.SetPassword(t.Context(), u, next, sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err1 := f.Session(t.Context(), sessions[0].ID)
	_, err2 := f.Session(t.Context(), sessions[1].ID)
	if err1 != nil || gate.KindOf(err2) != gate.Unauthorized {
		t.Errorf("the session that changed it: %v; the other: %v", err1, err2)
	}
	_, old := f.Verify(t.Context(), "jane", password, "")
	_, now := f.Verify(t.Context(), "jane", next, "")
	if gate.KindOf(old) != gate.Unauthorized || now != nil {
		t.Errorf("old password: %v, new one: %v", old, now)
	}
}
