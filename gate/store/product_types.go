package store

import (
	"context"

	"defectdojo/gate"
)

const productTypeColumns = `id, name, description, critical_product, key_product, created, updated`

// ProductTypeFilter narrows a list of product types.
type ProductTypeFilter struct {
	Scope           gate.Scope // its IDs are those of product types
	IDs             []int64
	Name            *string
	CriticalProduct *bool
	KeyProduct      *bool
	Page
}

var productTypeOrders = orders{"id": "id", "name": "name"}

// ProductType returns a product type within scope, whose IDs are those of product types.
func (s *Store) ProductType(ctx context.Context, scope gate.Scope, id int64) (gate.ProductType, error) {
	var w where
	w.and("id = ?", id)
	w.scope("id", scope)
	return one[gate.ProductType](ctx, s.db, "product type", `select `+productTypeColumns+` from product_types`+w.sql.String(), w.args...)
}

// ProductTypes returns the product types of f, by name.
func (s *Store) ProductTypes(ctx context.Context, f ProductTypeFilter) (List[gate.ProductType], error) {
	var w where
	w.scope("id", f.Scope)
	oneOf(&w, "id", f.IDs)
	optional(&w, "name", f.Name)
	optional(&w, "critical_product", f.CriticalProduct)
	optional(&w, "key_product", f.KeyProduct)
	order, err := productTypeOrders.by(f.Order, "name", "id")
	if err != nil {
		return List[gate.ProductType]{}, err
	}
	return list[gate.ProductType](ctx, s.db, productTypeColumns, "product_types", &w, order, f.Page)
}

// AddProductType adds a product type and returns it with its ID.
func (s *Store) AddProductType(ctx context.Context, t gate.ProductType) (gate.ProductType, error) {
	return one[gate.ProductType](ctx, s.db, "product type", `
		insert into product_types (name, description, critical_product, key_product)
		values ($1, $2, $3, $4) returning `+productTypeColumns, t.Name, t.Description, t.CriticalProduct, t.KeyProduct)
}

// UpdateProductType writes what a product type is now.
func (s *Store) UpdateProductType(ctx context.Context, t gate.ProductType) (gate.ProductType, error) {
	return one[gate.ProductType](ctx, s.db, "product type", `
		update product_types set name = $2, description = $3, critical_product = $4, key_product = $5, updated = now()
		where id = $1 returning `+productTypeColumns, t.ID, t.Name, t.Description, t.CriticalProduct, t.KeyProduct)
}

// DeleteProductType removes a product type and everything in it.
func (s *Store) DeleteProductType(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "product type", `delete from product_types where id = $1`, id)
}
