package api

import (
	"context"
	"slices"

	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// toolType is a tool type as the API tells it.
type toolType struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
}

func (a *api) toolRoutes() []route {
	return slices.Concat(a.toolTypes().routes(), a.tools().routes(), a.scanConfigurations().routes())
}

func (a *api) toolTypes() resource[store.ToolType] {
	return resource[store.ToolType]{
		path: "/tool_types", model: "tool type",
		view: auth.ViewReference, add: auth.Configure, edit: auth.Configure, remove: auth.Configure,
		id:    func(t store.ToolType) int64 { return t.ID },
		entry: func(t store.ToolType) (*int64, string) { return nil, t.Name },
		find:  func(r *request, s *store.Store, id int64) (store.ToolType, error) { return s.ToolType(r.ctx, id) },
		page: func(r *request, q *query) (store.List[store.ToolType], store.Page, error) {
			p := q.page()
			l, err := r.Store.ToolTypes(r.ctx, store.ToolFilter{IDs: q.number("id"), Name: q.maybe("name"), Page: p})
			return l, p, err
		},
		fresh: func(*request) store.ToolType { return store.ToolType{} },
		read: func(_ *request, f *form, _ store.ToolType, t *store.ToolType) {
			f.text("name", &t.Name, 200, required)
			f.text("description", &t.Description, 2000, nullable|blank)
		},
		mayAdd: func(*request, store.ToolType) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, t store.ToolType) (store.ToolType, error) {
			return s.AddToolType(ctx, t)
		},
		update: func(ctx context.Context, s *store.Store, t store.ToolType) (store.ToolType, error) {
			return s.UpdateToolType(ctx, t)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteToolType(ctx, id) },
		show: func(_ *request, rows []store.ToolType) ([]any, error) {
			out := []any{}
			for _, t := range rows {
				out = append(out, toolType{t.ID, t.Name, orNil(t.Description)})
			}
			return out, nil
		},
	}
}

// tool is a tool as the API tells it. Passwords and keys that clients send along
// are not kept: nothing here would use them.
type tool struct {
	ID                 int64   `json:"id"`
	Name               string  `json:"name"`
	Description        *string `json:"description"`
	URL                *string `json:"url"`
	AuthenticationType *string `json:"authentication_type"`
	Extras             *string `json:"extras"`
	Username           *string `json:"username"`
	AuthTitle          *string `json:"auth_title"`
	ToolType           int64   `json:"tool_type"`
}

func (a *api) tools() resource[store.Tool] {
	return resource[store.Tool]{
		path: "/tool_configurations", model: "tool",
		view: auth.Configure, add: auth.Configure, edit: auth.Configure, remove: auth.Configure,
		id:    func(t store.Tool) int64 { return t.ID },
		entry: func(t store.Tool) (*int64, string) { return nil, t.Name },
		find:  func(r *request, s *store.Store, id int64) (store.Tool, error) { return s.Tool(r.ctx, id) },
		page: func(r *request, q *query) (store.List[store.Tool], store.Page, error) {
			p := q.page()
			l, err := r.Store.Tools(r.ctx, store.ToolFilter{
				IDs: q.number("id"), Name: q.maybe("name"), URL: q.maybe("url"), Types: q.number("tool_type"), Page: p,
			})
			return l, p, err
		},
		fresh: func(*request) store.Tool { return store.Tool{} },
		read: func(r *request, f *form, _ store.Tool, t *store.Tool) {
			f.text("name", &t.Name, 200, required)
			f.text("description", &t.Description, 2000, nullable|blank)
			f.text("url", &t.URL, 2000, nullable|blank)
			f.reference(r.ctx, "tool_type", &t.ToolTypeID, required, r.kind("tool_type"))
			f.choice("authentication_type", &t.AuthenticationType, "API", "Password", "SSH")
			f.text("extras", &t.Extras, 255, nullable|blank)
			f.text("username", &t.Username, 200, nullable|blank)
		},
		mayAdd: func(*request, store.Tool) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, t store.Tool) (store.Tool, error) { return s.AddTool(ctx, t) },
		update: func(ctx context.Context, s *store.Store, t store.Tool) (store.Tool, error) {
			return s.UpdateTool(ctx, t)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteTool(ctx, id) },
		show: func(_ *request, rows []store.Tool) ([]any, error) {
			out := []any{}
			for _, t := range rows {
				out = append(out, tool{
					ID: t.ID, Name: t.Name, Description: orNil(t.Description), URL: orNil(t.URL), AuthenticationType: t.AuthenticationType,
					Extras: orNil(t.Extras), Username: orNil(t.Username), ToolType: t.ToolTypeID,
				})
			}
			return out, nil
		},
		refers: references[store.Tool]{},
	}
}

// scanConfiguration is what a product is called in a tool, as the API tells it.
type scanConfiguration struct {
	ID                int64   `json:"id"`
	ServiceKey1       *string `json:"service_key_1"`
	ServiceKey2       *string `json:"service_key_2"`
	ServiceKey3       *string `json:"service_key_3"`
	Product           int64   `json:"product"`
	ToolConfiguration int64   `json:"tool_configuration"`
}

func (a *api) scanConfigurations() resource[store.ScanConfiguration] {
	return resource[store.ScanConfiguration]{
		path: "/product_api_scan_configurations", model: "scan configuration",
		view: auth.View, add: auth.EditProduct, edit: auth.EditProduct, remove: auth.EditProduct,
		id:    func(c store.ScanConfiguration) int64 { return c.ID },
		entry: func(c store.ScanConfiguration) (*int64, string) { return &c.ProductID, "" },
		may:   func(r *request, c store.ScanConfiguration) error { return r.may(c.ProductID) },
		find: func(r *request, s *store.Store, id int64) (store.ScanConfiguration, error) {
			scope, err := r.scope()
			if err != nil {
				return store.ScanConfiguration{}, err
			}
			return s.ScanConfiguration(r.ctx, scope, id)
		},
		page: func(r *request, q *query) (store.List[store.ScanConfiguration], store.Page, error) {
			p := q.page()
			scope, err := r.scope()
			if err != nil {
				return store.List[store.ScanConfiguration]{}, p, err
			}
			l, err := r.Store.ScanConfigurations(r.ctx, store.ScanConfigurationFilter{
				Scope: scope, IDs: q.number("id"), Products: q.number("product"), Tools: q.number("tool_configuration"),
				Keys: [3]*string{q.maybe("service_key_1"), q.maybe("service_key_2"), q.maybe("service_key_3")}, Page: p,
			})
			return l, p, err
		},
		fresh: func(*request) store.ScanConfiguration { return store.ScanConfiguration{} },
		read: func(r *request, f *form, before store.ScanConfiguration, c *store.ScanConfiguration) {
			f.reference(r.ctx, "product", &c.ProductID, required, func(ctx context.Context, id int64) (bool, error) {
				if before.ID != 0 { // it stays where it is
					return id == before.ProductID, nil
				}
				return r.seesProduct(ctx, id)
			})
			f.reference(r.ctx, "tool_configuration", &c.ToolID, required, r.kind("tool_configuration"))
			f.optional("service_key_1", &c.ServiceKey1, 200)
			f.optional("service_key_2", &c.ServiceKey2, 200)
			f.optional("service_key_3", &c.ServiceKey3, 200)
		},
		mayAdd: func(r *request, c store.ScanConfiguration) error { return r.may(c.ProductID) },
		insert: func(ctx context.Context, s *store.Store, c store.ScanConfiguration) (store.ScanConfiguration, error) {
			return s.AddScanConfiguration(ctx, c)
		},
		update: func(ctx context.Context, s *store.Store, c store.ScanConfiguration) (store.ScanConfiguration, error) {
			return s.UpdateScanConfiguration(ctx, c)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteScanConfiguration(ctx, id) },
		show: func(_ *request, rows []store.ScanConfiguration) ([]any, error) {
			out := []any{}
			for _, c := range rows {
				out = append(out, scanConfiguration{c.ID, c.ServiceKey1, c.ServiceKey2, c.ServiceKey3, c.ProductID, c.ToolID})
			}
			return out, nil
		},
		refers: references[store.ScanConfiguration]{},
	}
}
