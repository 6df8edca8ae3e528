package server

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"
)

// Limits of a request. A report has more of each; see uploads.
const (
	headerTime = 10 * time.Second // to send the head of a request
	bodyTime   = 30 * time.Second // and its body
	bodySize   = 1 << 20          // bytes
	workTime   = 60 * time.Second // for us to answer
	writeTime  = 2 * time.Minute  // for the client to take the answer
	idleTime   = 75 * time.Second // a connection may wait for its next request

	uploadBodyTime = 5 * time.Minute
	uploadWorkTime = 15 * time.Minute
)

// uploads are the paths that take a report: their bodies may be as large as
// DD_SCAN_FILE_MAX_SIZE, and are for the handler to read as they come in.
var uploads = []string{"/api/v2/import-scan", "/api/v2/reimport-scan"}

// takesReport tells whether a request to path brings a report.
func takesReport(path string) bool {
	for _, u := range uploads {
		if rest, ok := strings.CutPrefix(path, u); ok && (rest == "" || rest == "/") {
			return true
		}
	}
	return false
}

// newApp makes the app with what every request goes through, and the pages that
// tell of the node's health.
func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                      "defectdojo",
		DisableStartupMessage:        true,
		Immutable:                    true, // else strings of a request change when the next one comes
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadTimeout:                  headerTime,
		WriteTimeout:                 writeTime,
		IdleTimeout:                  idleTime,
		ReadBufferSize:               16 << 10, // a head with long filters
		Concurrency:                  10_000,
		EnableTrustedProxyCheck:      true, // false would believe everybody's headers
		TrustedProxies:               s.cfg.TrustedProxies,
		ProxyHeader:                  fiber.HeaderXForwardedFor,
		EnableIPValidation:           true,
		ErrorHandler:                 failed,
	})
	app.Server().HeaderReceived = limits
	app.Server().CloseOnShutdown = true
	app.Use(s.begin, access, recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: panicked}), s.headers, s.body)
	app.Get("/healthz", s.health)
	app.Get("/readyz", s.ready)
	return app
}

// limits gives a request the time for its body, once its head is there.
func limits(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, _, _ := strings.Cut(string(h.RequestURI()), "?")
	if takesReport(path) {
		return fasthttp.RequestConfig{ReadTimeout: uploadBodyTime}
	}
	return fasthttp.RequestConfig{ReadTimeout: bodyTime}
}
