package store

import (
	"context"

	"defectdojo/gate"
)

const testTypeColumns = `id, name, static_tool, dynamic_tool, active, dynamically_generated`

// TestTypeFilter narrows a list of test types. In one that is not only for
// reading, a name is looked up exactly.
type TestTypeFilter struct {
	IDs  []int64
	Name *string
	Page
}

// TestType returns a test type.
func (s *Store) TestType(ctx context.Context, id int64) (gate.TestType, error) {
	return one[gate.TestType](ctx, s.db, "test type", `select `+testTypeColumns+` from test_types where id = $1`, id)
}

// TestTypes returns the test types of f, by ID.
func (s *Store) TestTypes(ctx context.Context, f TestTypeFilter) (List[gate.TestType], error) {
	var w where
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	return list[gate.TestType](ctx, s.db, testTypeColumns, "test_types", &w, " order by id", f.Page)
}

// AddTestType adds a test type and returns it with its ID.
func (s *Store) AddTestType(ctx context.Context, t gate.TestType) (gate.TestType, error) {
	return one[gate.TestType](ctx, s.db, "test type", `
		insert into test_types (name, static_tool, dynamic_tool, active) values ($1, $2, $3, $4)
		returning `+testTypeColumns, t.Name, t.StaticTool, t.DynamicTool, t.Active)
}

// UpdateTestType writes what a test type is now; its name stays.
func (s *Store) UpdateTestType(ctx context.Context, t gate.TestType) (gate.TestType, error) {
	return one[gate.TestType](ctx, s.db, "test type", `
		update test_types set static_tool = $2, dynamic_tool = $3, active = $4 where id = $1
		returning `+testTypeColumns, t.ID, t.StaticTool, t.DynamicTool, t.Active)
}
