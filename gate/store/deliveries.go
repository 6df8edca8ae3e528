package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// Delivery is an authentic delivery of a webhook.
type Delivery struct {
	ID           int64      `db:"id"`
	ConnectionID int64      `db:"connection_id"`
	DeliveryID   string     `db:"delivery_id"` // the sender's
	Event        string     `db:"event"`
	Body         []byte     `db:"body"`
	Received     time.Time  `db:"received"`
	State        string     `db:"state"` // queued, done, ignored or failed
	Outcome      string     `db:"outcome"`
	Finished     *time.Time `db:"finished"`
}

// The states of a delivery.
const (
	DeliveryQueued  = "queued"
	DeliveryDone    = "done"
	DeliveryIgnored = "ignored"
	DeliveryFailed  = "failed"
)

const deliveryColumns = `id, connection_id, delivery_id, event, body, received, state, outcome, finished`

// AddDelivery keeps a delivery and returns its id; 0 if it was here before.
func (s *Store) AddDelivery(ctx context.Context, d Delivery) (int64, error) {
	ids, err := scalars[int64](ctx, s.db, `
		insert into webhook_deliveries (connection_id, delivery_id, event, body, received, state, outcome, finished) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (connection_id, delivery_id) do nothing returning id`,
		d.ConnectionID, d.DeliveryID, d.Event, orEmpty(d.Body), d.Received, d.State, d.Outcome, d.Finished)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// Delivery returns one.
func (s *Store) Delivery(ctx context.Context, id int64) (Delivery, error) {
	return one[Delivery](ctx, s.db, "delivery", `select `+deliveryColumns+` from webhook_deliveries where id = $1`, id)
}

// Deliveries returns the newest of a connection, without their bodies.
func (s *Store) Deliveries(ctx context.Context, connection int64, limit int) ([]Delivery, error) {
	return many[Delivery](ctx, s.db, `
		select id, connection_id, delivery_id, event, ''::bytea as body, received, state, outcome, finished
		from webhook_deliveries where connection_id = $1 order by id desc limit $2`, connection, limit)
}

// SetDelivery notes what became of a delivery.
func (s *Store) SetDelivery(ctx context.Context, id int64, state, outcome string, finished *time.Time) error {
	_, err := s.db.Exec(ctx, `update webhook_deliveries set state = $2, outcome = $3, finished = $4 where id = $1`, id, state, outcome, finished)
	return err
}

// QueueDelivery makes a delivery one that is to be worked again; Conflict if it
// waits for that already, or was not worth keeping.
func (s *Store) QueueDelivery(ctx context.Context, id int64) error {
	tag, err := s.db.Exec(ctx, `update webhook_deliveries set state = 'queued', outcome = '', finished = null where id = $1 and state in ('done', 'failed') and body <> ''`, id)
	if err == nil && tag.RowsAffected() == 0 {
		return gate.Errorf(gate.Conflict, "this delivery is waiting to be worked, or was ignored when it came")
	}
	return err
}

// QueueDepth counts what waits: deliveries to be worked by kind of connection,
// and things to be sent by channel.
type QueueDepth struct {
	Queue  string `db:"queue"` // "receive_github", "send_jira", …
	Depth  int    `db:"depth"`
	Failed int    `db:"failed"` // given up in the last day
}

// QueueDepths returns how much waits in the queues of foreign systems.
func (s *Store) QueueDepths(ctx context.Context) ([]QueueDepth, error) {
	return many[QueueDepth](ctx, s.db, `
		select queue, count(*) filter (where finalized_at is null)::int as depth,
		       count(*) filter (where state in ('cancelled', 'discarded') and finalized_at > now() - interval '1 day')::int as failed
		from river_job where kind in ('send', 'receive') group by queue order by queue`)
}
