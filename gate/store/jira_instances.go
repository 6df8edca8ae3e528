package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// JIRAInstance is a JIRA, and how findings are told there. Its secrets are
// those of its connection.
type JIRAInstance struct {
	ID                             int64   `db:"id"`
	ConnectionID                   *int64  `db:"connection_id"`
	ConfigurationName              string  `db:"configuration_name"`
	URL                            string  `db:"url"`
	Username                       string  `db:"username"`
	DefaultIssueType               string  `db:"default_issue_type"`
	IssueTemplateDir               *string `db:"issue_template_dir"`
	EpicNameID                     int64   `db:"epic_name_id"`
	OpenStatusKey                  int64   `db:"open_status_key"` // transitions; 0: the first that leads there
	CloseStatusKey                 int64   `db:"close_status_key"`
	InfoMappingSeverity            string  `db:"info_mapping_severity"`
	LowMappingSeverity             string  `db:"low_mapping_severity"`
	MediumMappingSeverity          string  `db:"medium_mapping_severity"`
	HighMappingSeverity            string  `db:"high_mapping_severity"`
	CriticalMappingSeverity        string  `db:"critical_mapping_severity"`
	FindingText                    *string `db:"finding_text"`
	AcceptedMappingResolution      *string `db:"accepted_mapping_resolution"`
	FalsePositiveMappingResolution *string `db:"false_positive_mapping_resolution"`
	GlobalJIRASLANotification      bool    `db:"global_jira_sla_notification"`
	FindingJIRASync                bool    `db:"finding_jira_sync"` // linked issues follow their findings without being asked
	Deployment                     string  `db:"deployment"`
	Account                        string  `db:"account"`
	Inbound                        string  `db:"inbound"` // claim, defectdojo or none
	Enabled                        bool    `db:"enabled"`
}

const jiraInstanceColumns = `id, connection_id, configuration_name, url, username, default_issue_type, issue_template_dir, epic_name_id::bigint,
	open_status_key::bigint, close_status_key::bigint, info_mapping_severity, low_mapping_severity, medium_mapping_severity, high_mapping_severity,
	critical_mapping_severity, finding_text, accepted_mapping_resolution, false_positive_mapping_resolution, global_jira_sla_notification,
	finding_jira_sync, deployment, account, inbound, enabled`

// Priority is what an instance calls a severity.
func (i JIRAInstance) Priority(s gate.Severity) string {
	switch s {
	case gate.Critical:
		return i.CriticalMappingSeverity
	case gate.High:
		return i.HighMappingSeverity
	case gate.Medium:
		return i.MediumMappingSeverity
	case gate.Low:
		return i.LowMappingSeverity
	default:
		return i.InfoMappingSeverity
	}
}

// JIRAInstanceFilter narrows a list of instances.
type JIRAInstanceFilter struct {
	ID  *int64
	URL *string
	Page
}

// JIRAInstances returns the instances of f, by ID.
func (s *Store) JIRAInstances(ctx context.Context, f JIRAInstanceFilter) (List[JIRAInstance], error) {
	var w where
	optional(&w, "id", f.ID)
	optional(&w, "url", f.URL)
	return list[JIRAInstance](ctx, s.db, jiraInstanceColumns, "jira_instances", &w, " order by id", f.Page)
}

// JIRAInstance returns one.
func (s *Store) JIRAInstance(ctx context.Context, id int64) (JIRAInstance, error) {
	return one[JIRAInstance](ctx, s.db, "JIRA instance", `select `+jiraInstanceColumns+` from jira_instances where id = $1`, id)
}

// JIRAInstanceOf returns the instance that a connection is for.
func (s *Store) JIRAInstanceOf(ctx context.Context, connection int64) (JIRAInstance, error) {
	return one[JIRAInstance](ctx, s.db, "JIRA instance", `select `+jiraInstanceColumns+` from jira_instances where connection_id = $1`, connection)
}

// AddJIRAInstance stores a new one.
func (s *Store) AddJIRAInstance(ctx context.Context, i JIRAInstance) (JIRAInstance, error) {
	return one[JIRAInstance](ctx, s.db, "JIRA instance", `
		insert into jira_instances (connection_id, configuration_name, url, username, default_issue_type, issue_template_dir, epic_name_id, open_status_key,
			close_status_key, info_mapping_severity, low_mapping_severity, medium_mapping_severity, high_mapping_severity, critical_mapping_severity,
			finding_text, accepted_mapping_resolution, false_positive_mapping_resolution, global_jira_sla_notification, finding_jira_sync, deployment,
			account, inbound, enabled)
		values (@connection, @name, @url, @username, @type, @template, @epic, @open, @close, @info, @low, @medium, @high, @critical, @text, @accepted,
			@false_positive, @sla, @sync, @deployment, @account, @inbound, @enabled)
		returning `+jiraInstanceColumns, i.args())
}

// UpdateJIRAInstance writes all of one but its connection.
func (s *Store) UpdateJIRAInstance(ctx context.Context, i JIRAInstance) (JIRAInstance, error) {
	return one[JIRAInstance](ctx, s.db, "JIRA instance", `
		update jira_instances set configuration_name = @name, url = @url, username = @username, default_issue_type = @type, issue_template_dir = @template,
			epic_name_id = @epic, open_status_key = @open, close_status_key = @close, info_mapping_severity = @info, low_mapping_severity = @low,
			medium_mapping_severity = @medium, high_mapping_severity = @high, critical_mapping_severity = @critical, finding_text = @text,
			accepted_mapping_resolution = @accepted, false_positive_mapping_resolution = @false_positive, global_jira_sla_notification = @sla,
			finding_jira_sync = @sync, deployment = @deployment, account = @account, inbound = @inbound, enabled = @enabled
		where id = @id returning `+jiraInstanceColumns, i.args())
}

func (i JIRAInstance) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": i.ID, "connection": i.ConnectionID, "name": i.ConfigurationName, "url": i.URL, "username": i.Username, "type": i.DefaultIssueType,
		"template": i.IssueTemplateDir, "epic": i.EpicNameID, "open": i.OpenStatusKey, "close": i.CloseStatusKey, "info": i.InfoMappingSeverity,
		"low": i.LowMappingSeverity, "medium": i.MediumMappingSeverity, "high": i.HighMappingSeverity, "critical": i.CriticalMappingSeverity,
		"text": i.FindingText, "accepted": i.AcceptedMappingResolution, "false_positive": i.FalsePositiveMappingResolution,
		"sla": i.GlobalJIRASLANotification, "sync": i.FindingJIRASync, "deployment": i.Deployment, "account": i.Account, "inbound": i.Inbound, "enabled": i.Enabled,
	}
}

// DeleteJIRAInstance removes one with its connection. Conflict: projects are in it.
func (s *Store) DeleteJIRAInstance(ctx context.Context, id int64) error {
	return s.atomically(ctx, func(s *Store) error {
		connection, err := scalars[*int64](ctx, s.db, `delete from jira_instances where id = $1 returning connection_id`, id)
		if err != nil {
			return err
		}
		if len(connection) == 0 {
			return gate.Errorf(gate.NotFound, "no such JIRA instance")
		}
		_, err = s.db.Exec(ctx, `delete from connections where id = $1`, connection[0])
		return conflict(err)
	})
}
