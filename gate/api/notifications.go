package api

import (
	"context"
	"errors"
	"maps"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
)

func (a *api) notifications() resource[store.NotificationRow] {
	return resource[store.NotificationRow]{
		path: "/notifications", model: "notification",
		view: auth.ManageNotices, add: auth.ManageNotices, edit: auth.ManageNotices, remove: auth.ManageNotices,
		id: func(n store.NotificationRow) int64 { return n.ID },
		find: func(r *request, s *store.Store, id int64) (store.NotificationRow, error) {
			return s.NotificationRow(r.ctx, id)
		},
		page: func(r *request, q *query) (store.List[store.NotificationRow], store.Page, error) {
			p := q.page()
			p.Order = nil // this list has one order
			f := store.NotificationFilter{IDs: q.number("id"), Users: q.number("user"), Products: q.number("product"), Template: q.plainFlag("template"), Page: p}
			if err := q.err(); err != nil {
				return store.List[store.NotificationRow]{}, p, err
			}
			l, err := r.Store.NotificationRows(r.ctx, f)
			return l, p, err
		},
		fresh:  func(*request) store.NotificationRow { return store.NotificationRow{} },
		read:   readNotification,
		mayAdd: func(*request, store.NotificationRow) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, n store.NotificationRow) (store.NotificationRow, error) {
			return s.AddNotificationRow(ctx, n)
		},
		update: func(ctx context.Context, s *store.Store, n store.NotificationRow) (store.NotificationRow, error) {
			return s.UpdateNotificationRow(ctx, n)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteNotificationRow(ctx, id) },
		entry:  func(n store.NotificationRow) (*int64, string) { return n.ProductID, "" },
		show: func(_ *request, rows []store.NotificationRow) ([]any, error) {
			out := []any{}
			for _, n := range rows {
				out = append(out, notificationOf(n))
			}
			return out, nil
		},
	}
}

// notificationOf returns preferences as DefectDojo tells them: a field for each
// event, with its channels. filter and min_severity are ours.
func notificationOf(n store.NotificationRow) map[string]any {
	out := map[string]any{"id": n.ID, "user": n.UserID, "product": n.ProductID, "template": n.Template, "filter": n.Filter, "min_severity": n.MinSeverity.String()}
	for _, e := range notification.Events {
		channels := notification.ChannelsOf(n, e.Name)
		if channels == nil {
			channels = []notification.Channel{}
		}
		out[e.Name] = channels
	}
	return out
}

func readNotification(r *request, f *form, before store.NotificationRow, n *store.NotificationRow) {
	n.Events = map[string][]string{}
	maps.Copy(n.Events, before.Events)
	for _, e := range notification.Events {
		readChannels(f, e.Name, n.Events)
	}
	f.maybeReference(r.ctx, "user", &n.UserID, r.userThere)
	f.maybeReference(r.ctx, "product", &n.ProductID, r.seesProduct)
	f.flag("template", &n.Template, 0)
	f.text("filter", &n.Filter, notification.MaxFilter, blank)
	severity := n.MinSeverity.String()
	f.oneOf("min_severity", &severity, 0, "Info", "Low", "Medium", "High", "Critical")
	n.MinSeverity = gate.ParseSeverity(severity)
	if len(f.problems) > 0 {
		return
	}
	if e, ok := errors.AsType[*gate.Error](notification.CheckRow(*n)); ok {
		f.problems.add(e.Field, "%s", e.Message)
	}
}

// readChannels reads the channels of an event: a list of their names.
func readChannels(f *form, event string, into map[string][]string) {
	if !f.has(event) {
		return
	}
	items, ok := f.items(event, 0)
	if !ok {
		return
	}
	out := []string{}
	for _, i := range items {
		var c string
		if err := json.Unmarshal(i, &c); err != nil {
			f.problems.add(event, "%s is not a valid choice.", string(i))
			return
		}
		out = append(out, c)
	}
	into[event] = out
}

// userThere tells whether there is a user.
func (r *request) userThere(ctx context.Context, id int64) (bool, error) {
	_, err := r.Store.User(ctx, id)
	return allows(err)
}

// notificationWebhook is a webhook as the API tells it: its secrets are for
// writing only, and of its address it tells where it leads.
type notificationWebhook struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	URL         string  `json:"url"`
	HeaderName  *string `json:"header_name"`
	HeaderValue *string `json:"header_value"` // always null
	Status      string  `json:"status"`
	FirstError  *stamp  `json:"first_error"`
	LastError   *stamp  `json:"last_error"`
	Note        *string `json:"note"`
	Owner       *int64  `json:"owner"`
	Queued      int     `json:"queued"` // ours, as those below
	FailedToday int     `json:"failed_today"`
	SentToday   int     `json:"sent_today"`
}

// savedHook is a webhook with what was sent of its secrets, and who sent it.
type savedHook struct {
	notification.Hook

	r *request
}

func (a *api) notificationWebhooks() resource[savedHook] {
	save := func(ctx context.Context, s *store.Store, h savedHook) (savedHook, error) {
		action := map[bool]string{true: "add", false: "edit"}[h.ID == 0]
		saved, err := h.r.Notifier.SaveHook(ctx, s, h.Hook)
		if err != nil {
			return h, fieldProblems(err)
		}
		h.NotificationWebhook = saved
		return h, h.r.audit(s, action, "notification_webhook", saved.ID, nil, map[string]any{"name": saved.Name, "url": saved.URL})
	}
	return resource[savedHook]{
		path: "/notification_webhooks", model: "notification webhook",
		view: auth.ManageNotices, add: auth.ManageNotices, edit: auth.ManageNotices, remove: auth.ManageNotices,
		id: func(h savedHook) int64 { return h.ID },
		find: func(r *request, s *store.Store, id int64) (savedHook, error) {
			h, err := s.NotificationWebhook(r.ctx, id)
			return savedHook{notification.Hook{NotificationWebhook: h}, r}, err
		},
		page: func(r *request, q *query) (store.List[savedHook], store.Page, error) {
			p := q.page()
			p.Order = nil // this list has one order
			l, err := r.Store.NotificationWebhooks(r.ctx, p)
			out := store.List[savedHook]{Count: l.Count}
			for _, h := range l.Rows {
				out.Rows = append(out.Rows, savedHook{notification.Hook{NotificationWebhook: h}, r})
			}
			return out, p, err
		},
		fresh: func(r *request) savedHook {
			return savedHook{notification.Hook{NotificationWebhook: store.NotificationWebhook{Status: notification.HookActive}}, r}
		},
		read:   readHook,
		mayAdd: func(*request, savedHook) error { return nil }, // the route's action is on nothing
		insert: save, update: save, kept: true,
		entry:  func(h savedHook) (*int64, string) { return nil, h.Name },
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteNotificationWebhook(ctx, id) },
		show:   showHooks,
	}
}

func readHook(r *request, f *form, _ savedHook, h *savedHook) {
	f.text("name", &h.Name, 100, required)
	f.text("url", &h.URL, 200, required)
	f.optional("header_name", &h.HeaderName, 100)
	for name, into := range map[string]**string{"header_value": &h.HeaderValue, "secret": &h.Secret} {
		if v, ok := f.raw(name, 0); ok && v.Kind() != 'n' { // what we tell is null: sent back, it changes nothing
			f.optional(name, into, 2000)
		}
	}
	f.oneOf("status", &h.Status, 0, notification.HookActive, notification.HookActiveTemporarily, notification.HookInactive, notification.HookGivenUp)
	f.maybeReference(r.ctx, "owner", &h.OwnerID, r.userThere)
}

func showHooks(r *request, rows []savedHook) ([]any, error) {
	healths, err := r.Notifier.Healths(r.ctx)
	out := []any{}
	for _, h := range rows {
		c := healths[string(notification.Webhooks)][h.ID].DeliveryCounts
		out = append(out, notificationWebhook{
			h.ID, h.Name, h.URL, h.HeaderName, nil, h.Status, maybe[stamp](h.FirstError), maybe[stamp](h.LastError), h.Note, h.OwnerID, c.Waiting, c.Failed, c.Sent,
		})
	}
	return out, err
}

// fieldProblems tells what is wrong by field as the API does.
func fieldProblems(err error) error {
	p, ok := errors.AsType[notification.Problems](err)
	if !ok {
		return err
	}
	out := problems{}
	for field, message := range p {
		out[field] = []string{message}
	}
	return out
}

func (a *api) notificationRoutes() []route {
	all := append(a.notifications().routes(), a.notificationWebhooks().routes()...)
	all = append(all, a.notificationChannels().routes()...)
	return append(
		all,
		route{fiber.MethodPost, "/notification_webhooks/:id/test", auth.ManageNotices, a.testHook},
		route{fiber.MethodGet, "/notification_webhooks/:id/deliveries", auth.ManageNotices, a.hookDeliveries},
		route{fiber.MethodPost, "/notification_channels/:id/test", auth.ManageNotices, a.testChannel},
	)
}

// testHook serves POST /notification_webhooks/:id/test.
func (a *api) testHook(r *request) error {
	id, err := r.id("notification webhook")
	if err != nil {
		return err
	}
	return r.tested(a.Notifier.TestHook(r.ctx, id))
}

// testChannel serves POST /notification_channels/:id/test.
func (a *api) testChannel(r *request) error {
	id, err := r.id("notification channel")
	if err != nil {
		return err
	}
	return r.tested(a.Notifier.Test(r.ctx, id))
}

// tested answers how a test went: that it failed is an answer, too.
func (r *request) tested(said string, err error) error {
	if err != nil && gate.KindOf(err) != gate.Unavailable {
		return err
	}
	if err != nil {
		return r.reply(fiber.StatusOK, map[string]any{"ok": false, "message": err.Error()})
	}
	return r.reply(fiber.StatusOK, map[string]any{"ok": true, "message": said})
}

// hookDelivery is one entry of a webhook's log.
type hookDelivery struct {
	ID        int64  `json:"id"`
	Delivery  string `json:"delivery_id"`
	Event     string `json:"event"`
	State     string `json:"state"`
	Attempts  int    `json:"attempts"`
	Status    int    `json:"response_status"`
	LastError string `json:"last_error"`
	Created   stamp  `json:"created"`
	Finished  *stamp `json:"finished"`
}

// hookDeliveries serves GET /notification_webhooks/:id/deliveries.
func (a *api) hookDeliveries(r *request) error {
	id, err := r.id("notification webhook")
	if err != nil {
		return err
	}
	if _, err := r.Store.NotificationWebhook(r.ctx, id); err != nil {
		return err
	}
	q := r.query()
	p := q.page()
	l, err := r.Store.DeliveryLog(r.ctx, string(notification.Webhooks), id, p)
	if err != nil {
		return err
	}
	rows := []any{}
	for _, d := range l.Rows {
		rows = append(rows, hookDelivery{d.ID, d.PublicID, d.Event, d.State, d.Attempts, d.Status, d.LastError, stamp(d.Created), maybe[stamp](d.Finished)})
	}
	return r.listing(q, p, l.Count, rows, nil)
}
