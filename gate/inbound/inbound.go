// Package inbound takes the webhooks of foreign systems in: one handler proves
// that a delivery is authentic, keeps it once, and answers; a job then finds out
// what it means. What a delivery says is a hint, never a fact: the job asks the
// sender, with our own credentials, what is so.
package inbound

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/seal"
	"defectdojo/gate/store"
)

// Path is under which the webhooks are: Path + kind + "/" + the connection's public id.
const Path = "/hooks/"

// MaxBody is the size of the largest delivery, GitHub's: 25 MB
// (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap).
const MaxBody = 25 << 20

// Request is a request to a webhook's address, of which nothing is proved yet.
type Request struct {
	Header func(name string) string
	Body   []byte // as it came: what is signed
}

// Secrets are those of a connection, by name.
type Secrets map[string]string

// The names of the secrets that prove deliveries. While a secret is being
// changed, the previous one is good too.
const (
	WebhookSecret         = "webhook_secret"
	PreviousWebhookSecret = "webhook_secret_previous"
)

// Webhook returns the secrets that prove a delivery, the current one first;
// never a blank one.
func (s Secrets) Webhook() []string {
	var out []string
	for _, name := range []string{WebhookSecret, PreviousWebhookSecret} {
		if s[name] != "" {
			out = append(out, s[name])
		}
	}
	return out
}

// Message is what an authentic request says of itself.
type Message struct {
	ID      string // the sender's for the delivery, the same when it is sent again; blank: the body's digest stands for it
	Event   string // "workflow_run.completed"
	Ignored string // why it is of no interest; blank: it is
}

// Answer is what a sender is answered that wants more than "taken".
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// Delivery is an authentic delivery to be worked.
type Delivery struct {
	store.Delivery

	Connection store.Connection
}

// Kind is a system that sends webhooks.
type Kind struct {
	Name  string   // in the address
	Types []string // content types that it sends; none is JSON alone

	// Verify returns nil if the request is proved, in constant time, by one of
	// the connection's secrets. It must refuse if there are none.
	Verify func(r Request, s Secrets, now time.Time) error
	// Read reads what a proved request says of itself.
	Read func(r Request) Message
	// Keep returns what is kept of a proved request; nil: its body. What is in it
	// that proves or opens anything is better not kept.
	Keep func(r Request) []byte
	// Answer answers a proved request at once, without keeping it; nil: none is.
	Answer func(r Request) (Answer, bool)
	// Taken is what a sender is answered that wants it in its own way; zero is 202 and JSON.
	Taken Answer
	// Work does what follows from a delivery and says in a few words what it did.
	// An Ignored error says that nothing had to be done.
	Work func(ctx context.Context, d Delivery) (string, error)
}

// Hooks takes deliveries in.
type Hooks struct {
	Store *store.Store
	Box   *seal.Box
	Kinds []Kind
	Now   func() time.Time

	// Enqueue puts the job that works a delivery into the transaction that keeps it.
	Enqueue func(ctx context.Context, tx pgx.Tx, kind string, delivery int64) error

	refusals refusals
}

// ErrForged is that nothing proves a request. It does not say why: that would
// help only who forges.
var ErrForged = errors.New("the signature does not prove that this was sent by whom it says")

// Ignored is the error of a delivery that needs nothing done.
type Ignored struct{ Why string } //nolint:errname // it is no fault

// Error returns why.
func (i *Ignored) Error() string { return i.Why }

// Ignore says that a delivery needs nothing done.
func Ignore(why string) error { return &Ignored{why} }

func (h *Hooks) kind(name string) (Kind, bool) {
	for _, k := range h.Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// secrets opens those of a connection.
func (h *Hooks) secrets(c store.Connection) (Secrets, error) {
	return h.Box.OpenObject(store.SecretsOf(c.PublicID), c.Secrets)
}
