package api

import (
	"context"

	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// environment is a development environment as the API tells it.
type environment struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (a *api) environments() resource[store.Environment] {
	return resource[store.Environment]{
		path: "/development_environments", model: "environment",
		view: auth.ViewReference, add: auth.Configure, edit: auth.Configure, remove: auth.Configure,
		id:   func(e store.Environment) int64 { return e.ID },
		find: func(r *request, s *store.Store, id int64) (store.Environment, error) { return s.Environment(r.ctx, id) },
		page: func(r *request, q *query) (store.List[store.Environment], store.Page, error) {
			p := q.page()
			l, err := r.Store.Environments(r.ctx, store.EnvironmentFilter{Page: p})
			return l, p, err
		},
		fresh: func(*request) store.Environment { return store.Environment{} },
		read: func(_ *request, f *form, _ store.Environment, e *store.Environment) {
			f.text("name", &e.Name, 200, required)
		},
		mayAdd: func(*request, store.Environment) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, e store.Environment) (store.Environment, error) {
			return s.AddEnvironment(ctx, e.Name)
		},
		update: func(ctx context.Context, s *store.Store, e store.Environment) (store.Environment, error) {
			return s.RenameEnvironment(ctx, e)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteEnvironment(ctx, id) },
		entry:  func(e store.Environment) (*int64, string) { return nil, e.Name },
		show: func(_ *request, rows []store.Environment) ([]any, error) {
			out := []any{}
			for _, e := range rows {
				out = append(out, environment{e.ID, e.Name})
			}
			return out, nil
		},
	}
}

func (a *api) environmentRoutes() []route { return a.environments().routes() }
