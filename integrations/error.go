// Package integrations is what the clients of foreign systems share: the HTTP
// client they go through, what an error of theirs means for a retry, and the
// removal of secrets from what is told of them.
//
// Each system has a folder of its own: its client, its payloads, its settings
// with Validate, and tests against a server that checks every request. None
// knows the store: it is handed what it sends.
package integrations

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is what a foreign system answered, or that it did not. It holds no secret.
type Error struct {
	System    string // "github", "jira", …
	Op        string // what was asked: "create check run"
	Status    int    // of HTTP; 0 if there was no answer
	Permanent bool   // asking again will not help until somebody changes something
	Unknown   bool   // it may have been done all the same: look before asking again
	After     time.Duration
	Err       error
}

// Error tells who said what to which question.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.System, e.Op)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", Redact(e.Err.Error()))
	}
	return b.String()
}

// Unwrap returns what lies behind it.
func (e *Error) Unwrap() error { return e.Err }

// IsPermanent tells whether to give up.
func IsPermanent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Permanent
}

// Ails tells whether the error says something of the system or of our access to
// it, rather than of the one thing that was asked for.
func (e *Error) Ails() bool {
	return !e.Permanent && e.After == 0 || e.Status >= 500 || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden && e.Permanent
}

// RetryAfter returns how long the system asked to be left alone; 0 if it did not.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}

// longestWait is the most that a system is believed when it asks for time.
const longestWait = time.Hour

// FromResponse makes the error of an answer, or of none: resp may be nil. method
// tells whether the request may have had an effect. It is nil for a 2xx or 3xx
// without err.
func FromResponse(system, op, method string, resp *http.Response, err error, now time.Time) error {
	if err == nil && (resp == nil || resp.StatusCode < 400) {
		return nil
	}
	e := &Error{System: system, Op: op, Err: err}
	if resp == nil { // refused, cut off, timed out
		e.Permanent = errors.Is(err, ErrForbiddenAddress)
		e.Unknown = !e.Permanent && method != http.MethodGet && method != http.MethodHead
		return e
	}
	e.Status = resp.StatusCode
	e.After = wait(resp, now)
	switch {
	case resp.StatusCode < 400: // an answer that could not be read
		e.Unknown = method != http.MethodGet && method != http.MethodHead
	case resp.StatusCode >= 500:
		e.Unknown = method != http.MethodGet && method != http.MethodHead
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooEarly, resp.StatusCode == http.StatusLocked:
	case resp.StatusCode == http.StatusForbidden && e.After > 0: // GitHub's rate limits
	default:
		e.Permanent = true
	}
	return e
}

// wait reads Retry-After, and GitHub's and GitLab's rate limit headers.
func wait(resp *http.Response, now time.Time) time.Duration {
	h := resp.Header
	d := time.Duration(0)
	if text := h.Get("Retry-After"); text != "" {
		if n, err := strconv.Atoi(text); err == nil {
			d = time.Duration(n) * time.Second
		} else if at, err := http.ParseTime(text); err == nil {
			d = at.Sub(now)
		}
	} else if h.Get("X-RateLimit-Remaining") == "0" || h.Get("RateLimit-Remaining") == "0" {
		reset := h.Get("X-RateLimit-Reset") + h.Get("RateLimit-Reset")
		if n, err := strconv.ParseInt(reset, 10, 64); err == nil {
			d = time.Unix(n, 0).Sub(now)
		}
		d = max(d, time.Second)
	}
	return min(max(d, 0), longestWait)
}
