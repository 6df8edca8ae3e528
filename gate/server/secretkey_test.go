package server

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
)

// Nodes of one database have one key; one that has another says so at its start.
func TestSecretKey(t *testing.T) {
	t.Parallel()
	db := store.New(gatetest.DB(t))
	node := func(dir string, key seal.Key, old ...seal.Key) (*seal.Box, error) {
		return (&Server{cfg: Config{DataDir: dir, SecretKey: key, OldKeys: old}, store: db}).openBox(t.Context())
	}
	first, second := t.TempDir(), t.TempDir()
	made, err := node(first, seal.Key{})
	if err != nil {
		t.Fatal(err)
	}
	sealed := made.Seal("x", []byte("s3cret"))
	path := filepath.Join(first, "secret.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	again, err := node(first, seal.Key{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("x", sealed); err != nil || string(got) != "s3cret" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	if _, err := node(second, seal.Key{}); err == nil || !strings.Contains(err.Error(), "copy that node's secret.key to "+second) {
		t.Errorf("a second node without the key: %v", err)
	}
	other := seal.NewKey()
	if _, err := node(second, other); err == nil || !strings.Contains(err.Error(), "DD_CREDENTIAL_AES_256_OLD_KEYS") {
		t.Errorf("a second node with another key: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := seal.ParseKey(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := node(second, other, old)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := rotated.Open("x", sealed); err != nil || string(got) != "s3cret" {
		t.Errorf("with a new key and the old: %q, %v", got, err)
	}
}

// Of nodes that start at once on an empty database, each with a folder of its
// own, one makes the key, and the others say what they need.
func TestSecretKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	db := store.New(gatetest.DB(t))
	var (
		wait sync.WaitGroup
		ok   atomic.Int32
	)
	for range 8 {
		dir := t.TempDir()
		wait.Go(func() {
			if _, err := (&Server{cfg: Config{DataDir: dir}, store: db}).openBox(t.Context()); err == nil {
				ok.Add(1)
			} else if !strings.Contains(err.Error(), "DD_CREDENTIAL_AES_256_KEY") {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if known, err := db.SecretKeys(t.Context()); ok.Load() != 1 || len(known) != 1 || err != nil {
		t.Errorf("%d nodes started, with keys %v, %v", ok.Load(), known, err)
	}
}
