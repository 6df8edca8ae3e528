package api

import (
	"encoding/json"
	"maps"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/connection"
	"defectdojo/gate/store"
)

func (a *api) connectionRoutes() []route {
	return []route{
		{fiber.MethodGet, "/connections", auth.Configure, a.connections},
		{fiber.MethodPost, "/connections", auth.Configure, a.saveConnection},
		{fiber.MethodGet, "/connections/:id", auth.Configure, a.connection},
		{fiber.MethodPatch, "/connections/:id", auth.Configure, a.saveConnection},
		{fiber.MethodDelete, "/connections/:id", auth.Configure, a.deleteConnection},
		{fiber.MethodPost, "/connections/:id/test", auth.Configure, a.testConnection},
		{fiber.MethodPost, "/connections/:id/sync", auth.Configure, a.syncConnection},
		{fiber.MethodPost, "/connections/:id/secret", auth.Configure, a.renewConnectionSecret},
		{fiber.MethodGet, "/connections/:id/deliveries", auth.Configure, a.connectionDeliveries},
		{fiber.MethodPost, "/connections/:id/deliveries/:delivery/redeliver", auth.Configure, a.redeliver},
		{fiber.MethodGet, "/connections/:id/repositories", auth.Configure, a.connectionRepositories},
		{fiber.MethodPost, "/connections/:id/repositories", auth.Configure, a.addRepositoryPart},
		{fiber.MethodPatch, "/repositories/:id", auth.Configure, a.mapRepository},
		{fiber.MethodDelete, "/repositories/:id", auth.Configure, a.removeRepositoryPart},
	}
}

// secretState is all that is ever told of a secret.
type secretState struct {
	Set bool `json:"set"`
}

// shownConnection is a connection as the API tells it.
type shownConnection struct {
	ID       int64                  `json:"id"`
	Kind     string                 `json:"kind"`
	Name     string                 `json:"name"`
	Enabled  bool                   `json:"enabled"`
	Settings map[string]any         `json:"settings"`
	Secrets  map[string]secretState `json:"secrets"`
	Webhook  string                 `json:"webhook_url,omitempty"`
	Health   shownHealth            `json:"health"`
	Created  stamp                  `json:"created"`
	Updated  stamp                  `json:"updated"`

	// WebhookSecret is told once: when it was made.
	WebhookSecret string `json:"webhook_secret,omitempty"`
}

type shownHealth struct {
	Failures    int    `json:"failures"` // in a row
	RestsUntil  *stamp `json:"rests_until"`
	LastOK      *stamp `json:"last_ok"`
	LastErrorAt *stamp `json:"last_error_at"`
	LastError   string `json:"last_error"`
}

func showConnection(v connection.View) (shownConnection, error) {
	c := shownConnection{
		ID: v.ID, Kind: v.Kind.Name, Name: v.Name, Enabled: v.Enabled, Settings: map[string]any{}, Secrets: map[string]secretState{}, Webhook: v.Webhook,
		Created: stamp(v.Created), Updated: stamp(v.Updated),
		Health: shownHealth{v.Health.Failures, maybe[stamp](v.Health.OpenUntil), maybe[stamp](v.Health.LastOK), maybe[stamp](v.Health.LastErrorAt), v.Health.LastError},
	}
	for _, f := range v.Kind.Fields {
		if f.IsSecret() {
			c.Secrets[f.Name] = secretState{v.Has[f.Name]}
		}
	}
	return c, json.Unmarshal(v.Settings, &c.Settings)
}

// connections serves GET /connections.
func (a *api) connections(r *request) error {
	list, err := r.Connections.List(r.ctx)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, v := range list {
		c, err := showConnection(v)
		if err != nil {
			return err
		}
		rows = append(rows, c)
	}
	return r.all(rows)
}

// all answers a list that is short, by pages.
func (r *request) all(rows []any) error {
	q := r.query()
	p := q.page()
	if err := q.err(); err != nil {
		return err
	}
	n := len(rows)
	rows = rows[min(p.Offset, n):]
	if p.Limit > 0 && p.Limit < len(rows) {
		rows = rows[:p.Limit]
	}
	return r.listing(q, p, n, rows, nil)
}

// connection serves GET /connections/:id.
func (a *api) connection(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	return r.replyConnection(fiber.StatusOK, id, "")
}

func (r *request) replyConnection(status int, id int64, secret string) error {
	v, err := r.Connections.Get(r.ctx, id)
	if err != nil {
		return err
	}
	c, err := showConnection(v)
	c.WebhookSecret = secret
	if err != nil {
		return err
	}
	return r.reply(status, c)
}

// maxConnection bounds the body: a private key has some kilobytes.
const maxConnection = 64 << 10

// saveConnection serves POST /connections and PATCH /connections/:id. What the
// body does not name stays as it is, each secret and setting for itself.
func (a *api) saveConnection(r *request) error {
	d := connection.Draft{Enabled: true, Settings: json.RawMessage("{}")}
	status := fiber.StatusCreated
	if r.Params("id") != "" {
		id, err := r.id("connection")
		if err != nil {
			return err
		}
		v, err := r.Connections.Get(r.ctx, id)
		if err != nil {
			return err
		}
		d = connection.Draft{ID: id, Kind: v.Kind.Name, Name: v.Name, Enabled: v.Enabled, Settings: v.Settings}
		status = fiber.StatusOK
	}
	b, err := r.limitedBody(maxConnection)
	if err != nil {
		return err
	}
	var in struct {
		Kind     *string                    `json:"kind"`
		Name     *string                    `json:"name"`
		Enabled  *bool                      `json:"enabled"`
		Settings map[string]json.RawMessage `json:"settings"`
		Secrets  map[string]string          `json:"secrets"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return gate.Errorf(gate.Invalid, "JSON request content is malformed")
	}
	set(&d.Kind, in.Kind)
	set(&d.Name, in.Name)
	set(&d.Enabled, in.Enabled)
	d.Secrets = in.Secrets
	if d.Settings, err = mergeSettings(d.Settings, in.Settings); err != nil {
		return err
	}
	id, secret, err := r.Connections.Save(r.ctx, r.event(), d)
	if err != nil {
		return err
	}
	return r.replyConnection(status, id, secret)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func mergeSettings(had json.RawMessage, given map[string]json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(had, &all); err != nil {
		return nil, err
	}
	maps.Copy(all, given)
	return json.Marshal(all)
}

// event begins the history's entry of what the sender does.
func (r *request) event() store.AuditEvent {
	e := store.AuditEvent{ActorID: &r.who.User.ID, Actor: r.who.User.Username, RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP()}
	if r.who.Token != nil {
		e.Actor = r.who.Token.PublicID
	}
	return e
}

// deleteConnection serves DELETE /connections/:id.
func (a *api) deleteConnection(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	if err := r.Connections.Delete(r.ctx, r.event(), id); err != nil {
		return err
	}
	return r.nothing()
}

// testConnection serves POST /connections/:id/test.
func (a *api) testConnection(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	said, works, err := r.Connections.Try(r.ctx, id)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]any{"works": works, "message": said})
}

// syncConnection serves POST /connections/:id/sync: it reads which repositories there are.
func (a *api) syncConnection(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	n, err := r.Connections.Sync(r.ctx, id)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]int{"repositories": n})
}

// renewConnectionSecret serves POST /connections/:id/secret: a new secret of the
// webhook. The one before is good until the next.
func (a *api) renewConnectionSecret(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	secret, err := r.Connections.NewSecret(r.ctx, r.event(), id)
	if err != nil {
		return err
	}
	return r.replyConnection(fiber.StatusOK, id, secret)
}

// shownDelivery is a delivery as the API tells it.
type shownDelivery struct {
	ID         int64  `json:"id"`
	DeliveryID string `json:"delivery_id"`
	Event      string `json:"event"`
	Received   stamp  `json:"received"`
	State      string `json:"state"`
	Outcome    string `json:"outcome"`
	Finished   *stamp `json:"finished"`
}

// mostDeliveries is how many are told of.
const mostDeliveries = 1000

// connectionDeliveries serves GET /connections/:id/deliveries: the newest first.
func (a *api) connectionDeliveries(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	if _, err := r.Connections.Get(r.ctx, id); err != nil {
		return err
	}
	list, err := r.Store.Deliveries(r.ctx, id, mostDeliveries)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, d := range list {
		rows = append(rows, shownDelivery{d.ID, d.DeliveryID, d.Event, stamp(d.Received), d.State, d.Outcome, maybe[stamp](d.Finished)})
	}
	return r.all(rows)
}

// redeliver serves POST /connections/:id/deliveries/:delivery/redeliver.
func (a *api) redeliver(r *request) error {
	id, err := r.id("connection")
	if err != nil {
		return err
	}
	delivery, err := strconv.ParseInt(r.Params("delivery"), 10, 64)
	if err != nil {
		return gate.Errorf(gate.NotFound, "no such delivery")
	}
	if err := r.Connections.Redeliver(r.ctx, id, delivery); err != nil {
		return err
	}
	if err := r.audit(r.Store, "redeliver", "connection", id, nil, map[string]any{"delivery": delivery}); err != nil {
		return err
	}
	return r.reply(fiber.StatusAccepted, map[string]string{"state": store.DeliveryQueued})
}
