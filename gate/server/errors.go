package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/inbound"
	"defectdojo/gate/web"
	"defectdojo/integrations"
)

// failed answers a request whose handler returned err, and is the one place that
// does: as the API tells it, or as a page. A database that is not there is told as what it is.
func failed(c *fiber.Ctx, err error) error {
	if errors.Is(err, context.Canceled) { // a request's context ends early only with the node
		err = gate.Errorf(gate.Unavailable, "The server is stopping: try again.")
	}
	if gate.KindOf(err) == gate.Internal && absent(err) {
		slog.ErrorContext(c.UserContext(), "the database does not answer", "method", c.Method(), "path", inbound.ShownPath(c.Path()), "error", err)
		err = gate.Errorf(gate.Unavailable, "The database does not answer: try again.")
	}
	if path := c.Path(); strings.HasPrefix(path, api.Root) || path == "/healthz" || path == "/readyz" || inbound.IsHook(path) {
		return api.Error(c, err)
	}
	return web.Error(c, err)
}

// absent tells whether err says that the database is not there just now: it
// cannot be reached, it is starting or stopping, all places are taken, or it
// went away while it was asked. What a client or a foreign system cuts off has
// errors of its own.
func absent(err error) bool {
	if _, foreign := errors.AsType[*integrations.Error](err); foreign {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || slices.ContainsFunc(gone, func(e error) bool { return errors.Is(err, e) }) {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "53") || strings.HasPrefix(pg.Code, "08"))
}

// gone are the errors of connections that end under a query, and of those that
// cannot be had.
var gone = []error{
	context.DeadlineExceeded, puddle.ErrClosedPool, pgconn.ErrConnClosed, io.ErrUnexpectedEOF, net.ErrClosed,
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
}

// panicked logs a panic; the request is answered with an internal error.
func panicked(c *fiber.Ctx, v any) {
	slog.ErrorContext(c.UserContext(), "panic", "method", c.Method(), "path", inbound.ShownPath(c.Path()), "value", v, "stack", string(debug.Stack()))
}
