// Package mailtest is a mail server for tests: it speaks as much SMTP (RFC 5321,
// STARTTLS of RFC 3207, AUTH PLAIN and LOGIN of RFC 4954) as a client of ours may
// use, and refuses what it may not.
package mailtest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
)

// Username and Password are the account's.
const (
	Username = "gate"
	Password = "hunter2hunter2"
)

// Mail is one that was taken.
type Mail struct {
	From, To string
	Secure   bool
	User     string
	Data     string
}

// Message returns the mail parsed.
func (m Mail) Message() (*mail.Message, error) { return mail.ReadMessage(strings.NewReader(m.Data)) }

// Server is a mail server.
type Server struct {
	Host string
	Port int
	TLS  *tls.Config // with which a client trusts it

	t        testing.TB
	listener net.Listener
	cert     *tls.Config
	direct   bool // TLS from the start

	mu     sync.Mutex
	mails  []Mail
	refuse string // what every mail is answered
	plain  bool   // no STARTTLS
}

// New starts a server; direct: it speaks TLS from the start.
func New(t testing.TB, direct bool) *Server {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of a test
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	s := &Server{
		Host: "127.0.0.1", Port: addr.Port, t: t, listener: l, direct: direct, cert: web.TLS,
		TLS: web.Client().Transport.(*http.Transport).TLSClientConfig,
	}
	t.Cleanup(func() { _ = l.Close() })
	go s.serve()
	return s
}

// Refuse has every mail refused with a line: "550 5.1.1 unknown"; blank: none.
func (s *Server) Refuse(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = line
}

// Plain takes STARTTLS away.
func (s *Server) Plain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain = true
}

// Mails returns what was taken.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.speak(c)
	}
}

// session is one connection.
type session struct {
	net.Conn
	in     *bufio.Reader
	secure bool
	user   string
	mail   Mail
}

func (c *session) say(lines ...string) { _, _ = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n") }

func (c *session) line() (string, bool) {
	l, err := c.in.ReadString('\n')
	return strings.TrimRight(l, "\r\n"), err == nil
}

func (s *Server) speak(conn net.Conn) {
	defer conn.Close()
	c := &session{Conn: conn}
	if s.direct {
		c.Conn, c.secure = tls.Server(conn, s.cert), true
	}
	c.in = bufio.NewReader(c.Conn)
	c.say("220 mail.example.org ESMTP")
	for {
		l, ok := c.line()
		if !ok {
			return
		}
		verb, rest, _ := strings.Cut(l, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			s.greet(c)
		case "STARTTLS":
			c.say("220 go ahead")
			c.Conn, c.secure = tls.Server(c.Conn, s.cert), true
			c.in = bufio.NewReader(c.Conn)
		case "AUTH":
			s.auth(c, rest)
		case "MAIL":
			c.mail = Mail{From: address(rest), Secure: c.secure, User: c.user}
			c.say("250 ok")
		case "RCPT":
			s.rcpt(c, rest)
		case "DATA":
			s.data(c)
		case "RSET", "NOOP":
			c.say("250 ok")
		case "QUIT":
			c.say("221 bye")
			return
		default:
			c.say("502 unknown")
		}
	}
}

func (s *Server) greet(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := []string{"250-mail.example.org", "250-8BITMIME"}
	if !c.secure && !s.plain {
		lines = append(lines, "250-STARTTLS")
	}
	if c.secure {
		lines = append(lines, "250-AUTH PLAIN LOGIN")
	}
	c.say(append(lines, "250 ok")...)
}

func (s *Server) auth(c *session, rest string) {
	if !c.secure {
		s.t.Error("a password came over a connection that is not encrypted")
	}
	how, first, _ := strings.Cut(rest, " ")
	var user, password string
	if strings.EqualFold(how, "PLAIN") {
		if first == "" {
			c.say("334 ")
			first, _ = c.line()
		}
		b, _ := base64.StdEncoding.DecodeString(first)
		if parts := strings.Split(string(b), "\x00"); len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	} else {
		c.say("334 VXNlcm5hbWU6")
		l, _ := c.line()
		b, _ := base64.StdEncoding.DecodeString(l)
		user = string(b)
		c.say("334 UGFzc3dvcmQ6")
		l, _ = c.line()
		b, _ = base64.StdEncoding.DecodeString(l)
		password = string(b)
	}
	if user != Username || password != Password {
		c.say("535 5.7.8 wrong password " + password) // some servers are like that
		return
	}
	c.user = user
	c.say("235 welcome")
}

func (s *Server) rcpt(c *session, rest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != "" {
		c.say(s.refuse)
		return
	}
	c.mail.To = address(rest)
	c.say("250 ok")
}

func (s *Server) data(c *session) {
	c.say("354 go on")
	var b strings.Builder
	for {
		l, ok := c.line()
		if !ok {
			return
		}
		if l == "." {
			break
		}
		fmt.Fprintf(&b, "%s\r\n", strings.TrimPrefix(l, "."))
	}
	c.mail.Data = b.String()
	s.mu.Lock()
	s.mails = append(s.mails, c.mail)
	s.mu.Unlock()
	c.say("250 queued")
}

func address(rest string) string {
	_, a, _ := strings.Cut(rest, "<")
	a, _, _ = strings.Cut(a, ">")
	return a
}
