// Package slack posts messages to Slack: as an app with a bot token, which can
// write threads, direct messages and buttons, or the simple way through an
// incoming webhook, whose address is the secret.
package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	goslack "github.com/slack-go/slack"

	"defectdojo/integrations"
)

// Config is how to reach a workspace.
type Config struct {
	Token      string // xoxb-…; secret
	WebhookURL string // secret; instead of Token
	APIURL     string // blank: Slack's own
}

// Validate tells what is wrong with a configuration, by field.
func (c Config) Validate() map[string]string {
	wrong := map[string]string{}
	switch {
	case c.Token == "" && c.WebhookURL == "":
		wrong["token"] = "give a bot token, or the address of an incoming webhook"
	case c.Token != "" && !strings.HasPrefix(c.Token, "xoxb-"):
		wrong["token"] = "a bot token begins with xoxb-"
	}
	if c.WebhookURL != "" {
		if err := integrations.CheckURL(c.WebhookURL); err != nil {
			wrong["webhook_url"] = err.Error()
		}
	}
	if c.APIURL != "" {
		if err := integrations.CheckURL(c.APIURL); err != nil {
			wrong["api_url"] = err.Error()
		}
	}
	return wrong
}

// Client speaks with one workspace.
type Client struct {
	api    *goslack.Client
	http   *http.Client
	config Config
	now    func() time.Time
}

// New returns a client that goes through c.
func New(config Config, c *http.Client, now func() time.Time) *Client {
	opts := []goslack.Option{goslack.OptionHTTPClient(c)}
	if config.APIURL != "" {
		opts = append(opts, goslack.OptionAPIURL(strings.TrimSuffix(config.APIURL, "/")+"/"))
	}
	return &Client{api: goslack.New(config.Token, opts...), http: c, config: config, now: now}
}

// Place is where a message is.
type Place struct {
	Channel string // Slack's own name of it
	TS      string // names the message in it
}

// Post posts a message to a channel or, by their id, to somebody. thread is the
// message under which it stands; shout also shows it in the channel then. key
// goes with it, unseen: Find finds it by that.
func (c *Client) Post(ctx context.Context, channel string, m Message, thread, key string, shout bool) (Place, error) {
	opts := []goslack.MsgOption{
		goslack.MsgOptionMetadata(goslack.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{metadataKey: key}}),
		goslack.MsgOptionText(m.Fallback(), false), goslack.MsgOptionBlocks(m.Blocks()...),
		goslack.MsgOptionDisableLinkUnfurl(), goslack.MsgOptionDisableMediaUnfurl(),
	}
	if thread != "" {
		opts = append(opts, goslack.MsgOptionTS(thread))
		if shout {
			opts = append(opts, goslack.MsgOptionBroadcast())
		}
	}
	id, ts, err := c.api.PostMessageContext(ctx, channel, opts...)
	return Place{id, ts}, c.failed("chat.postMessage", true, err)
}

// Update makes a message say something else.
func (c *Client) Update(ctx context.Context, at Place, m Message) error {
	_, _, _, err := c.api.UpdateMessageContext(ctx, at.Channel, at.TS, goslack.MsgOptionText(m.Fallback(), false), goslack.MsgOptionBlocks(m.Blocks()...))
	return c.failed("chat.update", false, err)
}

// Webhook posts a message through the incoming webhook.
func (c *Client) Webhook(ctx context.Context, m Message) error {
	m.Buttons = false // nobody would hear of them
	blocks := goslack.Blocks{BlockSet: m.Blocks()}
	err := goslack.PostWebhookCustomHTTPContext(ctx, c.config.WebhookURL, c.http, &goslack.WebhookMessage{Text: m.Fallback(), Blocks: &blocks})
	return c.failed("webhook", true, err)
}

// Lookup returns who has an e-mail address in the workspace; "" if nobody does.
func (c *Client) Lookup(ctx context.Context, email string) (string, error) {
	u, err := c.api.GetUserByEmailContext(ctx, email)
	if said, ok := errors.AsType[goslack.SlackErrorResponse](err); ok && said.Err == "users_not_found" {
		return "", nil
	}
	if err != nil {
		return "", c.failed("users.lookupByEmail", false, err)
	}
	return u.ID, nil
}

// Identity is whose token it is.
type Identity struct {
	Team, TeamID, User, UserID string
}

// Whoami asks whose token it is.
func (c *Client) Whoami(ctx context.Context) (Identity, error) {
	r, err := c.api.AuthTestContext(ctx)
	if err != nil {
		return Identity{}, c.failed("auth.test", false, err)
	}
	return Identity{r.Team, r.TeamID, r.User, r.UserID}, nil
}

// Member is somebody in a workspace.
type Member struct {
	ID, TeamID, Email string
	Guest             bool // from elsewhere, or not for all channels
}

// Member returns somebody.
func (c *Client) Member(ctx context.Context, id string) (Member, error) {
	u, err := c.api.GetUserInfoContext(ctx, id)
	if err != nil {
		return Member{}, c.failed("users.info", false, err)
	}
	return Member{u.ID, u.TeamID, u.Profile.Email, u.IsRestricted || u.IsUltraRestricted || u.IsStranger || u.Deleted || u.IsBot}, nil
}

// Tell answers somebody at a place, seen by them alone.
func (c *Client) Tell(ctx context.Context, channel, user, text string) error {
	_, err := c.api.PostEphemeralContext(ctx, channel, user, goslack.MsgOptionText(Escape(text), false))
	return c.failed("chat.postEphemeral", true, err)
}

// broken are the errors that no other attempt will mend: the channel or the
// message is not there, or the request is wrong. A token that is revoked is put
// right by somebody, and what waits is sent then.
var broken = map[string]bool{
	"channel_not_found": true, "is_archived": true, "message_not_found": true, "msg_too_long": true, "invalid_blocks": true, "invalid_blocks_format": true,
	"no_text": true, "cant_update_message": true, "edit_window_closed": true, "user_not_found": true, "cannot_dm_bot": true, "too_many_attachments": true,
	"restricted_action": true, "invalid_arguments": true, "invalid_array_arg": true, "trigger_expired": true, "expired_trigger_id": true,
}

// Is tells whether an error is Slack's of one of some names.
func Is(err error, names ...string) bool {
	said, ok := errors.AsType[goslack.SlackErrorResponse](err)
	for _, n := range names {
		if ok && said.Err == n {
			return true
		}
	}
	return false
}

// failed says what an error of the library means. writes: it may have been done
// all the same.
func (c *Client) failed(op string, writes bool, err error) error {
	if err == nil {
		return nil
	}
	e := &integrations.Error{System: "slack", Op: op, Err: hidden{integrations.Redact(integrations.WithoutURL(err).Error(), append(integrations.PartsOf(c.config.WebhookURL), c.config.Token)...), err}}
	if limited, ok := errors.AsType[*goslack.RateLimitedError](err); ok {
		e.Status, e.After = http.StatusTooManyRequests, min(max(limited.RetryAfter, time.Second), time.Hour)
		return e
	}
	if status, ok := errors.AsType[goslack.StatusCodeError](err); ok {
		e.Status = status.Code
		e.Unknown = writes && status.Code >= 500
		e.Permanent = status.Code >= 400 && status.Code < 500 && status.Code != http.StatusUnauthorized && status.Code != http.StatusForbidden && status.Code != http.StatusRequestTimeout && status.Code != http.StatusTooManyRequests
		return e
	}
	if said, ok := errors.AsType[goslack.SlackErrorResponse](err); ok {
		e.Status, e.Permanent = http.StatusOK, broken[said.Err]
		if said.Err == "ratelimited" || said.Err == "rate_limited" || said.Err == "message_limit_exceeded" {
			e.After = 30 * time.Second
		}
		return e
	}
	e.Permanent = errors.Is(err, integrations.ErrForbiddenAddress)
	e.Unknown = writes && !e.Permanent
	return e
}

// hidden is an error whose text was redacted.
type hidden struct {
	text string
	err  error
}

func (h hidden) Error() string { return h.text }
func (h hidden) Unwrap() error { return h.err }

// window is how old a request of Slack's may be: https://docs.slack.dev/authentication/verifying-requests-from-slack
const window = 5 * time.Minute

// ahead is how much its clock may be before ours.
const ahead = time.Minute

// Verify tells whether Slack sent a request: its signature is over the bytes as
// they came, and it is not older than five minutes. Without a secret nothing is.
func Verify(secret, timestamp, signature string, body []byte, now time.Time) error {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if secret == "" || err != nil || strconv.FormatInt(at, 10) != timestamp {
		return errForged
	}
	if age := now.Sub(time.Unix(at, 0)); age > window || age < -ahead {
		return errForged
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", timestamp, body)
	if !hmac.Equal([]byte("v0="+hex.EncodeToString(mac.Sum(nil))), []byte(signature)) {
		return errForged
	}
	return nil
}

var errForged = errors.New("slack: the request is not signed as it should be")

// Payload returns the JSON of an interaction out of the form that it comes in.
func Payload(body []byte) ([]byte, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("payload") == "" {
		return nil, errors.New("slack: the request holds no payload")
	}
	return []byte(form.Get("payload")), nil
}
