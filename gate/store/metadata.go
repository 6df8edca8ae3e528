package store

import (
	"context"

	"defectdojo/gate"
)

// Metadata is a name and a value that somebody gave to a product, a finding or
// a location: exactly one of these has an ID.
type Metadata struct {
	ID         int64
	ProductID  *int64
	FindingID  *int64
	LocationID *int64
	Name       string
	Value      string
}

const metadataColumns = `id, product_id, finding_id, location_id, name, value`

// MetadataFilter narrows a list of metadata to that of products and findings in scope.
type MetadataFilter struct {
	Scope      gate.Scope
	ID         *int64
	ProductID  *int64
	FindingID  *int64
	LocationID *int64
	Name       *string
	Value      *string
	Page
}

// Metadatas returns the metadata of f, by ID.
func (s *Store) Metadatas(ctx context.Context, f MetadataFilter) (List[Metadata], error) {
	var w where
	if !f.Scope.All {
		ids := orEmpty(f.Scope.ProductIDs)
		w.and(`(product_id = any(?) or finding_id in (select id from findings where product_id = any(?))
			or location_id in (select location_id from location_products where product_id = any(?)))`, ids, ids, ids)
	}
	optional(&w, "id", f.ID)
	optional(&w, "product_id", f.ProductID)
	optional(&w, "finding_id", f.FindingID)
	optional(&w, "location_id", f.LocationID)
	optional(&w, "name", f.Name)
	optional(&w, "value", f.Value)
	return list[Metadata](ctx, s.db, metadataColumns, "metadata", &w, " order by id", f.Page)
}

// ProductMetadata returns the metadata of products, by ID.
func (s *Store) ProductMetadata(ctx context.Context, products []int64) ([]Metadata, error) {
	return many[Metadata](ctx, s.db, `select `+metadataColumns+` from metadata where product_id = any($1) order by id`, orEmpty(products))
}

// FindingMetadata returns the metadata of findings, by ID.
func (s *Store) FindingMetadata(ctx context.Context, findings []int64) ([]Metadata, error) {
	return many[Metadata](ctx, s.db, `select `+metadataColumns+` from metadata where finding_id = any($1) order by id`, orEmpty(findings))
}

// AddMetadata adds metadata and returns it with its ID.
func (s *Store) AddMetadata(ctx context.Context, m Metadata) (Metadata, error) {
	return one[Metadata](ctx, s.db, "metadata", `
		insert into metadata (product_id, finding_id, location_id, name, value) values ($1, $2, $3, $4, $5)
		returning `+metadataColumns, m.ProductID, m.FindingID, m.LocationID, m.Name, m.Value)
}

// UpdateMetadata writes a new name and value.
func (s *Store) UpdateMetadata(ctx context.Context, m Metadata) (Metadata, error) {
	return one[Metadata](ctx, s.db, "metadata", `
		update metadata set name = $2, value = $3 where id = $1 returning `+metadataColumns, m.ID, m.Name, m.Value)
}

// DeleteMetadata removes metadata.
func (s *Store) DeleteMetadata(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "metadata", `delete from metadata where id = $1`, id)
}
