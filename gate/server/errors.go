package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgconn"

	"defectdojo/gate"
)

// statuses maps an error's kind to its HTTP status.
var statuses = map[gate.Kind]int{
	gate.Internal:     fiber.StatusInternalServerError,
	gate.Invalid:      fiber.StatusBadRequest,
	gate.Unauthorized: fiber.StatusUnauthorized,
	gate.Forbidden:    fiber.StatusForbidden,
	gate.NotFound:     fiber.StatusNotFound,
	gate.Conflict:     fiber.StatusConflict,
	gate.TooLarge:     fiber.StatusRequestEntityTooLarge,
	gate.Unavailable:  fiber.StatusServiceUnavailable,
}

// failed answers a request whose handler returned err, unless the part that the
// request is for has a funnel of its own.
func failed(c *fiber.Ctx, err error) error {
	status, message := describe(c, err)
	if status == fiber.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, "5")
	}
	return c.Status(status).JSON(fiber.Map{"detail": message})
}

// describe returns what is told of err, and logs what is not.
func describe(c *fiber.Ctx, err error) (int, string) {
	if e, ok := errors.AsType[*fiber.Error](err); ok { // the library's own: no such route, a head too large
		return e.Code, e.Message
	}
	kind, message := gate.KindOf(err), err.Error()
	if kind == gate.Internal && absent(err) {
		kind, message = gate.Unavailable, "the database does not answer: try again"
	}
	if kind == gate.Internal {
		slog.ErrorContext(c.UserContext(), "request failed", "method", c.Method(), "path", c.Path(), "error", err)
		message = "internal error"
	}
	return statuses[kind], message
}

// absent tells whether err says that the database is not there just now: it
// cannot be reached, it is starting or stopping, or all places are taken.
func absent(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "08"))
}

// panicked logs a panic; the request is answered with an internal error.
func panicked(c *fiber.Ctx, v any) {
	slog.ErrorContext(c.UserContext(), "panic", "method", c.Method(), "path", c.Path(), "value", v, "stack", string(debug.Stack()))
}
