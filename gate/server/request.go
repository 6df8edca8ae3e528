package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/inbound"
)

// begin gives a request its context, its number, and the address of who sent it.
//
// The context is the node's own with a deadline: the one of the library ends
// for every request when the node is told to stop.
func (s *Server) begin(c *fiber.Ctx) error {
	limit := s.limits.work
	if takesReport(c.Path()) {
		limit = s.limits.reportWork
	}
	id := requestID(c.Get(fiber.HeaderXRequestID))
	c.Set(fiber.HeaderXRequestID, id)
	ctx, cancel := context.WithTimeout(withAttrs(s.life, slog.String("request_id", id)), limit)
	defer cancel()
	c.SetUserContext(ctx)
	if c.IsProxyTrusted() {
		c.Request().Header.Set(fiber.HeaderXForwardedFor, s.client(c))
	}
	return c.Next()
}

// requestID returns the number that a client or proxy has given the request, if
// it is harmless to log, and else a new one.
func requestID(given string) string {
	ok := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' || r == '.'
	}
	if given != "" && len(given) <= 64 && strings.TrimFunc(given, ok) == "" {
		return given
	}
	return strings.ToLower(rand.Text()[:16])
}

// client returns the address that the last trusted proxy saw. Each proxy adds
// one at the end; what stands before that is whatever the client wrote, so the
// library, which takes the first, is given this one alone.
func (s *Server) client(c *fiber.Ctx) string {
	seen := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, a := range slices.Backward(seen) {
		addr, err := netip.ParseAddr(strings.TrimSpace(a))
		if err != nil {
			break
		}
		if !s.cfg.trusts(addr.Unmap()) {
			return addr.String()
		}
	}
	return c.Context().RemoteIP().String()
}

// trusts tells whether addr is one of a proxy before this service.
func (c Config) trusts(addr netip.Addr) bool {
	for _, p := range c.TrustedProxies {
		if network, err := netip.ParsePrefix(p); err == nil && network.Contains(addr) || p == addr.String() {
			return true
		}
	}
	return false
}

// share lets a client behind a trusted proxy have only so many requests at once.
// Who comes directly has a connection for each.
func (s *Server) share(c *fiber.Ctx) error {
	addr, err := netip.ParseAddr(c.IP())
	if err != nil || !c.IsProxyTrusted() || s.cfg.trusts(addr.Unmap()) {
		return c.Next()
	}
	if !s.seats.take(addr) {
		return refuse(c, &gate.Error{Kind: gate.Limited, Message: "Too many requests at once: try again later.", After: 5 * time.Second})
	}
	defer s.seats.free(addr)
	return c.Next()
}

// access writes a line of the log for each request: no query, no header and no
// body, for they hold secrets.
func access(c *fiber.Ctx) error {
	start := time.Now() //nolint:forbidigo // the edge where a request comes in
	err := c.Next()
	if err != nil { // answer now, so that the line tells the status
		if err := c.App().ErrorHandler(c, err); err != nil {
			_ = c.SendStatus(fiber.StatusInternalServerError)
		}
	}
	level := slog.LevelInfo
	if p := c.Path(); p == "/healthz" || p == "/readyz" || strings.HasPrefix(p, "/static/") {
		level = slog.LevelDebug
	}
	size := -1 // a stream: nobody knows yet
	if !c.Response().IsBodyStream() {
		size = len(c.Response().Body())
	}
	slog.LogAttrs(c.UserContext(), level, "request",
		slog.String("method", c.Method()), slog.String("path", inbound.ShownPath(c.Path())), slog.Int("status", c.Response().StatusCode()),
		slog.Int("bytes_out", size), slog.Float64("took_ms", float64(time.Since(start).Microseconds())/1000), slog.String("ip", c.IP()))
	return nil
}
