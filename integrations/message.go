package integrations

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Message is what a channel shows. Its texts are plain: each channel escapes
// them in its own way, and cuts what is too long for it.
type Message struct {
	Title      string
	URL        string // of the page about it
	Text       string
	Facts      []Fact
	Items      []Item
	More       int // items that are not among Items
	Footer     string
	Disclaimer string // what the operator puts under everything
}

// Fact is a short value with its name.
type Fact struct{ Name, Value string }

// Item is one of the things that a message is about: a finding, a notice.
type Item struct {
	ID    int64  // of the finding; 0: it is none
	Mark  string // "Critical", "closed"
	Title string
	URL   string
}

// Clip cuts a text to a number of characters, with a mark where it was cut.
func Clip(s string, limit int) string {
	n := 0
	for i := range s {
		if n++; n > limit {
			cut := []rune(s[:i])
			return strings.TrimRight(string(cut[:limit-1]), " \n") + "…"
		}
	}
	return s
}

// WithoutURL returns what went wrong with a request without its address, which
// can be a secret.
func WithoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// NewDialer returns what opens connections to foreign systems, and to none in a
// network that is not public unless it is allowed.
func NewDialer(allowed []netip.Prefix) *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return permitted(address, allowed)
		},
	}
}
