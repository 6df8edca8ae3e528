package store

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// BulkRow is what must be known of a finding to tell whether an action would
// change it.
type BulkRow struct {
	ID           int64
	Severity     gate.Severity
	Title        string
	ProductID    int64
	Product      string
	Active       bool
	Verified     bool
	Duplicate    bool
	RiskAccepted bool
	AssigneeID   *int64
	JIRA         bool `db:"jira"` // its tickets have a place to go
	Simple       bool // its product allows to accept risks without more ado
}

// BulkRows returns the findings of q, the worst first, up to a limit.
func (s *Store) BulkRows(ctx context.Context, q FindingSearch, limit int) ([]BulkRow, error) {
	w := q.where()
	rows, err := many[BulkRow](ctx, s.db, `
		select f.id, f.severity, f.title, f.product_id, p.name as product, f.active, f.verified, f.duplicate, f.risk_accepted, f.assignee_id,
			p.enable_simple_risk_acceptance as simple,
			exists (select from jira_projects j where j.enabled and (j.product_id = f.product_id or j.engagement_id = f.engagement_id)) as jira
		from findings f join products p on p.id = f.product_id`+w.sql.String()+` order by f.severity desc, f.id desc`+Page{Limit: limit}.window(), w.args...)
	if err != nil {
		return nil, fmt.Errorf("findings to act on: %w", err)
	}
	return rows, nil
}

// AuditEventsOf returns what one request of an actor did to objects of a kind, since a time.
func (s *Store) AuditEventsOf(ctx context.Context, request string, actor int64, object string, since time.Time) ([]AuditEvent, error) {
	return many[AuditEvent](ctx, s.db, `
		select `+auditColumns+` from audit_events
		where request_id = $1 and request_id <> '' and actor_id = $2 and object = $3 and at >= $4 order by id`, request, actor, object, since)
}

// RestoreLocations gives the locations of a finding back the status that an
// action at some time took from them.
func (s *Store) RestoreLocations(ctx context.Context, f gate.Finding, from, to string, changed time.Time, by int64, at time.Time) error {
	return s.atomically(ctx, func(s *Store) error {
		if _, err := s.db.Exec(ctx, `
			update location_findings set status = $3, auditor_id = $5, audit_time = $6
			where finding_id = $1 and status = $2 and audit_time = $4`, f.ID, from, to, changed, by, at); err != nil {
			return err
		}
		return s.settleLocations(ctx, f)
	})
}
