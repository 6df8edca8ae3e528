package notification

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
	"defectdojo/integrations/mail"
	"defectdojo/integrations/msteams"
	"defectdojo/integrations/slack"
	"defectdojo/integrations/webhook"
)

// Problems are what is wrong with what somebody wants to save, by field.
type Problems map[string]string //nolint:errname // they are what is wrong, and an error only on the way

// Error tells all of it.
func (p Problems) Error() string {
	var out []string
	for _, field := range slices.Sorted(maps.Keys(p)) {
		out = append(out, field+": "+p[field])
	}
	return strings.Join(out, "; ")
}

// Kinds are the kinds of connections that are channels.
var Kinds = []string{"slack", "msteams", "mail"}

// Draft is a connection as somebody wants it. Secrets that are blank stay as they are.
type Draft struct {
	ID       int64 // 0: a new one
	Kind     string
	Name     string
	Enabled  bool
	Settings Settings
	Secrets  map[string]string
	Clear    []string // secrets that are to go
}

// Save stores a connection. What is wrong with it is told as Problems.
func (n *Notifier) Save(ctx context.Context, s *store.Store, d Draft) (store.Connection, error) {
	c := store.Connection{Kind: d.Kind, PublicID: strings.ToLower(rand.Text())}
	kept := map[string]string{}
	wrong := Problems{}
	if d.ID != 0 {
		var err error
		if c, kept, err = n.before(ctx, s, d.ID); err != nil {
			return c, err
		}
		wrong = moved(c, d, kept)
	}
	if !slices.Contains(Kinds, c.Kind) {
		return c, Problems{"kind": "it must be slack, msteams or mail"}
	}
	if d.Name = strings.TrimSpace(d.Name); d.Name == "" || len(d.Name) > 100 {
		wrong["name"] = "it must have 1 to 100 characters"
	}
	for name, secret := range d.Secrets {
		if secret = strings.TrimSpace(secret); secret != "" && slices.Contains(ConnectionSecrets[c.Kind], name) {
			kept[name] = secret
		}
	}
	for _, name := range d.Clear {
		delete(kept, name)
	}
	maps.Copy(wrong, d.Settings.Check(c.Kind, kept))
	if len(wrong) > 0 {
		return c, wrong
	}
	var err error
	if c.Settings, err = json.Marshal(d.Settings); err != nil {
		return c, err
	}
	if c.Secrets, err = n.Box.SealObject(store.SecretsOf(c.PublicID), kept); err != nil {
		return c, err
	}
	c.Name, c.Enabled = d.Name, d.Enabled
	if c.ID != 0 {
		return c, s.SaveConnection(ctx, c)
	}
	c.ID, err = s.AddConnection(ctx, c)
	return c, err
}

func (n *Notifier) before(ctx context.Context, s *store.Store, id int64) (store.Connection, map[string]string, error) {
	c, err := s.Connection(ctx, id)
	if err == nil && !slices.Contains(Kinds, c.Kind) {
		err = gate.Errorf(gate.NotFound, "no such connection")
	}
	if err != nil {
		return c, nil, err
	}
	kept, err := n.secretsOf(c)
	return c, kept, err
}

// moved asks for a secret again that would go to another server than it was for.
func moved(c store.Connection, d Draft, kept map[string]string) Problems {
	wrong := Problems{}
	was, err := ReadSettings(c)
	if err != nil {
		return wrong
	}
	ask := func(name string) {
		if kept[name] != "" && d.Secrets[name] == "" && !slices.Contains(d.Clear, name) {
			wrong[name] = "give it again: it was for another server"
		}
	}
	if was.APIURL != d.Settings.APIURL {
		ask(SecretToken)
	}
	if was.Host != d.Settings.Host || was.Port != d.Settings.Port || d.Settings.Security == mail.None && was.Security != mail.None {
		ask(SecretPassword)
	}
	return wrong
}

// SecretsSet returns the names of the secrets that a connection has.
func (n *Notifier) SecretsSet(c store.Connection) ([]string, error) {
	kept, err := n.secretsOf(c)
	return slices.Sorted(maps.Keys(kept)), err
}

// Hook is a webhook as somebody wants it. Nil secrets stay as they are, blank ones go.
type Hook struct {
	store.NotificationWebhook

	HeaderValue *string
	Secret      *string
}

// SaveHook stores a webhook. Its address is kept sealed, for many are secrets;
// what is shown of it is where it leads.
func (n *Notifier) SaveHook(ctx context.Context, s *store.Store, h Hook) (store.NotificationWebhook, error) {
	kept := map[string]string{}
	var was store.NotificationWebhook
	var err error
	if h.ID != 0 {
		if was, err = s.NotificationWebhook(ctx, h.ID); err != nil {
			return was, err
		}
		if kept, err = n.Box.OpenObject(store.WebhookSecretsOf(h.ID), was.Secrets); err != nil {
			return was, err
		}
	}
	wrong := Problems{}
	if h.ID == 0 || h.URL != was.URL {
		if h.ID != 0 && place(h.URL) != place(orText(kept[secretURL], was.URL)) && (kept[SecretHeaderValue] != "" && h.HeaderValue == nil || kept[SecretWebhookSecret] != "" && h.Secret == nil) {
			wrong["header_value"] = "give the secrets again: they were for another server"
		}
		kept[secretURL] = strings.TrimSpace(h.URL)
	}
	for name, v := range map[string]*string{SecretHeaderValue: h.HeaderValue, SecretWebhookSecret: h.Secret} {
		if v != nil {
			kept[name] = *v
		}
	}
	c := webhook.Config{URL: kept[secretURL], HeaderName: deref(h.HeaderName), HeaderValue: kept[SecretHeaderValue], Secret: kept[SecretWebhookSecret]}
	if c.URL == "" {
		c.URL = was.URL
	}
	maps.Copy(wrong, c.Validate())
	if h.Name = strings.TrimSpace(h.Name); h.Name == "" || len([]rune(h.Name)) > 100 {
		wrong["name"] = "it must have 1 to 100 characters"
	}
	if len(wrong) > 0 {
		return was, wrong
	}
	h.URL = shownURL(c.URL)
	saved := h.NotificationWebhook
	if saved.ID == 0 {
		if saved, err = s.AddNotificationWebhook(ctx, saved); err != nil {
			return saved, err
		}
	}
	if saved.Secrets, err = n.Box.SealObject(store.WebhookSecretsOf(saved.ID), kept); err != nil {
		return saved, err
	}
	return s.SaveNotificationWebhook(ctx, saved)
}

// secretURL is the name of a webhook's whole address among its secrets.
const secretURL = "url"

func orText(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// place is the server that an address leads to.
func place(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// shownURL is what is shown of an address: where it leads.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "…"
	}
	if strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
		return place(address)
	}
	return place(address) + "/…"
}

// testMessage is what a test says.
func (n *Notifier) testMessage() integrations.Message {
	return integrations.Message{Title: "Test notification", Text: "If you can read this, notifications arrive here.", URL: n.SiteURL, Footer: "DefectDojo · test"}
}

// Test sends a test over a connection at once, and says in words how it went. An
// error says why it did not; it holds no secret.
func (n *Notifier) Test(ctx context.Context, id int64) (string, error) {
	c, secrets, err := n.before(ctx, n.Store, id)
	if err != nil {
		return "", err
	}
	o := &outgoing{secrets: secrets, message: n.testMessage()}
	o.connection.Connection = c
	if o.connection.Settings, err = ReadSettings(c); err != nil {
		return "", err
	}
	said, err := n.try(ctx, o)
	now := n.Now()
	if err == nil {
		return said, n.Store.ChannelWorked(ctx, c.Kind, c.ID, now)
	}
	reason := clip(n.redacted(err, o), 500)
	if e := n.Store.ChannelFailed(ctx, c.Kind, c.ID, reason, now); e != nil {
		return "", errors.Join(err, e)
	}
	return "", gate.Errorf(gate.Unavailable, "%s", reason)
}

func (n *Notifier) try(ctx context.Context, o *outgoing) (string, error) {
	set := o.connection.Settings
	switch o.connection.Kind {
	case "msteams":
		status, err := msteams.Send(ctx, n.Client, msteams.Config{URL: o.secrets[SecretWebhookURL]}, o.message, n.Now())
		return fmt.Sprintf("Teams took the message: %d.", status), err
	case "mail":
		c := n.mailConfig(o)
		to := addresses(Mail, set.Address)
		if len(to) == 0 {
			return "The mail server let us in. No address is set, so nothing was sent.", mail.Check(ctx, c)
		}
		for _, a := range to {
			if err := mail.Send(ctx, c, a, strings.ToLower(rand.Text())+"@defectdojo.invalid", o.message); err != nil {
				return "", err
			}
		}
		return "The mail server took the message for " + strings.Join(to, ", ") + ".", nil
	}
	client := slack.New(set.slack(o.secrets), n.Client, n.Now)
	m := slack.Message{Message: o.message}
	if set.Webhook {
		return "Slack took the message.", client.Webhook(ctx, m)
	}
	who, err := client.Whoami(ctx)
	if err != nil {
		return "", err
	}
	key, before := strings.ToLower(rand.Text()), n.Now()
	at, err := client.Post(ctx, set.Address, m, "", key, false)
	said := fmt.Sprintf("Slack took the message: %s in %s, as %s.", set.Address, who.Team, who.User)
	if err == nil {
		if _, found, e := client.Find(ctx, at.Channel, "", key, before); e != nil || !found {
			said += " It may not be read back: give the app the scopes channels:history, groups:history, im:history, channels:read, groups:read and im:write, so that a message whose answer gets lost is not posted twice."
		}
	}
	return said, err
}

// TestHook pings a webhook at once, and says how it went.
func (n *Notifier) TestHook(ctx context.Context, id int64) (string, error) {
	hook, err := n.Store.NotificationWebhook(ctx, id)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"title": "Test webhook notification", "description": "Test webhook notification", "user": nil})
	if err != nil {
		return "", err
	}
	status, failure := n.postTo(ctx, hook, webhook.Delivery{ID: strings.ToLower(rand.Text()), Event: "ping", Body: body})
	if failure != nil {
		return "", gate.Errorf(gate.Unavailable, "%s", clip(failure.Error(), 500))
	}
	return fmt.Sprintf("The webhook answered %d.", status), nil
}

// Revive makes a webhook be tried again that was given up.
func (n *Notifier) Revive(ctx context.Context, id int64) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		h, err := s.LockNotificationWebhook(ctx, id)
		if err != nil {
			return err
		}
		h.Status, h.FirstError, h.LastError, h.Note = HookActive, nil, nil, nil
		_, err = s.SaveNotificationWebhook(ctx, h)
		return err
	})
}

// Health is how a target of notices is.
type Health struct {
	store.ChannelHealth
	store.DeliveryCounts
}

// Healths returns how the targets are, by channel and id.
func (n *Notifier) Healths(ctx context.Context) (map[string]map[int64]Health, error) {
	channels, err := n.Store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := n.Store.DeliveryCounts(ctx, n.Now())
	if err != nil {
		return nil, err
	}
	out := map[string]map[int64]Health{}
	at := func(channel string, target int64) Health {
		if out[channel] == nil {
			out[channel] = map[int64]Health{}
		}
		return out[channel][target]
	}
	for _, c := range channels {
		h := at(c.Channel, c.Target)
		h.ChannelHealth = c
		out[c.Channel][c.Target] = h
	}
	for _, c := range counts {
		h := at(c.Channel, c.Target)
		h.DeliveryCounts = c
		out[c.Channel][c.Target] = h
	}
	return out, nil
}

// Keep is Save in a transaction of its own, with an entry in the history, whose
// object it fills in.
func (n *Notifier) Keep(ctx context.Context, d Draft, e store.AuditEvent) (saved store.Connection, err error) {
	err = n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if saved, err = n.Save(ctx, s, d); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, entry(e, "connection", saved.ID, saved.Name))
	})
	return saved, err
}

// KeepHook is SaveHook likewise.
func (n *Notifier) KeepHook(ctx context.Context, h Hook, e store.AuditEvent) (saved store.NotificationWebhook, err error) {
	err = n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if saved, err = n.SaveHook(ctx, s, h); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, entry(e, "notification_webhook", saved.ID, saved.Name))
	})
	return saved, err
}

// Drop removes a connection.
func (n *Notifier) Drop(ctx context.Context, c store.Connection, e store.AuditEvent) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeleteConnection(ctx, c.ID); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, entry(e, "connection", c.ID, c.Name))
	})
}

// DropHook removes a webhook.
func (n *Notifier) DropHook(ctx context.Context, h store.NotificationWebhook, e store.AuditEvent) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeleteNotificationWebhook(ctx, h.ID); err != nil {
			return err
		}
		return s.AddAuditEvent(ctx, entry(e, "notification_webhook", h.ID, h.Name))
	})
}

func entry(e store.AuditEvent, object string, id int64, name string) store.AuditEvent {
	e.Object, e.ObjectID, e.Changes = object, &id, map[string]any{"name": name}
	return e
}
