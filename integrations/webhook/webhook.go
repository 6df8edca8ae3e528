// Package webhook posts notices to addresses that people choose, with the
// headers that DefectDojo's webhooks have and, beyond those, a delivery id and a
// signature:
//
//	X-DefectDojo-Delivery:  the same when a delivery is tried again
//	X-DefectDojo-Timestamp: seconds since 1970
//	X-DefectDojo-Signature: v1=, then HMAC-SHA-256 of timestamp + "." + body in hex
//
// A receiver checks the signature over the bytes that came, in constant time,
// refuses timestamps older than some minutes, and ignores ids that it has had.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"defectdojo/integrations"
)

// Config is where notices are posted to. All but the name of the header is secret.
type Config struct {
	URL         string
	HeaderName  string // of the receiver's own choice; blank: none
	HeaderValue string
	Secret      string // signs; blank: nothing is signed
}

// Validate tells what is wrong with a configuration, by field.
func (c Config) Validate() map[string]string {
	wrong := map[string]string{}
	if err := integrations.CheckURL(c.URL); err != nil {
		wrong["url"] = err.Error()
	} else if len(c.URL) > 200 {
		wrong["url"] = "it is longer than 200 characters"
	}
	if c.HeaderName != "" && (!httpguts.ValidHeaderFieldName(c.HeaderName) || slices.Contains(taken, textproto.CanonicalMIMEHeaderKey(c.HeaderName))) {
		wrong["header_name"] = "this header cannot be set"
	}
	if !httpguts.ValidHeaderFieldValue(c.HeaderValue) {
		wrong["header_value"] = "it holds characters that no header may hold"
	}
	return wrong
}

// taken are the headers that are not the receiver's to choose.
var taken = []string{
	"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade", "User-Agent", "Accept",
	"X-Defectdojo-Event", "X-Defectdojo-Instance", "X-Defectdojo-Delivery", "X-Defectdojo-Timestamp", "X-Defectdojo-Signature",
}

// Delivery is one notice to be posted.
type Delivery struct {
	ID       string
	Event    string
	Body     []byte // JSON
	Instance string // address of this installation
	Version  string // of this program
}

// timeout bounds a request, as in DefectDojo.
const timeout = 10 * time.Second

// Send posts a delivery and returns the status that it was answered with.
func Send(ctx context.Context, client *http.Client, c Config, d Delivery, now time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, &integrations.Error{System: system, Op: op, Permanent: true, Err: errors.New("the address is not one")}
	}
	c.sign(r, d, now)
	resp, err := client.Do(r)
	if err != nil {
		return 0, c.hide(integrations.FromResponse(system, op, http.MethodPost, nil, integrations.WithoutURL(err), now))
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp.StatusCode, nil
	}
	said := errors.New(strings.ToValidUTF8(strings.TrimSpace(string(answer)), ""))
	if resp.StatusCode < 400 { // a redirect would take the secrets elsewhere
		return resp.StatusCode, &integrations.Error{System: system, Op: op, Status: resp.StatusCode, Permanent: true, Err: errors.New("a redirect is not followed")}
	}
	return resp.StatusCode, c.hide(integrations.FromResponse(system, op, http.MethodPost, resp, said, now))
}

const system, op = "webhook", "post"

// sign sets the headers of a request.
func (c Config) sign(r *http.Request, d Delivery, now time.Time) {
	h := r.Header
	h.Set("User-Agent", "DefectDojo-"+d.Version)
	h.Set("Accept", "application/json")
	h.Set("Content-Type", "application/json")
	h.Set("X-DefectDojo-Event", d.Event)
	h.Set("X-DefectDojo-Instance", d.Instance)
	h.Set("X-DefectDojo-Delivery", d.ID)
	if c.HeaderName != "" {
		h.Set(c.HeaderName, c.HeaderValue)
	}
	if c.Secret != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		h.Set("X-DefectDojo-Timestamp", at)
		h.Set("X-DefectDojo-Signature", Sign(c.Secret, at, d.Body))
	}
}

// Sign returns the signature of a body sent at a time.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s", timestamp, body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// hide takes the secrets of a configuration out of an error.
func (c Config) hide(err error) error {
	e, ok := errors.AsType[*integrations.Error](err)
	if !ok || e.Err == nil {
		return err
	}
	hidden := *e
	hidden.Err = &quiet{integrations.Redact(e.Err.Error(), append(integrations.PartsOf(c.URL), c.HeaderValue, c.Secret)...), e.Err}
	return &hidden
}

// quiet is an error whose text was redacted.
type quiet struct {
	text string
	err  error
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.err }
