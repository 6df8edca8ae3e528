package notification

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/slack"
)

// What Slack takes for a channel: about a message a second, short bursts more
// (https://docs.slack.dev/apis/web-api/rate-limits#posting-messages). Updates of a
// message are counted apart, by the method.
const (
	slackRate   = 1
	slackBurst  = 3
	updateRate  = 0.7
	updateBurst = 10
)

// threaded are the events that stand under the parent message of a branch.
var threaded = []string{ScanAdded, ScanAddedEmpty, VerdictChanged}

// holdThread is how long somebody may write to a thread before others take over.
const holdThread = 3 * time.Minute

// sendSlack posts through an incoming webhook, to somebody, into a thread, or
// into a channel.
func (n *Notifier) sendSlack(ctx context.Context, o *outgoing) (err error) {
	defer func() {
		o.status = statusOf(err)
		if o.status == 429 {
			err = errors.Join(err, n.Store.StopTokens(ctx, string(Slack), n.bucket(o), n.Now().Add(integrations.RetryAfter(err))))
		}
	}()
	x := o.connection
	client := slack.New(x.Settings.slack(o.secrets), n.Client, n.Now)
	m := slack.Message{Message: o.message, Buttons: n.Assign != nil && n.RequestWaiver != nil && o.secrets[SecretSigning] != ""}
	switch {
	case x.Settings.Webhook:
		if err := n.turn(ctx, Slack, n.bucket(o), slackRate, slackBurst); err != nil {
			return err
		}
		return client.Webhook(ctx, m)
	case o.first().UserID != nil:
		return n.direct(ctx, client, o, m)
	case !o.digest && o.notice.Product != nil && slices.Contains(threaded, o.notice.Event):
		return n.inThread(ctx, client, o, m)
	}
	return n.say(ctx, client, o, o.first().Address, m, "", false)
}

// bucket names the bucket of what is sent.
func (n *Notifier) bucket(o *outgoing) string {
	if o.connection.Settings.Webhook {
		return o.connection.PublicID
	}
	target := o.first().Address
	if u := o.first().UserID; u != nil {
		target = "user " + strconv.FormatInt(*u, 10)
	}
	return o.connection.PublicID + " " + target
}

// say posts a message when it is its turn, unless an attempt before has.
func (n *Notifier) say(ctx context.Context, client *slack.Client, o *outgoing, channel string, m slack.Message, thread string, shout bool) error {
	if at, found, err := n.posted(ctx, client, channel, thread, o.first().PublicID, o.first().Posting); err != nil || found {
		o.external = at.TS
		return err
	}
	if err := n.turn(ctx, Slack, n.bucket(o), slackRate, slackBurst); err != nil {
		return err
	}
	now := n.Now()
	if err := n.Store.DeliveryPosting(ctx, o.ids(), &now); err != nil {
		return err
	}
	at, err := client.Post(ctx, channel, m, thread, o.first().PublicID, shout)
	if o.external = at.TS; err == nil || unknown(err) {
		return err
	}
	return errors.Join(err, n.Store.DeliveryPosting(context.WithoutCancel(ctx), o.ids(), nil))
}

// settling is how long after a lost answer Slack is asked what it has: what was
// on its way has arrived by then, or never will.
const settling = 15 * time.Second

// unknown tells whether Slack may have posted all the same. It is looked for then.
func unknown(err error) bool {
	e, ok := errors.AsType[*integrations.Error](err)
	if ok && e.Unknown {
		e.After = max(e.After, settling)
	}
	return ok && e.Unknown
}

// posted tells whether Slack has a message that it was asked to post at a time:
// the node died then, or the answer was lost. Slack takes no key by which it
// would refuse a second one, so it is looked for. Where the app may not look the
// message is posted again: twice is better than never.
func (n *Notifier) posted(ctx context.Context, client *slack.Client, channel, thread, key string, since *time.Time) (slack.Place, bool, error) {
	if since == nil {
		return slack.Place{}, false, nil
	}
	if d := settling - n.Now().Sub(*since); d > 0 {
		return slack.Place{}, false, wait(d)
	}
	at, found, err := client.Find(ctx, channel, thread, key, *since)
	if slack.Is(err, slack.Blind...) {
		return slack.Place{}, false, nil
	}
	return at, found, err
}

// direct posts to a user, whom the workspace knows by their e-mail address.
func (n *Notifier) direct(ctx context.Context, client *slack.Client, o *outgoing, m slack.Message) error {
	contacts, err := n.Store.Contacts(ctx, []int64{*o.first().UserID})
	if err != nil {
		return err
	}
	nobody := &integrations.Error{System: "slack", Op: "find the user", Permanent: true, Err: errors.New("nobody in the workspace has the user's e-mail address")}
	if len(contacts) == 0 || !contacts[0].IsActive {
		return nobody
	}
	c := contacts[0]
	if c.SlackUserID == "" {
		if c.Email == "" {
			return nobody
		}
		if c.SlackUserID, err = client.Lookup(ctx, c.Email); err != nil {
			return err
		}
		if c.SlackUserID == "" {
			return nobody
		}
		if err := n.Store.SetSlackUser(ctx, c.ID, c.SlackUserID); err != nil {
			return err
		}
	}
	return n.say(ctx, client, o, c.SlackUserID, m, "", false)
}

// inThread posts under the parent message of the product's branch, which it
// posts first or makes say how things are now. One at a time writes to a thread.
//
// The parent comes first: were the news posted first and the parent failed, the
// next attempt would post the news again.
func (n *Notifier) inThread(ctx context.Context, client *slack.Client, o *outgoing, m slack.Message) (err error) {
	now := n.Now()
	t, mine, err := n.Store.HoldSlackThread(ctx, store.SlackThread{
		ConnectionID: o.connection.ID, Channel: o.first().Address, ProductID: o.notice.Product.ID, Branch: o.notice.Branch,
	}, now, now.Add(holdThread))
	if err != nil {
		return err
	}
	if !mine {
		return wait(time.Second)
	}
	defer func() { err = errors.Join(err, n.Store.LetGoSlackThread(context.WithoutCancel(ctx), t)) }()
	if err := n.parentOf(ctx, client, o, &t); err != nil {
		return err
	}
	return n.say(ctx, client, o, t.ChannelID, m, t.TS, o.notice.Event == VerdictChanged)
}

// parentOf makes the parent message of a thread say how the branch is.
func (n *Notifier) parentOf(ctx context.Context, client *slack.Client, o *outgoing, t *store.SlackThread) error {
	state, err := n.Store.BranchState(ctx, t.ProductID, t.Branch)
	if err != nil {
		return err
	}
	m := slack.Message{Message: n.parent(t.ProductID, t.Branch, state)}
	m.Disclaimer = o.disclaimer
	content, err := digestOf(m)
	if err != nil || t.TS != "" && content == t.Content {
		return err
	}
	if t.TS != "" {
		if err := n.turn(ctx, Slack, o.connection.PublicID+" update", updateRate, updateBurst); err != nil {
			return err
		}
		err := client.Update(ctx, slack.Place{Channel: t.ChannelID, TS: t.TS}, m)
		switch {
		case err == nil:
			t.Content = content
			return n.Store.SaveSlackThread(ctx, *t)
		case slack.Is(err, "edit_window_closed", "cant_update_message"):
			return nil // it says something older; the thread goes on
		case !slack.Is(err, "message_not_found", "thread_not_found"): // somebody removed it: begin anew
			return err
		}
	}
	return n.newParent(ctx, client, o, t, m, content)
}

// newParent posts the parent message of a thread, unless an attempt before has.
func (n *Notifier) newParent(ctx context.Context, client *slack.Client, o *outgoing, t *store.SlackThread, m slack.Message, content string) error {
	at, found, err := n.posted(ctx, client, t.Channel, "", t.Intent, t.Posting)
	if err != nil {
		return err
	}
	if !found {
		if err := n.turn(ctx, Slack, n.bucket(o), slackRate, slackBurst); err != nil {
			return err
		}
		now := n.Now()
		t.Posting, t.Intent = &now, strings.ToLower(rand.Text())
		if err := n.Store.SaveSlackThread(ctx, *t); err != nil {
			return err
		}
		if at, err = client.Post(ctx, t.Channel, m, "", t.Intent, false); unknown(err) {
			return err
		}
		if err != nil {
			t.Posting = nil
			return errors.Join(err, n.Store.SaveSlackThread(context.WithoutCancel(ctx), *t))
		}
		t.Content = content
	} else {
		t.Content = "" // what it says may be older: the next news makes it say how things are
	}
	t.TS, t.ChannelID, t.Posting = at.TS, at.Channel, nil
	return n.Store.SaveSlackThread(ctx, *t)
}

// digestOf returns the digest of what a message says.
func digestOf(m slack.Message) (string, error) {
	b, err := json.Marshal(m)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), err
}
