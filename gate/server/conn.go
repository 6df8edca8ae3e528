package server

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// slowest is how many bytes of a body must come in each time that limits.drip
// allows for them.
const slowest = 64 << 10

// listener accepts connections that can be watched, and not too many of one client.
type listener struct {
	net.Listener
	cfg   Config
	seats *seats
}

// full is told to a client that has too many connections, where it can be told.
const full = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain\r\n\r\nToo many connections: try again later."

// Accept returns a *conn. A connection too many is ended here, before it costs
// anything. Behind a trusted proxy are many clients: theirs are not counted.
func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c)
		switch {
		case l.cfg.trusts(from):
			return &conn{Conn: c}, nil
		case l.seats.take(from):
			return &conn{Conn: c, left: sync.OnceFunc(func() { l.seats.free(from) })}, nil
		}
		if l.cfg.TLSCert == "" {
			_, _ = io.WriteString(c, full) // a new connection takes so little at once
		}
		_ = c.Close()
	}
}

func addressOf(c net.Conn) netip.Addr {
	a, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return a.Addr().Unmap()
}

// listen listens at the configured address, with TLS if there is a certificate.
func listen(cfg Config) (net.Listener, error) {
	var secure *tls.Config
	if cfg.TLSCert != "" {
		cert, err := newCertificate(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return nil, err
		}
		secure = &tls.Config{GetCertificate: cert.get, MinVersion: tls.VersionTLS12}
	}
	l, err := net.Listen("tcp", cfg.Listen) //nolint:noctx // it is for the life of the program
	if err != nil {
		return nil, err
	}
	l = listener{l, cfg, &seats{each: cfg.PerClient, of: "connections"}}
	if secure == nil {
		return l, nil
	}
	return tls.NewListener(l, secure), nil
}

// conn is a connection that can refuse a body which only drips, and that can
// wait for its client to take the last answer.
type conn struct {
	net.Conn
	limit  time.Time     // by the server's own rules
	drip   time.Duration // for the next bytes; 0 when nobody watches
	got    int           // of these bytes
	waited time.Duration // for them
	linger atomic.Bool
	left   func() // gives its place back; nil: it has none
}

// connOf returns the connection of a request, nil in a test without one. All
// its methods can be called on nil.
func connOf(c *fiber.Ctx) *conn {
	n := c.Context().Conn()
	if t, ok := n.(*tls.Conn); ok {
		n = t.NetConn()
	}
	w, _ := n.(*conn)
	return w
}

// watch begins to watch how fast a body comes; 0 ends it.
func (c *conn) watch(drip time.Duration) {
	if c != nil {
		c.drip, c.got, c.waited = drip, 0, 0
	}
}

// lingers makes Close wait for the client: to close on what it still sends
// would make its system throw away the answer.
func (c *conn) lingers() {
	if c != nil {
		c.linger.Store(true)
	}
}

// Read reads what has come.
func (c *conn) Read(b []byte) (int, error) {
	if c.drip == 0 {
		return c.Conn.Read(b)
	}
	left := c.drip - c.waited
	if left <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	start := time.Now() //nolint:forbidigo // measures the client
	end := start.Add(left)
	if !c.limit.IsZero() && c.limit.Before(end) {
		end = c.limit
	}
	if err := c.Conn.SetReadDeadline(end); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	c.got, c.waited = c.got+n, c.waited+time.Since(start)
	if c.got >= slowest {
		c.got, c.waited = 0, 0
	}
	return n, err
}

// SetReadDeadline sets until when a read may wait.
func (c *conn) SetReadDeadline(t time.Time) error {
	if c == nil {
		return nil
	}
	c.limit = t
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline sets until when a read and a write may wait.
func (c *conn) SetDeadline(t time.Time) error {
	c.limit = t
	return c.Conn.SetDeadline(t)
}

// Close closes the connection.
func (c *conn) Close() error {
	if c.left != nil {
		defer c.left()
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Swap(false) && half.CloseWrite() == nil {
		c.discard()
	}
	return c.Conn.Close()
}

// What a client that was refused may still send until it reads the answer: the
// largest delivery of a webhook, more than twice.
const (
	lingerBytes = 64 << 20
	lingerTime  = 10 * time.Second
	lingerIdle  = time.Second
)

// discard throws away what still comes, until the client ends or is silent.
func (c *conn) discard() {
	b := make([]byte, 64<<10)
	end := time.Now().Add(lingerTime) //nolint:forbidigo // a wait, not a fact
	for left := lingerBytes; left > 0; {
		now := time.Now() //nolint:forbidigo // as above
		if !now.Before(end) || c.Conn.SetReadDeadline(now.Add(lingerIdle)) != nil {
			return
		}
		n, err := c.Conn.Read(b)
		if left -= n; err != nil {
			return
		}
	}
}
