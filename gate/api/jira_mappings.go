package api

import (
	"context"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// jiraMapping is a ticket as the API tells it: the issue, and how keeping it in step goes.
type jiraMapping struct {
	jiraIssue

	State      string `json:"state"`
	Claim      string `json:"claim"`
	JIRAStatus string `json:"jira_status"`
	Error      string `json:"error"`
}

func (a *api) jiraMappings() resource[store.Mapping] {
	return resource[store.Mapping]{
		path: "/jira_finding_mappings", model: "JIRA issue",
		view: auth.View, add: auth.EditFinding, edit: auth.EditFinding, remove: auth.EditFinding,
		id:  func(m store.Mapping) int64 { return m.ID },
		may: func(r *request, m store.Mapping) error { return r.may(m.ProductID) },
		find: func(r *request, s *store.Store, id int64) (store.Mapping, error) {
			scope, err := r.scope()
			if err != nil {
				return store.Mapping{}, err
			}
			return s.Mapping(r.ctx, scope, id)
		},
		page:   jiraMappingPage,
		fresh:  func(*request) store.Mapping { return store.Mapping{} },
		read:   readJIRAMapping,
		mayAdd: func(r *request, m store.Mapping) error { return r.may(m.ProductID) },
		insert: func(ctx context.Context, s *store.Store, m store.Mapping) (store.Mapping, error) {
			m, err := s.AddMapping(ctx, m, time.Now()) //nolint:forbidigo // the row's own times
			return m, taken(err)
		},
		update: func(ctx context.Context, s *store.Store, m store.Mapping) (store.Mapping, error) {
			m, err := s.UpdateMapping(ctx, m)
			return m, taken(err)
		},
		delete: func(ctx context.Context, s *store.Store, id int64) error { return s.DeleteMapping(ctx, id) },
		entry:  func(m store.Mapping) (*int64, string) { return &m.ProductID, m.JIRAKey },
		show: func(_ *request, rows []store.Mapping) ([]any, error) {
			out := []any{}
			for _, m := range rows {
				issue := jiraIssue{
					ID: m.ID, URL: browse(m.URL, m.JIRAKey), JIRAID: m.JIRAID, JIRAKey: m.JIRAKey, JIRACreation: maybe[stamp](m.JIRACreation),
					JIRAChange: maybe[stamp](m.JIRAChange), JIRAProject: m.ProjectID, Finding: m.FindingID, Engagement: m.EngagementID, FindingGroup: m.GroupID,
				}
				out = append(out, jiraMapping{issue, string(m.State), m.Claim, m.JIRAStatus, m.Error})
			}
			return out, nil
		},
		refers: references[store.Mapping]{"finding": {a.toFindings, func(m store.Mapping) []int64 { return ids(m.FindingID) }}},
	}
}

// browse is where people see an issue of a JIRA; blank if it is in none.
func browse(jira, key string) string {
	if jira == "" || key == "" {
		return ""
	}
	return jira + "/browse/" + key
}

// taken says in DefectDojo's words that something has a ticket already.
func taken(err error) error {
	if err != nil && gate.KindOf(err) == gate.Conflict {
		return problems{"non_field_errors": {"It is linked to a JIRA issue already."}}
	}
	return err
}

func jiraMappingPage(r *request, q *query) (store.List[store.Mapping], store.Page, error) {
	var none store.List[store.Mapping]
	scope, err := r.scope()
	if err != nil {
		return none, store.Page{}, err
	}
	p := q.page()
	p.Order = nil // this list has one order
	f := store.MappingFilter{Scope: scope, JIRAID: q.maybe("jira_id"), JIRAKey: q.maybe("jira_key"), Page: p}
	for name, into := range map[string]**int64{"id": &f.ID, "finding": &f.FindingID, "engagement": &f.EngagementID, "finding_group": &f.GroupID} {
		if v := q.number(name); len(v) > 0 {
			*into = &v[0]
		}
	}
	if err := q.err(); err != nil {
		return none, p, err
	}
	l, err := r.Store.Mappings(r.ctx, f)
	return l, p, err
}

func readJIRAMapping(r *request, f *form, before store.Mapping, m *store.Mapping) {
	f.text("jira_id", &m.JIRAID, 200, required)
	f.text("jira_key", &m.JIRAKey, 200, required)
	scope, err := r.scope()
	if err != nil {
		f.err = err
		return
	}
	f.maybeReference(r.ctx, "jira_project", &m.ProjectID, func(ctx context.Context, id int64) (bool, error) {
		_, err := r.Store.JIRAProject(ctx, scope, id)
		return allows(err)
	})
	if before.ID != 0 { // it stays with what it is about
		return
	}
	f.maybeReference(r.ctx, "finding", &m.FindingID, func(ctx context.Context, id int64) (bool, error) {
		found, err := r.Store.Finding(ctx, scope, id)
		m.ProductID, m.Of = found.ProductID, found.EngagementID
		return allows(err)
	})
	f.maybeReference(r.ctx, "engagement", &m.EngagementID, func(ctx context.Context, id int64) (bool, error) {
		found, err := r.Store.Engagement(ctx, scope, id)
		m.ProductID, m.Of = found.ProductID, found.ID
		return allows(err)
	})
	f.maybeReference(r.ctx, "finding_group", &m.GroupID, func(ctx context.Context, id int64) (bool, error) {
		product, engagement, err := r.Store.GroupPlace(ctx, id)
		if err != nil || !scope.Allows(product) {
			return allows(err)
		}
		m.ProductID, m.Of = product, engagement
		return true, nil
	})
	n := len(ids(m.FindingID, m.EngagementID, m.GroupID))
	if n != 1 && len(f.problems) == 0 {
		f.problems.add("non_field_errors", "Either engagement or finding or finding_group has to be set.")
	}
}
