package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Publication is what is written at one place of a code host, and what should be.
type Publication struct {
	ID           int64      `db:"id"`
	RepositoryID int64      `db:"repository_id"`
	Kind         string     `db:"kind"`   // status, comment or report
	Target       string     `db:"target"` // a commit; of a comment, the number of a pull request
	Ref          string     `db:"ref"`
	State        string     `db:"state"` // pending, verdict, problem or superseded
	Message      string     `db:"message"`
	VerdictID    *int64     `db:"verdict_id"`
	Sequence     int64      `db:"sequence"`
	ExternalID   string     `db:"external_id"`
	Detail       string     `db:"detail"`
	Digest       []byte     `db:"digest"`
	Tries        int        `db:"tries"` // that nobody knows the end of
	LeaseUntil   *time.Time `db:"lease_until"`
	Written      *time.Time `db:"written"`
}

// The states of a publication.
const (
	PublishPending    = "pending"
	PublishVerdict    = "verdict"
	PublishProblem    = "problem"
	PublishSuperseded = "superseded"
)

const publicationColumns = `id, repository_id, kind, target, ref, state, message, verdict_id, sequence, external_id, detail, digest, tries, lease_until, written`

// Publish says what should be at a place, and returns the publication's id; 0 if
// something newer is wanted there already: a newer verdict, or anything of a
// newer run. Something pending replaces nothing but a problem.
func (s *Store) Publish(ctx context.Context, p Publication) (int64, error) {
	ids, err := scalars[int64](ctx, s.db, `
		insert into publications as p (repository_id, kind, target, ref, state, message, verdict_id, sequence)
		values (@repository, @kind, @target, @ref, @state, @message, @verdict, @sequence)
		on conflict (repository_id, kind, target) do update
		set state = excluded.state, message = excluded.message, verdict_id = coalesce(excluded.verdict_id, p.verdict_id), ref = coalesce(nullif(excluded.ref, ''), p.ref),
		    sequence = greatest(p.sequence, excluded.sequence)
		where case excluded.state
		      when 'verdict' then p.verdict_id is null or p.verdict_id < excluded.verdict_id
		      when 'pending' then p.state = 'problem' and p.sequence <= excluded.sequence
		      else p.sequence <= excluded.sequence and (excluded.state <> 'superseded' or p.verdict_id is null) end
		returning id`, pgx.NamedArgs{
		"repository": p.RepositoryID, "kind": p.Kind, "target": p.Target, "ref": p.Ref, "state": p.State, "message": p.Message, "verdict": p.VerdictID, "sequence": p.Sequence,
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// ClaimPublication takes the lease of a publication and returns it with what is
// wanted now. ok is false if another holds it.
func (s *Store) ClaimPublication(ctx context.Context, id int64, now, until time.Time) (p Publication, ok bool, err error) {
	list, err := many[Publication](ctx, s.db, `
		update publications set lease_until = $3, tries = tries + 1 where id = $1 and (lease_until is null or lease_until <= $2)
		returning `+publicationColumns, id, now, until)
	if err != nil || len(list) == 0 {
		return Publication{}, false, err
	}
	return list[0], true, nil
}

// ReleasePublication gives the lease back without having written; undone says
// that certainly nothing was.
func (s *Store) ReleasePublication(ctx context.Context, p Publication, undone bool) error {
	_, err := s.db.Exec(ctx, `update publications set lease_until = null, tries = case when $3 then $4 else tries end where id = $1 and lease_until = $2`,
		p.ID, p.LeaseUntil, undone, p.Tries-1)
	return err
}

// WrotePublication notes what was written, and gives the lease back.
func (s *Store) WrotePublication(ctx context.Context, p Publication, now time.Time) error {
	_, err := s.db.Exec(ctx, `
		update publications set lease_until = null, tries = 0, external_id = $3, detail = $4, digest = $5, written = $6 where id = $1 and lease_until = $2`,
		p.ID, p.LeaseUntil, p.ExternalID, p.Detail, p.Digest, now)
	return err
}

// RewritePublication has a place written anew, as a thing of its own: somebody
// asked there for it.
func (s *Store) RewritePublication(ctx context.Context, repository int64, kind, target string) error {
	_, err := s.db.Exec(ctx, `
		update publications set digest = null, external_id = '', detail = '' where repository_id = $1 and kind = $2 and target = $3`, repository, kind, target)
	return err
}

// Publication returns the one at a place; NotFound if there is none.
func (s *Store) Publication(ctx context.Context, repository int64, kind, target string) (Publication, error) {
	return one[Publication](ctx, s.db, "publication", `select `+publicationColumns+` from publications where repository_id = $1 and kind = $2 and target = $3`, repository, kind, target)
}
