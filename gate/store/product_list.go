package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// ProductRow is what a list shows of a product.
type ProductRow struct {
	ID                  int64
	Name                string
	ProdTypeID          int64
	Type                string
	BusinessCriticality *string
	Tags                []string
	Critical            int // open findings
	High                int
	Medium              int
	Low                 int
	Info                int
	LastImport          *time.Time
	VerdictID           *int64 // the last one
	Verdict             *gate.Decision
	Conclusive          *bool
	DecidedAt           *time.Time
	Total               int // products of the whole list
}

// Open returns the numbers of open findings by severity.
func (r ProductRow) Open() Counts {
	return Counts{gate.Info: r.Info, gate.Low: r.Low, gate.Medium: r.Medium, gate.High: r.High, gate.Critical: r.Critical}
}

// LastVerdict is a verdict in short.
type LastVerdict struct {
	Overall    gate.Decision
	Conclusive bool
}

// Last returns the last verdict, if there is one.
func (r ProductRow) Last() LastVerdict {
	if r.Verdict == nil || r.Conclusive == nil {
		return LastVerdict{}
	}
	return LastVerdict{*r.Verdict, *r.Conclusive}
}

// ProductSearch says which products a list shows.
type ProductSearch struct {
	Scope  gate.Scope
	Text   string // in the name, the type's name or a tag
	ByName bool   // else those with the worst findings come first
	Page
}

// ProductRows returns products for a list.
func (s *Store) ProductRows(ctx context.Context, q ProductSearch) ([]ProductRow, error) {
	var w where
	w.scope("p.id", q.Scope)
	if q.Text != "" {
		like := "%" + likeEscape.Replace(q.Text) + "%"
		w.and(`(p.name ilike ? or t.name ilike ? or exists (select from unnest(p.tags) tag where tag ilike ?))`, like, like, like)
	}
	order := " order by critical desc, high desc, medium desc, low desc, lower(p.name), p.id"
	if q.ByName {
		order = " order by lower(p.name), p.id"
	}
	rows, err := many[ProductRow](ctx, s.db, `
		with open as (
			select product_id, count(*) filter (where severity = 4) as critical, count(*) filter (where severity = 3) as high,
				count(*) filter (where severity = 2) as medium, count(*) filter (where severity = 1) as low, count(*) filter (where severity = 0) as info
			from findings where active group by product_id
		)
		select p.id, p.name, p.prod_type_id, t.name as type, p.business_criticality, p.tags, coalesce(o.critical, 0) as critical, coalesce(o.high, 0) as high,
			coalesce(o.medium, 0) as medium, coalesce(o.low, 0) as low, coalesce(o.info, 0) as info, i.created as last_import,
			v.id as verdict_id, v.overall as verdict, v.conclusive, v.decided_at, count(*) over () as total
		from products p
		join product_types t on t.id = p.prod_type_id
		left join open o on o.product_id = p.id
		left join lateral (select created from test_imports where product_id = p.id and state = 'done' order by id desc limit 1) i on true
		left join lateral (select id, overall, conclusive, decided_at from verdicts where product_id = p.id order by id desc limit 1) v on true`+
		w.sql.String()+order+q.window(), w.args...)
	if err != nil {
		return nil, fmt.Errorf("list of products: %w", err)
	}
	return rows, nil
}
