package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/mail"
	"defectdojo/integrations/msteams"
)

// Dialer opens connections to mail servers.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// outgoing is what a job sends: one delivery, or all of a digest.
type outgoing struct {
	connection connection
	secrets    map[string]string
	deliveries []store.NoticeDelivery
	notice     Notice // of the first
	message    integrations.Message
	digest     bool
	disclaimer string

	status   int
	external string // the message's name at the receiver
}

func (o *outgoing) ids() []int64 {
	ids := make([]int64, len(o.deliveries))
	for i, d := range o.deliveries {
		ids[i] = d.ID
	}
	return ids
}

// first is the delivery that says where to.
func (o *outgoing) first() store.NoticeDelivery { return o.deliveries[0] }

// wait is not an error of the receiver: it is our own turn that has not come.
func wait(d time.Duration) error {
	return &integrations.Error{System: "notification", Op: "wait for its turn", After: max(d, 200*time.Millisecond), Err: errWait}
}

var errWait = errors.New("others come first")

// sender makes what a channel's queue calls: it finds what is to be sent, asks
// the circuit breaker, sends, and notes what became of it.
func (n *Notifier) sender(send func(context.Context, *outgoing) error) jobs.Sender {
	return func(ctx context.Context, body json.RawMessage) error {
		var w work
		if err := json.Unmarshal(body, &w); err != nil {
			return &integrations.Error{System: "notification", Op: "read a job", Permanent: true, Err: err}
		}
		o, err := n.load(ctx, w)
		if err != nil || o == nil {
			return err
		}
		channel, target := o.first().Channel, o.first().Target
		if Channel(channel) == Webhooks { // they have a health of their own
			return send(ctx, o)
		}
		until, err := n.Store.ChannelOpenUntil(ctx, channel, target, n.Now())
		if err != nil {
			return err
		}
		if !until.IsZero() {
			return &integrations.Error{System: channel, Op: "send", After: max(until.Sub(n.Now()), time.Second), Err: errOpen}
		}
		return n.note(ctx, o, send(ctx, o))
	}
}

var errOpen = errors.New("the channel failed several times: it is left alone for a while")

// note writes down how an attempt went, and returns its error.
func (n *Notifier) note(ctx context.Context, o *outgoing, failure error) error {
	now, d := n.Now(), o.first()
	if failure == nil {
		if err := n.Store.DeliveryDone(ctx, o.ids(), o.status, o.external, now); err != nil {
			return err
		}
		return n.Store.ChannelWorked(ctx, d.Channel, d.Target, now)
	}
	if errors.Is(failure, errWait) {
		return failure
	}
	reason := clip(n.redacted(failure, o), 500)
	final := integrations.IsPermanent(failure)
	if err := n.Store.DeliveryFailed(ctx, o.ids(), o.status, reason, final, now); err != nil {
		return errors.Join(failure, err)
	}
	if o.status != 429 {
		if err := n.Store.ChannelFailed(ctx, d.Channel, d.Target, reason, now); err != nil {
			return errors.Join(failure, err)
		}
	}
	return failure
}

// redacted returns an error's text without the secrets that were used.
func (n *Notifier) redacted(err error, o *outgoing) string {
	var secrets []string
	for _, s := range o.secrets {
		secrets = append(secrets, s)
	}
	return integrations.Redact(err.Error(), secrets...)
}

// digestPause is how many seconds after one attempt a digest is tried again.
const digestPause = 300

// load finds what a job sends; nil if there is nothing left to send.
func (n *Notifier) load(ctx context.Context, w work) (*outgoing, error) {
	o := &outgoing{}
	if w.Digest != 0 {
		// Should two jobs be for the same digest, only one sends it.
		if err := n.turn(ctx, "digest", strconv.FormatInt(w.Digest, 10), 1.0/digestPause, 1); err != nil {
			return nil, err
		}
		held, err := n.Store.HeldDeliveries(ctx, w.Digest)
		if err != nil || len(held) == 0 {
			return nil, err
		}
		o.deliveries, o.digest = underWay(held), true
	} else {
		d, err := n.Store.NoticeDelivery(ctx, w.Delivery)
		if gate.KindOf(err) == gate.NotFound || err == nil && d.State != "queued" {
			return nil, nil //nolint:nilnil // removed, or sent already: there is nothing to do, and that is no error
		}
		if err != nil {
			return nil, err
		}
		o.deliveries = []store.NoticeDelivery{d}
	}
	var notices []Notice
	for _, d := range o.deliveries {
		var notice Notice
		if err := json.Unmarshal(d.Document, &notice); err != nil {
			return nil, fmt.Errorf("notice %d: %w", d.NoticeID, err)
		}
		notices = append(notices, notice)
	}
	set, err := n.Store.NotifySettings(ctx)
	if err != nil {
		return nil, err
	}
	o.notice, o.message, o.disclaimer = notices[0], n.message(notices[0]), set.Disclaimer
	if o.digest {
		g, err := n.Store.NoticeDigest(ctx, w.Digest)
		if err != nil {
			return nil, err
		}
		o.message = n.digest(notices, g.Due)
	}
	o.message.Disclaimer = o.disclaimer
	if Channel(o.first().Channel) == Webhooks {
		return o, nil
	}
	return n.connect(ctx, o)
}

// underWay are the deliveries of a digest that an attempt before may have
// posted; all, if there was none. Those that came later are another message.
func underWay(held []store.NoticeDelivery) []store.NoticeDelivery {
	asked := slices.DeleteFunc(slices.Clone(held), func(d store.NoticeDelivery) bool { return d.Posting == nil })
	if len(asked) == 0 {
		return held
	}
	return asked
}

// connect finds the connection of what is sent. What was for one that is gone or
// switched off is not sent.
func (n *Notifier) connect(ctx context.Context, o *outgoing) (*outgoing, error) {
	c, err := n.Store.Connection(ctx, o.first().Target)
	if gate.KindOf(err) == gate.NotFound || err == nil && !c.Enabled {
		return nil, n.Store.DeliveryFailed(ctx, o.ids(), 0, "the connection was removed or switched off", true, n.Now())
	}
	if err != nil {
		return nil, err
	}
	o.connection.Connection = c
	if o.connection.Settings, err = ReadSettings(c); err != nil {
		return nil, err
	}
	o.secrets, err = n.secretsOf(c)
	return o, err
}

// statusOf returns the status that an error came with.
func statusOf(err error) int {
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		return e.Status
	}
	return 0
}

// sendTeams posts to the connection's channel, four messages a second at most
// (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors).
func (n *Notifier) sendTeams(ctx context.Context, o *outgoing) error {
	if err := n.turn(ctx, Teams, o.connection.PublicID, 1, 4); err != nil {
		return err
	}
	status, err := msteams.Send(ctx, n.Client, msteams.Config{URL: o.secrets[SecretWebhookURL]}, o.message, n.Now())
	o.status = status
	return err
}

// sendMail sends to an address, or to a user.
func (n *Notifier) sendMail(ctx context.Context, o *outgoing) error {
	to := o.first().Address
	if user := o.first().UserID; user != nil {
		contacts, err := n.Store.Contacts(ctx, []int64{*user})
		if err != nil {
			return err
		}
		if len(contacts) == 0 || !contacts[0].IsActive || contacts[0].Email == "" {
			return &integrations.Error{System: "mail", Op: "send", Permanent: true, Err: errors.New("the user has no e-mail address, or is no longer active")}
		}
		to = contacts[0].Email
	}
	return mail.Send(ctx, n.mailConfig(o), to, o.first().PublicID+"@defectdojo.invalid", o.message)
}

func (n *Notifier) mailConfig(o *outgoing) mail.Config {
	c := o.connection.Settings.mail(o.secrets)
	c.Dial = n.Dial
	return c
}

// turn takes one of the messages that may be sent to a target, or says when
// there will be one.
func (n *Notifier) turn(ctx context.Context, c Channel, target string, rate, burst float64) error {
	d, err := n.Store.TakeToken(ctx, string(c), target, rate, burst, n.Now())
	if err != nil || d == 0 {
		return err
	}
	return wait(d)
}
