package seal

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	b := New(NewKey())
	sealed := b.Seal("connections:1:token", []byte("s3cret"))
	if bytes.Contains(sealed, []byte("s3cret")) || bytes.Equal(sealed, b.Seal("connections:1:token", []byte("s3cret"))) {
		t.Fatal("the secret shows, or two seals are the same")
	}
	if got, err := b.Open("connections:1:token", sealed); err != nil || string(got) != "s3cret" {
		t.Fatalf("open: %q, %v", got, err)
	}
	if got := b.Seal("x", nil); got != nil {
		t.Errorf("no secret is sealed as %x", got)
	}
	if got, err := b.Open("x", nil); got != nil || err != nil {
		t.Errorf("no secret opens as %q, %v", got, err)
	}
}

// Whatever byte is changed, and wherever it is put, nothing opens.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	b := New(NewKey())
	sealed := b.Seal("here", []byte("s3cret"))
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if got, err := b.Open("here", bad); err == nil {
			t.Errorf("byte %d changed: opens as %q", i, got)
		}
	}
	for i := range len(sealed) - 1 {
		if _, err := b.Open("here", sealed[:i+1]); err == nil {
			t.Errorf("cut to %d bytes it opens", i+1)
		}
	}
	if _, err := b.Open("there", sealed); err == nil {
		t.Error("it opens in another place")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	old, key := NewKey(), NewKey()
	sealed := New(old).Seal("here", []byte("s3cret"))
	b := New(key, old)
	if got, err := b.Open("here", sealed); err != nil || string(got) != "s3cret" {
		t.Fatalf("with the older key: %q, %v", got, err)
	}
	if b.Fresh(sealed) || !b.Fresh(b.Seal("here", []byte("s3cret"))) || !b.Knows(old.ID()) || b.KeyID() != key.ID() {
		t.Error("the older key's seal counts as fresh, or the new one's does not")
	}
	if _, err := New(key).Open("here", sealed); err == nil || !strings.Contains(err.Error(), old.ID()) {
		t.Errorf("without the older key: %v", err)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	k := NewKey()
	for _, text := range []string{k.String(), hex.EncodeToString(k[:])} {
		if got, err := ParseKey(text); err != nil || got != k {
			t.Errorf("ParseKey(%d characters): %v", len(text), err)
		}
	}
	if got, err := ParseKey(strings.Repeat("x", 32)); err != nil || string(got[:]) != strings.Repeat("x", 32) {
		t.Errorf("32 characters: %v", err)
	}
	for _, text := range []string{"", "short", strings.Repeat("x", 33), strings.Repeat("zz", 32)} {
		if _, err := ParseKey(text); err == nil {
			t.Errorf("ParseKey(%q) is taken", text)
		}
	}
}
