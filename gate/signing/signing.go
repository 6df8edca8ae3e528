// Package signing keeps the keys with which the server signs verdicts and
// bundles. They are made here, kept in the database so that every node signs
// with the same one, and sealed there: who reads the database cannot sign.
package signing

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/policies/attest"
)

// Keys knows the server's keys.
type Keys struct {
	Store *store.Store
	Box   *seal.Box
}

// Key is the public half of a key.
type Key struct {
	Row       int64
	ID        string     // as in a signature's keyid
	PEM       string     // as attest.ParsePublicKeys reads it
	Created   time.Time  // it signs from then on
	Retired   *time.Time // until then; what it signed before is still good
	Withdrawn *time.Time // from then on nothing is that it signed
}

// State is what a key is for: it signs, is retired, or is withdrawn.
func (k Key) State() string {
	switch {
	case k.Withdrawn != nil:
		return "withdrawn"
	case k.Retired != nil:
		return "retired"
	}
	return "signs"
}

// Signer returns the key that signs, which is made when there is none.
func (k *Keys) Signer(ctx context.Context, now time.Time) (ed25519.PrivateKey, error) {
	row, err := k.Store.SigningKey(ctx)
	if gate.KindOf(err) == gate.NotFound {
		row, err = k.first(ctx, now)
	}
	if err != nil {
		return nil, err
	}
	seed, err := k.Box.Open(place(row.KeyID), row.Sealed)
	if err != nil {
		return nil, fmt.Errorf("the key that signs: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the key that signs has %d bytes", len(seed))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// place binds a sealed key to its row.
func place(id string) string { return "signing_keys:" + id }

// first makes the first key, unless another node was quicker.
func (k *Keys) first(ctx context.Context, now time.Time) (store.SigningKey, error) {
	var row store.SigningKey
	err := k.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.LockSecrets(ctx); err != nil {
			return err
		}
		var err error
		if row, err = s.SigningKey(ctx); gate.KindOf(err) == gate.NotFound {
			row, err = k.add(ctx, s, now)
		}
		return err
	})
	return row, err
}

func (k *Keys) add(ctx context.Context, s *store.Store, now time.Time) (store.SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return store.SigningKey{}, err
	}
	id := attest.KeyID(public)
	return s.AddSigningKey(ctx, store.SigningKey{KeyID: id, PublicKey: public, Sealed: k.Box.Seal(place(id), private.Seed()), Created: now})
}

// Rotate makes a new key, which signs from now on. What the old one signed can
// still be checked: its public half stays.
func (k *Keys) Rotate(ctx context.Context, who gate.Principal, now time.Time) (Key, error) {
	var row store.SigningKey
	err := k.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.LockSecrets(ctx); err != nil {
			return err
		}
		var err error
		if row, err = k.add(ctx, s, now); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, store.AuditEvent{
			At: now, ActorID: &who.User.ID, Actor: who.Name(), Action: "rotate", Object: "signing_key", ObjectID: &row.ID,
			Changes: map[string]any{"key_id": row.KeyID},
		})
	})
	if err != nil {
		return Key{}, err
	}
	return public(row)
}

// Withdraw has a key trusted no more, because somebody else may have it: nothing
// that it signed is good any longer. The key that signs must be rotated first.
func (k *Keys) Withdraw(ctx context.Context, who gate.Principal, id int64, now time.Time) error {
	return k.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		key, err := (&Keys{Store: s}).ByRow(ctx, id)
		switch {
		case err != nil:
			return err
		case key.Retired == nil:
			return gate.Errorf(gate.Conflict, "this key signs: make a new one first")
		case key.Withdrawn != nil:
			return gate.Errorf(gate.Conflict, "this key is withdrawn already")
		}
		if err := s.WithdrawKey(ctx, id, now); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, store.AuditEvent{
			At: now, ActorID: &who.User.ID, Actor: who.Name(), Action: "withdraw", Object: "signing_key", ObjectID: &id, Changes: map[string]any{"key_id": key.ID},
		})
	})
}

// Public returns the public halves of all keys, the one that signs first. There
// is one always: it is made when somebody asks.
func (k *Keys) Public(ctx context.Context, now time.Time) ([]Key, error) {
	if _, err := k.Signer(ctx, now); err != nil {
		return nil, err
	}
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Key, len(rows))
	for i, row := range rows {
		if out[i], err = public(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ByRow returns a key by the number that it has here.
func (k *Keys) ByRow(ctx context.Context, id int64) (Key, error) {
	rows, err := k.Store.SigningKeys(ctx)
	if err != nil {
		return Key{}, err
	}
	for _, row := range rows {
		if row.ID == id {
			return public(row)
		}
	}
	return Key{}, gate.Errorf(gate.NotFound, "no such signing key")
}

func public(row store.SigningKey) (Key, error) {
	text, err := attest.PublicPEM(row.PublicKey)
	return Key{row.ID, row.KeyID, string(text), row.Created, row.Retired, row.Withdrawn}, err
}

// Prepare makes what there has to be: the key that signs, and the secret of
// badges. A node does so at its start, so that nothing that is only read writes.
func (k *Keys) Prepare(ctx context.Context, now time.Time) error {
	if _, err := k.Signer(ctx, now); err != nil {
		return err
	}
	_, err := k.secret(ctx, badgeSecret)
	if gate.KindOf(err) == gate.NotFound {
		_, err = k.firstSecret(ctx, badgeSecret, now)
	}
	return err
}

// badgeSecret is the name of the secret of badges.
const badgeSecret = "badge"

// secret returns a secret of all nodes by its name; NotFound if there is none.
func (k *Keys) secret(ctx context.Context, name string) ([]byte, error) {
	sealed, err := k.Store.GateSecret(ctx, name)
	if err != nil {
		return nil, err
	}
	return k.Box.Open("gate_secrets:"+name, sealed)
}

func (k *Keys) firstSecret(ctx context.Context, name string, now time.Time) (sealed []byte, err error) {
	err = k.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.LockSecrets(ctx); err != nil {
			return err
		}
		if sealed, err = s.GateSecret(ctx, name); gate.KindOf(err) != gate.NotFound {
			return err
		}
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		sealed = k.Box.Seal("gate_secrets:"+name, secret)
		return s.AddGateSecret(ctx, name, sealed, now)
	})
	return sealed, err
}

// BadgeSignature returns what the address of a product's badge ends with: who
// has it sees the badge, and nothing else of the product.
func (k *Keys) BadgeSignature(ctx context.Context, product int64) (string, error) {
	secret, err := k.secret(ctx, badgeSecret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("badge of product " + strconv.FormatInt(product, 10)))
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}

// ValidBadge tells whether a signature is that of a product's badge.
func (k *Keys) ValidBadge(ctx context.Context, product int64, signature string) (bool, error) {
	want, err := k.BadgeSignature(ctx, product)
	return err == nil && hmac.Equal([]byte(want), []byte(signature)), err
}
