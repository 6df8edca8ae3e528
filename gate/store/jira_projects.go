package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// JIRAProject says where the tickets of a product, or of one engagement, go and
// what they are like. The texts that are pointers can be unsaid.
type JIRAProject struct {
	ID                       int64           `db:"id"`
	JIRAInstanceID           *int64          `db:"jira_instance_id"`
	ProductID                *int64          `db:"product_id"`
	EngagementID             *int64          `db:"engagement_id"`
	OwnerID                  int64           `db:"owner_id"` // the product that it is of, or its engagement
	ProjectKey               string          `db:"project_key"`
	IssueTemplateDir         *string         `db:"issue_template_dir"`
	Component                string          `db:"component"`
	CustomFields             json.RawMessage `db:"custom_fields"`
	CloseTransitionFields    json.RawMessage `db:"close_transition_fields"`
	ReopenTransitionFields   json.RawMessage `db:"reopen_transition_fields"`
	DefaultAssignee          *string         `db:"default_assignee"`
	JIRALabels               *string         `db:"jira_labels"`
	AddVulnerabilityIDLabel  bool            `db:"add_vulnerability_id_to_jira_label"`
	PushAllIssues            bool            `db:"push_all_issues"`
	EpicMapping              bool            `db:"enable_engagement_epic_mapping"`
	EpicIssueTypeName        string          `db:"epic_issue_type_name"`
	PushNotes                bool            `db:"push_notes"`
	ProductJIRASLA           bool            `db:"product_jira_sla_notification"`
	RiskAcceptanceExpiration bool            `db:"risk_acceptance_expiration_notification"`
	Enabled                  bool            `db:"enabled"`
	MinimumSeverity          gate.Severity   `db:"minimum_severity"`
	OnlyVerified             bool            `db:"only_verified"`
	PushAttachments          bool            `db:"push_attachments"`
	SummaryTemplate          string          `db:"summary_template"`
	DescriptionTemplate      string          `db:"description_template"`
}

const (
	jiraProjectColumns = `j.id, j.jira_instance_id, j.product_id, j.engagement_id, coalesce(j.product_id, e.product_id, 0) as owner_id, j.project_key,
		j.issue_template_dir, j.component, j.custom_fields, j.close_transition_fields, j.reopen_transition_fields, j.default_assignee, j.jira_labels,
		j.add_vulnerability_id_to_jira_label, j.push_all_issues, j.enable_engagement_epic_mapping, j.epic_issue_type_name, j.push_notes,
		j.product_jira_sla_notification, j.risk_acceptance_expiration_notification, j.enabled, j.minimum_severity, j.only_verified, j.push_attachments,
		j.summary_template, j.description_template`
	jiraProjectTables = `jira_projects j left join engagements e on e.id = j.engagement_id`
)

// JIRAProjectFilter narrows a list of projects to those of products in scope.
type JIRAProjectFilter struct {
	Scope                               gate.Scope
	ID, Instance, ProductID, Engagement *int64
	ProjectKey, Component               *string
	Flags                               map[string]bool
	Page
}

var jiraProjectFlags = columns{"enabled": "j.enabled", "push_all_issues": "j.push_all_issues", "enable_engagement_epic_mapping": "j.enable_engagement_epic_mapping", "push_notes": "j.push_notes"}

// JIRAProjects returns the projects of f, by ID.
func (s *Store) JIRAProjects(ctx context.Context, f JIRAProjectFilter) (List[JIRAProject], error) {
	var w where
	w.scope("coalesce(j.product_id, e.product_id)", f.Scope)
	optional(&w, "j.id", f.ID)
	optional(&w, "j.jira_instance_id", f.Instance)
	optional(&w, "j.product_id", f.ProductID)
	optional(&w, "j.engagement_id", f.Engagement)
	optional(&w, "j.project_key", f.ProjectKey)
	optional(&w, "j.component", f.Component)
	if err := flags(&w, jiraProjectFlags, f.Flags); err != nil {
		return List[JIRAProject]{}, err
	}
	return list[JIRAProject](ctx, s.db, jiraProjectColumns, jiraProjectTables, &w, " order by j.id", f.Page)
}

// JIRAProject returns one that is of a product in scope.
func (s *Store) JIRAProject(ctx context.Context, scope gate.Scope, id int64) (JIRAProject, error) {
	var w where
	w.and("j.id = ?", id)
	w.scope("coalesce(j.product_id, e.product_id)", scope)
	return one[JIRAProject](ctx, s.db, "JIRA project", `select `+jiraProjectColumns+` from `+jiraProjectTables+w.sql.String(), w.args...)
}

// JIRAProjectFor returns the project that an engagement's tickets go to: its
// own, else its product's first. NotFound if there is none.
func (s *Store) JIRAProjectFor(ctx context.Context, engagement int64) (JIRAProject, error) {
	return one[JIRAProject](ctx, s.db, "JIRA project", `
		select `+jiraProjectColumns+` from `+jiraProjectTables+`
		where j.engagement_id = $1 or j.product_id = (select product_id from engagements where id = $1)
		order by j.engagement_id is null, j.id limit 1`, engagement)
}

// AddJIRAProject stores a new one.
func (s *Store) AddJIRAProject(ctx context.Context, p JIRAProject) (JIRAProject, error) {
	id, err := scalar[int64](ctx, s.db, `
		insert into jira_projects (jira_instance_id, product_id, engagement_id, project_key, issue_template_dir, component, custom_fields,
			close_transition_fields, reopen_transition_fields, default_assignee, jira_labels, add_vulnerability_id_to_jira_label, push_all_issues,
			enable_engagement_epic_mapping, epic_issue_type_name, push_notes, product_jira_sla_notification, risk_acceptance_expiration_notification,
			enabled, minimum_severity, only_verified, push_attachments, summary_template, description_template)
		values (@instance, @product, @engagement, @key, @template, @component, @custom, @close, @reopen, @assignee, @labels, @ids, @all, @epics, @epic_type,
			@notes, @sla, @expiry, @enabled, @severity, @verified, @files, @summary, @description)
		returning id`, p.args())
	if err != nil {
		return JIRAProject{}, err
	}
	return s.JIRAProject(ctx, gate.Scope{All: true}, id)
}

// UpdateJIRAProject writes all of one.
func (s *Store) UpdateJIRAProject(ctx context.Context, p JIRAProject) (JIRAProject, error) {
	err := exec(ctx, s.db, "JIRA project", `
		update jira_projects set jira_instance_id = @instance, product_id = @product, engagement_id = @engagement, project_key = @key,
			issue_template_dir = @template, component = @component, custom_fields = @custom, close_transition_fields = @close,
			reopen_transition_fields = @reopen, default_assignee = @assignee, jira_labels = @labels, add_vulnerability_id_to_jira_label = @ids,
			push_all_issues = @all, enable_engagement_epic_mapping = @epics, epic_issue_type_name = @epic_type, push_notes = @notes,
			product_jira_sla_notification = @sla, risk_acceptance_expiration_notification = @expiry, enabled = @enabled, minimum_severity = @severity,
			only_verified = @verified, push_attachments = @files, summary_template = @summary, description_template = @description
		where id = @id`, p.args())
	if err != nil {
		return JIRAProject{}, err
	}
	return s.JIRAProject(ctx, gate.Scope{All: true}, p.ID)
}

func (p JIRAProject) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"id": p.ID, "instance": p.JIRAInstanceID, "product": p.ProductID, "engagement": p.EngagementID, "key": p.ProjectKey, "template": p.IssueTemplateDir,
		"component": p.Component, "custom": orNull(p.CustomFields), "close": orNull(p.CloseTransitionFields), "reopen": orNull(p.ReopenTransitionFields),
		"assignee": p.DefaultAssignee, "labels": p.JIRALabels, "ids": p.AddVulnerabilityIDLabel, "all": p.PushAllIssues, "epics": p.EpicMapping,
		"epic_type": p.EpicIssueTypeName, "notes": p.PushNotes, "sla": p.ProductJIRASLA, "expiry": p.RiskAcceptanceExpiration, "enabled": p.Enabled,
		"severity": p.MinimumSeverity, "verified": p.OnlyVerified, "files": p.PushAttachments, "summary": p.SummaryTemplate, "description": p.DescriptionTemplate,
	}
}

func orNull(v json.RawMessage) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

// DeleteJIRAProject removes one. Tickets that came of it are not followed any more.
func (s *Store) DeleteJIRAProject(ctx context.Context, id int64) error {
	return exec(ctx, s.db, "JIRA project", `delete from jira_projects where id = $1`, id)
}
