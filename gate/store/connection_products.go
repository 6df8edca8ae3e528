package store

import (
	"context"

	"defectdojo/gate"
)

// ConnectionProduct says where the notices of a product go, over a connection.
type ConnectionProduct struct {
	ConnectionID  int64         `db:"connection_id"`
	ProductID     int64         `db:"product_id"`
	Product       string        `db:"product"`
	Address       string        `db:"address"`
	MinSeverity   gate.Severity `db:"min_severity"`
	DigestMinutes int           `db:"digest_minutes"`
}

const connectionProductQuery = `
	select c.connection_id, c.product_id, p.name as product, c.address, c.min_severity, c.digest_minutes
	from connection_products c join products p on p.id = c.product_id`

// ConnectionProducts returns those of a connection, by the product's name.
func (s *Store) ConnectionProducts(ctx context.Context, connection int64) ([]ConnectionProduct, error) {
	return many[ConnectionProduct](ctx, s.db, connectionProductQuery+` where c.connection_id = $1 order by p.name`, connection)
}

// ProductConnections returns those of a product, by connection.
func (s *Store) ProductConnections(ctx context.Context, product int64) ([]ConnectionProduct, error) {
	return many[ConnectionProduct](ctx, s.db, connectionProductQuery+` where c.product_id = $1 order by c.connection_id`, product)
}

// SetConnectionProduct writes one.
func (s *Store) SetConnectionProduct(ctx context.Context, c ConnectionProduct) error {
	_, err := s.db.Exec(ctx, `
		insert into connection_products (connection_id, product_id, address, min_severity, digest_minutes) values ($1, $2, $3, $4, $5)
		on conflict (connection_id, product_id) do update set address = $3, min_severity = $4, digest_minutes = $5`,
		c.ConnectionID, c.ProductID, c.Address, c.MinSeverity, c.DigestMinutes)
	return conflict(err)
}

// DeleteConnectionProduct removes one.
func (s *Store) DeleteConnectionProduct(ctx context.Context, connection, product int64) error {
	return exec(ctx, s.db, "product of the connection", `delete from connection_products where connection_id = $1 and product_id = $2`, connection, product)
}
