package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// DeleteEngagement removes an engagement and everything in it.
func (s *Store) DeleteEngagement(ctx context.Context, id int64) error {
	return s.deleteWithFindings(ctx, "engagement", `engagement_id = $1`, `delete from engagements where id = $1`, id)
}

// DeleteTest removes a test and everything in it.
func (s *Store) DeleteTest(ctx context.Context, id int64) error {
	return s.deleteWithFindings(ctx, "test", `test_id = $1`, `delete from tests where id = $1`, id)
}

// DeleteFinding removes a finding.
func (s *Store) DeleteFinding(ctx context.Context, id int64) error {
	return s.deleteWithFindings(ctx, "finding", `id = $1`, `delete from findings where id = $1`, id)
}

// deleteWithFindings removes findings with what holds them. Of a cluster whose
// original goes and of which others stay, the oldest becomes the original and
// takes its state: a problem does not vanish because one report of it did.
func (s *Store) deleteWithFindings(ctx context.Context, what, going, statement string, id int64) error {
	return s.atomically(ctx, func(s *Store) error {
		if err := s.Lock(ctx, what, id); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, `
			with gone as (
				select id from findings where `+going+`
			), heirs as (
				select d.duplicate_finding_id as original, min(d.id) as heir from findings d
				where d.duplicate_finding_id in (select id from gone) and d.id not in (select id from gone)
				group by 1
			), promoted as (
				update findings f set duplicate = false, duplicate_finding_id = null, active = o.active, verified = o.verified,
					is_mitigated = o.is_mitigated, mitigated = o.mitigated, mitigated_by_id = o.mitigated_by_id, false_p = o.false_p,
					out_of_scope = o.out_of_scope, risk_accepted = o.risk_accepted,
					found_by = array(select distinct unnest(f.found_by || o.found_by || o.test_type_id::int)),
					updated = now(), last_status_update = now()
				from heirs h join findings o on o.id = h.original where f.id = h.heir
			)
			update findings f set duplicate_finding_id = h.heir
			from heirs h where f.duplicate_finding_id = h.original and f.id <> h.heir`, id); err != nil {
			return err
		}
		return exec(ctx, s.db, what, statement, id)
	})
}

// atomically calls f in a transaction: the one that s is in, if it is in one.
func (s *Store) atomically(ctx context.Context, f func(*Store) error) error {
	if s.pool == nil {
		return f(s)
	}
	return s.Tx(ctx, func(s *Store, _ pgx.Tx) error { return f(s) })
}
