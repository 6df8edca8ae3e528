package notification

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate/store"
)

// KeepRow writes preferences with their history, whose object it fills in.
func (n *Notifier) KeepRow(ctx context.Context, row, before store.NotificationRow, e store.AuditEvent) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		saved, err := s.SetNotificationRow(ctx, row)
		if err != nil {
			return err
		}
		e.Object, e.ObjectID, e.ProductID = "notification", &saved.ID, row.ProductID
		e.Changes = map[string]any{"events": [2]map[string][]string{before.Events, saved.Events}, "filter": [2]string{before.Filter, saved.Filter}}
		return s.AddAuditEvent(ctx, e)
	})
}

// KeepSettings writes the system's settings likewise.
func (n *Notifier) KeepSettings(ctx context.Context, before, set store.NotifySettings, e store.AuditEvent) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.SetNotifySettings(ctx, set); err != nil || before == set {
			return err
		}
		e.Object, e.Changes = "system_settings", map[string]any{"notifications": [2]store.NotifySettings{before, set}}
		return s.AddAuditEvent(ctx, e)
	})
}

// KeepSlackUser writes who a user says that they are in Slack, likewise.
func (n *Notifier) KeepSlackUser(ctx context.Context, user int64, slackID string, e store.AuditEvent) error {
	return n.Store.Tx(ctx, func(s *store.Store, _ pgx.Tx) error {
		if err := s.DeclareSlackUser(ctx, user, slackID); err != nil {
			return err
		}
		e.Object, e.ObjectID, e.Changes = "user", &user, map[string]any{"slack_user_id": slackID}
		return s.AddAuditEvent(ctx, e)
	})
}
