package store

import (
	"context"

	"defectdojo/gate"
)

// Choice is something to choose from in a form.
type Choice struct {
	ID   int64
	Name string
}

// Choices are what the filters of a list of findings offer, within a scope.
type Choices struct {
	Products []Choice
	Scanners []Choice // test types that have been used
	People   []Choice
}

// FindingChoices returns what there is to filter findings by. People are only
// for who may assign findings to them.
func (s *Store) FindingChoices(ctx context.Context, scope gate.Scope, people bool) (Choices, error) {
	var c Choices
	var products, tests where
	products.scope("id", scope)
	tests.scope("product_id", scope)
	var err error
	if c.Products, err = many[Choice](ctx, s.db, `select id, name from products`+products.sql.String()+` order by lower(name) limit 2000`, products.args...); err != nil {
		return c, err
	}
	if c.Scanners, err = many[Choice](ctx, s.db, `select id, name from test_types where id in (select test_type_id from tests`+tests.sql.String()+`) order by lower(name)`, tests.args...); err != nil {
		return c, err
	}
	if people {
		c.People, err = s.People(ctx)
	}
	return c, err
}

// People returns whom a finding can be assigned to.
func (s *Store) People(ctx context.Context) ([]Choice, error) {
	return many[Choice](ctx, s.db, `select id, username as name from users where is_active order by lower(username) limit 500`)
}

// Names returns the names of an engagement and a test by what a filter calls
// them, if they are within scope; an ID of 0 is none.
func (s *Store) Names(ctx context.Context, scope gate.Scope, engagement, test int64) (map[string]string, error) {
	var e, t where
	e.and("id = ?", engagement)
	e.scope("product_id", scope)
	t.and("t.id = ?", test)
	t.scope("t.product_id", scope)
	type named struct{ Key, Name string }
	rows, err := many[named](ctx, s.db, `select 'engagement ' || id as key, name from engagements`+e.sql.String(), e.args...)
	if err != nil {
		return nil, err
	}
	more, err := many[named](ctx, s.db, `select 'test ' || t.id as key, coalesce(nullif(t.title, ''), tt.name) as name from tests t join test_types tt on tt.id = t.test_type_id`+t.sql.String(), t.args...)
	names := map[string]string{}
	for _, r := range append(rows, more...) {
		names[r.Key] = r.Name
	}
	return names, err
}
