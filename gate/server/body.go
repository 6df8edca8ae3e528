package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/api"
	"defectdojo/gate/inbound"
	"defectdojo/policies/vex"
)

// body keeps what a client sends within limits. With streamed bodies the
// library has none, and where a handler leaves some of a body it would take the
// rest for the next request.
//
// The body of a report stays a stream, for its handler to read up to the limit;
// every other one is read here.
func (s *Server) body(c *fiber.Ctx) error {
	if e := c.Get(fiber.HeaderContentEncoding); e != "" && e != "identity" { // unpacked, it has any size
		return refuse(c, fiber.NewError(fiber.StatusUnsupportedMediaType, "a compressed body is not taken: send it as it is"))
	}
	limit := int64(bodySize)
	switch {
	case takesReport(c.Path()):
		limit = s.cfg.MaxReport + bodySize // and the fields beside it
	case inbound.IsHook(c.Path()):
		limit = inbound.MaxBody
	case takesVEX(c.Path()):
		limit = vex.MaxDocument + bodySize
	}
	length := int64(c.Request().Header.ContentLength()) // -1: chunked
	if length > limit {
		return refuse(c, tooLarge(limit))
	}
	stream := c.Request().BodyStream()
	switch {
	case stream == nil:
		return c.Next()
	case takesReport(c.Path()):
		return s.report(c, stream, length)
	}
	b, err := io.ReadAll(io.LimitReader(stream, limit+1))
	if err != nil {
		return refuse(c, cut(err))
	}
	if int64(len(b)) > limit {
		return refuse(c, tooLarge(limit))
	}
	c.Request().SetBodyRaw(b)
	return c.Next()
}

// takesVEX tells whether VEX documents are brought to a path.
func takesVEX(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == "/vex" || path == api.Root+"/vex_documents"
}

// report lets the handler read the stream. The connection is used again only if
// it is certain that all of it has been read.
func (s *Server) report(c *fiber.Ctx, stream io.Reader, length int64) error {
	conn := connOf(c)
	_ = conn.SetReadDeadline(time.Now().Add(s.limits.reportBody)) //nolint:forbidigo // a wait, not a fact
	conn.watch(s.limits.drip)
	err := c.Next()
	conn.watch(0)
	_ = conn.SetReadDeadline(past)
	if n, end := stream.Read(make([]byte, 1)); length < 0 || n > 0 || !errors.Is(end, io.EOF) {
		return refuse(c, err)
	}
	return err
}

// past makes a read return at once.
var past = time.Unix(1, 0)

// refuse ends the connection after the answer, which is err if there is one.
func refuse(c *fiber.Ctx, err error) error {
	c.Context().SetConnectionClose()
	connOf(c).lingers()
	return err
}

func tooLarge(limit int64) error {
	return gate.Errorf(gate.TooLarge, "the request is larger than %d bytes", limit)
}

// cut tells why a body did not come in whole.
func cut(err error) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		return fiber.NewError(fiber.StatusRequestTimeout, "the body came too slowly")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, bytes.ErrTooLarge) {
		return gate.Errorf(gate.Invalid, "the body ended too early")
	}
	return gate.Errorf(gate.Invalid, "the body cannot be read: %v", err)
}
