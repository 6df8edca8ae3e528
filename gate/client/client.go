// Package client is the Go client of our REST API: what defectdojo-upload needs
// of it. It never waits for ever, and it tells apart a server that says no from
// one that does not answer.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
)

// Client talks to one server.
type Client struct {
	URL   string // "https://gate.example.org"
	Token string
	HTTP  *http.Client
	Tries int                                        // of one request; default 5
	Note  func(format string, args ...any)           // told of each try that failed; may be nil
	Sleep func(context.Context, time.Duration) error // default: waits
}

// maxAnswer bounds how much of an answer is read.
const maxAnswer = 64 << 20

// New returns a client. The URL may have a path, and may end in a slash.
func New(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, gate.Errorf(gate.Invalid, "%q is not the URL of a server: use https://host or http://host:port", address)
	}
	base := strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), "/api/v2")
	return &Client{URL: base, Token: token, HTTP: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 5 * time.Minute, IdleConnTimeout: 30 * time.Second,
	}}, Tries: 5}, nil
}

// UnreachableError says that the server did not answer, or only that it cannot now.
type UnreachableError struct {
	URL string
	Err error
}

// Error tells which server and why.
func (e *UnreachableError) Error() string { return fmt.Sprintf("%s does not answer: %v", e.URL, e.Err) }

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// RejectedError says that the server answered no.
type RejectedError struct {
	Status  int
	Message string
}

// Error tells the server's reason.
func (e *RejectedError) Error() string {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("the server refused: %s (status %d): is DD_TOKEN right, and may it do this?", e.Message, e.Status)
	}
	return fmt.Sprintf("the server refused: %s (status %d)", e.Message, e.Status)
}

// call is one request that may be sent several times.
type call struct {
	method  string
	path    string
	header  http.Header
	body    func() (io.ReadCloser, error)
	length  int64
	content string
}

// do sends a call until it is answered for good, and decodes the answer.
func (c *Client) do(ctx context.Context, k call, out any) error {
	var last error
	for try := 1; ; try++ {
		wait, err := c.once(ctx, k, out)
		if err == nil {
			return nil
		}
		var rejected *RejectedError
		if errors.As(err, &rejected) || gate.KindOf(err) == gate.Invalid {
			return err
		}
		last = err
		if try >= max(c.Tries, 1) || ctx.Err() != nil {
			break
		}
		if wait == 0 {
			wait = time.Second << (try - 1)
			wait = wait/2 + rand.N(wait) //nolint:gosec // jitter is no secret
		}
		c.note("%v; trying again in %s", err, wait.Round(100*time.Millisecond))
		if err := c.sleep(ctx, wait); err != nil {
			break
		}
	}
	if errors.Is(last, context.DeadlineExceeded) || ctx.Err() != nil && last == nil {
		last = errors.New("the time limit is over")
	}
	return &UnreachableError{c.URL, last}
}

// once sends a call. A wait says when the server wants the next try.
func (c *Client) once(ctx context.Context, k call, out any) (wait time.Duration, err error) {
	var body io.ReadCloser
	if k.body != nil {
		if body, err = k.body(); err != nil {
			return 0, gate.Errorf(gate.Invalid, "%v", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, k.method, c.URL+"/api/v2"+k.path, body)
	if err != nil {
		return 0, gate.Errorf(gate.Invalid, "%v", err)
	}
	req.ContentLength = k.length
	maps.Copy(req.Header, k.header)
	if c.Token != "" {
		req.Header.Set("Authorization", "Token "+c.Token)
	}
	req.Header.Set("Accept", "application/json")
	if k.content != "" {
		req.Header.Set("Content-Type", k.content)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the URL: it is told once
		}
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("the answer broke off: %w", err)
	}
	switch {
	case resp.StatusCode < 300:
		if out == nil {
			return 0, nil
		}
		if err := json.Unmarshal(answer, out); err != nil {
			return 0, &RejectedError{resp.StatusCode, "the answer is not one of a DefectDojo gate: is DD_URL right?"}
		}
		return 0, nil
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		return retryAfter(resp.Header.Get("Retry-After")), fmt.Errorf("status %d: %s", resp.StatusCode, reason(answer))
	}
	return 0, &RejectedError{resp.StatusCode, reason(answer)}
}

// retryAfter reads the header's seconds, at most a minute.
func retryAfter(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Minute)
}

// reason finds the words in an error's body: DefectDojo's are a message, a
// detail, a list, or a list for each field.
func reason(body []byte) string {
	var list []string
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		return strings.Join(list, "; ")
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil {
		text := strings.Join(strings.Fields(string(body)), " ")
		if len(text) > 200 || strings.HasPrefix(text, "<") || text == "" {
			return "no reason given"
		}
		return text
	}
	var parts []string
	for _, key := range []string{"detail", "error"} {
		var s string
		if json.Unmarshal(m[key], &s) == nil && s != "" {
			parts = append(parts, s)
		}
	}
	for key, raw := range m {
		var words []string
		if key != "message" && json.Unmarshal(raw, &words) == nil {
			if key == "non_field_errors" {
				parts = append(parts, strings.Join(words, "; "))
			} else if key != "pro" {
				parts = append(parts, key+": "+strings.Join(words, "; "))
			}
		}
	}
	var message string
	if len(parts) == 0 && json.Unmarshal(m["message"], &message) == nil {
		parts = append(parts, message)
	}
	if len(parts) == 0 {
		return "no reason given"
	}
	return strings.Join(parts, "; ")
}

func (c *Client) note(format string, args ...any) {
	if c.Note != nil {
		c.Note(format, args...)
	}
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// post sends JSON.
func (c *Client) post(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(ctx, call{method: http.MethodPost, path: path, content: "application/json", length: int64(len(b)), body: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	}}, out)
}
