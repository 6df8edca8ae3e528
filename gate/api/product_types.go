package api

import (
	"context"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// productType is a product type as the API tells it. Lists of members are those
// of DefectDojo 2 and 3 both.
type productType struct {
	ID                  int64   `json:"id"`
	Name                string  `json:"name"`
	Description         *string `json:"description"`
	CriticalProduct     bool    `json:"critical_product"`
	KeyProduct          bool    `json:"key_product"`
	Updated             stamp   `json:"updated"`
	Created             stamp   `json:"created"`
	Members             []int64 `json:"members"`
	AuthorizationGroups []int64 `json:"authorization_groups"`
	AuthorizedUsers     []int64 `json:"authorized_users"`
}

func (a *api) productTypes() resource[gate.ProductType] {
	return resource[gate.ProductType]{
		path: "/product_types", model: "product type",
		view: auth.View, add: auth.AddProductType, edit: auth.EditProductType, remove: auth.DeleteProductType,
		id:      func(t gate.ProductType) int64 { return t.ID },
		version: func(t gate.ProductType) time.Time { return t.Updated },
		may:     func(r *request, t gate.ProductType) error { return r.Auth.MayType(r.ctx, r.who, r.do, t.ID) },
		find: func(r *request, s *store.Store, id int64) (gate.ProductType, error) {
			scope, err := r.typeScope()
			if err != nil {
				return gate.ProductType{}, err
			}
			return s.ProductType(r.ctx, scope, id)
		},
		page:   productTypePage,
		fresh:  func(*request) gate.ProductType { return gate.ProductType{} },
		read:   readProductType,
		mayAdd: func(*request, gate.ProductType) error { return nil }, // the route's action is on nothing
		made: func(t gate.ProductType) gate.Event {
			return gate.Event{Action: "product_type", ProductTypeID: t.ID}
		},
		insert: func(ctx context.Context, s *store.Store, t gate.ProductType) (gate.ProductType, error) {
			return s.AddProductType(ctx, t)
		},
		update: func(ctx context.Context, s *store.Store, t gate.ProductType) (gate.ProductType, error) {
			return s.UpdateProductType(ctx, t)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteProductType(ctx, id) },
		holds:  true,
		entry:  func(t gate.ProductType) (*int64, string) { return nil, t.Name },
		gone:   func(t gate.ProductType) gate.Event { return gate.Event{Action: "product_type", Title: t.Name} },
		show:   showProductTypes,
		refers: references[gate.ProductType]{},
	}
}

func (a *api) productTypeRoutes() []route { return a.productTypes().routes() }

func productTypePage(r *request, q *query) (store.List[gate.ProductType], store.Page, error) {
	scope, err := r.typeScope()
	if err != nil {
		return store.List[gate.ProductType]{}, store.Page{}, err
	}
	p := q.page()
	p.Order = nil // this list has one order
	l, err := r.Store.ProductTypes(r.ctx, store.ProductTypeFilter{
		Scope: scope, IDs: q.number("id"), Name: q.maybe("name"),
		CriticalProduct: q.plainFlag("critical_product"), KeyProduct: q.plainFlag("key_product"), Page: p,
	})
	return l, p, err
}

func readProductType(_ *request, f *form, _ gate.ProductType, t *gate.ProductType) {
	f.text("name", &t.Name, 255, required)
	f.text("description", &t.Description, 4000, nullable|blank)
	f.flag("critical_product", &t.CriticalProduct, 0)
	f.flag("key_product", &t.KeyProduct, 0)
}

func showProductTypes(r *request, rows []gate.ProductType) ([]any, error) {
	var ids []int64
	for _, t := range rows {
		ids = append(ids, t.ID)
	}
	members, err := r.Store.TypeMembers(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, t := range rows {
		m := members[t.ID]
		out = append(out, productType{
			ID: t.ID, Name: t.Name, Description: orNil(t.Description), CriticalProduct: t.CriticalProduct, KeyProduct: t.KeyProduct,
			Updated: stamp(t.Updated), Created: stamp(t.Created),
			Members: m.Users, AuthorizationGroups: m.Groups, AuthorizedUsers: m.Users,
		})
	}
	return out, nil
}
