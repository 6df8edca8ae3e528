package store

import "context"

// Environment is where something is tested: Development, Production ….
type Environment struct {
	ID   int64
	Name string
}

// EnvironmentFilter narrows a list of environments.
type EnvironmentFilter struct {
	IDs  []int64
	Name *string
	Page
}

// Environment returns an environment.
func (s *Store) Environment(ctx context.Context, id int64) (Environment, error) {
	return one[Environment](ctx, s.db, "environment", `select id, name from development_environments where id = $1`, id)
}

// Environments returns the environments of f, by ID.
func (s *Store) Environments(ctx context.Context, f EnvironmentFilter) (List[Environment], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	return list[Environment](ctx, s.db, `id, name`, "development_environments", &w, " order by id", f.Page)
}

// AddEnvironment adds an environment, or returns the one that has the name.
func (s *Store) AddEnvironment(ctx context.Context, name string) (Environment, error) {
	return one[Environment](ctx, s.db, "environment", `
		insert into development_environments (name) values ($1)
		on conflict (name) do update set name = excluded.name returning id, name`, name)
}

// RenameEnvironment gives an environment another name.
func (s *Store) RenameEnvironment(ctx context.Context, e Environment) (Environment, error) {
	return one[Environment](ctx, s.db, "environment", `
		update development_environments set name = $2 where id = $1 returning id, name`, e.ID, e.Name)
}

// DeleteEnvironment removes an environment that nothing uses.
func (s *Store) DeleteEnvironment(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "environment", `delete from development_environments where id = $1`, id)
}
