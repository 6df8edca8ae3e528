package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dialFrom connects from an address of this machine.
func dialFrom(t *testing.T, from, addr string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Skip("this machine has one loopback address only:", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// status asks for /ok on a connection and returns the answer's first line, or
// nothing if it was closed.
func status(c net.Conn) string {
	_, _ = io.WriteString(c, "GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

// TestCrowd has one address open far more connections than one may have, each
// of which drips its head: what is too many is refused at once, everybody else is
// answered, and when the others are closed, the address is, too.
func TestCrowd(t *testing.T) {
	t.Parallel()
	patient := usual // no connection ends by itself while this looks
	patient.header = time.Minute
	const most, crowd = 50, 1000
	_, addr := serve(t, Config{PerClient: most}, patient)
	const attacker, other = "127.0.0.2", "127.0.0.3"
	var refused atomic.Int32
	var all []net.Conn
	for range crowd {
		c := dialFrom(t, attacker, addr)
		all = append(all, c)
		go func() {
			_, _ = io.WriteString(c, "GET /ok HTTP/1.1\r\nX-Drip: ")
			_, _ = io.Copy(io.Discard, c) // it has an end if it was refused
			refused.Add(1)
		}()
	}
	wait(t, "those too many are refused", func() bool { return refused.Load() == crowd-most })
	if got := status(dialFrom(t, other, addr)); got != "HTTP/1.1 200 OK" {
		t.Errorf("somebody else gets %q", got)
	}
	if got := status(dialFrom(t, attacker, addr)); got != "" && !strings.Contains(got, "429") {
		t.Errorf("one more of the same address gets %q", got)
	}
	if n := refused.Load(); n != crowd-most {
		t.Errorf("%d connections were refused, want %d", n, crowd-most)
	}
	for _, c := range all {
		c.Close()
	}
	wait(t, "the address is answered again", func() bool { return status(dialFrom(t, attacker, addr)) == "HTTP/1.1 200 OK" })
}

func wait(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !reached(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in a minute this did not come true: " + what)
		}
	}
}

// TestCrowdBehindProxy: clients of a proxy are told apart by what it says, and
// its own connections are not counted.
func TestCrowdBehindProxy(t *testing.T) {
	t.Parallel()
	const most = 3
	s, addr := serve(t, Config{PerClient: most, TrustedProxies: []string{"127.0.0.1"}}, usual)
	ask := func(client, path string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		req.Header.Set("X-Forwarded-For", client)
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Error(err)
			return 0
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("it does not say when to try again")
		}
		return resp.StatusCode
	}
	busy := netip.MustParseAddr("9.9.9.9")
	for range most { // requests that are at work
		s.seats.take(busy)
	}
	if got := ask("9.9.9.9", "/ok"); got != http.StatusTooManyRequests {
		t.Errorf("one more: %d", got)
	}
	if got := ask("8.8.8.8", "/ok"); got != http.StatusOK {
		t.Errorf("somebody else: %d", got)
	}
	if got := ask("127.0.0.1", "/ok"); got != http.StatusOK {
		t.Errorf("the proxy itself: %d", got)
	}
	s.seats.free(busy)
	for range 2 * most { // each gives its seat back
		if got := ask("9.9.9.9", "/ok"); got != http.StatusOK {
			t.Errorf("after one has ended: %d", got)
		}
	}
}

// TestHousehold: an IPv6 client has 2⁶⁴ addresses, and is one client.
func TestHousehold(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := household(netip.MustParseAddr(client)).String(); got != want {
			t.Errorf("%s is of %s, want %s", client, got, want)
		}
	}
}
