package store

import (
	"context"

	"defectdojo/gate"
)

const productColumns = `id, name, description, prod_type_id, product_manager_id, technical_contact_id, team_manager_id,
	sla_configuration_id, prod_numeric_grade, business_criticality, platform, lifecycle, origin, user_records,
	revenue::text as revenue, external_audience, internet_accessible, enable_product_tag_inheritance,
	enable_simple_risk_acceptance, enable_full_risk_acceptance, disable_sla_breach_notifications, async_updating,
	array(select r.regulation_id from product_regulations r where r.product_id = products.id order by 1) as regulations,
	tags, created, updated`

// ProductFilter narrows a list of products.
type ProductFilter struct {
	Scope    gate.Scope
	Flags    map[string]bool     // by the names in productFlags
	Contains map[string]string   // by the names in productTexts
	Exact    map[string]string   // by the same names, in any letter case
	In       map[string][]int64  // by the names in productNumbers
	OneOf    map[string][]string // by the names in productWords
	Times    map[string]Range    // created, updated
	Tags     TagFilter
	Page
}

var (
	productFlags = columns{
		"external_audience": "external_audience", "internet_accessible": "internet_accessible",
		"enable_product_tag_inheritance": "enable_product_tag_inheritance",
		"enable_simple_risk_acceptance":  "enable_simple_risk_acceptance",
		"enable_full_risk_acceptance":    "enable_full_risk_acceptance",
	}
	productTexts   = columns{"name": "name", "description": "description"}
	productNumbers = columns{
		"id": "id", "prod_type": "prod_type_id", "product_manager": "product_manager_id",
		"technical_contact": "technical_contact_id", "team_manager": "team_manager_id",
		"prod_numeric_grade": "prod_numeric_grade", "user_records": "user_records",
		"regulations": "array(select regulation_id from product_regulations r where r.product_id = products.id)",
	}
	productWords = columns{
		"business_criticality": "business_criticality", "platform": "platform", "lifecycle": "lifecycle", "origin": "origin",
	}
	productTimes  = columns{"created": "created", "updated": "updated"}
	productOrders = orders{
		"id": "id", "tid": "id", "name": "name", "created": "created", "updated": "updated", "prod_numeric_grade": "prod_numeric_grade",
		"business_criticality": "business_criticality", "platform": "platform", "lifecycle": "lifecycle", "origin": "origin",
		"revenue": "revenue", "external_audience": "external_audience", "internet_accessible": "internet_accessible",
		"product_manager": "product_manager_id", "technical_contact": "technical_contact_id", "team_manager": "team_manager_id",
		"prod_type": "prod_type_id", "prod_type__name": "(select t.name from product_types t where t.id = prod_type_id)",
		"user_records":   "user_records",
		"findings_count": "(select count(*) from findings f where f.product_id = products.id and f.active)",
	}
)

func (f ProductFilter) where() (*where, error) {
	w := &where{}
	w.scope("id", f.Scope)
	err := firstError(
		flags(w, productFlags, f.Flags),
		texts(w, productTexts, f.Contains),
		exactly(w, productTexts, f.Exact),
		numbers(w, productNumbers, f.In),
		words(w, productWords, f.OneOf),
		times(w, productTimes, f.Times),
	)
	f.Tags.on(w, "")
	return w, err
}

// Product returns a product within scope.
func (s *Store) Product(ctx context.Context, scope gate.Scope, id int64) (gate.Product, error) {
	var w where
	w.and("id = ?", id)
	w.scope("id", scope)
	return one[gate.Product](ctx, s.db, "product", `select `+productColumns+` from products`+w.sql.String(), w.args...)
}

// Products returns the products of f, by name.
func (s *Store) Products(ctx context.Context, f ProductFilter) (List[gate.Product], error) {
	w, err := f.where()
	if err != nil {
		return List[gate.Product]{}, err
	}
	order, err := productOrders.by(f.Order, "name", "id")
	if err != nil {
		return List[gate.Product]{}, err
	}
	return list[gate.Product](ctx, s.db, productColumns, "products", w, order, f.Page)
}

// ProductByName returns the product of a name, whoever may see it: callers
// check that before they tell.
func (s *Store) ProductByName(ctx context.Context, name string) (gate.Product, error) {
	return one[gate.Product](ctx, s.db, "product", `select `+productColumns+` from products where name = $1`, name)
}

// ProductTypeByName is ProductByName for product types.
func (s *Store) ProductTypeByName(ctx context.Context, name string) (gate.ProductType, error) {
	return one[gate.ProductType](ctx, s.db, "product type", `select `+productTypeColumns+` from product_types where name = $1`, name)
}

// AddProduct adds a product and returns it with its ID.
func (s *Store) AddProduct(ctx context.Context, p gate.Product) (gate.Product, error) {
	if p.SLAConfigurationID == 0 {
		p.SLAConfigurationID = 1
	}
	return s.saveProduct(ctx, p, `
		insert into products (name, description, prod_type_id, product_manager_id, technical_contact_id, team_manager_id,
			sla_configuration_id, prod_numeric_grade, business_criticality, platform, lifecycle, origin, user_records, revenue,
			external_audience, internet_accessible, enable_product_tag_inheritance, enable_simple_risk_acceptance,
			enable_full_risk_acceptance, disable_sla_breach_notifications, tags)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text::numeric, $15, $16, $17, $18, $19, $20, $21)
		returning `+productColumns, productValues(p)...)
}

// UpdateProduct writes what a product is now.
func (s *Store) UpdateProduct(ctx context.Context, p gate.Product) (gate.Product, error) {
	return s.saveProduct(ctx, p, `
		update products set name = $1, description = $2, prod_type_id = $3, product_manager_id = $4, technical_contact_id = $5,
			team_manager_id = $6, sla_configuration_id = $7, prod_numeric_grade = $8, business_criticality = $9, platform = $10,
			lifecycle = $11, origin = $12, user_records = $13, revenue = $14::text::numeric, external_audience = $15,
			internet_accessible = $16, enable_product_tag_inheritance = $17, enable_simple_risk_acceptance = $18,
			enable_full_risk_acceptance = $19, disable_sla_breach_notifications = $20, tags = $21, updated = now()
		where id = $22 returning `+productColumns, append(productValues(p), p.ID)...)
}

func productValues(p gate.Product) []any {
	return []any{
		p.Name, p.Description, p.ProdTypeID, p.ProductManagerID, p.TechnicalContactID, p.TeamManagerID,
		p.SLAConfigurationID, p.ProdNumericGrade, p.BusinessCriticality, p.Platform, p.Lifecycle, p.Origin, p.UserRecords, p.Revenue,
		p.ExternalAudience, p.InternetAccessible, p.EnableProductTagInheritance, p.EnableSimpleRiskAcceptance,
		p.EnableFullRiskAcceptance, p.DisableSLABreachNotifications, orEmpty(p.Tags),
	}
}

// DeleteProduct removes a product and everything in it.
func (s *Store) DeleteProduct(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "product", `delete from products where id = $1`, id)
}

// saveProduct runs a statement that writes a product, and writes its regulations.
func (s *Store) saveProduct(ctx context.Context, p gate.Product, statement string, values ...any) (saved gate.Product, err error) {
	err = s.atomically(ctx, func(s *Store) error {
		if saved, err = one[gate.Product](ctx, s.db, "product", statement, values...); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, `
			with gone as (delete from product_regulations where product_id = $1 and regulation_id <> all($2))
			insert into product_regulations (product_id, regulation_id) select $1, unnest($2::bigint[]) on conflict do nothing`,
			saved.ID, orEmpty(p.Regulations))
		saved.Regulations = p.Regulations
		return conflict(err)
	})
	return saved, err
}

// ProductSummary is what goes with a product in a list.
type ProductSummary struct {
	ID           int64
	OpenFindings []int64 // the active ones
}

// ProductSummaries returns what goes with products, by ID.
func (s *Store) ProductSummaries(ctx context.Context, products []int64) (map[int64]ProductSummary, error) {
	rows, err := many[ProductSummary](ctx, s.db, `
		select p.id,
			array(select f.id from findings f where f.product_id = p.id and f.active order by f.id) as open_findings
		from unnest($1::bigint[]) p (id)`, orEmpty(products))
	out := make(map[int64]ProductSummary, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}
