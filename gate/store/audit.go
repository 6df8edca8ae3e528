package store

import (
	"context"
	"time"
)

// AuditEvent is an entry of the history of who did what. It never holds a secret.
type AuditEvent struct {
	ID        int64
	At        time.Time
	ActorID   *int64
	Actor     string // user name, or the token's public ID
	Action    string
	Object    string // finding, product …
	ObjectID  *int64
	ProductID *int64
	Changes   map[string]any // field → before and after
	RequestID string
	IP        string
}

const auditColumns = `id, at, actor_id, actor, action, object, object_id, product_id, changes, request_id, ip`

// AddAuditEvent adds an entry.
func (s *Store) AddAuditEvent(ctx context.Context, e AuditEvent) error {
	if e.Changes == nil {
		e.Changes = map[string]any{}
	}
	_, err := s.db.Exec(ctx, `
		insert into audit_events (at, actor_id, actor, action, object, object_id, product_id, changes, request_id, ip)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.At, e.ActorID, e.Actor, e.Action, e.Object, e.ObjectID, e.ProductID, e.Changes, e.RequestID, e.IP)
	return err
}

// AuditEvents returns the entries about one object, the newest first.
func (s *Store) AuditEvents(ctx context.Context, object string, id int64, limit int) ([]AuditEvent, error) {
	return many[AuditEvent](ctx, s.db, `
		select `+auditColumns+` from audit_events where object = $1 and object_id = $2 order by id desc limit $3`, object, id, limit)
}
