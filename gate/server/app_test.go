package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"defectdojo/gate"
	"defectdojo/gate/gatetest"
	"defectdojo/gate/seal"
)

// brisk are the limits with which a test does not wait long.
var brisk = limits{
	header: 300 * time.Millisecond, body: 400 * time.Millisecond, reportBody: 3 * time.Second, drip: 300 * time.Millisecond,
	work: 5 * time.Second, reportWork: 5 * time.Second, write: 5 * time.Second, idle: 5 * time.Second, drain: 3 * time.Second,
}

// serve serves a node with the routes that the tests need, and returns it and
// its address.
func serve(t *testing.T, cfg Config, l limits) (*Server, string) {
	t.Helper()
	cfg.Listen, cfg.Role, cfg.MaxReport, cfg.SecretKey = "127.0.0.1:0", Web, 4<<20, seal.NewKey()
	s, err := newServer(cfg, gatetest.DB(t), "http://test", l)
	if err != nil {
		t.Fatal(err)
	}
	s.app.Get("/ok", func(c *fiber.Ctx) error { return c.SendString("ok") })
	s.app.Get("/api/v2/panic", func(*fiber.Ctx) error { panic("on purpose") })
	s.app.Get("/api/v2/secret", func(*fiber.Ctx) error { return errors.New("s3cret of the inside") })
	s.app.Get("/api/v2/starting", func(*fiber.Ctx) error { return &pgconn.PgError{Code: "57P03"} })
	s.app.Get("/api/v2/conflict", func(*fiber.Ctx) error { return gate.Errorf(gate.Conflict, "there is one") })
	s.app.Get("/ip", func(c *fiber.Ctx) error { return c.SendString(c.IP() + " " + c.Protocol()) })
	s.app.Get("/slow", func(c *fiber.Ctx) error {
		select {
		case <-time.After(time.Second):
			return c.SendString("done")
		case <-c.UserContext().Done():
			return c.UserContext().Err()
		}
	})
	s.app.Post("/echo", func(c *fiber.Ctx) error { return c.Send(c.Body()) })
	counts := func(c *fiber.Ctx) error { // what it reads
		n, err := io.Copy(io.Discard, c.Context().RequestBodyStream())
		if err != nil {
			return cut(err)
		}
		return c.SendString(strconv.FormatInt(n, 10))
	}
	s.app.Post("/api/v2/import-scan", counts)
	s.app.Post("/api/v2/findings/:id/files", counts)
	s.app.Post("/api/v2/reimport-scan", func(c *fiber.Ctx) error { return gate.Errorf(gate.Forbidden, "not you") }) // reads nothing
	ln, err := listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Stop(t.Context(), func(string) {}); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		ln.Close()
		<-served
	})
	return s, ln.Addr().String()
}

// raw sends text on a connection of its own and returns all that comes back
// until the other side closes or a second has passed.
func raw(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go io.WriteString(c, text) // the other side may close first
	c.SetReadDeadline(time.Now().Add(time.Second))
	b, _ := io.ReadAll(c)
	return string(b)
}

func get(t *testing.T, url string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{}, usual)
	tests := []struct {
		path   string
		status int
		body   string
	}{
		{"/healthz", 200, `{"status":"ok"}`},
		{"/readyz", 200, `{"status":"ok"}`},
		{"/ok", 200, "ok"},
		{"/api/v2/nothing", 404, `{"detail":"Cannot GET /api/v2/nothing."}`},
		{"/nothing", 404, "<!doctype html>"},
		{"/api/v2/panic", 500, `{"message":"Internal server error, check logs for details"}`},
		{"/api/v2/secret", 500, `{"message":"Internal server error, check logs for details"}`},
		{"/api/v2/starting", 503, `{"detail":"The database does not answer: try again."}`},
		{"/api/v2/conflict", 409, `{"message":"there is one"}`},
	}
	for _, tt := range tests {
		status, header, body := get(t, "http://"+addr+tt.path)
		if status != tt.status || body != tt.body && (tt.body != "<!doctype html>" || !strings.HasPrefix(body, tt.body)) {
			t.Errorf("GET %s = %d %s, want %d %s", tt.path, status, body, tt.status, tt.body)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "", "Server": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", tt.path, name, got, want)
			}
		}
		if header.Get("X-Request-Id") == "" {
			t.Errorf("GET %s: no request id", tt.path)
		}
	}
}

func TestHSTS(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{SiteURL: "https://dojo.example.com"}, usual)
	if _, h, _ := get(t, "http://"+addr+"/ok"); h.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("Strict-Transport-Security is %q", h.Get("Strict-Transport-Security"))
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{}, usual)
	for given, kept := range map[string]bool{"run-17.4": true, `x" evil`: false, strings.Repeat("x", 65): false} {
		if _, h, _ := get(t, "http://"+addr+"/ok", "X-Request-ID", given); (h.Get("X-Request-Id") == given) != kept {
			t.Errorf("%q became %q, kept %t", given, h.Get("X-Request-Id"), kept)
		}
	}
}

// TestProxy checks that only a trusted proxy is believed, and of its list only
// what it saw itself.
func TestProxy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		trusted []string
		header  []string
		want    string
	}{
		{"nobody", nil, []string{"X-Forwarded-For", "9.9.9.9", "X-Forwarded-Proto", "https"}, "127.0.0.1 http"},
		{"trusted", []string{"127.0.0.0/8"}, []string{"X-Forwarded-For", "9.9.9.9", "X-Forwarded-Proto", "https"}, "9.9.9.9 https"},
		{"forged", []string{"127.0.0.1"}, []string{"X-Forwarded-For", "1.1.1.1, 9.9.9.9"}, "9.9.9.9 http"},
		{"two_proxies", []string{"127.0.0.1", "10.0.0.0/8"}, []string{"X-Forwarded-For", "1.1.1.1, 9.9.9.9, 10.1.2.3"}, "9.9.9.9 http"},
		{"nonsense", []string{"127.0.0.1"}, []string{"X-Forwarded-For", "1.1.1.1, me"}, "127.0.0.1 http"},
		{"none", []string{"127.0.0.1"}, nil, "127.0.0.1 http"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, addr := serve(t, Config{TrustedProxies: tt.trusted}, usual)
			if _, _, got := get(t, "http://"+addr+"/ip", tt.header...); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestBodies sends bodies of every kind. After each a request for /ok follows on
// the same connection: it is answered, or the connection is closed; what was
// left of a body must never be taken for a request.
func TestBodies(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{}, brisk)
	big, report := strings.Repeat("x", bodySize+1), strings.Repeat("x", 3<<20)
	inner := "GET /api/v2/conflict HTTP/1.1\r\nHost: x\r\n\r\n" // must not be answered
	chunked := func(s string) string {
		var b strings.Builder
		for len(s) > 0 {
			n := min(len(s), 100_000)
			fmt.Fprintf(&b, "%x\r\n%s\r\n", n, s[:n])
			s = s[n:]
		}
		return b.String() + "0\r\n\r\n"
	}
	const upload, refused = "/api/v2/import-scan", "/api/v2/reimport-scan/"
	tests := []struct {
		name, path, header, body string
		want                     string // in the answer
		goesOn                   bool   // the connection does
	}{
		{"small", "/echo", "Content-Length: 5", "hello", "hello", true},
		{"small_chunked", "/echo", "Transfer-Encoding: chunked", chunked("hello"), "hello", true},
		{"too_long", "/echo", fmt.Sprintf("Content-Length: %d", len(big)), big, "413 Request Entity Too Large", false},
		{"too_long_chunked", "/echo", "Transfer-Encoding: chunked", chunked(big), "413 Request Entity Too Large", false},
		{"unread", "/nothing", fmt.Sprintf("Content-Length: %d", len(inner)), inner, "404 Not Found", true},
		{"unread_health", "/healthz", fmt.Sprintf("Content-Length: %d", len(inner)), inner, "405 Method Not Allowed", true},
		{"report", upload, fmt.Sprintf("Content-Length: %d", len(report)), report, strconv.Itoa(len(report)), true},
		{"report_chunked", upload, "Transfer-Encoding: chunked", chunked(report), strconv.Itoa(len(report)), false},
		{"report_too_long", upload, "Content-Length: 99999999", big, "413 Request Entity Too Large", false},
		{"report_unread", refused, fmt.Sprintf("Content-Length: %d", len(inner)), inner, "403 Forbidden", false},
		{"report_unread_long", refused, fmt.Sprintf("Content-Length: %d", len(report)), report, "403 Forbidden", false},
		{"report_cut_short", upload, "Content-Length: 100", "x", "408 Request Timeout", false},
		{"attachment", "/api/v2/findings/7/files/", fmt.Sprintf("Content-Length: %d", len(report)), report, strconv.Itoa(len(report)), true},
		{"packed", "/echo", "Content-Encoding: gzip\r\nContent-Length: 5", "hello", "415 Unsupported Media Type", false},
		{"bad_length", "/echo", "Content-Length: five", "hello", "400 Bad Request", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "POST " + tt.path + " HTTP/1.1\r\nHost: x\r\n" + tt.header + "\r\n\r\n" + tt.body
			if tt.goesOn {
				text += "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			}
			got := raw(t, addr, text)
			if !strings.Contains(got, tt.want) {
				t.Errorf("answer %.300q, want one with %q", got, tt.want)
			}
			if n, want := strings.Count(got, "HTTP/1.1 "), map[bool]int{true: 2, false: 1}[tt.goesOn]; n != want {
				t.Errorf("%d answers, want %d: %.600q", n, want, got)
			}
			if strings.Contains(got, "409 ") {
				t.Error("a body was taken for a request")
			}
		})
	}
}

// TestSlow drips: each connection is closed when its time is up.
func TestSlow(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{}, brisk)
	tests := []struct {
		name, begin string
		want        string
		within      time.Duration
	}{
		{"head", "GET /ok HTTP/1.1\r\nX-Drip: ", "408", brisk.header + time.Second},
		{"body", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "408", brisk.body + time.Second},
		{"report", "POST /api/v2/import-scan HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 9000), "408", brisk.drip + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			start := time.Now()
			go func() {
				io.WriteString(c, tt.begin)
				for range time.Tick(20 * time.Millisecond) {
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
				}
			}()
			c.SetReadDeadline(start.Add(5 * time.Second))
			b, err := io.ReadAll(bufio.NewReader(c))
			if took := time.Since(start); took > tt.within {
				t.Errorf("it took %v, want at most %v (%v)", took, tt.within, err)
			}
			if len(b) > 0 && !strings.Contains(string(b), tt.want) {
				t.Errorf("answer %.200q, want %s", b, tt.want)
			}
		})
	}
}

// TestSteady is a slow client that keeps to the rule.
func TestSteady(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, Config{}, brisk)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		fmt.Fprintf(c, "POST /api/v2/import-scan HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", 10*slowest)
		for range 10 {
			time.Sleep(100 * time.Millisecond)
			c.Write(bytes.Repeat([]byte("x"), slowest))
		}
	}()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, _ := io.ReadAll(c)
	if !strings.HasSuffix(string(b), strconv.Itoa(10*slowest)) {
		t.Errorf("answer %q", b)
	}
}

// TestStopFinishes stops while a request is at work: it is answered, the node
// is not ready any more, and nothing new is taken.
func TestStopFinishes(t *testing.T) {
	t.Parallel()
	s, addr := serve(t, Config{}, brisk)
	keep, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	io.WriteString(keep, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	time.Sleep(100 * time.Millisecond) // it is at work
	var said []string
	if err := s.Stop(t.Context(), func(text string) { said = append(said, text) }); err != nil {
		t.Error(err)
	}
	b, _ := io.ReadAll(keep)
	if !strings.HasPrefix(string(b), "HTTP/1.1 200 OK") || !strings.HasSuffix(string(b), "done") {
		t.Errorf("the request at work got %q", b)
	}
	if diff := cmp.Diff([]string{"Finishing the requests on 1 connections", "Requests: finished"}, said); diff != "" {
		t.Error(diff)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("it still takes connections")
	}
}

// TestStopGivesUp stops while a request hangs that will not end.
func TestStopGivesUp(t *testing.T) {
	t.Parallel()
	l := brisk
	l.drain = 300 * time.Millisecond
	s, addr := serve(t, Config{}, l)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	time.Sleep(100 * time.Millisecond) // it is at work
	var said []string
	if err := s.Stop(t.Context(), func(text string) { said = append(said, text) }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"Finishing the requests on 1 connections", "Requests: gave up on those that did not finish in time"}, said); diff != "" {
		t.Error(diff)
	}
	c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if b, _ := io.ReadAll(c); !strings.HasPrefix(string(b), "HTTP/1.1 503") {
		t.Errorf("the request got %q", b)
	}
}

// TestDatabaseGone closes the database under the service.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	s, addr := serve(t, Config{}, usual)
	s.pool.Close()
	status, _, body := get(t, "http://"+addr+"/readyz")
	var answer struct{ Status string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 503 || answer.Status != "the database does not answer" {
		t.Errorf("GET /readyz = %d %s", status, body)
	}
	if status, _, _ := get(t, "http://"+addr+"/healthz"); status != 200 {
		t.Errorf("GET /healthz = %d", status)
	}
}
