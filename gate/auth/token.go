package auth

import (
	"context"
	"hash/crc32"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// A token reads gate_ID_SECRETCRC: 22 characters that are safe to log, 43 that
// nobody but its holder knows, and 6 that tell a secret scanner that it is one.
const (
	tokenPrefix = "gate_"
	idLen       = 22
	secretLen   = 43
	crcLen      = 6
	tokenLen    = len(tokenPrefix) + idLen + 1 + secretLen + crcLen
)

var errBadToken = &gate.Error{Kind: gate.Unauthorized, Message: "Invalid token."}

// MaxTokenLife is the longest that a token may live.
const MaxTokenLife = 366 * 24 * time.Hour

// NewToken is what somebody asks a token for.
type NewToken struct {
	Name       string
	Scope      gate.TokenScope
	ProductIDs []int64   // nil: every product that the user may
	Expires    time.Time // the zero time: after the usual life
	Bounds     *gate.Bounds
}

// AddToken makes a token for its user and returns it with its secret text,
// which is not to be had again.
func (a *Auth) AddToken(ctx context.Context, u gate.User, want NewToken) (string, gate.Token, error) {
	return a.addToken(ctx, a.store, u, want)
}

func (a *Auth) addToken(ctx context.Context, s *store.Store, u gate.User, want NewToken) (string, gate.Token, error) {
	now := a.cfg.Now()
	if want.Name == "" {
		return "", gate.Token{}, gate.FieldErrorf("name", "a token has a name")
	}
	switch want.Scope {
	case gate.ScopeAll, gate.ScopeRead, gate.ScopeImport:
	default:
		return "", gate.Token{}, gate.FieldErrorf("scope", "%q is not a scope: use all, read or import", want.Scope)
	}
	if want.Expires.IsZero() {
		want.Expires = now.Add(a.cfg.TokenLife)
	}
	if !want.Expires.After(now) || want.Expires.After(now.Add(MaxTokenLife)) {
		return "", gate.Token{}, gate.FieldErrorf("expires", "a token expires within a year from now")
	}
	id := randomText(idLen)
	text := tokenPrefix + id + "_" + randomText(secretLen)
	text += checksum(text)
	t, err := s.AddToken(ctx, gate.Token{
		PublicID: tokenPrefix + id, UserID: u.ID, Name: want.Name, Scope: want.Scope,
		ProductIDs: want.ProductIDs, Created: now, Expires: &want.Expires, Bounds: want.Bounds,
	}, digest(text))
	return text, t, err
}

// LoginToken makes a token for a user who has just proved their password to an
// API that answers with one. The expired ones that it made before are removed.
func (a *Auth) LoginToken(ctx context.Context, u gate.User) (string, error) {
	const name = "api-token-auth"
	if err := a.store.DeleteOldTokens(ctx, u.ID, name, a.cfg.Now()); err != nil {
		return "", err
	}
	text, _, err := a.AddToken(ctx, u, NewToken{Name: name, Scope: gate.ScopeAll})
	return text, err
}

// ImportToken stores a token that another system made: 40 hexadecimal digits,
// as DefectDojo's are.
func (a *Auth) ImportToken(ctx context.Context, u gate.User, text string, want NewToken) (gate.Token, error) {
	if !isHex40(text) {
		return gate.Token{}, gate.FieldErrorf("token", "DefectDojo's tokens have 40 hexadecimal digits")
	}
	t := gate.Token{
		PublicID: "dojo_" + strings.ToLower(randomText(10)), UserID: u.ID, Name: want.Name, Scope: want.Scope,
		ProductIDs: want.ProductIDs, Created: a.cfg.Now(),
	}
	if !want.Expires.IsZero() {
		t.Expires = &want.Expires
	}
	return a.store.AddToken(ctx, t, digest(text))
}

// RevokeToken ends a user's token at once.
func (a *Auth) RevokeToken(ctx context.Context, u gate.User, id int64) error {
	return a.store.RevokeToken(ctx, u.ID, id, a.cfg.Now())
}

// Token returns who holds a token. Unauthorized: nobody, or it has ended.
func (a *Auth) Token(ctx context.Context, text string) (gate.Principal, error) {
	if !wellFormed(text) && !isHex40(text) {
		return gate.Principal{}, errBadToken
	}
	now := a.cfg.Now()
	t, u, err := a.store.Token(ctx, digest(text), now)
	if gate.KindOf(err) == gate.NotFound {
		return gate.Principal{}, errBadToken
	}
	if err != nil {
		return gate.Principal{}, err
	}
	if t.LastUsed == nil || now.Sub(*t.LastUsed) > time.Minute {
		if err := a.store.TouchToken(ctx, t.ID, now); err != nil {
			return gate.Principal{}, err
		}
	}
	return gate.Principal{User: u, Token: &t}, nil
}

// FromHeader returns the token of an Authorization header, "Token …" or
// "Bearer …". ok is false when the header carries none.
func FromHeader(header string) (token string, ok bool, err error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Token") && !strings.EqualFold(scheme, "Bearer") {
		return "", false, nil
	}
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "":
		return "", true, gate.Errorf(gate.Unauthorized, "Invalid token header. No credentials provided.")
	case strings.ContainsAny(rest, " \t"):
		return "", true, gate.Errorf(gate.Unauthorized, "Invalid token header. Token string should not contain spaces.")
	}
	return rest, true, nil
}

// wellFormed tells whether a text is a token of ours by its looks, so that a
// mistyped one does not reach the database.
func wellFormed(s string) bool {
	return len(s) == tokenLen && strings.HasPrefix(s, tokenPrefix) && checksum(s[:tokenLen-crcLen]) == s[tokenLen-crcLen:]
}

func checksum(s string) string {
	v := crc32.ChecksumIEEE([]byte(s))
	out := [crcLen]byte{}
	for i := range out {
		out[crcLen-1-i] = alphabet[v%62]
		v /= 62
	}
	return string(out[:])
}

func isHex40(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}
