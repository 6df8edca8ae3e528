// Package auth tells who asks and what they may do: passwords, sessions,
// tokens, and the one table of permissions.
package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Config sets the limits. A zero field has the default that its comment names.
type Config struct {
	SessionIdle   time.Duration // a session unused for so long is over: 30 minutes
	SessionMax    time.Duration // a session is over after this, used or not: 12 hours
	TokenLife     time.Duration // of a token that is asked for without an expiry: 90 days
	LoginFailures int           // of an account from an address, before it has to wait: 5
	AddressLimit  int           // failures from one address for all accounts, before it has to wait: 50
	Hashings      int           // passwords checked at once, each of which takes Hash.Memory: 4
	Hash          Params        // cost of a password: DefaultParams
	OIDC          OIDCConfig    // of CI jobs that have no token
	Now           func() time.Time
}

// Auth knows people and machines.
type Auth struct {
	store   *store.Store
	cfg     Config
	hashing chan struct{} // a place for each password being checked
	issuers *issuers      // of identity tokens
	proofs  *proofs
	dummy   string // what the password of an unknown user is checked against
}

// New returns an Auth on s.
func New(s *store.Store, cfg Config) *Auth {
	orDefault(&cfg.SessionIdle, 30*time.Minute)
	orDefault(&cfg.SessionMax, 12*time.Hour)
	orDefault(&cfg.TokenLife, 90*24*time.Hour)
	orDefault(&cfg.LoginFailures, 5)
	orDefault(&cfg.AddressLimit, 50)
	orDefault(&cfg.Hashings, 4)
	orDefault(&cfg.Hash, DefaultParams)
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the edge where the clock comes in
	}
	return &Auth{
		store:   s,
		cfg:     cfg,
		issuers: newIssuers(cfg.OIDC),
		hashing: make(chan struct{}, cfg.Hashings),
		proofs:  newProofs(),
		dummy:   cfg.Hash.Hash(randomText(16)),
	}
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Session is a person's login in one browser.
type Session struct {
	gate.Principal
	ID      string // the cookie's value; only Login tells it
	CSRF    string // what every form of the session carries
	Expires time.Time
}

// Client is where a login comes from.
type Client struct{ IP, UserAgent string }

// Cookie returns the name of the session's cookie. Over TLS its prefix makes
// browsers refuse one that another host or path has set.
func Cookie(secure bool) string {
	if secure {
		return "__Host-session"
	}
	return "session"
}

// Login checks a password and opens a session, whose ID is new each time. The
// caller ends the session that the browser had before, if it had one.
func (a *Auth) Login(ctx context.Context, username, password string, from Client) (Session, error) {
	u, err := a.Verify(ctx, username, password, from.IP)
	if err != nil {
		return Session{}, err
	}
	now := a.cfg.Now()
	s := Session{
		Principal: gate.Principal{User: u},
		ID:        randomText(43),
		CSRF:      randomText(43),
		Expires:   now.Add(a.cfg.SessionMax),
	}
	if err := a.store.DeleteOldSessions(ctx, now, now.Add(-a.cfg.SessionIdle)); err != nil {
		return Session{}, err
	}
	return s, a.store.AddSession(ctx, store.Session{
		IDHash: digest(s.ID), UserID: u.ID, CSRF: s.CSRF, Created: now, LastUsed: now,
		Expires: s.Expires, UserAgent: clip(from.UserAgent, 300), IP: from.IP,
	})
}

// Session returns the session of a cookie's value. Unauthorized: there is none, or it is over.
func (a *Auth) Session(ctx context.Context, id string) (Session, error) {
	if id == "" {
		return Session{}, gate.Errorf(gate.Unauthorized, "nobody is logged in")
	}
	now := a.cfg.Now()
	s, u, err := a.store.Session(ctx, digest(id), now, now.Add(-a.cfg.SessionIdle))
	if gate.KindOf(err) == gate.NotFound {
		return Session{}, gate.Errorf(gate.Unauthorized, "the session is over: log in again")
	}
	if err != nil {
		return Session{}, err
	}
	if now.Sub(s.LastUsed) > min(time.Minute, a.cfg.SessionIdle/10) {
		if err := a.store.TouchSession(ctx, s.IDHash, now); err != nil {
			return Session{}, err
		}
	}
	return Session{Principal: gate.Principal{User: u}, CSRF: s.CSRF, Expires: s.Expires}, nil
}

// Logout ends the session of a cookie's value.
func (a *Auth) Logout(ctx context.Context, id string) error {
	return a.store.DeleteSession(ctx, digest(id))
}

// ValidCSRF tells whether a form carries the session's token.
func (s Session) ValidCSRF(token string) bool {
	return s.CSRF != "" && subtle.ConstantTimeCompare([]byte(s.CSRF), []byte(token)) == 1
}

func digest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
