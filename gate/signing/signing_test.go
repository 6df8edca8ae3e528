package signing_test

import (
	"crypto/ed25519"
	"strings"
	"sync"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
	"defectdojo/gate/signing"
	"defectdojo/gate/store"
	"defectdojo/policies/attest"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newKeys(t *testing.T) (*signing.Keys, gate.Principal) {
	t.Helper()
	s := store.New(gatetest.DB(t))
	u, err := s.AddUser(t.Context(), store.Account{User: gate.User{Username: "ada", IsActive: true, IsSuperuser: true}})
	if err != nil {
		t.Fatal(err)
	}
	return &signing.Keys{Store: s, Box: seal.New(seal.NewKey())}, gate.Principal{User: u}
}

// TestSigner: nodes that need the first key at once all get the same one.
func TestSigner(t *testing.T) {
	t.Parallel()
	k, _ := newKeys(t)
	var wg sync.WaitGroup
	got := make([]ed25519.PrivateKey, 8)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = k.Signer(t.Context(), now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		if !g.Equal(got[0]) {
			t.Fatal("two nodes sign with different keys")
		}
	}
	if keys, err := k.Public(t.Context(), now); err != nil || len(keys) != 1 {
		t.Errorf("%d public keys, %v", len(keys), err)
	}
}

// TestRotate: a new key signs, and what the old one signed can still be checked.
func TestRotate(t *testing.T) {
	t.Parallel()
	k, ada := newKeys(t)
	old, err := k.Signer(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	made, err := k.Rotate(t.Context(), ada, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := k.Signer(t.Context(), now)
	if err != nil || fresh.Equal(old) {
		t.Fatalf("the old key still signs, %v", err)
	}
	all, err := k.Public(t.Context(), now)
	if err != nil || len(all) != 2 || all[0].ID != made.ID || all[0].Retired != nil || all[1].Retired == nil {
		t.Fatalf("%+v, %v", all, err)
	}
	pub, err := attest.ParsePublicKeys([]byte(all[0].PEM + all[1].PEM))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []ed25519.PrivateKey{old, fresh} {
		e, err := attest.Seal("x/y", []byte("hello"), key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := attest.Open(e, "x/y", pub); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	}
	events, err := k.Store.AuditEvents(t.Context(), "signing_key", 2, 10)
	if err != nil || len(events) != 1 || events[0].Actor != "ada" {
		t.Errorf("history %+v, %v", events, err)
	}
}

// TestForeignKey: a node with another server key says so, and makes no new one.
func TestForeignKey(t *testing.T) {
	t.Parallel()
	k, _ := newKeys(t)
	if _, err := k.Signer(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	other := &signing.Keys{Store: k.Store, Box: seal.New(seal.NewKey())}
	if _, err := other.Signer(t.Context(), now); err == nil || !strings.Contains(err.Error(), "which this node does not have") {
		t.Errorf("%v", err)
	}
}

func TestBadge(t *testing.T) {
	t.Parallel()
	k, _ := newKeys(t)
	if _, err := k.BadgeSignature(t.Context(), 1); gate.KindOf(err) != gate.NotFound {
		t.Errorf("before there is a secret: %v", err)
	}
	if err := k.Prepare(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	one, err := k.BadgeSignature(t.Context(), 1)
	if err != nil || len(one) != 32 {
		t.Fatalf("%q, %v", one, err)
	}
	for _, tt := range []struct {
		product   int64
		signature string
		want      bool
	}{{1, one, true}, {2, one, false}, {1, "", false}, {1, one[:31], false}, {1, one + "A", false}} {
		if got, err := k.ValidBadge(t.Context(), tt.product, tt.signature); err != nil || got != tt.want {
			t.Errorf("badge of %d by %q: %v, %v", tt.product, tt.signature, got, err)
		}
	}
}
