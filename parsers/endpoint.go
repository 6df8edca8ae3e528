package parsers

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// defaultPorts are left out of canonical endpoints: IANA's, of the schemes that
// URLs are written with.
var defaultPorts = map[string]string{
	"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "ssh": "22", "sftp": "22", "telnet": "23", "smtp": "25", "dns": "53", "tftp": "69", "gopher": "70", "pop": "110", "pop3": "110",
	"nntp": "119", "imap": "143", "snmp": "161", "irc": "194", "ldap": "389", "smb": "445", "afp": "548", "rtsp": "554", "nntps": "563", "ipp": "631", "ipps": "631", "ldaps": "636", "rsync": "873",
	"imaps": "993", "pop3s": "995", "mms": "1755", "nfs": "111", "dict": "2628", "svn": "3690", "vnc": "5900", "redis": "6379", "ircs": "6697", "git": "9418",
}

// IsScheme tells whether a service's name is that of a URL scheme with a port of its own.
func IsScheme(name string) bool { return defaultPorts[name] != "" }

// Endpoint returns the canonical form of a URL, a host, or a host with a port:
// scheme and host in lower case, the host in ASCII (IDNA), no default port. It
// returns nothing for what has no host.
func Endpoint(raw string) string {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return ""
	}
	if !strings.Contains(raw, "://") {
		return build("", "", strings.TrimPrefix(raw, "//"))
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	if !isSchemeName(scheme) {
		return ""
	}
	user := ""
	authority := rest
	if i := tailIndex(rest); i >= 0 {
		authority = rest[:i]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, rest = authority[:i+1], rest[i+1:]
	}
	return build(strings.ToLower(scheme), user, rest)
}

// isSchemeName tells whether s may name a URL's scheme (RFC 3986, 3.1).
func isSchemeName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || (s[i] < '0' || s[i] > '9') && !strings.ContainsRune("+-._", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

// HostPort returns the canonical endpoint of a host and a port with a protocol,
// any of which but the host may be empty.
func HostPort(protocol, host, port string) string {
	host = strings.TrimSpace(host)
	if host == "" {
		return ""
	}
	protocol = strings.ToLower(strings.TrimSpace(protocol))
	port = strings.TrimSpace(port)
	if n, err := strconv.Atoi(port); err != nil || n <= 0 || n >= 65536 {
		port = ""
	}
	if isPlainName(host) { // nothing of it needs a change
		return join(protocol, "", host, port, "")
	}
	if port != "" {
		host = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	return build(protocol, "", host)
}

// build joins the parts of an endpoint; rest is host, port, path, query and fragment.
func build(scheme, user, rest string) string {
	authority, tail := rest, ""
	if i := tailIndex(rest); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	host, port := authority, ""
	if a, ok := address(authority); ok {
		host = a.String()
	} else if strings.Contains(authority, ":") {
		if h, p, err := net.SplitHostPort(authority); err == nil {
			host, port = h, p
		}
	}
	if host == "" {
		return ""
	}
	if a, ok := address(host); ok {
		host = a.String()
		if a.Is6() {
			host = "[" + host + "]"
		}
	} else if !isPlainName(host) {
		if ascii, err := idna.Lookup.ToASCII(host); err == nil {
			host = ascii
		} else {
			host = strings.ToLower(host)
		}
	}
	return join(scheme, user, host, port, escapeTail(tail))
}

// join puts the parts of an endpoint together, without a port that is the scheme's own.
func join(scheme, user, host, port, tail string) string {
	colon, slashes := ":", "://"
	if port == "" || port == defaultPorts[scheme] {
		colon, port = "", ""
	}
	if scheme == "" {
		slashes = ""
	}
	return scheme + slashes + user + host + colon + port + tail
}

// tailIndex returns where the path, the query or the fragment begins, or -1.
func tailIndex(s string) int {
	for i := range len(s) {
		if c := s[i]; c == '/' || c == '?' || c == '#' {
			return i
		}
	}
	return -1
}

// address reads an IP address, perhaps in brackets. One of version 4 begins with
// a digit and has no colon, one of version 6 has several.
func address(host string) (netip.Addr, bool) {
	switch strings.Count(host, ":") {
	case 0:
		if host == "" || host[0] != '[' && (host[0] < '0' || host[0] > '9') {
			return netip.Addr{}, false
		}
	case 1:
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return a, err == nil
}

// isPlainName tells whether a host's name is one that IDNA has nothing to change in.
func isPlainName(host string) bool {
	for i := range len(host) {
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return !strings.Contains(host, "xn--")
}

// escapeTail makes a path with query and fragment one that a URL may hold: one
// slash at its start, what must be escaped in upper case, no path that is "/".
func escapeTail(tail string) string {
	for strings.HasPrefix(tail, "//") {
		tail = tail[1:]
	}
	if tail == "/" {
		return ""
	}
	if !strings.ContainsFunc(tail, mustBeEscaped) {
		return tail
	}
	var b strings.Builder
	for i := 0; i < len(tail); i++ {
		switch c := tail[i]; {
		case c != '%' && mustBeEscaped(rune(c)):
			fmt.Fprintf(&b, "%%%02X", c)
		case c == '%' && i+2 < len(tail) && isHex(tail[i+1]) && isHex(tail[i+2]):
			b.WriteString(strings.ToUpper(tail[i : i+3]))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// mustBeEscaped tells whether a character may not stand in a URL as it is, or is
// what escapes others.
func mustBeEscaped(c rune) bool {
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == '`' || c == 0x7f || c == '%'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
