package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Repository is a repository of a code host, or a part of one, and the product
// that its reports belong to.
type Repository struct {
	ID            int64      `db:"id"`
	ConnectionID  int64      `db:"connection_id"`
	ProviderID    int64      `db:"provider_id"` // the host's number
	Component     string     `db:"component"`   // of a monorepo
	FullName      string     `db:"full_name"`
	DefaultBranch string     `db:"default_branch"`
	ProductID     *int64     `db:"product_id"` // nil: nothing follows from it
	Artifacts     []string   `db:"artifacts"`  // patterns; none: the connection's
	Paths         []string   `db:"paths"`      // of a part: where it is in the repository; none: everywhere
	Reconciled    *time.Time `db:"reconciled"`
	Lost          *time.Time `db:"lost"` // since when we may not see it; nil: we may
	Created       time.Time  `db:"created"`
	Updated       time.Time  `db:"updated"`
}

const repositoryColumns = `id, connection_id, provider_id, component, full_name, default_branch, product_id, artifacts, paths, reconciled, lost, created, updated`

// Repositories returns those of a connection, by name.
func (s *Store) Repositories(ctx context.Context, connection int64) ([]Repository, error) {
	return many[Repository](ctx, s.db, `select `+repositoryColumns+` from repositories where connection_id = $1 order by full_name, component`, connection)
}

// Repository returns one.
func (s *Store) Repository(ctx context.Context, id int64) (Repository, error) {
	return one[Repository](ctx, s.db, "repository", `select `+repositoryColumns+` from repositories where id = $1`, id)
}

// RepositoryParts returns the parts of a repository, by the host's number.
func (s *Store) RepositoryParts(ctx context.Context, connection, provider int64) ([]Repository, error) {
	return many[Repository](ctx, s.db, `select `+repositoryColumns+` from repositories where connection_id = $1 and provider_id = $2 order by component`, connection, provider)
}

// RepositoriesOf returns those of a product whose connections are of a kind and enabled.
func (s *Store) RepositoriesOf(ctx context.Context, kind string, product int64) ([]Repository, error) {
	return many[Repository](ctx, s.db, `
		select r.id, r.connection_id, r.provider_id, r.component, r.full_name, r.default_branch, r.product_id, r.artifacts, r.paths, r.reconciled, r.lost, r.created, r.updated
		from repositories r join connections c on c.id = r.connection_id
		where r.product_id = $2 and c.kind = $1 and c.enabled order by r.id`, kind, product)
}

// SaveRepository adds a repository, or brings up to date how one is called that
// we may see. What somebody set of it stays.
func (s *Store) SaveRepository(ctx context.Context, r Repository) (Repository, error) {
	return one[Repository](ctx, s.db, "repository", `
		insert into repositories as r (connection_id, provider_id, component, full_name, default_branch, product_id, artifacts)
		values (@connection, @provider, @component, @name, @branch, @product, @artifacts)
		on conflict (connection_id, provider_id, component) do update
		set full_name = excluded.full_name, default_branch = coalesce(nullif(excluded.default_branch, ''), r.default_branch),
		    product_id = coalesce(r.product_id, excluded.product_id), lost = null,
		    updated = case when r.full_name = excluded.full_name then r.updated else now() end
		returning `+repositoryColumns, pgx.NamedArgs{
		"connection": r.ConnectionID, "provider": r.ProviderID, "component": r.Component, "name": r.FullName, "branch": r.DefaultBranch, "product": r.ProductID,
		"artifacts": orEmpty(r.Artifacts),
	})
}

// LoseRepositories notes that of a connection's repositories only those of the
// host's numbers may be seen, and returns how many are lost by that.
func (s *Store) LoseRepositories(ctx context.Context, connection int64, seen []int64, now time.Time) (int, error) {
	lost, err := scalars[int64](ctx, s.db, `
		update repositories set lost = $3 where connection_id = $1 and lost is null and provider_id <> all($2) returning provider_id`, connection, orEmpty(seen), now)
	slices.Sort(lost)
	return len(slices.Compact(lost)), err
}

// AddRepositoryPart adds a part of a repository that is known; Conflict if it has
// one of that name.
func (s *Store) AddRepositoryPart(ctx context.Context, repository int64, component string) (int64, error) {
	id, err := scalar[int64](ctx, s.db, `
		insert into repositories (connection_id, provider_id, component, full_name, default_branch, reconciled, lost)
		select connection_id, provider_id, $2, full_name, default_branch, reconciled, lost from repositories where id = $1 returning id`, repository, component)
	return id, conflict(err)
}

// MapRepository says which product a repository belongs to, nil for none, which
// artifacts are taken, and where in the repository a part is.
func (s *Store) MapRepository(ctx context.Context, id int64, product *int64, artifacts, paths []string) error {
	tag, err := s.db.Exec(ctx, `update repositories set product_id = $2, artifacts = $3, paths = $4, updated = now() where id = $1`, id, product, orEmpty(artifacts), orEmpty(paths))
	if err == nil && tag.RowsAffected() == 0 {
		return gate.Errorf(gate.NotFound, "no such repository")
	}
	return conflict(err)
}

// DeleteRepository forgets one, with what was published there.
func (s *Store) DeleteRepository(ctx context.Context, id int64) error {
	tag, err := s.db.Exec(ctx, `delete from repositories where id = $1`, id)
	if err == nil && tag.RowsAffected() == 0 {
		return gate.Errorf(gate.NotFound, "no such repository")
	}
	return err
}

// HasRepository tells whether a product has a repository.
func (s *Store) HasRepository(ctx context.Context, product int64) (bool, error) {
	return scalar[bool](ctx, s.db, `select exists (select from repositories where product_id = $1)`, product)
}

// SetReconciled notes up to when the runs of a repository were looked through.
func (s *Store) SetReconciled(ctx context.Context, id int64, at time.Time) error {
	_, err := s.db.Exec(ctx, `update repositories set reconciled = $2 where id = $1 and (reconciled is null or reconciled < $2)`, id, at)
	return err
}

// EnsureService returns the account in whose name a system acts. Nobody can log
// in with it.
func (s *Store) EnsureService(ctx context.Context, name string) (gate.User, error) {
	if _, err := s.db.Exec(ctx, `insert into users (username, first_name, is_active) values ($1, $1, false) on conflict (username) do nothing`, name); err != nil {
		return gate.User{}, err
	}
	return one[gate.User](ctx, s.db, "user", `select `+userColumns+` from users where username = $1`, name)
}
