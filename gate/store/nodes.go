package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Beat notes that a node is alive, and puts the jobs back into the queue that
// are at work on nodes which have not said so for a while: they died. A job that
// was its node's end too often is given up. All of it goes by the database's clock.
func (s *Store) Beat(ctx context.Context, node string, silence time.Duration) (rescued int64, err error) {
	err = s.atomically(ctx, func(s *Store) error {
		if _, err := s.db.Exec(ctx, `insert into nodes (id, seen) values ($1, clock_timestamp()) on conflict (id) do update set seen = excluded.seen`, node); err != nil {
			return err
		}
		tag, err := s.db.Exec(ctx, `
			update river_job j set
				state = case when attempt >= max_attempts then 'discarded' else 'available' end::river_job_state,
				finalized_at = case when attempt >= max_attempts then now() end,
				scheduled_at = now(),
				errors = array_append(errors, jsonb_build_object('at', now(), 'attempt', attempt, 'error', 'the node that was at it died', 'trace', ''))
			where state = 'running' and attempted_at < clock_timestamp() - @silence::interval
			  and not exists (select from nodes n where n.id = j.attempted_by[cardinality(j.attempted_by)] and n.seen > clock_timestamp() - @silence::interval)`,
			pgx.NamedArgs{"silence": silence})
		if err != nil {
			return err
		}
		rescued = tag.RowsAffected()
		_, err = s.db.Exec(ctx, `delete from nodes where seen < clock_timestamp() - interval '1 day'`)
		return err
	})
	return rescued, err
}

// Leave notes that a node works no more.
func (s *Store) Leave(ctx context.Context, node string) error {
	_, err := s.db.Exec(ctx, `delete from nodes where id = $1`, node)
	return err
}
