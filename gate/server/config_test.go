package server

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate/enrich"
)

// env is an environment of these variables.
func env(kv ...string) func(string) (string, bool) {
	vars := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		vars[kv[i]] = kv[i+1]
	}
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestReadDefaults(t *testing.T) {
	t.Parallel()
	got, err := Read(env("DD_DATA_DIR", "/x", "DD_TLS_CERT", "")) // set to nothing is not set
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		DataDir: "/x", Role: All, DatabaseConns: 20, Listen: "127.0.0.1:8080", PerClient: 500, AdminUser: "admin", MaxReport: 100 << 20,
		Intel: enrich.Places{EPSS: enrich.DefaultEPSS, KEV: enrich.DefaultKEV, OSV: enrich.DefaultOSV},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := got.Blobs(), "file:///x/reports?create_dir=true&metadata=skip&no_tmp_dir=true"; got != want {
		t.Errorf("Blobs = %s, want %s", got, want)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(env("DD_DATA_DIR", "/x", "DD_ROLE", "web", "DD_DATABASE_HOST", "db", "DD_DATABASE_USER", "me", "DD_DATABASE_PASSWORD", "p@ss/w:rd",
		"DD_LISTEN", "0.0.0.0:8443", "DD_TRUSTED_PROXIES", "10.0.0.0/8, ::1", "DD_SITE_URL", "https://dojo.example.com/", "DD_ADMIN_PASSWORD_FILE", secret,
		"DD_BLOB_URL", "s3://bucket", "DD_SCAN_FILE_MAX_SIZE", "2", "DD_LOG_LEVEL", "warning", "DD_NO_INSTALL", "yes",
		"DD_EPSS_URL", "off", "DD_KEV_URL", "file:///kev.json", "DD_OSV_URL", "/osv, https://osv.example/all.zip"))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		DataDir: "/x", Role: Web, DatabaseURL: "postgres://me:p%40ss%2Fw%3Ard@db:5432/defectdojo", DatabaseConns: 20, NoInstall: true,
		Listen: "0.0.0.0:8443", TrustedProxies: []string{"10.0.0.0/8", "::1"}, SiteURL: "https://dojo.example.com", PerClient: 500,
		AdminUser: "admin", AdminPassword: "correct horse battery", BlobURL: "s3://bucket", MaxReport: 2 << 20, LogLevel: 4,
		Intel: enrich.Places{EPSS: "off", KEV: "file:///kev.json", OSV: "/osv, https://osv.example/all.zip"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Secure() {
		t.Error("a site over https is not secure")
	}
}

// TestReadMistakes checks that all are told at once, and no secret with them.
func TestReadMistakes(t *testing.T) {
	t.Parallel()
	_, err := Read(env("DD_DATA_DIR", "/x", "DD_ROLE", "boss", "DD_DATABASE_URL", "postgres://me:s3cret#x@db/dojo", "DD_DATABASE_ADMIN_URL", "me:s3cret@db",
		"DD_DATABASE_HOST", "db", "DD_DATABASE_CONNECTIONS", "many", "DD_LISTEN", "8080", "DD_SITE_URL", "dojo", "DD_TLS_CERT", "/nowhere",
		"DD_TRUSTED_PROXIES", "proxy", "DD_ADMIN_PASSWORD", "s3cret", "DD_ADMIN_PASSWORD_FILE", "/nowhere", "DD_BLOB_URL", "ftp://x",
		"DD_SCAN_FILE_MAX_SIZE", "0", "DD_LOG_LEVEL", "LOUD", "DD_PLAIN_HTTP", "maybe", "DD_NO_INSTALL", "2", "DD_POSTGRES_DOWNLOAD_URL", "x", "DD_KEV_URL", "ftp://x"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`DD_ROLE: "boss" is none of`, "DD_DATABASE_URL: it is not a URL", "DD_DATABASE_ADMIN_URL: it is not like postgres://", "DD_DATABASE_HOST: DD_DATABASE_URL is set too",
		`DD_DATABASE_CONNECTIONS: "many" is not a number from 4 to 1000`, `DD_LISTEN: "8080" is not host:port`, "DD_SITE_URL: ", "DD_TLS_CERT: open /nowhere",
		`DD_TRUSTED_PROXIES: "proxy" is neither`, "DD_ADMIN_PASSWORD: it is set, and DD_ADMIN_PASSWORD_FILE too", `DD_BLOB_URL: "ftp" is none of`,
		"DD_SCAN_FILE_MAX_SIZE: ", `DD_LOG_LEVEL: "LOUD"`, `DD_PLAIN_HTTP: "maybe"`, `DD_NO_INSTALL: "2"`, "DD_POSTGRES_DOWNLOAD_URL: ", "DD_TLS_CERT, DD_TLS_KEY: set both",
		`DD_KEV_URL: "ftp://x" is no address`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error", want)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a secret is in the error: %v", err)
	}
}

func TestReadListen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, listen string
		more         []string
		ok           bool
	}{
		{"loopback", "127.0.0.1:8080", nil, true},
		{"loopback_6", "[::1]:0", nil, true},
		{"localhost", "localhost:8080", nil, true},
		{"everybody", ":8080", nil, false},
		{"public", "192.0.2.1:8080", nil, false},
		{"public_behind_proxy", "0.0.0.0:8080", []string{"DD_TRUSTED_PROXIES", "10.0.0.1"}, true},
		{"public_on_purpose", "0.0.0.0:8080", []string{"DD_PLAIN_HTTP", "true"}, true},
		{"weak_password", "127.0.0.1:8080", []string{"DD_ADMIN_PASSWORD", "short"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Read(env(append(tt.more, "DD_LISTEN", tt.listen)...)); (err == nil) != tt.ok {
				t.Errorf("error %v, want none: %t", err, tt.ok)
			}
		})
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	at := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	tests := []struct {
		cfg        Config
		addr, want string
	}{
		{Config{}, "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{Config{}, "0.0.0.0:80", "http://localhost:80"},
		{Config{}, "[::1]:80", "http://[::1]:80"},
		{Config{TLSCert: "x"}, "[::]:443", "https://localhost:443"},
		{Config{SiteURL: "https://dojo"}, "0.0.0.0:80", "https://dojo"},
	}
	for _, tt := range tests {
		if got := tt.cfg.site(at(tt.addr)); got != tt.want {
			t.Errorf("site of %s = %s, want %s", tt.addr, got, tt.want)
		}
	}
}

// TestUsage checks that --help tells of every variable.
func TestUsage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	Usage(&b)
	for _, s := range settings {
		if !strings.Contains(b.String(), "  "+s.name) {
			t.Errorf("%s is missing", s.name)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../" + ourSample); err != nil {
		t.Error(err)
	}
}
