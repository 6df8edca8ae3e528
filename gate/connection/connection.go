// Package connection connects foreign systems: it keeps their settings and
// seals their secrets, tries them, and says how they are. A secret goes in and
// never comes out: what is told of one is whether there is one.
package connection

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// Input is how a field of a connection's settings is filled in.
type Input string

// The inputs. Secrets are kept apart from the settings.
const (
	Text       Input = "text"
	Number     Input = "number"
	Flag       Input = "flag"
	List       Input = "list" // one a line
	Secret     Input = "secret"
	LongSecret Input = "long-secret" // of several lines
)

// Field is one of a kind's settings.
type Field struct {
	Name        string // of the setting, or of the secret
	Label       string
	Help        string
	Input       Input
	Placeholder string
}

// IsSecret tells whether the field is one that is never shown.
func (f Field) IsSecret() bool { return f.Input == Secret || f.Input == LongSecret }

// Kind is a system that can be connected.
type Kind struct {
	Name   string // of the connections' kind
	Title  string // as people call it
	Fields []Field
	Guide  []string // what to do at the other side, in order
	Hooked bool     // it sends webhooks, proved by a secret that we make
	Hosts  bool     // it has repositories

	// Check returns the settings as they are to be kept, or what is wrong with them.
	Check func(settings json.RawMessage, secrets map[string]string) (json.RawMessage, error)
	// Try asks the system something harmless, and says how that went.
	Try func(ctx context.Context, c store.Connection) (string, error)
	// Sync reads which repositories there are, and returns how many; nil: there are none.
	Sync func(ctx context.Context, c store.Connection) (int, error)
}

// check reads settings of a kind's own form, and returns them as that form writes them.
func check[S interface {
	Validate(secrets map[string]string) error
}](text json.RawMessage, secrets map[string]string) (json.RawMessage, error) {
	var s S
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if err := s.Validate(secrets); err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// Connections connects foreign systems.
type Connections struct {
	Store *store.Store
	Box   *seal.Box
	Hooks *inbound.Hooks
	Kinds []Kind
	Site  string // where foreign systems reach us
	Now   func() time.Time
}

// Kind finds a kind by its name.
func (c *Connections) Kind(name string) (Kind, error) {
	for _, k := range c.Kinds {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind{}, gate.FieldErrorf("kind", "%q cannot be connected", name)
}

// View is a connection as it may be shown.
type View struct {
	store.Connection

	Kind    Kind
	Has     map[string]bool // secrets that are set
	Webhook string          // the address that the other side sends to; blank: none
	Health  store.ChannelHealth
}

// Draft is what somebody wants a connection to be.
type Draft struct {
	ID       int64 // 0: a new one
	Kind     string
	Name     string
	Enabled  bool
	Settings json.RawMessage
	Secrets  map[string]string // blank ones stay as they are
}

// List returns all connections that can be shown here.
func (c *Connections) List(ctx context.Context) ([]View, error) {
	var names []string
	for _, k := range c.Kinds {
		names = append(names, k.Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	list, err := c.Store.Connections(ctx, names...)
	if err != nil {
		return nil, err
	}
	var out []View
	for _, conn := range list {
		v, err := c.view(ctx, conn)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Get returns one.
func (c *Connections) Get(ctx context.Context, id int64) (View, error) {
	conn, err := c.Store.Connection(ctx, id)
	if err != nil {
		return View{}, err
	}
	return c.view(ctx, conn)
}

func (c *Connections) view(ctx context.Context, conn store.Connection) (View, error) {
	v := View{Connection: conn, Has: map[string]bool{}}
	var err error
	if v.Kind, err = c.Kind(conn.Kind); err != nil {
		return v, gate.Errorf(gate.NotFound, "no such connection")
	}
	secrets, err := c.secrets(conn)
	if err != nil {
		return v, err
	}
	for name := range secrets {
		v.Has[name] = true
	}
	v.Secrets = nil
	if v.Kind.Hooked {
		v.Webhook = strings.TrimSuffix(c.Site, "/") + inbound.Path + conn.Kind + "/" + conn.PublicID
	}
	health, err := c.Store.Channels(ctx)
	for _, h := range health {
		if h.Channel == conn.Kind && h.Target == conn.ID {
			v.Health = h
		}
	}
	return v, err
}

func (c *Connections) secrets(conn store.Connection) (map[string]string, error) {
	return c.Box.OpenObject(store.SecretsOf(conn.PublicID), conn.Secrets)
}

// Save makes or changes a connection. It returns the webhook's secret if it made
// one: this once.
func (c *Connections) Save(ctx context.Context, who store.AuditEvent, d Draft) (id int64, webhookSecret string, err error) {
	kind, err := c.Kind(d.Kind)
	if err != nil {
		return 0, "", err
	}
	conn := store.Connection{Kind: d.Kind, PublicID: strings.ToLower(rand.Text())} // 130 bits
	secrets := map[string]string{}
	if d.ID != 0 {
		if conn, err = c.Store.Connection(ctx, d.ID); err != nil {
			return 0, "", err
		}
		if conn.Kind != d.Kind {
			return 0, "", gate.FieldErrorf("kind", "a connection stays of its kind")
		}
		if secrets, err = c.secrets(conn); err != nil {
			return 0, "", err
		}
	}
	if conn.Name = strings.TrimSpace(d.Name); conn.Name == "" || len(conn.Name) > 100 {
		return 0, "", gate.FieldErrorf("name", "a connection has a name, of 100 characters at most")
	}
	changed := merge(kind, secrets, d.Secrets)
	if conn.Settings, err = kind.Check(d.Settings, secrets); err != nil {
		return 0, "", fieldError(err)
	}
	if kind.Hooked && secrets[inbound.WebhookSecret] == "" {
		webhookSecret = rand.Text() + rand.Text()
		secrets[inbound.WebhookSecret] = webhookSecret
	}
	conn.Enabled = d.Enabled
	id, err = c.keep(ctx, who, conn, secrets, map[string]any{"name": conn.Name, "enabled": conn.Enabled, "settings": conn.Settings, "secrets_changed": changed})
	if gate.KindOf(err) == gate.Conflict {
		err = gate.FieldErrorf("name", "there is a connection of that name already")
	}
	return id, webhookSecret, err
}

// merge sets the secrets of a kind that are given, and returns their names.
func merge(kind Kind, secrets, given map[string]string) []string {
	changed := []string{}
	for _, f := range kind.Fields {
		if text := strings.TrimSpace(given[f.Name]); f.IsSecret() && text != "" && secrets[f.Name] != text {
			secrets[f.Name] = text
			changed = append(changed, f.Name)
		}
	}
	return changed
}

// keep stores a connection with its secrets, and who did it.
func (c *Connections) keep(ctx context.Context, who store.AuditEvent, conn store.Connection, secrets map[string]string, changes map[string]any) (int64, error) {
	var err error
	if conn.Secrets, err = c.Box.SealObject(store.SecretsOf(conn.PublicID), secrets); err != nil {
		return 0, err
	}
	who.Action = "connection:edit"
	if conn.ID == 0 {
		who.Action = "connection:add"
	}
	err = c.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if conn.ID == 0 {
			conn.ID, err = s.AddConnection(ctx, conn)
		} else {
			err = s.SaveConnection(ctx, conn)
		}
		if err != nil {
			return err
		}
		return c.audit(ctx, s, who, conn.ID, changes)
	})
	return conn.ID, err
}

func (c *Connections) audit(ctx context.Context, s *store.Store, who store.AuditEvent, id int64, changes map[string]any) error {
	who.At, who.Object, who.ObjectID, who.Changes = c.Now(), "connection", &id, changes
	return s.AddAuditEvent(ctx, who)
}

// NewSecret makes a new secret of a connection's webhook and returns it: this
// once. The one before is good until there is another.
func (c *Connections) NewSecret(ctx context.Context, who store.AuditEvent, id int64) (string, error) {
	conn, err := c.Store.Connection(ctx, id)
	if err != nil {
		return "", err
	}
	kind, err := c.Kind(conn.Kind)
	if err != nil || !kind.Hooked {
		return "", errors.Join(err, gate.Errorf(gate.Invalid, "this connection sends no webhooks"))
	}
	secrets, err := c.secrets(conn)
	if err != nil {
		return "", err
	}
	secrets[inbound.PreviousWebhookSecret] = secrets[inbound.WebhookSecret]
	secrets[inbound.WebhookSecret] = rand.Text() + rand.Text()
	_, err = c.keep(ctx, who, conn, secrets, map[string]any{"secrets_changed": []string{inbound.WebhookSecret}})
	return secrets[inbound.WebhookSecret], err
}

// Delete removes a connection, with its repositories' mappings and deliveries.
func (c *Connections) Delete(ctx context.Context, who store.AuditEvent, id int64) error {
	who.Action = "connection:delete"
	return c.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		conn, err := s.Connection(ctx, id)
		if err != nil {
			return err
		}
		if err := s.DeleteConnection(ctx, id); err != nil {
			return err
		}
		return c.audit(ctx, s, who, id, map[string]any{"name": conn.Name, "kind": conn.Kind})
	})
}

// Try asks the system something harmless. What it says is in the answer, whether
// it works or not; an error is a fault of ours.
func (c *Connections) Try(ctx context.Context, id int64) (said string, works bool, err error) {
	conn, err := c.Store.Connection(ctx, id)
	if err != nil {
		return "", false, err
	}
	kind, err := c.Kind(conn.Kind)
	if err != nil {
		return "", false, err
	}
	said, err = kind.Try(ctx, conn)
	if err == nil {
		return said, true, c.Store.ChannelWorked(ctx, conn.Kind, conn.ID, c.Now())
	}
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		return e.Error(), false, c.Store.ChannelFailed(ctx, conn.Kind, conn.ID, e.Error(), c.Now())
	}
	return integrations.Redact(err.Error()), false, nil
}

// Sync reads which repositories there are, and returns how many.
func (c *Connections) Sync(ctx context.Context, id int64) (int, error) {
	conn, err := c.Store.Connection(ctx, id)
	if err != nil {
		return 0, err
	}
	kind, err := c.Kind(conn.Kind)
	if err != nil {
		return 0, err
	}
	if kind.Sync == nil {
		return 0, gate.Errorf(gate.Invalid, "%s has no repositories", kind.Title)
	}
	n, err := kind.Sync(ctx, conn)
	if e, ok := errors.AsType[*integrations.Error](err); ok {
		return 0, gate.Errorf(gate.Unavailable, "%s", e.Error())
	}
	return n, err
}

// Redeliver has a delivery of a connection worked again.
func (c *Connections) Redeliver(ctx context.Context, connection, delivery int64) error {
	d, err := c.Store.Delivery(ctx, delivery)
	if err != nil {
		return err
	}
	if d.ConnectionID != connection {
		return gate.Errorf(gate.NotFound, "no such delivery")
	}
	return c.Hooks.Again(ctx, delivery)
}

// fieldError makes "field: what is wrong" an error of that field.
func fieldError(err error) error {
	if field, text, ok := strings.Cut(err.Error(), ": "); ok && !strings.Contains(field, " ") {
		return gate.FieldErrorf(field, "%s", text)
	}
	return gate.Errorf(gate.Invalid, "%s", err.Error())
}
