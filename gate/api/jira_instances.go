package api

import (
	"cmp"
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// jiraInstance is a JIRA as the API tells it: never with its secrets.
type jiraInstance struct {
	ID                             int64   `json:"id"`
	ConfigurationName              string  `json:"configuration_name"`
	URL                            string  `json:"url"`
	Username                       string  `json:"username"`
	DefaultIssueType               string  `json:"default_issue_type"`
	IssueTemplateDir               *string `json:"issue_template_dir"`
	EpicNameID                     int64   `json:"epic_name_id"`
	OpenStatusKey                  int64   `json:"open_status_key"`
	CloseStatusKey                 int64   `json:"close_status_key"`
	InfoMappingSeverity            string  `json:"info_mapping_severity"`
	LowMappingSeverity             string  `json:"low_mapping_severity"`
	MediumMappingSeverity          string  `json:"medium_mapping_severity"`
	HighMappingSeverity            string  `json:"high_mapping_severity"`
	CriticalMappingSeverity        string  `json:"critical_mapping_severity"`
	FindingText                    *string `json:"finding_text"`
	AcceptedMappingResolution      *string `json:"accepted_mapping_resolution"`
	FalsePositiveMappingResolution *string `json:"false_positive_mapping_resolution"`
	GlobalJIRASLANotification      bool    `json:"global_jira_sla_notification"`
	FindingJIRASync                bool    `json:"finding_jira_sync"`
	Inbound                        string  `json:"inbound"`
	Enabled                        bool    `json:"enabled"`
	Deployment                     string  `json:"deployment"`
	Account                        string  `json:"account"`
}

// namedInstance is an instance with what is not stored in its row.
type namedInstance struct {
	store.JIRAInstance

	password string // what it is to be; blank: as it is
	r        *request
}

var jiraModes = []string{"claim", "defectdojo", "none"}

func (a *api) jiraInstances(path string) resource[namedInstance] {
	return resource[namedInstance]{
		path: path, model: "JIRA instance",
		view: auth.Configure, add: auth.Configure, edit: auth.Configure, remove: auth.Configure,
		id: func(i namedInstance) int64 { return i.ID },
		find: func(r *request, s *store.Store, id int64) (namedInstance, error) {
			i, err := s.JIRAInstance(r.ctx, id)
			return namedInstance{JIRAInstance: i, r: r}, err
		},
		page: jiraInstancePage,
		fresh: func(r *request) namedInstance {
			return namedInstance{r: r, JIRAInstance: store.JIRAInstance{DefaultIssueType: "Bug", GlobalJIRASLANotification: true, Inbound: "claim", Enabled: true}}
		},
		read:   readJIRAInstance,
		mayAdd: func(*request, namedInstance) error { return nil }, // the route's action is on nothing
		insert: func(ctx context.Context, s *store.Store, i namedInstance) (namedInstance, error) {
			return saveJIRAInstance(ctx, s, i, "add")
		},
		update: func(ctx context.Context, s *store.Store, i namedInstance) (namedInstance, error) {
			return saveJIRAInstance(ctx, s, i, "edit")
		},
		kept: true,
		show: func(_ *request, rows []namedInstance) ([]any, error) {
			out := []any{}
			for _, i := range rows {
				out = append(out, jiraInstanceOf(i.JIRAInstance))
			}
			return out, nil
		},
	}
}

func saveJIRAInstance(ctx context.Context, s *store.Store, i namedInstance, action string) (namedInstance, error) {
	saved, err := i.r.Tracker.SaveInstance(ctx, s, i.JIRAInstance, i.password)
	if err != nil {
		return i, err
	}
	i.JIRAInstance = saved
	return i, i.r.audit(s, action, "jira_instance", i.ID, nil, map[string]any{"url": i.URL, "username": i.Username, "password_changed": i.password != ""})
}

// audit writes down what the sender did to something. It is given no secret.
func (r *request) audit(s *store.Store, action, object string, id int64, product *int64, changes map[string]any) error {
	actor := r.who.User.Username
	if r.who.Token != nil {
		actor = r.who.Token.PublicID
	}
	return s.AddAuditEvent(r.ctx, store.AuditEvent{
		At: r.now, ActorID: &r.who.User.ID, Actor: actor, Action: action, Object: object, ObjectID: &id, ProductID: product, Changes: changes,
		RequestID: r.GetRespHeader(fiber.HeaderXRequestID), IP: r.IP(),
	})
}

// written does something in a transaction that also writes it down.
func (r *request) written(action, object string, product *int64, name string, do func(*store.Store) (int64, error)) error {
	return r.Store.Tx(r.ctx, func(s *store.Store, _ pgx.Tx) error {
		id, err := do(s)
		if err != nil {
			return err
		}
		changes := map[string]any{}
		if name != "" {
			changes["name"] = name
		}
		return r.audit(s, action, object, id, product, changes)
	})
}

func jiraInstancePage(r *request, q *query) (store.List[namedInstance], store.Page, error) {
	p := q.page()
	p.Order = nil // this list has one order
	f := store.JIRAInstanceFilter{URL: q.maybe("url"), Page: p}
	if v := q.number("id"); len(v) > 0 {
		f.ID = &v[0]
	}
	if err := q.err(); err != nil {
		return store.List[namedInstance]{}, p, err
	}
	l, err := r.Store.JIRAInstances(r.ctx, f)
	out := store.List[namedInstance]{Count: l.Count}
	for _, i := range l.Rows {
		out.Rows = append(out.Rows, namedInstance{JIRAInstance: i, r: r})
	}
	return out, p, err
}

func readJIRAInstance(_ *request, f *form, before namedInstance, i *namedInstance) {
	must := rule(0)
	if before.ID == 0 {
		must = required
	}
	f.text("configuration_name", &i.ConfigurationName, 2000, blank)
	f.text("url", &i.URL, 2000, required)
	f.text("username", &i.Username, 2000, required|blank)
	f.text("password", &i.password, 2000, must)
	f.text("default_issue_type", &i.DefaultIssueType, 255, 0)
	f.optional("issue_template_dir", &i.IssueTemplateDir, 255)
	f.wholeNumber("epic_name_id", &i.EpicNameID, required)
	f.wholeNumber("open_status_key", &i.OpenStatusKey, required)
	f.wholeNumber("close_status_key", &i.CloseStatusKey, required)
	for name, into := range map[string]*string{
		"info_mapping_severity": &i.InfoMappingSeverity, "low_mapping_severity": &i.LowMappingSeverity, "medium_mapping_severity": &i.MediumMappingSeverity,
		"high_mapping_severity": &i.HighMappingSeverity, "critical_mapping_severity": &i.CriticalMappingSeverity,
	} {
		f.text(name, into, 200, required)
	}
	f.optional("finding_text", &i.FindingText, 0)
	f.optional("accepted_mapping_resolution", &i.AcceptedMappingResolution, 300)
	f.optional("false_positive_mapping_resolution", &i.FalsePositiveMappingResolution, 300)
	f.flag("global_jira_sla_notification", &i.GlobalJIRASLANotification, 0)
	f.flag("finding_jira_sync", &i.FindingJIRASync, 0)
	f.oneOf("inbound", &i.Inbound, 0, jiraModes...)
	if f.has("enabled") {
		f.flag("enabled", &i.Enabled, 0)
	}
	if i.URL != before.URL || i.Username != before.Username {
		i.Account, i.Deployment = "", "" // somebody else, or elsewhere: it is asked again
	}
	if before.ID != 0 && i.URL != before.URL && i.password == "" && len(f.problems) == 0 {
		f.problems.add("password", "Give the password again: it was for another address.")
	}
}

// wholeNumber reads an integer that is not null.
func (f *form) wholeNumber(name string, into *int64, rules rule) {
	n := into
	if _, ok := f.raw(name, rules); !ok {
		return
	}
	if whole(f, name, &n, 0, 1<<31-1); n == nil {
		f.problems.add(name, "This field may not be null.")
		return
	}
	*into = *n
}

func jiraInstanceOf(i store.JIRAInstance) jiraInstance {
	return jiraInstance{
		i.ID, i.ConfigurationName, i.URL, i.Username, i.DefaultIssueType, i.IssueTemplateDir, i.EpicNameID, i.OpenStatusKey, i.CloseStatusKey,
		i.InfoMappingSeverity, i.LowMappingSeverity, i.MediumMappingSeverity, i.HighMappingSeverity, i.CriticalMappingSeverity, i.FindingText,
		i.AcceptedMappingResolution, i.FalsePositiveMappingResolution, i.GlobalJIRASLANotification, i.FindingJIRASync, i.Inbound, i.Enabled, i.Deployment, i.Account,
	}
}

// jiraRoutes are those of DefectDojo's four resources, two of which have two
// names, and our own below them.
func (a *api) jiraRoutes() []route {
	var all []route
	for _, path := range []string{"/jira_instances", "/jira_configurations"} {
		all = append(all, a.jiraInstances(path).routes()...)
		all = append(all, route{fiber.MethodDelete, path + "/:id", auth.Configure, a.deleteJIRAInstance})
	}
	all = append(all,
		route{fiber.MethodPost, "/jira_instances/:id/test", auth.Configure, a.testJIRAInstance},
		route{fiber.MethodPost, "/jira_instances/:id/webhook_secret", auth.Configure, a.renewJIRASecret},
		route{fiber.MethodPost, "/jira_instances/:id/legacy_webhook", auth.Configure, a.setJIRALegacySecret},
	)
	for _, path := range []string{"/jira_product_configurations", "/jira_projects"} {
		all = append(all, a.jiraProjects(path).routes()...)
		all = append(all, route{fiber.MethodDelete, path + "/:id", auth.ManageChannels, a.deleteJIRAProject})
	}
	all = append(all,
		route{fiber.MethodPost, "/jira_projects/:id/test", auth.ManageChannels, a.testJIRAProject},
		route{fiber.MethodGet, "/jira_projects/:id/plan", auth.View, a.jiraPlan},
		route{fiber.MethodPost, "/engagements/:id/update_jira_epic", auth.EditEngagement, a.updateJIRAEpic},
	)
	return append(all, a.jiraMappings().routes()...)
}

// deleteJIRAInstance serves DELETE /jira_instances/:id.
func (a *api) deleteJIRAInstance(r *request) error {
	i, err := a.jiraInstances("").one(r)
	if err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	err = r.Tracker.RemoveInstance(r.ctx, who, i.JIRAInstance)
	if gate.KindOf(err) == gate.Conflict && err != nil {
		return gate.Errorf(gate.Conflict, "There are JIRA projects of this instance.")
	}
	if err != nil {
		return err
	}
	return r.nothing()
}

// testJIRAInstance serves POST /jira_instances/:id/test: it asks JIRA who we are.
func (a *api) testJIRAInstance(r *request) error {
	i, err := a.jiraInstances("").one(r)
	if err != nil {
		return err
	}
	p, err := r.Tracker.TestInstance(r.ctx, i.JIRAInstance)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]string{"account": p.Account, "deployment": p.Deployment, "version": p.Version})
}

// renewJIRASecret serves POST /jira_instances/:id/webhook_secret. The answer is
// the only place where the secret is ever shown.
func (a *api) renewJIRASecret(r *request) error {
	i, err := a.jiraInstances("").one(r)
	if err != nil {
		return err
	}
	if i.ConnectionID == nil {
		return gate.Errorf(gate.Conflict, "The instance has no password yet.")
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	secret, err := r.Tracker.RenewSecret(r.ctx, who, i.JIRAInstance)
	if err != nil {
		return err
	}
	conn, err := r.Store.Connection(r.ctx, *i.ConnectionID)
	if err != nil {
		return err
	}
	return r.reply(fiber.StatusOK, map[string]string{"webhook_url": cmp.Or(r.SiteURL, r.BaseURL()) + "/hooks/jira/" + conn.PublicID, "webhook_secret": secret})
}

// setJIRALegacySecret serves POST /jira_instances/:id/legacy_webhook: the secret
// that DefectDojo had in the address of JIRA's webhook; blank closes that address.
func (a *api) setJIRALegacySecret(r *request) error {
	i, err := a.jiraInstances("").one(r)
	if err != nil {
		return err
	}
	f, err := r.form()
	if err != nil {
		return err
	}
	secret := ""
	f.text("secret", &secret, 300, required|blank)
	if err := f.failed(); err != nil {
		return err
	}
	who, err := r.actor()
	if err != nil {
		return err
	}
	if err := r.Tracker.KeepLegacySecret(r.ctx, who, i.JIRAInstance, secret); err != nil {
		return err
	}
	url := ""
	if secret != "" {
		url = cmp.Or(r.SiteURL, r.BaseURL()) + "/jira/webhook/…"
	}
	return r.reply(fiber.StatusOK, map[string]string{"webhook_url": url})
}
