package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/client"
	"defectdojo/policies/attest"
	"defectdojo/policies/bundle"
)

// cacheFlags say where things are kept between pipelines, and whose signatures count.
type cacheFlags struct {
	Cache string   `env:"DD_CACHE_DIR" default:".defectdojo" type:"path" help:"Folder that the CI keeps between pipelines: bundles, keys, and reports that are still to be sent."`
	Key   []string `env:"DD_KEY_FILE" type:"path" placeholder:"FILE" help:"Public keys of the server, in PEM, that alone are trusted; without them those that were fetched with the first bundle are."`
}

// cache is the folder.
type cache struct {
	dir    string
	pinned []string // files of keys
}

func (f cacheFlags) cache() cache { return cache{f.Cache, f.Key} }

// bundleFile is where the bundle for builds of a branch is kept.
func (c cache) bundleFile(server, product, branch, component string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{server, product, branch, component}, "\x00")))
	return filepath.Join(c.dir, "bundles", hex.EncodeToString(sum[:16])+".json")
}

// keyFile is where the server's keys are kept.
func (c cache) keyFile() string { return filepath.Join(c.dir, "keys.pem") }

// keys returns the public keys that are trusted.
func (c cache) keys() ([]ed25519.PublicKey, error) {
	files := c.pinned
	if len(files) == 0 {
		files = []string{c.keyFile()}
	}
	var all []ed25519.PublicKey
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) && len(c.pinned) == 0 {
			return nil, gate.Errorf(gate.Conflict, "no public key is trusted: give --key, or fetch them with 'defectdojo-upload bundle'")
		}
		if err != nil {
			return nil, err
		}
		keys, err := attest.ParsePublicKeys(b)
		if err != nil {
			return nil, gate.Errorf(gate.Conflict, "%s: %v", f, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// fetch gets the bundle for builds of a branch from the server, checks it, and
// keeps it. Keys that are not pinned are the server's own.
func (c cache) fetch(ctx context.Context, cl *client.Client, product, branch, component string) (*bundle.Bundle, error) {
	envelope, err := cl.Bundle(ctx, product, branch, component)
	if err != nil {
		return nil, err
	}
	var fresh []byte
	if len(c.pinned) == 0 {
		if fresh, err = cl.Keys(ctx); err != nil {
			return nil, err
		}
		if err := c.write(c.keyFile(), fresh); err != nil {
			return nil, err
		}
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(envelope, keys)
	if err != nil {
		return nil, gate.Errorf(gate.Conflict, "the server's bundle: %v", err)
	}
	return b, c.write(c.bundleFile(cl.URL, product, branch, component), envelope)
}

// open reads the bundle that is kept, and checks who signed it.
func (c cache) open(server, product, branch, component string) (*bundle.Bundle, error) {
	path := c.bundleFile(server, product, branch, component)
	envelope, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no bundle for %s of %s in %s: 'defectdojo-upload bundle' fetches one, and every upload with --on-unreachable=local does", branch, product, c.dir)
	}
	if err != nil {
		return nil, err
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	b, err := bundle.Open(envelope, keys)
	if err != nil {
		return nil, fmt.Errorf("the bundle in %s is not to be trusted: %w", path, err)
	}
	return b, nil
}

// write replaces a file as a whole.
func (c cache) write(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
