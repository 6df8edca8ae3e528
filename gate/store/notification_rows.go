package store

import (
	"context"

	"defectdojo/gate"
)

// NotificationRow is what somebody wants to be told, and how. Without a user it
// is the system's, or the template that new users get; with a product it is for
// that product alone.
type NotificationRow struct {
	ID          int64               `db:"id"`
	UserID      *int64              `db:"user_id"`
	ProductID   *int64              `db:"product_id"`
	Template    bool                `db:"template"`
	Events      map[string][]string `db:"events"` // event → channels
	Filter      string              `db:"filter"` // CEL over the notice
	MinSeverity gate.Severity       `db:"min_severity"`
}

const notificationColumns = `id, user_id, product_id, template, events, filter, min_severity`

// NotificationFilter narrows a list of preferences.
type NotificationFilter struct {
	IDs, Users, Products []int64
	Template             *bool
	Page
}

var notificationOrders = orders{"id": "id", "user": "user_id", "product": "product_id", "template": "template"}

// NotificationRows returns a page of preferences.
func (s *Store) NotificationRows(ctx context.Context, f NotificationFilter) (List[NotificationRow], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	oneOf(&w, "user_id", f.Users)
	oneOf(&w, "product_id", f.Products)
	optional(&w, "template", f.Template)
	order, err := notificationOrders.by(f.Order, "id", "id")
	if err != nil {
		return List[NotificationRow]{}, err
	}
	return list[NotificationRow](ctx, s.db, notificationColumns, "notification_preferences", &w, order, f.Page)
}

// NotificationRow returns one.
func (s *Store) NotificationRow(ctx context.Context, id int64) (NotificationRow, error) {
	return one[NotificationRow](ctx, s.db, "notification", `select `+notificationColumns+` from notification_preferences where id = $1`, id)
}

// NotificationRowOf returns the one of a user and a product (nil: none), or the
// template; NotFound if there is none.
func (s *Store) NotificationRowOf(ctx context.Context, user, product *int64, template bool) (NotificationRow, error) {
	return one[NotificationRow](ctx, s.db, "notification", `
		select `+notificationColumns+` from notification_preferences
		where user_id is not distinct from $1 and product_id is not distinct from $2 and template = $3`, user, product, template)
}

// AddNotificationRow stores a new one.
func (s *Store) AddNotificationRow(ctx context.Context, r NotificationRow) (NotificationRow, error) {
	return one[NotificationRow](ctx, s.db, "notification", `
		insert into notification_preferences (user_id, product_id, template, events, filter, min_severity)
		values ($1, $2, $3, $4, $5, $6) returning `+notificationColumns,
		r.UserID, r.ProductID, r.Template, events(r.Events), r.Filter, r.MinSeverity)
}

// UpdateNotificationRow writes what one is now.
func (s *Store) UpdateNotificationRow(ctx context.Context, r NotificationRow) (NotificationRow, error) {
	return one[NotificationRow](ctx, s.db, "notification", `
		update notification_preferences set user_id = $2, product_id = $3, template = $4, events = $5, filter = $6, min_severity = $7
		where id = $1 returning `+notificationColumns,
		r.ID, r.UserID, r.ProductID, r.Template, events(r.Events), r.Filter, r.MinSeverity)
}

// SetNotificationRow writes the one of its user and product, whether it is there or not.
func (s *Store) SetNotificationRow(ctx context.Context, r NotificationRow) (NotificationRow, error) {
	return one[NotificationRow](ctx, s.db, "notification", `
		insert into notification_preferences (user_id, product_id, template, events, filter, min_severity)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (coalesce(user_id, 0), coalesce(product_id, 0), template)
		do update set events = $4, filter = $5, min_severity = $6
		returning `+notificationColumns,
		r.UserID, r.ProductID, r.Template, events(r.Events), r.Filter, r.MinSeverity)
}

// DeleteNotificationRow removes one.
func (s *Store) DeleteNotificationRow(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "notification", `delete from notification_preferences where id = $1`, id)
}

func events(e map[string][]string) map[string][]string {
	if e == nil {
		return map[string][]string{}
	}
	return e
}

// Addressee is somebody who may be told something of a product, with their
// preferences for everything and for that product.
type Addressee struct {
	ID        int64             `db:"id"`
	Superuser bool              `db:"is_superuser"`
	Sees      bool              `db:"sees"`
	Rows      []NotificationRow `db:"rows"`
}

// Addressees returns the active users who have preferences, are superusers, or
// are among some, and whether each may see a product, a product type, or, with
// neither, everything.
func (s *Store) Addressees(ctx context.Context, product, productType int64, among []int64) ([]Addressee, error) {
	return many[Addressee](ctx, s.db, `
		select u.id, u.is_superuser,
			u.is_superuser or u.global_role is not null and ($1 > 0 or $2 > 0) or exists (
				select from members m
				where (m.user_id = u.id or m.group_id in (select group_id from dojo_group_members g where g.user_id = u.id))
					and (m.product_id = $1 or m.product_type_id = coalesce((select prod_type_id from products where id = $1), $2))) as sees,
			coalesce((select jsonb_agg(jsonb_build_object('ID', n.id, 'UserID', n.user_id, 'ProductID', n.product_id, 'Events', n.events, 'Filter', n.filter,
					'MinSeverity', (array['Info', 'Low', 'Medium', 'High', 'Critical'])[n.min_severity + 1]) order by n.id)
				from notification_preferences n where n.user_id = u.id and not n.template and (n.product_id is null or n.product_id = $1)), '[]') as rows
		from users u
		where u.is_active and (u.is_superuser or u.id = any($3)
			or exists (select from notification_preferences n where n.user_id = u.id and (n.product_id is null or n.product_id = $1)))
		order by u.id`, product, productType, orEmpty(among))
}
