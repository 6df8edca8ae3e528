package api

import (
	"context"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

var (
	criticalities = []string{"very high", "high", "medium", "low", "very low", "none"}
	platforms     = []string{"web service", "desktop", "iot", "mobile", "web"}
	lifecycles    = []string{"construction", "production", "retirement"}
	origins       = []string{"third party library", "purchased", "contractor", "internal", "open source", "outsourced"}
)

// meta is a name and a value that somebody gave to something.
type meta struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// product is a product as the API tells it, to clients of DefectDojo 2 and 3 both.
type product struct {
	ID                            int64    `json:"id"`
	FindingsCount                 int      `json:"findings_count"`
	FindingsList                  []int64  `json:"findings_list"`
	BusinessCriticality           *string  `json:"business_criticality"`
	Platform                      *string  `json:"platform"`
	Lifecycle                     *string  `json:"lifecycle"`
	Origin                        *string  `json:"origin"`
	ProductMeta                   []meta   `json:"product_meta"`
	Name                          string   `json:"name"`
	Description                   string   `json:"description"`
	Created                       stamp    `json:"created"`
	ProdNumericGrade              *int32   `json:"prod_numeric_grade"`
	UserRecords                   *int64   `json:"user_records"`
	Revenue                       *string  `json:"revenue"`
	ExternalAudience              bool     `json:"external_audience"`
	InternetAccessible            bool     `json:"internet_accessible"`
	EnableProductTagInheritance   bool     `json:"enable_product_tag_inheritance"`
	EnableSimpleRiskAcceptance    bool     `json:"enable_simple_risk_acceptance"`
	EnableFullRiskAcceptance      bool     `json:"enable_full_risk_acceptance"`
	DisableSLABreachNotifications bool     `json:"disable_sla_breach_notifications"`
	ProductManager                *int64   `json:"product_manager"`
	TechnicalContact              *int64   `json:"technical_contact"`
	TeamManager                   *int64   `json:"team_manager"`
	ProdType                      int64    `json:"prod_type"`
	SLAConfiguration              int64    `json:"sla_configuration"`
	Members                       []int64  `json:"members"`
	AuthorizationGroups           []int64  `json:"authorization_groups"`
	AuthorizedUsers               []int64  `json:"authorized_users"`
	Regulations                   []int64  `json:"regulations"`
	Tags                          []string `json:"tags"`
}

func (a *api) products() resource[gate.Product] {
	return resource[gate.Product]{
		path: "/products", model: "product",
		view: auth.View, add: auth.AddProduct, edit: auth.EditProduct, remove: auth.DeleteProduct,
		id:      func(p gate.Product) int64 { return p.ID },
		may:     func(r *request, p gate.Product) error { return r.may(p.ID) },
		version: func(p gate.Product) time.Time { return p.Updated },
		find: func(r *request, s *store.Store, id int64) (gate.Product, error) {
			scope, err := r.scope()
			if err != nil {
				return gate.Product{}, err
			}
			return s.Product(r.ctx, scope, id)
		},
		page: productPage,
		fresh: func(*request) gate.Product {
			return gate.Product{SLAConfigurationID: 1, EnableFullRiskAcceptance: true}
		},
		read: readProduct,
		mayAdd: func(r *request, p gate.Product) error {
			return r.Auth.MayType(r.ctx, r.who, auth.AddProduct, p.ProdTypeID)
		},
		made: func(p gate.Product) gate.Event { return gate.Event{Action: "product", ProductID: p.ID} },
		insert: func(ctx context.Context, s *store.Store, p gate.Product) (gate.Product, error) {
			return s.AddProduct(ctx, p)
		},
		update: func(ctx context.Context, s *store.Store, p gate.Product) (gate.Product, error) {
			return s.UpdateProduct(ctx, p)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteProduct(ctx, id) },
		holds:  true,
		entry:  func(p gate.Product) (*int64, string) { return &p.ID, p.Name },
		gone: func(p gate.Product) gate.Event {
			return gate.Event{Action: "product", Title: p.Name, ProductTypeID: p.ProdTypeID}
		},
		show: showProducts,
		refers: references[gate.Product]{
			"prod_type":         {a.toProductTypes, func(p gate.Product) []int64 { return []int64{p.ProdTypeID} }},
			"product_manager":   {a.toUsers, func(p gate.Product) []int64 { return ids(p.ProductManagerID) }},
			"technical_contact": {a.toUsers, func(p gate.Product) []int64 { return ids(p.TechnicalContactID) }},
			"team_manager":      {a.toUsers, func(p gate.Product) []int64 { return ids(p.TeamManagerID) }},
		},
	}
}

func (a *api) productRoutes() []route { return a.products().routes() }

func productPage(r *request, q *query) (store.List[gate.Product], store.Page, error) {
	var none store.List[gate.Product]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	f := store.ProductFilter{
		Scope:    scope,
		Flags:    q.flags("external_audience", "internet_accessible"),
		Contains: q.texts("name", "description"),
		In:       q.numbers("id", "prod_type", "product_manager", "technical_contact", "team_manager", "prod_numeric_grade", "user_records", "regulations"),
		OneOf: map[string][]string{
			"business_criticality": q.choices("business_criticality", criticalities...), "platform": q.choices("platform", platforms...),
			"lifecycle": q.choices("lifecycle", lifecycles...), "origin": q.choices("origin", origins...),
		},
		Times: q.spans("created", "updated"),
		Tags:  q.tags(""),
		Page:  q.page(),
	}
	if v := q.text("name_exact"); v != "" {
		f.Exact = map[string]string{"name": v}
	}
	if err := q.err(); err != nil {
		return none, f.Page, err
	}
	l, err := r.Store.Products(r.ctx, f)
	return l, f.Page, err
}

func readProduct(r *request, f *form, before gate.Product, p *gate.Product) {
	f.text("name", &p.Name, 255, required)
	f.text("description", &p.Description, 4000, required)
	f.reference(r.ctx, "prod_type", &p.ProdTypeID, required, func(ctx context.Context, id int64) (bool, error) {
		if id == before.ProdTypeID {
			return true, nil
		}
		scope, err := r.typeScope()
		if err != nil {
			return false, err
		}
		if _, err = r.Store.ProductType(ctx, scope, id); err != nil || before.ID == 0 {
			return allows(err)
		}
		return allows(r.Auth.MayType(ctx, r.who, auth.AddProduct, id)) // it moves there only with the right to add one there
	})
	user := r.kind("user")
	f.maybeReference(r.ctx, "product_manager", &p.ProductManagerID, user)
	f.maybeReference(r.ctx, "technical_contact", &p.TechnicalContactID, user)
	f.maybeReference(r.ctx, "team_manager", &p.TeamManagerID, user)
	f.reference(r.ctx, "sla_configuration", &p.SLAConfigurationID, 0, r.kind("sla_configuration"))
	whole(f, "prod_numeric_grade", &p.ProdNumericGrade, -1<<31, 1<<31-1)
	f.choice("business_criticality", &p.BusinessCriticality, criticalities...)
	f.choice("platform", &p.Platform, platforms...)
	f.choice("lifecycle", &p.Lifecycle, lifecycles...)
	f.choice("origin", &p.Origin, origins...)
	whole(f, "user_records", &p.UserRecords, 0, 1<<31-1)
	f.money("revenue", &p.Revenue)
	f.flag("external_audience", &p.ExternalAudience, 0)
	f.flag("internet_accessible", &p.InternetAccessible, 0)
	f.flag("enable_product_tag_inheritance", &p.EnableProductTagInheritance, 0)
	f.flag("enable_simple_risk_acceptance", &p.EnableSimpleRiskAcceptance, 0)
	f.flag("enable_full_risk_acceptance", &p.EnableFullRiskAcceptance, 0)
	f.flag("disable_sla_breach_notifications", &p.DisableSLABreachNotifications, 0)
	f.tags(&p.Tags, 0)
	f.references(r.ctx, "regulations", &p.Regulations, 0, r.kind("regulation"))
}

// kind returns a finder of things of a kind.
func (r *request) kind(kind string) finder {
	return func(ctx context.Context, id int64) (bool, error) { return r.Store.Exists(ctx, kind, id) }
}

// allows turns the answer to "may they" into a yes, a no, or an error.
func allows(err error) (bool, error) {
	switch gate.KindOf(err) {
	case gate.Forbidden, gate.NotFound:
		return false, nil
	default:
		return err == nil, err
	}
}

func showProducts(r *request, rows []gate.Product) ([]any, error) {
	ids := make([]int64, len(rows))
	for i, p := range rows {
		ids[i] = p.ID
	}
	sums, err := r.Store.ProductSummaries(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	metas, err := r.Store.ProductMetadata(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	members, err := r.Store.ProductMembers(r.ctx, ids)
	if err != nil {
		return nil, err
	}
	byProduct := map[int64][]meta{}
	for _, m := range metas {
		byProduct[*m.ProductID] = append(byProduct[*m.ProductID], meta{m.Name, m.Value})
	}
	out := []any{}
	for _, p := range rows {
		v := productOf(p)
		v.FindingsList = sums[p.ID].OpenFindings
		v.FindingsCount = len(v.FindingsList)
		v.ProductMeta = byProduct[p.ID]
		v.Members, v.AuthorizationGroups, v.AuthorizedUsers = members[p.ID].Users, members[p.ID].Groups, members[p.ID].Users
		out = append(out, v)
	}
	return out, nil
}

func productOf(p gate.Product) product {
	return product{
		ID: p.ID, BusinessCriticality: p.BusinessCriticality, Platform: p.Platform, Lifecycle: p.Lifecycle, Origin: p.Origin,
		Name: p.Name, Description: p.Description, Created: stamp(p.Created), ProdNumericGrade: p.ProdNumericGrade,
		UserRecords: p.UserRecords, Revenue: p.Revenue, ExternalAudience: p.ExternalAudience, InternetAccessible: p.InternetAccessible,
		EnableProductTagInheritance: p.EnableProductTagInheritance, EnableSimpleRiskAcceptance: p.EnableSimpleRiskAcceptance,
		EnableFullRiskAcceptance: p.EnableFullRiskAcceptance, DisableSLABreachNotifications: p.DisableSLABreachNotifications,
		ProductManager: p.ProductManagerID, TechnicalContact: p.TechnicalContactID, TeamManager: p.TeamManagerID,
		ProdType: p.ProdTypeID, SLAConfiguration: p.SLAConfigurationID, Regulations: p.Regulations, Tags: p.Tags,
	}
}
