package server

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// slowest is how many bytes of a body must come in each time that limits.drip
// allows for them.
const slowest = 64 << 10

// listener accepts connections that can be watched.
type listener struct{ net.Listener }

// Accept returns a *conn.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// listen listens at the configured address, with TLS if there is a certificate.
func listen(cfg Config) (net.Listener, error) {
	var certs []tls.Certificate
	if cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	l, err := net.Listen("tcp", cfg.Listen) //nolint:noctx // it is for the life of the program
	if err != nil {
		return nil, err
	}
	if certs == nil {
		return listener{l}, nil
	}
	return tls.NewListener(listener{l}, &tls.Config{Certificates: certs, MinVersion: tls.VersionTLS12}), nil
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
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Swap(false) && half.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(time.Second)) //nolint:forbidigo // a wait, not a fact
		_, _ = io.CopyN(io.Discard, c.Conn, 1<<20)
	}
	return c.Conn.Close()
}
