package web

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
	"defectdojo/gate/tracker"
	"defectdojo/gate/triage"
)

// jiraPage is what jira.html shows.
type jiraPage struct {
	layout
	Instances    []jiraRow
	Projects     []jiraProjectRow
	CanConfigure bool // instances; projects are of who manages their product
}

// jiraRow is a JIRA, how it is, and what waits for it.
type jiraRow struct {
	store.JIRAInstance

	Health store.ChannelHealth
	Queue  store.TicketQueue
}

// Name is what people call it.
func (r jiraRow) Name() string {
	if r.ConfigurationName != "" {
		return r.ConfigurationName
	}
	return r.URL
}

// Ailing tells whether it did not answer lately.
func (r jiraRow) Ailing() bool { return r.Health.Failures > 0 }

// jiraProjectRow is where the tickets of a product or an engagement go.
type jiraProjectRow struct {
	store.JIRAProject

	Product, Engagement, Instance string
}

// jira serves GET /integrations/jira.
func (w *web) jira(v *visit) error {
	p := jiraPage{layout: w.layout(v, "", "JIRA"), CanConfigure: w.Auth.MayGlobal(v.Principal, auth.Configure) == nil}
	instances, err := w.jiraRows(v)
	if err != nil {
		return err
	}
	projects, err := w.Store.JIRAProjects(v.UserContext(), store.JIRAProjectFilter{Scope: v.scope})
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, i := range instances {
		names[i.ID] = i.Name()
	}
	for _, j := range projects.Rows {
		row := jiraProjectRow{JIRAProject: j}
		if j.JIRAInstanceID != nil {
			row.Instance = names[*j.JIRAInstanceID]
		}
		if row.Product, row.Engagement, err = w.jiraOwner(v, j); err != nil {
			return err
		}
		p.Projects = append(p.Projects, row)
	}
	if p.CanConfigure {
		p.Instances = instances
	}
	return render(v.Ctx, "jira.html", p)
}

func (w *web) jiraRows(v *visit) ([]jiraRow, error) {
	ctx := v.UserContext()
	all, err := w.Store.JIRAInstances(ctx, store.JIRAInstanceFilter{})
	if err != nil {
		return nil, err
	}
	health, err := w.Store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	queues, err := w.Store.TicketQueues(ctx)
	if err != nil {
		return nil, err
	}
	var rows []jiraRow
	for _, i := range all.Rows {
		row := jiraRow{JIRAInstance: i}
		if n := slices.IndexFunc(health, func(h store.ChannelHealth) bool { return h.Channel == tracker.Channel && h.Target == i.ID }); n >= 0 {
			row.Health = health[n]
		}
		if n := slices.IndexFunc(queues, func(q store.TicketQueue) bool { return q.InstanceID == i.ID }); n >= 0 {
			row.Queue = queues[n]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// jiraOwner names what a project is of.
func (w *web) jiraOwner(v *visit, j store.JIRAProject) (product, engagement string, err error) {
	of, err := w.Store.Product(v.UserContext(), gate.Scope{All: true}, j.OwnerID)
	if err != nil || j.EngagementID == nil {
		return of.Name, "", err
	}
	e, err := w.Store.Engagement(v.UserContext(), gate.Scope{All: true}, *j.EngagementID)
	return of.Name, e.Name, err
}

// jiraPlanPage is what jira-plan.html shows.
type jiraPlanPage struct {
	layout
	Project jiraProjectRow
	Plan    tracker.Plan
	URL     string // of the JIRA
	CanPush bool
}

// jiraPlan serves GET /integrations/jira/projects/:id/plan: what would be done.
func (w *web) jiraPlan(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	ctx := v.UserContext()
	p := jiraPlanPage{layout: w.layout(v, "", "JIRA plan"), Project: jiraProjectRow{JIRAProject: j}}
	if p.Project.Product, p.Project.Engagement, err = w.jiraOwner(v, j); err != nil {
		return err
	}
	if p.Plan, err = w.Tracker.Plan(ctx, j, v.Query("asked") != ""); err != nil {
		return err
	}
	if j.JIRAInstanceID != nil {
		inst, err := w.Store.JIRAInstance(ctx, *j.JIRAInstanceID)
		if err != nil {
			return err
		}
		p.URL = inst.URL
	}
	p.CanPush = w.Auth.May(ctx, v.Principal, auth.EditFinding, j.OwnerID) == nil
	return render(v.Ctx, "jira-plan.html", p)
}

// jiraProjectOf returns the project that the address names, of a product in scope.
func (w *web) jiraProjectOf(v *visit) (store.JIRAProject, error) {
	id, err := v.id()
	if err != nil {
		return store.JIRAProject{}, err
	}
	return w.Store.JIRAProject(v.UserContext(), v.scope, id)
}

// pushPlan serves POST /integrations/jira/projects/:id/push: it has all of a
// plan done that was made as if everything were pushed.
func (w *web) pushPlan(v *visit) error {
	j, err := w.jiraProjectOf(v)
	if err != nil {
		return err
	}
	plan, err := w.Tracker.Plan(v.UserContext(), j, true)
	if err != nil {
		return err
	}
	var findings []int64
	for _, t := range plan.Tickets {
		if len(t.Steps) == 0 {
			continue
		}
		if t.Finding != 0 {
			findings = append(findings, t.Finding)
		}
		if t.Group != 0 {
			members, err := w.Store.GroupMembers(v.UserContext(), t.Group)
			if err != nil {
				return err
			}
			findings = append(findings, members...)
		}
	}
	if err := w.Tracker.Push(v.UserContext(), findings); err != nil {
		return err
	}
	e := w.auditOf(v, j.ID)
	e.Action, e.Object, e.ObjectID, e.ProductID, e.Changes = triage.Pushing, "jira_project", &j.ID, &j.OwnerID, map[string]any{"findings": len(findings)}
	if err := w.Store.AddAuditEvent(v.UserContext(), e); err != nil {
		return err
	}
	w.flash(v, flash{Text: plural(len(findings), "finding is", "findings are") + " handed to JIRA's worker."})
	return v.Redirect("/integrations/jira/projects/"+strconv.FormatInt(j.ID, 10)+"/plan", fiber.StatusSeeOther)
}

// problemsOf are the mistakes of a form, by field.
type problemsOf map[string]string

// note takes a mistake out of an error; any other error it returns.
func (p problemsOf) note(err error, fallback string) error {
	if err == nil || gate.KindOf(err) != gate.Invalid && gate.KindOf(err) != gate.Conflict {
		return err
	}
	e, _ := errors.AsType[*gate.Error](err)
	p[cmp.Or(e.Field, fallback)] = e.Message
	return nil
}

// browse is an issue's address for people.
func browse(base, key string) string {
	if httpURL(base) == "" {
		return ""
	}
	return base + "/browse/" + url.PathEscape(key)
}
