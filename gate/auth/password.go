package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"defectdojo/gate"
)

// Params is what one check of a password costs.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultParams are those that OWASP's ASVS 5.0 names in its appendix C.
var DefaultParams = Params{Memory: 47104, Time: 1, Threads: 1}

const keyLen = 32

// Hash returns the argon2id hash of a password as a PHC string, with a new salt.
func (p Params) Hash(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, keyLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// check tells whether hash, a PHC string, is that of the password, and with
// which parameters it was made.
func check(hash, password string) (bool, Params) {
	p, salt, key, ok := parsePHC(hash)
	if !ok {
		return false, p
	}
	got := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, uint32(len(key))) //nolint:gosec // parsePHC bounds it
	return subtle.ConstantTimeCompare(got, key) == 1, p
}

func parsePHC(s string) (p Params, salt, key []byte, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return p, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	sane := p.Memory >= 8 && p.Memory <= 1<<20 && p.Time >= 1 && p.Time <= 16 && p.Threads >= 1 && len(key) >= 16 && len(key) <= 64
	return p, salt, key, err1 == nil && err2 == nil && sane
}

// CheckPassword tells whether a new password is good enough: length is what
// counts, not kinds of characters (NIST SP 800-63B, section 5.1.1.2).
func CheckPassword(username, password string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case n < 12:
		return gate.FieldErrorf("password", "a password has at least 12 characters; this one has %d", n)
	case n > 128:
		return gate.FieldErrorf("password", "a password has at most 128 characters; this one has %d", n)
	case username != "" && strings.ReplaceAll(password, username, "") == "":
		return gate.FieldErrorf("password", "the password is the user name")
	case strings.Count(password, password[:1]) == len(password):
		return gate.FieldErrorf("password", "the password is one character again and again")
	}
	return nil
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomText returns n random characters of base62: 43 hold 256 bits, 22 hold 130.
func randomText(n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	for len(out) < n {
		rand.Read(buf)
		for _, b := range buf {
			if b < 4*62 && len(out) < n { // the rest would favour some characters
				out = append(out, alphabet[b%62])
			}
		}
	}
	return string(out)
}
