package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// Mapping is a ticket as the API sees it: with the product that rights on it
// come from.
type Mapping struct {
	Ticket

	ProductID int64  `db:"product_id"`
	URL       string `db:"url"` // of the JIRA
	Of        int64  `db:"-"`   // the engagement of what a new one is about
}

const (
	mappingColumns = ticketColumns + `, coalesce(f.product_id, te.product_id, e.product_id, 0) as product_id, coalesce(i.url, '') as url`
	mappingTables  = `jira_issues t left join findings f on f.id = t.finding_id left join finding_groups g on g.id = t.finding_group_id
		left join tests te on te.id = g.test_id left join engagements e on e.id = t.engagement_id
		left join jira_projects p on p.id = t.jira_project_id left join jira_instances i on i.id = p.jira_instance_id`
	mappingProduct = `coalesce(f.product_id, te.product_id, e.product_id)`
)

// MappingFilter narrows a list of tickets that are in JIRA to those of products in scope.
type MappingFilter struct {
	Scope                                gate.Scope
	ID, FindingID, EngagementID, GroupID *int64
	JIRAID, JIRAKey                      *string
	Page
}

// Mappings returns the tickets of f, by ID.
func (s *Store) Mappings(ctx context.Context, f MappingFilter) (List[Mapping], error) {
	var w where
	w.and("t.jira_key <> ''")
	w.and(mappingProduct + " is not null")
	w.scope(mappingProduct, f.Scope)
	optional(&w, "t.id", f.ID)
	optional(&w, "t.finding_id", f.FindingID)
	optional(&w, "t.engagement_id", f.EngagementID)
	optional(&w, "t.finding_group_id", f.GroupID)
	optional(&w, "t.jira_id", f.JIRAID)
	optional(&w, "t.jira_key", f.JIRAKey)
	return list[Mapping](ctx, s.db, mappingColumns, mappingTables, &w, " order by t.id", f.Page)
}

// Mapping returns one of a product in scope.
func (s *Store) Mapping(ctx context.Context, scope gate.Scope, id int64) (Mapping, error) {
	var w where
	w.and("t.id = ?", id)
	w.and(mappingProduct + " is not null")
	w.scope(mappingProduct, scope)
	return one[Mapping](ctx, s.db, "JIRA issue", `select `+mappingColumns+` from `+mappingTables+w.sql.String(), w.args...)
}

// AddMapping links something to an issue that is in JIRA already. One that
// waits to be made is that from now on.
func (s *Store) AddMapping(ctx context.Context, m Mapping, now time.Time) (Mapping, error) {
	if m.ProjectID == nil {
		p, err := s.JIRAProjectFor(ctx, m.Of)
		if err != nil && gate.KindOf(err) != gate.NotFound {
			return m, err
		}
		if err == nil {
			m.ProjectID = &p.ID
		}
	}
	var id int64
	err := s.atomically(ctx, func(s *Store) error {
		if _, err := s.db.Exec(ctx, `
			delete from jira_issues where (finding_id = $1 or engagement_id = $2 or finding_group_id = $3) and state in ('none', 'failed', 'gone')
				and leased_until is null`, m.FindingID, m.EngagementID, m.GroupID); err != nil {
			return err
		}
		var err error
		id, err = scalar[int64](ctx, s.db, `
			insert into jira_issues (jira_id, jira_key, jira_project_id, finding_id, engagement_id, finding_group_id, state, jira_creation, jira_change)
			values ($1, $2, $3, $4, $5, $6, 'linked', $7, $7) returning id`, m.JIRAID, m.JIRAKey, m.ProjectID, m.FindingID, m.EngagementID, m.GroupID, now)
		return err
	})
	if err != nil {
		return m, err
	}
	return s.Mapping(ctx, gate.Scope{All: true}, id)
}

// UpdateMapping writes which issue a ticket is.
func (s *Store) UpdateMapping(ctx context.Context, m Mapping) (Mapping, error) {
	if err := exec(ctx, s.db, "JIRA issue", `
		update jira_issues set jira_id = $2, jira_key = $3, jira_project_id = $4, state = 'linked' where id = $1`, m.ID, m.JIRAID, m.JIRAKey, m.ProjectID); err != nil {
		return m, err
	}
	return s.Mapping(ctx, gate.Scope{All: true}, m.ID)
}

// DeleteMapping forgets a ticket; the issue stays in JIRA.
func (s *Store) DeleteMapping(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "JIRA issue", `delete from jira_issues where id = $1`, id)
}

// GroupPlace returns the product and the engagement of a finding group.
func (s *Store) GroupPlace(ctx context.Context, id int64) (product, engagement int64, err error) {
	type place struct{ ProductID, EngagementID int64 }
	p, err := one[place](ctx, s.db, "finding group", `select t.product_id, t.engagement_id from finding_groups g join tests t on t.id = g.test_id where g.id = $1`, id)
	return p.ProductID, p.EngagementID, err
}
