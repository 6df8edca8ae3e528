package store

import (
	"context"
	"fmt"
	"time"
)

// TestRow is a test of a product with its last import.
type TestRow struct {
	ID           int64
	Title        *string
	Scanner      string
	EngagementID int64
	Engagement   string
	Branch       string
	Open         int // findings
	ImportID     *int64
	ImportedAt   *time.Time
	State        *string // of the import: done, failed or superseded
	Outcome      *string // of the scanner's run, as the report says
	Error        *string
	Commit       *string
	Filename     *string
	Reported     *int // findings in that report
}

// EngagementRow is an engagement of a product.
type EngagementRow struct {
	ID     int64
	Name   string
	Type   string
	Status string
	Active bool
	Branch *string
	Commit *string
	Tests  int
	Open   int // findings
	Worst  *int16
	Last   *time.Time // import
}

// ProductPage is what belongs to one product beside its findings.
type ProductPage struct {
	Type        string
	SLA         string // the name of its SLA configuration
	Tests       []TestRow
	Engagements []EngagementRow
}

// ProductPage returns what belongs to a product, the newest first. The caller
// has checked that it may be seen.
func (s *Store) ProductPage(ctx context.Context, product int64) (ProductPage, error) {
	type names struct {
		Type string
		SLA  string `db:"sla"`
	}
	n, err := one[names](ctx, s.db, "product", `
		select t.name as type, c.name as sla from products p
		join product_types t on t.id = p.prod_type_id join sla_configurations c on c.id = p.sla_configuration_id
		where p.id = $1`, product)
	if err != nil {
		return ProductPage{}, err
	}
	p := ProductPage{Type: n.Type, SLA: n.SLA}
	if p.Tests, err = s.testRows(ctx, product); err != nil {
		return p, fmt.Errorf("tests of product %d: %w", product, err)
	}
	if p.Engagements, err = s.engagementRows(ctx, product); err != nil {
		return p, fmt.Errorf("engagements of product %d: %w", product, err)
	}
	return p, nil
}

func (s *Store) testRows(ctx context.Context, product int64) ([]TestRow, error) {
	return many[TestRow](ctx, s.db, `
		with open as (select test_id, count(*)::integer as n from findings where product_id = $1 and active group by test_id)
		select t.id, t.title, tt.name as scanner, t.engagement_id, e.name as engagement, coalesce(t.branch_tag, e.branch_tag, '') as branch, coalesce(o.n, 0) as open,
			i.id as import_id, i.created as imported_at, i.state, i.outcome, i.error, i.commit_hash as commit, i.filename, i.finding_count as reported
		from tests t
		join engagements e on e.id = t.engagement_id
		join test_types tt on tt.id = t.test_type_id
		left join open o on o.test_id = t.id
		left join lateral (select * from test_imports where test_id = t.id order by id desc limit 1) i on true
		where t.product_id = $1
		order by i.created desc nulls last, t.id desc
		limit 200`, product)
}

func (s *Store) engagementRows(ctx context.Context, product int64) ([]EngagementRow, error) {
	return many[EngagementRow](ctx, s.db, `
		with open as (select engagement_id, count(*)::integer as n, max(severity) as worst from findings where product_id = $1 and active group by engagement_id),
			test as (
				select t.engagement_id, count(*)::integer as n, max(i.created) as last
				from tests t left join lateral (select created from test_imports where test_id = t.id order by id desc limit 1) i on true
				where t.product_id = $1 group by t.engagement_id
			)
		select e.id, e.name, e.engagement_type as type, e.status, e.active, e.branch_tag as branch, e.commit_hash as commit,
			coalesce(t.n, 0) as tests, coalesce(o.n, 0) as open, o.worst, t.last
		from engagements e
		left join open o on o.engagement_id = e.id
		left join test t on t.engagement_id = e.id
		where e.product_id = $1
		order by e.active desc, t.last desc nulls last, e.id desc
		limit 200`, product)
}
