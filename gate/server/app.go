package server

import (
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	"defectdojo/gate/api"
)

// limits are what a request may take. One that brings a report may take more.
type limits struct {
	header     time.Duration // to send the head of a request
	body       time.Duration // and its body
	reportBody time.Duration
	drip       time.Duration // for each slowest bytes of a report, as long as we wait for them
	work       time.Duration // for us to answer
	reportWork time.Duration
	write      time.Duration // for the client to take the answer
	idle       time.Duration // a connection may wait for its next request
	drain      time.Duration // for what has begun, when the node stops
}

// usual are the limits outside of tests.
var usual = limits{
	header: 10 * time.Second, body: 30 * time.Second, reportBody: 5 * time.Minute, drip: 10 * time.Second,
	work: time.Minute, reportWork: 15 * time.Minute, write: 2 * time.Minute, idle: 75 * time.Second, drain: drain,
}

// bodySize is the size of the largest body that is not a report, in bytes.
const bodySize = 1 << 20

// uploads are the paths that take a report: their bodies may be as large as
// DD_SCAN_FILE_MAX_SIZE, and are for the handler to read as they come in.
var uploads = []string{api.Root + "/import-scan", api.Root + "/reimport-scan", api.Root + "/vex_documents", api.Root + "/import-languages"}

// attachments are the paths that take a file of any kind, likewise.
var attachments = regexp.MustCompile(`^` + api.Root + `/(findings|tests|engagements)/[0-9]+/files/?$`)

// takesReport tells whether a request to path brings a report, or as much.
func takesReport(path string) bool {
	if attachments.MatchString(path) {
		return true
	}
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
		ReadTimeout:                  s.limits.header,
		WriteTimeout:                 s.limits.write,
		IdleTimeout:                  s.limits.idle,
		ReadBufferSize:               16 << 10, // a head with long filters
		Concurrency:                  10_000,
		EnableTrustedProxyCheck:      true, // false would believe everybody's headers
		TrustedProxies:               s.cfg.TrustedProxies,
		ProxyHeader:                  fiber.HeaderXForwardedFor,
		EnableIPValidation:           true,
		ErrorHandler:                 failed,
	})
	app.Server().HeaderReceived = s.headReceived
	app.Server().CloseOnShutdown = true
	app.Use(s.begin, access, recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: panicked}), s.headers, s.share, s.body)
	app.Get("/healthz", s.health)
	app.Get("/readyz", s.ready)
	return app
}

// headReceived gives a request the time for its body, once its head is there.
// The library reads some kilobytes of it before any handler is called; a report
// is given more time from then on.
func (s *Server) headReceived(*fasthttp.RequestHeader) fasthttp.RequestConfig {
	return fasthttp.RequestConfig{ReadTimeout: s.limits.body}
}
