package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRenewedCertificate renews a certificate under a node that serves, as
// certbot and Kubernetes do, and breaks it, and looks at what clients are shown.
func TestRenewedCertificate(t *testing.T) { //nolint:paralleltest // it reads the program's log
	log, before := &kept{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	files := pair{t: t, folder: t.TempDir()}
	files.issue(1)
	_, addr := serve(t, Config{TLSCert: files.chain(), TLSKey: files.key()}, usual)
	shown := func() int64 {
		t.Helper()
		c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: files.trusted(), MinVersion: tls.VersionTLS12}}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/ok", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	const broken, renewed = "cannot be used: the last one stays", "a new TLS certificate is used"
	steps := []struct {
		name            string
		do              func()
		serial          int64
		broken, renewed int // lines of the log, so far
	}{
		{"first", func() {}, 1, 0, 0},
		{"renewed", func() { files.issue(2) }, 2, 0, 1},
		{"half_written", func() { files.put(files.chain(), []byte("-----BEGIN CERTIFICATE-----\nMIIB")) }, 2, 1, 1},
		{"again", func() {}, 2, 1, 1},
		{"removed", func() { os.Remove(files.chain()) }, 2, 2, 1},
		{"back", func() { files.issue(3) }, 3, 2, 2},
		{"other_key", func() { _, key := files.make(4); files.put(files.key(), key) }, 3, 3, 2},
		{"written_over", func() { files.over(5) }, 5, 3, 3},
	}
	for _, s := range steps {
		s.do()
		if got := shown(); got != s.serial {
			t.Fatalf("%s: certificate %d, want %d\n%s", s.name, got, s.serial, log)
		}
		if b, r := strings.Count(log.String(), broken), strings.Count(log.String(), renewed); b != s.broken || r != s.renewed {
			t.Fatalf("%s: the log has %d broken and %d renewed certificates, want %d and %d\n%s", s.name, b, r, s.broken, s.renewed, log)
		}
	}
}

// pair is a certificate with its key in two files of a folder.
type pair struct {
	t      *testing.T
	folder string
}

func (p pair) chain() string { return filepath.Join(p.folder, "tls.crt") }
func (p pair) key() string   { return filepath.Join(p.folder, "tls.key") }

// issue replaces both files by others.
func (p pair) issue(serial int64) {
	chain, key := p.make(serial)
	p.put(p.chain(), chain)
	p.put(p.key(), key)
}

// over writes into the files that there are.
func (p pair) over(serial int64) {
	p.t.Helper()
	chain, key := p.make(serial)
	for file, b := range map[string][]byte{p.chain(): chain, p.key(): key} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p pair) put(file string, b []byte) {
	p.t.Helper()
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		p.t.Fatal(err)
	}
}

// make makes a certificate of this machine that signs itself.
func (p pair) make(serial int64) (chain, key []byte) {
	p.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		p.t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		p.t.Fatal(err)
	}
	chain, key = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})
	if err := os.WriteFile(filepath.Join(p.folder, big.NewInt(serial).String()+".pem"), chain, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return chain, key
}

// trusted are all certificates that were made.
func (p pair) trusted() *x509.CertPool {
	all := x509.NewCertPool()
	made, _ := filepath.Glob(filepath.Join(p.folder, "*.pem"))
	for _, file := range made {
		if b, err := os.ReadFile(file); err == nil {
			all.AppendCertsFromPEM(b)
		}
	}
	return all
}
