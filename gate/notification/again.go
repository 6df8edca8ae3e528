package notification

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
)

// Again sends a delivery of a target once more.
func (n *Notifier) Again(ctx context.Context, channel string, target, delivery int64) error {
	return n.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		d, err := s.NoticeDelivery(ctx, delivery)
		if err != nil {
			return err
		}
		if d.Channel != channel || d.Target != target {
			return gate.Errorf(gate.NotFound, "no such delivery")
		}
		if err := s.RequeueDelivery(ctx, delivery); err != nil {
			return err
		}
		return n.Enqueue(ctx, tx, jobs.Send{Channel: channel, Body: work{Delivery: delivery}})
	})
}
