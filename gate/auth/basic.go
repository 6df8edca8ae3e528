package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"defectdojo/gate"
)

// Password returns whose user name and password a request brings along. It is
// Verify for clients that send them with each request: a password that has been
// checked is known again for a while, as long as the account is as it was then.
func (a *Auth) Password(ctx context.Context, username, password, ip string) (gate.Principal, error) {
	account, err := a.account(ctx, clip(username, 255))
	if err != nil {
		return gate.Principal{}, err
	}
	now := a.cfg.Now()
	mark := a.proofs.mark(username, password, account.PasswordHash)
	if account.ID != 0 && a.proofs.known(mark, now) {
		return gate.Principal{User: account.User}, nil
	}
	u, err := a.Verify(ctx, username, password, ip)
	if gate.KindOf(err) == gate.Unauthorized {
		return gate.Principal{}, gate.Errorf(gate.Unauthorized, "Invalid username/password.")
	}
	if err != nil {
		return gate.Principal{}, err
	}
	a.proofs.keep(mark, now)
	return gate.Principal{User: u}, nil
}

// proofs are the passwords that have been checked lately, none of which can be
// read from them.
type proofs struct {
	key [32]byte // of this process alone

	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time
}

const (
	proofLife = 5 * time.Minute
	maxProofs = 10_000
)

func newProofs() *proofs {
	p := &proofs{seen: map[[sha256.Size]byte]time.Time{}}
	rand.Read(p.key[:])
	return p
}

// mark stands for a password of an account. With another password, or another
// hash of it, it is another mark.
func (p *proofs) mark(username, password, hash string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, p.key[:])
	for _, part := range []string{username, password, hash} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	h.Sum(out[:0])
	return out
}

func (p *proofs) known(mark [sha256.Size]byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.seen[mark]
	return ok && now.Sub(at) < proofLife
}

func (p *proofs) keep(mark [sha256.Size]byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) >= maxProofs {
		clear(p.seen)
	}
	p.seen[mark] = now
}

// FromBasic returns the user name and the password of an Authorization header,
// "Basic …". ok is false when the header carries none.
func FromBasic(header string) (username, password string, ok bool, err error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "":
		return "", "", true, gate.Errorf(gate.Unauthorized, "Invalid basic header. No credentials provided.")
	case strings.ContainsAny(rest, " \t"):
		return "", "", true, gate.Errorf(gate.Unauthorized, "Invalid basic header. Credentials string should not contain spaces.")
	}
	b, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return "", "", true, gate.Errorf(gate.Unauthorized, "Invalid basic header. Credentials not correctly base64 encoded.")
	}
	username, password, found := strings.Cut(string(b), ":")
	if !found {
		return "", "", true, gate.Errorf(gate.Unauthorized, "Invalid basic header. Credentials not correctly base64 encoded.")
	}
	return username, password, true, nil
}
