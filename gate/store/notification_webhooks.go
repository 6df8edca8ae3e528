package store

import (
	"context"
	"strconv"
	"time"
)

// NotificationWebhook is where notices are posted to, in DefectDojo's shape. Its
// secrets are sealed for the place that WebhookSecretsOf names.
type NotificationWebhook struct {
	ID         int64      `db:"id"`
	Name       string     `db:"name"`
	URL        string     `db:"url"`
	HeaderName *string    `db:"header_name"`
	Secrets    []byte     `db:"secrets"`
	OwnerID    *int64     `db:"owner_id"` // nil: the system's
	Status     string     `db:"status"`
	FirstError *time.Time `db:"first_error"`
	LastError  *time.Time `db:"last_error"`
	Note       *string    `db:"note"`
}

// WebhookSecretsOf names the place of a webhook's secrets to package seal.
func WebhookSecretsOf(id int64) string { return "notification_webhooks:" + strconv.FormatInt(id, 10) }

const webhookColumns = `id, name, url, header_name, secrets, owner_id, status, first_error, last_error, note`

var webhookOrders = orders{"id": "id", "name": "name", "status": "status"}

// NotificationWebhooks returns a page of them.
func (s *Store) NotificationWebhooks(ctx context.Context, p Page) (List[NotificationWebhook], error) {
	order, err := webhookOrders.by(p.Order, "id", "id")
	if err != nil {
		return List[NotificationWebhook]{}, err
	}
	return list[NotificationWebhook](ctx, s.db, webhookColumns, "notification_webhooks", &where{}, order, p)
}

// WebhooksOf returns those of a user, or the system's, that are not given up.
func (s *Store) WebhooksOf(ctx context.Context, owner *int64) ([]NotificationWebhook, error) {
	return many[NotificationWebhook](ctx, s.db, `
		select `+webhookColumns+` from notification_webhooks where owner_id is not distinct from $1 and status <> 'inactive_permanent' order by id`, owner)
}

// NotificationWebhook returns one.
func (s *Store) NotificationWebhook(ctx context.Context, id int64) (NotificationWebhook, error) {
	return one[NotificationWebhook](ctx, s.db, "notification webhook", `select `+webhookColumns+` from notification_webhooks where id = $1`, id)
}

// AddNotificationWebhook stores a new one, without its secrets.
func (s *Store) AddNotificationWebhook(ctx context.Context, h NotificationWebhook) (NotificationWebhook, error) {
	return one[NotificationWebhook](ctx, s.db, "notification webhook", `
		insert into notification_webhooks (name, url, header_name, owner_id, status, note) values ($1, $2, $3, $4, $5, $6) returning `+webhookColumns,
		h.Name, h.URL, h.HeaderName, h.OwnerID, h.Status, h.Note)
}

// SaveNotificationWebhook writes what one is now, with its secrets.
func (s *Store) SaveNotificationWebhook(ctx context.Context, h NotificationWebhook) (NotificationWebhook, error) {
	return one[NotificationWebhook](ctx, s.db, "notification webhook", `
		update notification_webhooks set name = $2, url = $3, header_name = $4, secrets = $5, owner_id = $6, status = $7, first_error = $8, last_error = $9, note = $10
		where id = $1 returning `+webhookColumns,
		h.ID, h.Name, h.URL, h.HeaderName, h.Secrets, h.OwnerID, h.Status, h.FirstError, h.LastError, h.Note)
}

// LockNotificationWebhook returns one, which nobody else changes until the
// transaction ends.
func (s *Store) LockNotificationWebhook(ctx context.Context, id int64) (NotificationWebhook, error) {
	return one[NotificationWebhook](ctx, s.db, "notification webhook", `select `+webhookColumns+` from notification_webhooks where id = $1 for update`, id)
}

// UnsettledWebhooks returns those whose health may change with time alone, and
// locks them.
func (s *Store) UnsettledWebhooks(ctx context.Context) ([]NotificationWebhook, error) {
	return many[NotificationWebhook](ctx, s.db, `
		select `+webhookColumns+` from notification_webhooks where status in ('active_tmp', 'inactive_tmp') order by id for update skip locked`)
}

// DeleteNotificationWebhook removes one; what waits for it is not sent.
func (s *Store) DeleteNotificationWebhook(ctx context.Context, id int64) error {
	if _, err := s.db.Exec(ctx, `
		update notice_deliveries set state = 'failed', last_error = 'the webhook was removed', finished = now()
		where channel = 'webhooks' and target = $1 and state = 'queued'`, id); err != nil {
		return err
	}
	return exec(ctx, s.db, "notification webhook", `delete from notification_webhooks where id = $1`, id)
}
