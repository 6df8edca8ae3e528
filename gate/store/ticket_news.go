package store

import (
	"context"
	"time"

	"defectdojo/gate"
)

// TicketNews is a ticket as notices tell of it.
type TicketNews struct {
	Key       string        `db:"jira_key"`
	Error     string        `db:"error"`
	FindingID int64         `db:"finding_id"` // 0: it is of a group, or of an engagement
	Title     string        `db:"title"`
	Severity  gate.Severity `db:"severity"`
}

// TicketNews returns one.
func (s *Store) TicketNews(ctx context.Context, id int64) (TicketNews, error) {
	return one[TicketNews](ctx, s.db, "ticket", `
		select t.jira_key, t.error, coalesce(f.id, 0) as finding_id, coalesce(f.title, g.name, '') as title, coalesce(f.severity, 0) as severity
		from jira_issues t left join findings f on f.id = t.finding_id left join finding_groups g on g.id = t.finding_group_id
		where t.id = $1`, id)
}

// JIRAOutage is how an instance is, and what waits for it.
type JIRAOutage struct {
	InstanceID int64      `db:"instance_id"`
	Name       string     `db:"name"`
	Failures   int        `db:"failures"` // in a row; 0: it answers
	LastOK     *time.Time `db:"last_ok"`
	LastError  string     `db:"last_error"`
	Waiting    int        `db:"waiting"`
}

// JIRAOutage returns how the instance of a connection is.
func (s *Store) JIRAOutage(ctx context.Context, connection int64) (JIRAOutage, error) {
	return one[JIRAOutage](ctx, s.db, "JIRA instance", `
		select i.id as instance_id, coalesce(nullif(i.configuration_name, ''), i.url) as name, coalesce(h.failures, 0) as failures, h.last_ok, coalesce(h.last_error, '') as last_error,
			(select count(*) from jira_issues t join jira_projects p on p.id = t.jira_project_id where p.jira_instance_id = i.id and t.due is not null)::int as waiting
		from jira_instances i left join channel_health h on h.channel = 'jira' and h.target = i.id
		where i.connection_id = $1`, connection)
}
