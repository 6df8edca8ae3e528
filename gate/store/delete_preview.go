package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// Goner is something that goes when something else is removed.
type Goner struct {
	Model string // DefectDojo's name of what it is
	ID    int64
	Name  string
}

// goners are what is in a product type, a product, an engagement or a test, or
// a finding alone, from the largest to the smallest. What the arguments do not
// name is null, and no row's ID.
const goners = `
	with y as (select id, name from product_types where id = @product_type),
	p as (select id, name from products where id = @product or prod_type_id in (select id from y)),
	e as (select id, name from engagements where id = @engagement or product_id in (select id from p)),
	t as (
		select t.id, coalesce(nullif(t.title, ''), y.name) as name from tests t join test_types y on y.id = t.test_type_id
		where t.id = @test or t.engagement_id in (select id from e)
	),
	f as (select id, title as name from findings where id = @finding or test_id in (select id from t)),
	g as (
		select 1 as rank, 'Product_Type' as model, id, name from y
		union all select 2, 'Product', id, name from p
		union all select 3, 'Engagement', id, name from e
		union all select 4, 'Test', id, name from t
		union all select 5, 'Finding', id, name from f
	)`

// DeletePreview returns what goes when something of a kind ("product type",
// "product", "engagement", "test" or "finding") is removed: that itself, and
// what is in it.
func (s *Store) DeletePreview(ctx context.Context, kind string, id int64, p Page) (List[Goner], error) {
	args := pgx.NamedArgs{"product_type": nil, "product": nil, "engagement": nil, "test": nil, "finding": nil}
	name := map[string]string{"product type": "product_type"}[kind]
	if name == "" {
		name = kind
	}
	if _, known := args[name]; !known {
		return List[Goner]{}, gate.Errorf(gate.NotFound, "no such preview")
	}
	args[name] = id
	count, err := scalar[int](ctx, s.db, goners+` select count(*) from g`, args)
	if err != nil {
		return List[Goner]{}, err
	}
	rows, err := many[Goner](ctx, s.db, goners+` select model, id, name from g order by rank, id`+p.window(), args)
	return List[Goner]{count, rows}, err
}
