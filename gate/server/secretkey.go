package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"defectdojo/gate/seal"
)

// openBox returns what seals the secrets of this database: with the key that is
// configured, or the one in the data folder, which the first node makes. A node
// whose keys are not those of the database says so, rather than fail at each secret.
func (s *Server) openBox(ctx context.Context) (*seal.Box, error) {
	key, made := s.cfg.SecretKey, false
	known, err := s.store.SecretKeys(ctx)
	if err != nil {
		return nil, err
	}
	if key == (seal.Key{}) {
		if key, made, err = readKeyFile(s.keyFile(), len(known) == 0); err != nil {
			return nil, err
		}
	}
	box := seal.New(key, s.cfg.OldKeys...)
	for _, id := range known {
		if !box.Knows(id) {
			return nil, fmt.Errorf("DD_CREDENTIAL_AES_256_KEY: this database's secrets are sealed with key %s, and this node has key %s: give it the key "+
				"of the first node (%s in its data folder), or the earlier one in DD_CREDENTIAL_AES_256_OLD_KEYS", id, box.KeyID(), "secret.key")
		}
	}
	if !made {
		return box, s.store.AddSecretKey(ctx, box.KeyID())
	}
	first, err := s.store.AddFirstSecretKey(ctx, box.KeyID())
	if err == nil && !first { // another node was, a moment ago, with a key of its own
		if err = os.Remove(s.keyFile()); err == nil {
			return s.openBox(ctx)
		}
	}
	return box, err
}

func (s *Server) keyFile() string { return filepath.Join(s.cfg.DataDir, "secret.key") }

// readKeyFile reads the key in a file, or makes it there.
func readKeyFile(path string, mayMake bool) (key seal.Key, made bool, err error) {
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		if key, err = seal.ParseKey(strings.TrimSpace(string(text))); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return key, false, err
	case !errors.Is(err, fs.ErrNotExist):
		return key, false, err
	case !mayMake:
		return key, false, fmt.Errorf("DD_CREDENTIAL_AES_256_KEY: this database's secrets are sealed with another node's key: set it here, or copy that node's secret.key to %s", path)
	}
	key = seal.NewKey()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return key, false, err
	}
	_, err = f.WriteString(key.String() + "\n")
	return key, true, errors.Join(err, f.Sync(), f.Close())
}
