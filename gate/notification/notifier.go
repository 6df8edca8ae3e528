package notification

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/jobs"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
)

// Notifier tells.
type Notifier struct {
	Store   *store.Store
	Box     *seal.Box
	Client  *http.Client // for foreign systems: see package integrations
	Dial    Dialer       // for mail servers; nil: any address may be reached
	SiteURL string       // where people reach the pages, without a slash at the end
	Version string
	Now     func() time.Time

	// Enqueue puts something to be sent into the queue of its channel, in tx.
	Enqueue func(ctx context.Context, tx pgx.Tx, s jobs.Send) error
	// RequestWaiver asks for a waiver of a finding in somebody's name, and
	// returns its name. Nil: buttons for it are not shown.
	RequestWaiver func(ctx context.Context, r WaiverRequest) (string, error)
	// Assign gives a finding to somebody, in their name. Nil: likewise.
	Assign func(ctx context.Context, user, finding int64) error
}

// Senders are what sends over the channels, by the names of their queues.
func (n *Notifier) Senders() map[string]jobs.Sender {
	return map[string]jobs.Sender{
		string(Slack): n.sender(n.sendSlack), string(Teams): n.sender(n.sendTeams),
		string(Mail): n.sender(n.sendMail), string(Webhooks): n.sender(n.sendWebhook),
	}
}

// url returns the address of a page.
func (n *Notifier) url(path string) string {
	if path == "" {
		return ""
	}
	return n.SiteURL + path
}
