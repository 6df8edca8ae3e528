package web

import (
	"errors"
	"log/slog"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
)

// errorPage is what error.html shows.
type errorPage struct {
	layout
	Code      int
	Message   string
	RequestID string
}

var statuses = map[gate.Kind]int{
	gate.Internal:     fiber.StatusInternalServerError,
	gate.Invalid:      fiber.StatusBadRequest,
	gate.Unauthorized: fiber.StatusUnauthorized,
	gate.Forbidden:    fiber.StatusForbidden,
	gate.NotFound:     fiber.StatusNotFound,
	gate.Conflict:     fiber.StatusConflict,
	gate.TooLarge:     fiber.StatusRequestEntityTooLarge,
	gate.Unavailable:  fiber.StatusServiceUnavailable,
	gate.Limited:      fiber.StatusTooManyRequests,
}

// status returns the HTTP status of an error.
func status(err error) int {
	if e, ok := errors.AsType[*fiber.Error](err); ok { // Fiber's own: no such route, body too large
		return e.Code
	}
	return statuses[gate.KindOf(err)]
}

var errorTitles = map[int]string{
	fiber.StatusBadRequest:          "That does not work",
	fiber.StatusForbidden:           "Not allowed",
	fiber.StatusNotFound:            "Not here",
	fiber.StatusMethodNotAllowed:    "Not here",
	fiber.StatusConflict:            "Something changed meanwhile",
	fiber.StatusTooManyRequests:     "Too many requests",
	fiber.StatusServiceUnavailable:  "Not available right now",
	fiber.StatusInternalServerError: "Something went wrong here",
}

// Error answers a request for a page whose handler returned err. All errors of
// pages come here, and here alone are they logged and told.
func Error(c *fiber.Ctx, err error) error {
	headers(c)
	code := status(err)
	if code == fiber.StatusUnauthorized && c.Method() == fiber.MethodGet {
		return toLogin(c)
	}
	p := errorPage{Code: code, Message: err.Error(), RequestID: requestID(c)}
	p.Title = errorTitles[code]
	switch {
	case p.Title == "":
		p.Title = "That does not work"
	case code == fiber.StatusNotFound, code == fiber.StatusMethodNotAllowed:
		p.Message = "There is no such page, or nothing on it that you may see."
	case code >= fiber.StatusInternalServerError && gate.KindOf(err) == gate.Internal:
		slog.ErrorContext(c.UserContext(), "request failed", "method", c.Method(), "path", c.Path(), "request_id", p.RequestID, "error", err)
		p.Message = "The error is in the server's log under the number below."
	}
	p.Bare = true
	if v, ok := c.Locals(visitKey).(*visit); ok {
		p.User, p.CSRF, p.Now, p.Bare = v.User, v.CSRF, v.now, v.User.ID == 0
	}
	retryAfter(c, err)
	c.Status(code)
	return render(c, "error.html", p)
}

// toLogin sends a browser to log in, and back here after it. htmx would put the
// login into the page, so it is told to load it whole.
func toLogin(c *fiber.Ctx) error {
	target := "/login"
	if here := localPath(c.OriginalURL()); here != "/" {
		target += "?next=" + url.QueryEscape(here)
	}
	if c.Get("HX-Request") == "true" {
		c.Set("HX-Redirect", "/login")
		return c.SendStatus(fiber.StatusNoContent)
	}
	return c.Redirect(target, fiber.StatusSeeOther)
}

// retryAfter tells when to try again, if the error knows.
func retryAfter(c *fiber.Ctx, err error) {
	if e, ok := errors.AsType[*gate.Error](err); ok && e.After > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(e.After.Seconds())+1))
	}
}

// requestID is the request's number, which the server gave it.
func requestID(c *fiber.Ctx) string {
	return string(c.Response().Header.Peek(fiber.HeaderXRequestID))
}
