package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/auth"
	"defectdojo/gate/datadir"
	"defectdojo/gate/seal"
)

// text stores a value as it is.
func text(field func(*Config) *string) func(*Config, string) error {
	return checked(func(string) error { return nil }, field)
}

// checked stores a value that check finds nothing wrong with.
func checked(check func(string) error, field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = v
		return check(v)
	}
}

// flag stores true or false.
func flag(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		switch strings.ToLower(v) {
		case "true", "1", "yes", "on":
			*field(c) = true
		case "false", "0", "no", "off":
			*field(c) = false
		default:
			return fmt.Errorf("%q is neither true nor false", v)
		}
		return nil
	}
}

// number stores a whole number within bounds.
func number(least, most int64, set func(*Config, int64)) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is not a number from %d to %d", v, least, most)
		}
		set(c, n)
		return nil
	}
}

func readDataDir(c *Config, v string) (err error) {
	c.DataDir, err = datadir.Path(v)
	return err
}

func readSite(c *Config, v string) error {
	c.SiteURL = strings.TrimRight(v, "/")
	return webURL(v)
}

func readRole(c *Config, v string) error {
	switch c.Role = Role(v); c.Role {
	case All, Web, Worker:
		return nil
	}
	return fmt.Errorf("%q is none of all, web and worker", v)
}

func readListen(c *Config, v string) error {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("%q is not host:port", v)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	} else if n > 0 && n < 1024 && os.Geteuid() != 0 && runtime.GOOS == "linux" && !exempt(n) {
		return fmt.Errorf("only root may listen on port %d", n)
	}
	c.Listen = v
	return nil
}

// exempt tells whether this Linux lets everybody listen on port n.
func exempt(n uint64) bool {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	from, err2 := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	return err == nil && err2 == nil && n >= from
}

func readProxies(c *Config, v string) error {
	for p := range strings.SplitSeq(v, ",") {
		p = strings.TrimSpace(p)
		_, err := netip.ParsePrefix(p)
		if _, err2 := netip.ParseAddr(p); err != nil && err2 != nil {
			return fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", p)
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	return nil
}

func readBlobs(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil {
		return errors.New("it is not a URL")
	}
	switch u.Scheme {
	case "file", "s3", "gs", "azblob", "mem":
		c.BlobURL = v
		return nil
	}
	return fmt.Errorf("%q is none of file, s3, gs and azblob", u.Scheme)
}

func readLevel(c *Config, v string) error {
	levels := map[string]slog.Level{
		"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn, "WARN": slog.LevelWarn,
		"ERROR": slog.LevelError, "CRITICAL": slog.LevelError,
	}
	level, ok := levels[strings.ToUpper(v)]
	if !ok {
		return fmt.Errorf("%q is none of DEBUG, INFO, WARNING and ERROR", v)
	}
	c.LogLevel = level
	return nil
}

// database checks an address, and repeats nothing of it: what is wrong with it
// can be its password.
func database(v string) error {
	if !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errors.New("it is not like postgres://user:password@host:5432/database")
	}
	if _, err := url.Parse(v); err != nil {
		return errors.New("it is not a URL; in a password, / @ : # ? and % are written %2F %40 %3A %23 %3F %25")
	}
	_, err := pgxpool.ParseConfig(v)
	return err
}

func webURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not like https://host", v)
	}
	return nil
}

func readable(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return f.Close()
}

// loopback tells whether only this machine can reach the address.
func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen) // it has been checked
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func readKey(c *Config, v string) (err error) {
	c.SecretKey, err = seal.ParseKey(v)
	return err
}

func readOldKeys(c *Config, v string) error {
	for text := range strings.SplitSeq(v, ",") {
		k, err := seal.ParseKey(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		c.OldKeys = append(c.OldKeys, k)
	}
	return nil
}

func readNetworks(c *Config, v string) error {
	for text := range strings.SplitSeq(v, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a network like 10.1.0.0/16", strings.TrimSpace(text))
		}
		c.AllowedNet = append(c.AllowedNet, p.Masked())
	}
	return nil
}

func readIssuers(c *Config, v string) error {
	for text := range strings.SplitSeq(v, ",") {
		provider, address, _ := strings.Cut(strings.TrimSpace(text), "=")
		if provider != "github" && provider != "gitlab" {
			return fmt.Errorf("%q does not begin with github= or gitlab=", strings.TrimSpace(text))
		}
		if err := webURL(address); err != nil {
			return err
		}
		c.Issuers = append(c.Issuers, auth.Issuer{Provider: provider, URL: strings.TrimSuffix(address, "/")})
	}
	return nil
}
