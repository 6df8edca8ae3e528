package web

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
)

// jiraProjectPage is what jira-project.html shows.
type jiraProjectPage struct {
	layout
	Project   store.JIRAProject
	Of        jiraProjectRow
	Instances []jiraRow
	Products  []store.Choice
	Problems  problemsOf
	Said      string
	Form      jiraProjectForm
}

// jiraProjectForm holds the fields as they were typed.
type jiraProjectForm struct {
	Product, Engagement, Instance                     string
	Assignee, Labels, Custom, Close, Reopen, Template string
}

// Placeholders are what templates may name.
func (jiraProjectPage) Placeholders() []string { return tracker.Placeholders }

// Severities are those that can be the lowest.
func (jiraProjectPage) Severities() []gate.Severity { return gate.Severities }

func (w *web) showJIRAProject(v *visit, p jiraProjectPage) error {
	title := "New JIRA project"
	if p.Project.ID != 0 {
		title = "JIRA project " + p.Project.ProjectKey
	}
	p.layout = w.layout(v, "", title)
	if p.Problems == nil {
		p.Problems = problemsOf{}
	}
	var err error
	if p.Instances, err = w.jiraRows(v); err != nil {
		return err
	}
	scope, err := w.Auth.Scope(v.UserContext(), v.Principal, auth.ManageChannels)
	if err != nil {
		return err
	}
	choices, err := w.Store.FindingChoices(v.UserContext(), scope, false)
	if err != nil {
		return err
	}
	p.Products = choices.Products
	if p.Project.ID != 0 {
		p.Of.JIRAProject = p.Project
		if p.Of.Product, p.Of.Engagement, err = w.jiraOwner(v, p.Project); err != nil {
			return err
		}
	}
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "jira-project.html", p)
}

func projectForm(j store.JIRAProject) jiraProjectForm {
	f := jiraProjectForm{Custom: string(j.CustomFields), Close: string(j.CloseTransitionFields), Reopen: string(j.ReopenTransitionFields)}
	for into, from := range map[*string]*string{&f.Assignee: j.DefaultAssignee, &f.Labels: j.JIRALabels, &f.Template: j.IssueTemplateDir} {
		if from != nil {
			*into = *from
		}
	}
	if j.JIRAInstanceID != nil {
		f.Instance = strconv.FormatInt(*j.JIRAInstanceID, 10)
	}
	return f
}

// newJIRAProject serves GET /integrations/jira/projects/new.
func (w *web) newJIRAProject(v *visit) error {
	j := store.JIRAProject{EpicIssueTypeName: "Epic", Enabled: true, MinimumSeverity: gate.Low, PushAttachments: true, PushNotes: true}
	return w.showJIRAProject(v, jiraProjectPage{Project: j, Form: jiraProjectForm{Product: v.Query("product"), Engagement: v.Query("engagement")}})
}

// jiraProject serves GET /integrations/jira/projects/:id.
func (w *web) jiraProject(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	return w.showJIRAProject(v, jiraProjectPage{Project: j, Form: projectForm(j)})
}

// addJIRAProject serves POST /integrations/jira/projects.
func (w *web) addJIRAProject(v *visit) error {
	var j store.JIRAProject
	problems := problemsOf{}
	if err := w.readOwner(v, &j, problems); err != nil {
		return err
	}
	return w.saveJIRAProject(v, j, problems)
}

// readOwner reads which product, or which engagement of it, a project is of.
func (w *web) readOwner(v *visit, j *store.JIRAProject, problems problemsOf) error {
	ctx := v.UserContext()
	product, err := strconv.ParseInt(v.form("product"), 10, 64)
	if err != nil || !v.scope.Allows(product) {
		problems["product"] = "Choose one."
		return nil
	}
	j.OwnerID, j.ProductID = product, &product
	if v.form("engagement") == "" {
		return nil
	}
	id, _ := strconv.ParseInt(v.form("engagement"), 10, 64)
	e, err := w.Store.Engagement(ctx, v.scope, id)
	if gate.KindOf(err) == gate.NotFound && err != nil || err == nil && e.ProductID != product {
		problems["engagement"] = "The product has no engagement with this number."
		return nil
	}
	j.EngagementID, j.ProductID = &id, nil
	return err
}

// editJIRAProject serves POST /integrations/jira/projects/:id.
func (w *web) editJIRAProject(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	return w.saveJIRAProject(v, j, problemsOf{})
}

func (w *web) saveJIRAProject(v *visit, j store.JIRAProject, problems problemsOf) error {
	form := readProjectForm(v, &j, problems)
	if len(problems) == 0 {
		who, err := w.actor(v, auth.ManageChannels)
		if err == nil {
			j, err = w.Tracker.KeepProject(v.UserContext(), who, j)
		}
		if err := problems.note(err, "engagement"); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return w.showJIRAProject(v, jiraProjectPage{Project: j, Problems: problems, Form: form})
	}
	w.flash(v, flash{Text: "Saved. Test it, and look at the plan."})
	return v.Redirect("/integrations/jira/projects/"+strconv.FormatInt(j.ID, 10), fiber.StatusSeeOther)
}

func readProjectForm(v *visit, j *store.JIRAProject, problems problemsOf) jiraProjectForm {
	f := jiraProjectForm{
		Product: v.form("product"), Engagement: v.form("engagement"), Instance: v.form("jira_instance"), Assignee: v.form("default_assignee"), Labels: v.form("jira_labels"),
		Custom: v.form("custom_fields"), Close: v.form("close_transition_fields"), Reopen: v.form("reopen_transition_fields"), Template: v.form("issue_template_dir"),
	}
	if id, err := strconv.ParseInt(f.Instance, 10, 64); err == nil {
		j.JIRAInstanceID = &id
	} else {
		problems["jira_instance"] = "Choose one."
	}
	if j.ProjectKey = strings.ToUpper(strings.TrimSpace(v.form("project_key"))); j.ProjectKey == "" {
		problems["project_key"] = "It is needed."
	}
	j.Component, j.EpicIssueTypeName = strings.TrimSpace(v.form("component")), strings.TrimSpace(v.form("epic_issue_type_name"))
	for text, into := range map[*string]**string{&f.Assignee: &j.DefaultAssignee, &f.Labels: &j.JIRALabels, &f.Template: &j.IssueTemplateDir} {
		if *into = nil; strings.TrimSpace(*text) != "" {
			*into = text
		}
	}
	for name, x := range map[string]struct {
		text string
		into *json.RawMessage
	}{"custom_fields": {f.Custom, &j.CustomFields}, "close_transition_fields": {f.Close, &j.CloseTransitionFields}, "reopen_transition_fields": {f.Reopen, &j.ReopenTransitionFields}} {
		var fields map[string]any
		switch text := strings.TrimSpace(x.text); {
		case text == "":
			*x.into = nil
		case json.Unmarshal([]byte(text), &fields) != nil:
			problems[name] = `It must be a JSON object, such as {"customfield_10050": {"value": "red"}}.`
		default:
			*x.into = json.RawMessage(text)
		}
	}
	severity, known := gate.SeverityOf(v.form("minimum_severity"))
	if j.MinimumSeverity = severity; !known {
		problems["minimum_severity"] = "Choose one."
	}
	for name, into := range map[string]*bool{
		"add_vulnerability_id_to_jira_label": &j.AddVulnerabilityIDLabel, "push_all_issues": &j.PushAllIssues, "enable_engagement_epic_mapping": &j.EpicMapping,
		"push_notes": &j.PushNotes, "enabled": &j.Enabled, "only_verified": &j.OnlyVerified, "push_attachments": &j.PushAttachments,
	} {
		*into = v.form(name) != ""
	}
	j.SummaryTemplate, j.DescriptionTemplate = strings.TrimSpace(v.form("summary_template")), strings.TrimSpace(strings.ReplaceAll(v.form("description_template"), "\r\n", "\n"))
	return f
}

// testJIRAProject serves POST /integrations/jira/projects/:id/test.
func (w *web) testJIRAProject(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	p := jiraProjectPage{Project: j, Form: projectForm(j), Problems: problemsOf{}}
	if err = w.Tracker.TestProject(v.UserContext(), j); err == nil {
		p.Said = "JIRA takes issues as they are set up here. The plan shows which there would be."
	}
	if err := p.Problems.note(err, "project_key"); err != nil {
		return err
	}
	return w.showJIRAProject(v, p)
}

// deleteJIRAProject serves POST /integrations/jira/projects/:id/delete.
func (w *web) deleteJIRAProject(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	who, err := w.actor(v, auth.ManageChannels)
	if err != nil {
		return err
	}
	if err := w.Tracker.RemoveProject(v.UserContext(), who, j); err != nil {
		return err
	}
	w.flash(v, flash{Text: "The project is removed. Its issues stay in JIRA, and nothing follows them any more."})
	return v.Redirect("/integrations/jira", fiber.StatusSeeOther)
}
