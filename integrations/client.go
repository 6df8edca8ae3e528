package integrations

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ErrForbiddenAddress is that a name leads into a network which the operator
// has not allowed.
var ErrForbiddenAddress = errors.New("the address is in a private network: an operator can allow it with DD_ALLOWED_NETWORKS")

// Options are how requests go out.
type Options struct {
	Timeout  time.Duration  // of a whole request with its answer; 0 is 30 s
	MaxBytes int64          // of an answer; 0 is 32 MB
	Allowed  []netip.Prefix // private networks that may be reached
	Redirect func(r *http.Request, via []*http.Request) error
}

// NewClient returns a client for foreign systems: with a time limit, a size
// limit, and no way into networks that are not public. A redirect to another
// host goes without credentials.
func NewClient(o Options) *http.Client {
	dialer := NewDialer(o.Allowed)
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 32 << 20
	}
	if o.Redirect == nil {
		o.Redirect = follow
	}
	return &http.Client{
		Timeout: o.Timeout, CheckRedirect: o.Redirect,
		Transport: &limited{max: o.MaxBytes, next: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			MaxIdleConns: 32, MaxIdleConnsPerHost: 4, IdleConnTimeout: 60 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: 64 << 10,
		}},
	}
}

// follow follows three redirects of reading requests. net/http takes the
// Authorization header away when the host changes; other headers of ours hold
// secrets too.
func follow(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > 3:
		return errors.New("more than 3 redirects")
	case first.URL.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("redirected from https to " + r.URL.Scheme)
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return http.ErrUseLastResponse
	}
	if r.URL.Host != first.URL.Host {
		for name := range r.Header {
			if !slices.Contains([]string{"Accept", "User-Agent"}, name) {
				r.Header.Del(name)
			}
		}
	}
	return nil
}

// permitted refuses addresses that are not public, unless a network that holds
// them is allowed. It sees the address that the name led to, so that no name
// can lead elsewhere between a check and its use.
func permitted(address string, allowed []netip.Prefix) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	ip := at.Addr().Unmap().WithZone("")
	if slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%s: %w", ip, ErrForbiddenAddress)
	}
	return nil
}

// reserved are the networks of RFC 6890 that the standard library does not know
// as private: https://www.iana.org/assignments/iana-ipv4-special-registry
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// CheckURL tells what is wrong with the address of a foreign system.
func CheckURL(text string) error {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return errors.New("it is not an address")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("it must begin with https:// or http://")
	case u.Host == "" || u.Hostname() == "":
		return errors.New("it names no host")
	case u.User != nil:
		return errors.New("it holds a user name or password: give them in their own fields")
	}
	return nil
}

// limited ends answers that are too long.
type limited struct {
	next http.RoundTripper
	max  int64
}

// RoundTrip sends one request.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = &limitedBody{resp.Body, l.max}
	}
	return resp, err
}

type limitedBody struct {
	io.ReadCloser

	left int64
}

// Read reads until the limit, and then fails.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errors.New("the answer is longer than it may be")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
