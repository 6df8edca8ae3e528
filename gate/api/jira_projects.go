package api

import (
	"context"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// jiraProject is where tickets go, as the API tells it.
type jiraProject struct {
	ID                         int64          `json:"id"`
	ProjectKey                 string         `json:"project_key"`
	IssueTemplateDir           *string        `json:"issue_template_dir"`
	Component                  string         `json:"component"`
	CustomFields               jsontext.Value `json:"custom_fields"`
	CloseTransitionFields      jsontext.Value `json:"close_transition_fields"`
	ReopenTransitionFields     jsontext.Value `json:"reopen_transition_fields"`
	DefaultAssignee            *string        `json:"default_assignee"`
	JIRALabels                 *string        `json:"jira_labels"`
	AddVulnerabilityIDLabel    bool           `json:"add_vulnerability_id_to_jira_label"`
	PushAllIssues              bool           `json:"push_all_issues"`
	EpicMapping                bool           `json:"enable_engagement_epic_mapping"`
	EpicIssueTypeName          string         `json:"epic_issue_type_name"`
	PushNotes                  bool           `json:"push_notes"`
	ProductJIRASLANotification bool           `json:"product_jira_sla_notification"`
	RiskAcceptanceExpiration   bool           `json:"risk_acceptance_expiration_notification"`
	Enabled                    bool           `json:"enabled"`
	JIRAInstance               *int64         `json:"jira_instance"`
	Product                    *int64         `json:"product"`
	Engagement                 *int64         `json:"engagement"`
	MinimumSeverity            gate.Severity  `json:"minimum_severity"`
	OnlyVerified               bool           `json:"only_verified"`
	PushAttachments            bool           `json:"push_attachments"`
	SummaryTemplate            string         `json:"summary_template"`
	DescriptionTemplate        string         `json:"description_template"`
}

func (a *api) jiraProjects(path string) resource[store.JIRAProject] {
	return resource[store.JIRAProject]{
		path: path, model: "JIRA project",
		view: auth.View, add: auth.ManageChannels, edit: auth.ManageChannels, remove: auth.ManageChannels,
		id:  func(p store.JIRAProject) int64 { return p.ID },
		may: func(r *request, p store.JIRAProject) error { return r.may(p.OwnerID) },
		find: func(r *request, s *store.Store, id int64) (store.JIRAProject, error) {
			scope, err := r.scope()
			if err != nil {
				return store.JIRAProject{}, err
			}
			return s.JIRAProject(r.ctx, scope, id)
		},
		page: jiraProjectPage,
		fresh: func(*request) store.JIRAProject {
			return store.JIRAProject{EpicIssueTypeName: "Epic", Enabled: true, MinimumSeverity: gate.Low, PushAttachments: true}
		},
		read:   readJIRAProject,
		mayAdd: func(r *request, p store.JIRAProject) error { return r.may(p.OwnerID) },
		insert: func(ctx context.Context, s *store.Store, p store.JIRAProject) (store.JIRAProject, error) {
			return s.AddJIRAProject(ctx, p)
		},
		update: func(ctx context.Context, s *store.Store, p store.JIRAProject) (store.JIRAProject, error) {
			return s.UpdateJIRAProject(ctx, p)
		},
		show: func(_ *request, rows []store.JIRAProject) ([]any, error) {
			out := []any{}
			for _, p := range rows {
				out = append(out, jiraProjectOf(p))
			}
			return out, nil
		},
		entry:  func(p store.JIRAProject) (*int64, string) { return &p.OwnerID, p.ProjectKey },
		refers: references[store.JIRAProject]{},
	}
}

func jiraProjectPage(r *request, q *query) (store.List[store.JIRAProject], store.Page, error) {
	var none store.List[store.JIRAProject]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	p := q.page()
	p.Order = nil // this list has one order
	f := store.JIRAProjectFilter{
		Scope: scope, ProjectKey: q.maybe("project_key"), Component: q.maybe("component"), Page: p,
		Flags: q.flags("enabled", "push_all_issues", "enable_engagement_epic_mapping", "push_notes"),
	}
	for name, into := range map[string]**int64{"id": &f.ID, "product": &f.ProductID, "engagement": &f.Engagement, "jira_instance": &f.Instance} {
		if v := q.number(name); len(v) > 0 {
			*into = &v[0]
		}
	}
	if err := q.err(); err != nil {
		return none, p, err
	}
	l, err := r.Store.JIRAProjects(r.ctx, f)
	return l, p, err
}

func readJIRAProject(r *request, f *form, before store.JIRAProject, p *store.JIRAProject) {
	f.maybeReference(r.ctx, "jira_instance", &p.JIRAInstanceID, func(ctx context.Context, id int64) (bool, error) {
		_, err := r.Store.JIRAInstance(ctx, id)
		return allows(err)
	})
	readJIRAOwner(r, f, before, p)
	f.text("project_key", &p.ProjectKey, 200, blank)
	f.optional("issue_template_dir", &p.IssueTemplateDir, 255)
	f.text("component", &p.Component, 200, blank)
	f.object("custom_fields", &p.CustomFields)
	f.object("close_transition_fields", &p.CloseTransitionFields)
	f.object("reopen_transition_fields", &p.ReopenTransitionFields)
	f.optional("default_assignee", &p.DefaultAssignee, 200)
	f.optional("jira_labels", &p.JIRALabels, 200)
	f.text("epic_issue_type_name", &p.EpicIssueTypeName, 64, blank)
	for name, into := range map[string]*bool{
		"add_vulnerability_id_to_jira_label": &p.AddVulnerabilityIDLabel, "push_all_issues": &p.PushAllIssues, "enable_engagement_epic_mapping": &p.EpicMapping,
		"push_notes": &p.PushNotes, "product_jira_sla_notification": &p.ProductJIRASLA, "risk_acceptance_expiration_notification": &p.RiskAcceptanceExpiration,
		"enabled": &p.Enabled, "only_verified": &p.OnlyVerified, "push_attachments": &p.PushAttachments,
	} {
		if f.has(name) {
			f.flag(name, into, 0)
		}
	}
	severity := p.MinimumSeverity.String()
	f.oneOf("minimum_severity", &severity, 0, "Info", "Low", "Medium", "High", "Critical")
	p.MinimumSeverity = gate.ParseSeverity(severity)
	f.text("summary_template", &p.SummaryTemplate, 1000, blank)
	f.text("description_template", &p.DescriptionTemplate, 100_000, blank)
}

// readJIRAOwner reads the product or the engagement that a project is of, which
// is what rights on it come from. It stays theirs.
func readJIRAOwner(r *request, f *form, before store.JIRAProject, p *store.JIRAProject) {
	scope, err := r.scope()
	if err != nil {
		f.err = err
		return
	}
	f.maybeReference(r.ctx, "product", &p.ProductID, func(ctx context.Context, id int64) (bool, error) {
		_, err := r.Store.Product(ctx, scope, id)
		p.OwnerID = id
		return allows(err)
	})
	f.maybeReference(r.ctx, "engagement", &p.EngagementID, func(ctx context.Context, id int64) (bool, error) {
		e, err := r.Store.Engagement(ctx, scope, id)
		p.OwnerID = e.ProductID
		return allows(err)
	})
	if p.ProductID == nil && p.EngagementID == nil && len(f.problems) == 0 {
		f.problems.add("non_field_errors", "Either engagement or product has to be set.")
	}
	if before.ID != 0 && p.OwnerID != before.OwnerID && len(f.problems) == 0 {
		f.problems.add("product", "A JIRA project stays with its product: add another one there.")
	}
}

// object reads a JSON object that may be null.
func (f *form) object(name string, into *json.RawMessage) {
	v, done := f.scalar(name, nullable, func() { *into = nil })
	if done {
		return
	}
	if s, ok := unquote(v); ok { // of a form, or of clients that quote it
		v = jsontext.Value(s)
	}
	var fields map[string]any
	if err := json.Unmarshal(v, &fields); err != nil {
		f.problems.add(name, "Value must be valid JSON.")
		return
	}
	*into = json.RawMessage(v)
}

func jiraProjectOf(p store.JIRAProject) jiraProject {
	return jiraProject{
		p.ID, p.ProjectKey, p.IssueTemplateDir, p.Component, jsontext.Value(p.CustomFields), jsontext.Value(p.CloseTransitionFields),
		jsontext.Value(p.ReopenTransitionFields), p.DefaultAssignee, p.JIRALabels, p.AddVulnerabilityIDLabel, p.PushAllIssues, p.EpicMapping,
		p.EpicIssueTypeName, p.PushNotes, p.ProductJIRASLA, p.RiskAcceptanceExpiration, p.Enabled, p.JIRAInstanceID, p.ProductID, p.EngagementID,
		p.MinimumSeverity, p.OnlyVerified, p.PushAttachments, p.SummaryTemplate, p.DescriptionTemplate,
	}
}

// deleteJIRAProject serves DELETE /jira_projects/:id.
func (a *api) deleteJIRAProject(r *request) error {
	p, err := a.jiraProjects("").allowed(r)
	if err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.Tracker.RemoveProject(r.ctx, who, p); err != nil {
		return err
	}
	return r.nothing()
}

// testJIRAProject serves POST /jira_projects/:id/test: it asks JIRA whether
// issues can be made as the project says.
func (a *api) testJIRAProject(r *request) error {
	p, err := a.jiraProjects("").allowed(r)
	if err != nil {
		return err
	}
	if err := r.Tracker.TestProject(r.ctx, p); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]string{"status": "ok"})
}

// jiraPlan serves GET /jira_projects/:id/plan: what would be done, were a worker
// at the project's tickets now; with asked=true, were all of it pushed by hand.
func (a *api) jiraPlan(r *request) error {
	p, err := a.jiraProjects("").one(r)
	if err != nil {
		return err
	}
	asked := r.query().flag("asked")
	plan, err := r.Tracker.Plan(r.ctx, p, asked != nil && *asked)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, plan)
}

// updateJIRAEpic serves POST /engagements/:id/update_jira_epic.
func (a *api) updateJIRAEpic(r *request) error {
	e, err := a.engagements().allowed(r)
	if err != nil {
		return err
	}
	if err := r.Tracker.PushEpic(r.ctx, e.ID); err != nil {
		return err
	}
	if err := r.audit(r.Store, "push_epic", "engagement", e.ID, &e.ProductID, nil); err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]string{"info": "Jira Epic update query sent"})
}
