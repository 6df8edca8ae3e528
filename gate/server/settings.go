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
)

// setting is one environment variable.
type setting struct {
	name  string
	def   string // its value when it is not set
	help  string
	file  bool // it can be read from the file that NAME_FILE names: it is a secret
	store func(c *Config, v string) error
}

// settings are all of them, in the order of --help. Where DefectDojo has a
// variable that means the same, its name is DefectDojo's.
var settings = []setting{
	{"DD_DATA_DIR", "", "folder of the private database, the reports and the log; as root /var/lib/defectdojo, else defectdojo in the user's state folder", false,
		func(c *Config, v string) (err error) { c.DataDir, err = DataDir(v); return err }},
	{"DD_ROLE", "all", "what this node does: all, web (requests) or worker (jobs)", false, readRole},

	{"DD_DATABASE_URL", "", "PostgreSQL to use, as postgres://user:password@host:5432/database; not set: a private one in DD_DATA_DIR", true,
		func(c *Config, v string) error { c.DatabaseURL = v; return database(v) }},
	{"DD_DATABASE_HOST", "", "the same in parts, with DD_DATABASE_PORT, _NAME, _USER and _PASSWORD", false, nil},
	{"DD_DATABASE_PORT", "5432", "", false, nil},
	{"DD_DATABASE_NAME", "defectdojo", "", false, nil},
	{"DD_DATABASE_USER", "defectdojo", "", false, nil},
	{"DD_DATABASE_PASSWORD", "", "", true, nil},
	{"DD_DATABASE_ADMIN_URL", "", "an account that may create the role and the database above, if they are missing", true,
		func(c *Config, v string) error { c.DatabaseAdminURL = v; return database(v) }},
	{"DD_DATABASE_CONNECTIONS", "20", "the most connections that this node opens", false,
		func(c *Config, v string) error {
			return number(v, 4, 1000, func(n int64) { c.DatabaseConns = int32(n) })
		}}, //nolint:gosec // within those
	{"DD_POSTGRES_BIN", "", "folder of PostgreSQL's programs for the private database; not set: they are looked for", false,
		func(c *Config, v string) error { c.PostgresBin = v; return nil }},
	{"DD_POSTGRES_DOWNLOAD_URL", "", "npm registry, or archive, to get them from if there are none; not set: npm's own, if npm is installed", false,
		func(c *Config, v string) error { c.PostgresSource = v; return web(v) }},
	{"DD_NO_INSTALL", "false", "true: never install or download PostgreSQL", false,
		func(c *Config, v string) (err error) { c.NoInstall, err = yes(v); return err }},

	{"DD_LISTEN", "127.0.0.1:8080", "address and port to listen on", false, readListen},
	{"DD_SITE_URL", "", "how people reach the service, as https://dojo.example.com; not set: the address above", false,
		func(c *Config, v string) error { c.SiteURL = strings.TrimRight(v, "/"); return web(v) }},
	{"DD_TLS_CERT", "", "file of the certificate chain in PEM, to serve HTTPS", false, func(c *Config, v string) error { c.TLSCert = v; return readable(v) }},
	{"DD_TLS_KEY", "", "file of its key in PEM", false, func(c *Config, v string) error { c.TLSKey = v; return readable(v) }},
	{"DD_TRUSTED_PROXIES", "", "addresses and networks of the proxies before this service, with commas: their X-Forwarded headers are believed", false, readProxies},
	{"DD_PLAIN_HTTP", "false", "true: serve unencrypted HTTP to other machines", false,
		func(c *Config, v string) (err error) { c.PlainHTTP, err = yes(v); return err }},

	{"DD_ADMIN_USER", "admin", "name of the first administrator, made at the first start", false,
		func(c *Config, v string) error { c.AdminUser = v; return nil }},
	{"DD_ADMIN_PASSWORD", "", "their password, 12 characters at least; not set: one is made up and shown once", true,
		func(c *Config, v string) error { c.AdminPassword = v; return nil }},

	{"DD_BLOB_URL", "", "where raw reports are kept: file:///folder, s3://bucket?region=…, gs://bucket, azblob://container; not set: in DD_DATA_DIR", false, readBlobs},
	{"DD_SCAN_FILE_MAX_SIZE", "100", "size of the largest report, in MB", false,
		func(c *Config, v string) error { return number(v, 1, 10_000, func(n int64) { c.MaxReport = n << 20 }) }},
	{"DD_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR", false, readLevel},
	{"DD_LOG_FILE", "", "file of the log, of which five of 20 MB are kept; not set: standard error, and in DD_DATA_DIR with --detach", false,
		func(c *Config, v string) error { c.LogFile = v; return nil }},
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
	case !s.file || file == "":
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
		if s.file {
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
