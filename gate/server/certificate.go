package server

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
)

// certificate is the one that two files hold. They are looked at whenever
// somebody connects, so that a renewed certificate is taken up without a restart.
type certificate struct {
	files [2]string // of the chain and of the key

	mu     sync.Mutex
	looked [2]os.FileInfo // at the last try, which may have failed; nil: there was no file
	good   *tls.Certificate
}

// newCertificate reads the files for the first time.
func newCertificate(chain, key string) (*certificate, error) {
	c := &certificate{files: [2]string{chain, key}}
	c.looked = c.look()
	good, err := tls.LoadX509KeyPair(chain, key)
	c.good = &good
	return c, err
}

// get returns the certificate for a connection. Files that are no good, as while
// they are being replaced, leave the one that there was; the log says so once.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if same(now[0], c.looked[0]) && same(now[1], c.looked[1]) {
		return c.good, nil
	}
	c.looked = now // before it is read: what comes in between is looked at next time
	fresh, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		slog.Error("the new TLS certificate cannot be used: the last one stays", "file", c.files[0], "error", err, "expires", c.good.Leaf.NotAfter)
		return c.good, nil
	}
	c.good = &fresh
	slog.Info("a new TLS certificate is used", "file", c.files[0], "expires", fresh.Leaf.NotAfter)
	return c.good, nil
}

func (c *certificate) look() (out [2]os.FileInfo) {
	for i, f := range c.files {
		if info, err := os.Stat(f); err == nil {
			out[i] = info
		}
	}
	return out
}

// same tells whether a file has not been written and is no other one.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
