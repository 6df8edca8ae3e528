package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// QueueReviews has the verdicts of products judged again at a time. It returns
// those products that were not in the queue yet: for each of these, and only for
// these, a job must come.
func (s *Store) QueueReviews(ctx context.Context, products []int64, cause string, due time.Time) ([]int64, error) {
	type row struct {
		ProductID int64
		Fresh     bool
	}
	// In the order of ids: two that queue the same products cannot lock each other out.
	rows, err := many[row](ctx, s.db, `
		insert into reviews (product_id, causes, due)
		select id, array[@cause], @due from products where id = any(@products) order by id
		on conflict (product_id) do update set causes = (select array_agg(distinct c) from unnest(reviews.causes || excluded.causes) c)
		returning product_id, xmax = 0 as fresh`, pgx.NamedArgs{"products": orEmpty(products), "cause": cause, "due": due})
	var fresh []int64
	for _, r := range rows {
		if r.Fresh {
			fresh = append(fresh, r.ProductID)
		}
	}
	return fresh, err
}

// TakeReview takes a product out of the queue, and returns why it was in it;
// nil if it was not.
func (s *Store) TakeReview(ctx context.Context, product int64) ([]string, error) {
	causes, err := scalars[[]string](ctx, s.db, `delete from reviews where product_id = $1 returning causes`, product)
	if err != nil || len(causes) == 0 {
		return nil, err
	}
	return causes[0], nil
}

// JudgedProducts returns the products that have a verdict that still stands.
func (s *Store) JudgedProducts(ctx context.Context) ([]int64, error) {
	return scalars[int64](ctx, s.db, `select distinct product_id from verdicts where superseded_by is null order by 1`)
}

// ExpiredVerdicts returns the products of standing verdicts whose time has run
// out and that nobody has looked at since, at most limit.
func (s *Store) ExpiredVerdicts(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	return scalars[int64](ctx, s.db, `
		select distinct product_id from verdicts
		where superseded_by is null and valid_until is not null and valid_until <= $1 and (checked is null or checked < valid_until)
		order by 1 limit $2`, now, limit)
}

// OpenVerdicts returns the standing verdict of each of a product's lines of
// work that are not closed, the newest first, at most limit.
func (s *Store) OpenVerdicts(ctx context.Context, product int64, since time.Time, limit int) ([]StoredVerdict, error) {
	return many[StoredVerdict](ctx, s.db, `select `+storedVerdictColumns+` from verdicts v
		where product_id = $1 and superseded_by is null and decided_at >= $2
		  and exists (select from engagements e where e.id = v.engagement_id and e.active)
		order by id desc limit $3`, product, since, limit)
}

// VerdictChecked records that a verdict still says the same.
func (s *Store) VerdictChecked(ctx context.Context, id int64, now time.Time) error {
	return exec(ctx, s.db, "verdict", `update verdicts set checked = $2 where id = $1`, id, now)
}

// VerdictsLeft records that the standing verdicts of a product that were not
// judged again are not to be, until something changes.
func (s *Store) VerdictsLeft(ctx context.Context, product int64, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update verdicts set checked = $2
		where product_id = $1 and superseded_by is null and valid_until <= $2 and (checked is null or checked < valid_until)`, product, now)
	return err
}
