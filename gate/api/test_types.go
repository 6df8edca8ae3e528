package api

import (
	"context"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// testType is a test type as the API tells it.
type testType struct {
	ID          int64    `json:"id"`
	Tags        []string `json:"tags"`
	Name        string   `json:"name"`
	StaticTool  bool     `json:"static_tool"`
	DynamicTool bool     `json:"dynamic_tool"`
	Active      bool     `json:"active"`
}

func (a *api) testTypes() resource[gate.TestType] {
	return resource[gate.TestType]{
		path: "/test_types", model: "test type",
		view: auth.ViewReference, add: auth.Configure, edit: auth.Configure,
		id:   func(t gate.TestType) int64 { return t.ID },
		find: func(r *request, s *store.Store, id int64) (gate.TestType, error) { return s.TestType(r.ctx, id) },
		page: func(r *request, q *query) (store.List[gate.TestType], store.Page, error) {
			p := q.page()
			l, err := r.Store.TestTypes(r.ctx, store.TestTypeFilter{Name: q.maybe("name"), Page: p})
			return l, p, err
		},
		fresh: func(*request) gate.TestType { return gate.TestType{Active: true} },
		read: func(_ *request, f *form, before gate.TestType, t *gate.TestType) {
			if before.ID == 0 { // imports look it up by its name
				f.text("name", &t.Name, 200, required)
			}
			f.flag("static_tool", &t.StaticTool, 0)
			f.flag("dynamic_tool", &t.DynamicTool, 0)
			f.flag("active", &t.Active, 0)
		},
		mayAdd: func(*request, gate.TestType) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, t gate.TestType) (gate.TestType, error) {
			return s.AddTestType(ctx, t)
		},
		update: func(ctx context.Context, s *store.Store, t gate.TestType) (gate.TestType, error) {
			return s.UpdateTestType(ctx, t)
		},
		entry: func(t gate.TestType) (*int64, string) { return nil, t.Name },
		show: func(_ *request, rows []gate.TestType) ([]any, error) {
			out := []any{}
			for _, t := range rows {
				out = append(out, testType{ID: t.ID, Name: t.Name, StaticTool: t.StaticTool, DynamicTool: t.DynamicTool, Active: t.Active})
			}
			return out, nil
		},
	}
}

func (a *api) testTypeRoutes() []route { return a.testTypes().routes() }
