package api

import (
	"context"

	"github.com/go-json-experiment/json"

	"defectdojo/gate/auth"
	"defectdojo/gate/notification"
	"defectdojo/gate/store"
)

// notificationChannel is a connection to Slack, Teams or a mail server as the API
// tells it. Secrets are for writing only: it tells which there are.
type notificationChannel struct {
	ID          int64                 `json:"id"`
	PublicID    string                `json:"public_id"` // in the address that Slack sends clicks to: /hooks/slack/{public_id}
	Kind        string                `json:"kind"`
	Name        string                `json:"name"`
	Enabled     bool                  `json:"enabled"`
	Settings    notification.Settings `json:"settings"`
	Secrets     []string              `json:"secrets_set"`
	Healthy     bool                  `json:"healthy"`
	OpenUntil   *stamp                `json:"left_alone_until"`
	LastOK      *stamp                `json:"last_ok"`
	LastError   string                `json:"last_error"`
	LastErrorAt *stamp                `json:"last_error_at"`
	Queued      int                   `json:"queued"`
	FailedToday int                   `json:"failed_today"`
	SentToday   int                   `json:"sent_today"`
}

// channelDraft is a connection as it is, and as somebody wants it.
type channelDraft struct {
	store.Connection

	want notification.Draft
	r    *request
}

func (a *api) notificationChannels() resource[channelDraft] {
	save := func(ctx context.Context, s *store.Store, c channelDraft) (channelDraft, error) {
		action := map[bool]string{true: "add", false: "edit"}[c.ID == 0]
		saved, err := c.r.Notifier.Save(ctx, s, c.want)
		if err != nil {
			return c, fieldProblems(err)
		}
		c.Connection = saved
		return c, c.r.audit(s, action, "connection", saved.ID, nil, map[string]any{"kind": saved.Kind, "name": saved.Name, "enabled": saved.Enabled})
	}
	return resource[channelDraft]{
		path: "/notification_channels", model: "notification channel",
		view: auth.ManageNotices, add: auth.ManageNotices, edit: auth.ManageNotices, remove: auth.ManageNotices,
		id: func(c channelDraft) int64 { return c.ID },
		find: func(r *request, s *store.Store, id int64) (channelDraft, error) {
			c, err := s.ConnectionOf(r.ctx, id, notification.Kinds...)
			return channelDraft{Connection: c, r: r}, err
		},
		page: func(r *request, q *query) (store.List[channelDraft], store.Page, error) {
			p := q.page()
			rows, err := r.Store.Connections(r.ctx, notification.Kinds...)
			out := store.List[channelDraft]{Count: len(rows)}
			for i, c := range rows {
				if i >= p.Offset && i < p.Offset+p.Limit {
					out.Rows = append(out.Rows, channelDraft{Connection: c, r: r})
				}
			}
			return out, p, err
		},
		fresh:  func(r *request) channelDraft { return channelDraft{r: r, want: notification.Draft{Enabled: true}} },
		read:   readChannel,
		mayAdd: func(*request, channelDraft) error { return nil }, // the route's action is on nothing
		insert: save, update: save, kept: true, object: "connection",
		entry:  func(c channelDraft) (*int64, string) { return nil, c.Name },
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteConnection(ctx, id) },
		show:   showChannels,
	}
}

func readChannel(_ *request, f *form, before channelDraft, c *channelDraft) {
	if before.ID != 0 {
		settings, err := notification.ReadSettings(before.Connection)
		if err != nil {
			f.err = err
			return
		}
		c.want = notification.Draft{ID: before.ID, Kind: before.Kind, Name: before.Name, Enabled: before.Enabled, Settings: settings}
	} else {
		f.oneOf("kind", &c.want.Kind, required, notification.Kinds...)
	}
	f.text("name", &c.want.Name, 100, required)
	if f.has("enabled") {
		f.flag("enabled", &c.want.Enabled, 0)
	}
	if v, ok := f.raw("settings", 0); ok {
		if err := json.Unmarshal(v, &c.want.Settings, json.RejectUnknownMembers(true)); err != nil {
			f.problems.add("settings", "These are not the settings of a channel.")
		}
	}
	if v, ok := f.raw("secrets", 0); ok {
		if err := json.Unmarshal(v, &c.want.Secrets); err != nil {
			f.problems.add("secrets", "Expected a dictionary of texts.")
		}
	}
}

func showChannels(r *request, rows []channelDraft) ([]any, error) {
	healths, err := r.Notifier.Healths(r.ctx)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, c := range rows {
		settings, err := notification.ReadSettings(c.Connection)
		if err != nil {
			return nil, err
		}
		set, err := r.Notifier.SecretsSet(c.Connection)
		if err != nil {
			return nil, err
		}
		h := healths[c.Kind][c.ID]
		out = append(out, notificationChannel{
			c.ID, c.PublicID, c.Kind, c.Name, c.Enabled, settings, set, h.Failures == 0, maybe[stamp](h.OpenUntil), maybe[stamp](h.LastOK), h.LastError,
			maybe[stamp](h.LastErrorAt), h.Waiting, h.Failed, h.Sent,
		})
	}
	return out, nil
}
