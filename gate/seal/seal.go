// Package seal keeps secrets at rest: AES-256-GCM, bound to the place where the
// sealed bytes are kept, with the key's id before them, so that keys can change.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Key is 32 random bytes.
type Key [32]byte

// NewKey makes a key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// ParseKey reads a key as it is written: 32 bytes in base64 or hexadecimal, or
// 32 characters as they are.
func ParseKey(text string) (Key, error) {
	if len(text) == len(Key{}) {
		return Key([]byte(text)), nil
	}
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if b, err := decode(text); err == nil && len(b) == len(Key{}) {
			return Key(b), nil
		}
	}
	return Key{}, errors.New("want 32 bytes in base64 or hexadecimal, as from: openssl rand -base64 32")
}

// String writes a key as ParseKey reads it.
func (k Key) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// ID names a key without telling anything of it.
func (k Key) ID() string { return hex.EncodeToString(k.id()) }

func (k Key) id() []byte {
	sum := sha256.Sum256(append([]byte("defectdojo key id\x00"), k[:]...))
	return sum[:idLen]
}

const (
	version = 1
	idLen   = 8
)

// Box seals with its first key, and opens with any.
type Box struct{ keys []boxed }

type boxed struct {
	id   string
	aead cipher.AEAD
}

// New returns a box: the key that seals, and older ones that still open.
func New(key Key, older ...Key) *Box {
	b := &Box{}
	for _, k := range append([]Key{key}, older...) {
		block, err := aes.NewCipher(k[:])
		if err != nil {
			panic(err) // the key's length is its type
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic(err)
		}
		b.keys = append(b.keys, boxed{string(k.id()), aead})
	}
	return b
}

// Seal encrypts a secret for one place, such as "connections:12:token": it
// opens nowhere else. A blank secret is nil.
func (b *Box) Seal(place string, secret []byte) []byte {
	if len(secret) == 0 {
		return nil
	}
	k := b.keys[0]
	out := append([]byte{version}, k.id...)
	return k.aead.Seal(out, nil, secret, []byte(place)) //nolint:gosec // this kind of AEAD makes its nonce itself
}

// Open decrypts what Seal made for the place.
func (b *Box) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if len(sealed) < 1+idLen || sealed[0] != version {
		return nil, fmt.Errorf("the secret of %s is not one that this program sealed", place)
	}
	id := string(sealed[1 : 1+idLen])
	for _, k := range b.keys {
		if k.id != id {
			continue
		}
		secret, err := k.aead.Open(nil, nil, sealed[1+idLen:], []byte(place))
		if err != nil {
			return nil, fmt.Errorf("the secret of %s was changed, or belongs elsewhere", place)
		}
		return secret, nil
	}
	return nil, fmt.Errorf("the secret of %s is sealed with key %x, which this node does not have", place, id)
}

// Fresh tells whether sealed bytes are of the key that seals now.
func (b *Box) Fresh(sealed []byte) bool {
	return len(sealed) == 0 || len(sealed) > idLen && string(sealed[1:1+idLen]) == b.keys[0].id
}

// KeyID names the key that seals.
func (b *Box) KeyID() string { return hex.EncodeToString([]byte(b.keys[0].id)) }

// Knows tells whether a key with this id is in the box.
func (b *Box) Knows(id string) bool {
	for _, k := range b.keys {
		if hex.EncodeToString([]byte(k.id)) == id {
			return true
		}
	}
	return false
}
